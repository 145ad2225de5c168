//===- Tuning.cpp - measured tiles of kernels -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the tuning database and its view of kernels: what is
// legal follows from registers, what is worth a try lies around the choice of
// the cost model.
//===----------------------------------------------------------------------===//

#include "passes/lower/Tuning.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/kernel/StageShapes.h"
#include "passes/lower/expand/Tiles.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace graven {
namespace {

constexpr llvm::StringLiteral firstLine = "graven-tuning 1";
constexpr llvm::StringLiteral lastWord = "hash";
constexpr size_t mostBytes = 4 << 20, mostLine = 1 << 10, mostTiles = 3;

/// Tiles within these bounds make no kernel that takes minutes to compile.
constexpr int64_t mostExtent = 1 << 20;

/// Vectors in a panel of accumulators; 0 where the panel is narrower than one.
int64_t panelVectors(Operation *op, const TargetInfo &target) {
  auto lanesOf = [&](Type type) {
    return target.lanes(std::max<int64_t>(
        4, cast<ShapedType>(type).getElementTypeBitWidth() / 8));
  };
  auto last = [](Type type) {
    return cast<ShapedType>(type).getShape().back();
  };
  return llvm::TypeSwitch<Operation *, int64_t>(op)
      .Case([&](kernel::GemmOp gemm) {
        return last(gemm.getB().getType()) / lanesOf(gemm.getOut().getType());
      })
      .Case([&](kernel::ConvOp conv) {
        return last(conv.getW().getType()) / lanesOf(conv.getOut().getType());
      })
      .Case([&](kernel::WinogradOutputOp output) {
        return last(output.getW().getType()) /
               lanesOf(output.getOut().getType());
      })
      .Case([&](kernel::StrassenOutputOp output) {
        return last(output.getB().getType()) /
               lanesOf(output.getOut().getType());
      })
      .Default([](Operation *) { return int64_t(1); });
}

bool isTilesAttr(StringRef name) {
  return name == "tile" || name == "mr" || name == "row_block";
}

llvm::Error refuse(const Twine &why) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), why);
}

std::string hashOf(StringRef text) {
  return llvm::toHex(
      ArrayRef(llvm::BLAKE3::hash(llvm::arrayRefFromStringRef(text)))
          .take_front(16),
      /*LowerCase=*/true);
}

} // namespace

Tiles tilesOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, Tiles>(op)
      .Case<kernel::GemmOp, kernel::WinogradOutputOp, kernel::StrassenOutputOp>(
          [](auto product) { return Tiles{int64_t(product.getMr())}; })
      .Case([](kernel::ConvOp conv) {
        return Tiles{conv.getTile()[0], conv.getTile()[1],
                     int64_t(conv.getRowBlock())};
      })
      .Case([](kernel::DepthwiseOp depthwise) {
        return Tiles{depthwise.getTile()[0], depthwise.getTile()[1]};
      })
      .Default([](Operation *) { return Tiles(); });
}

void setTiles(Operation *op, ArrayRef<int64_t> tiles) {
  llvm::TypeSwitch<Operation *>(op)
      .Case<kernel::GemmOp, kernel::WinogradOutputOp, kernel::StrassenOutputOp>(
          [&](auto product) { product.setMr(tiles[0]); })
      .Case([&](kernel::ConvOp conv) {
        conv.setTile(tiles.take_front(2));
        conv.setRowBlock(tiles[2]);
      })
      .Case([&](kernel::DepthwiseOp depthwise) {
        depthwise.setTile(tiles.take_front(2));
      });
}

std::string tuningSignature(Operation *op) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << op->getName().stripDialect();
  // Memory of the epilogue is not counted: bias or not is the same product.
  auto shape = [&](Value value) {
    auto type = cast<ShapedType>(value.getType());
    os << '/';
    for (int64_t extent : type.getShape())
      os << extent << 'x';
    os << type.getElementType();
  };
  shape(op->getOperand(0));
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](kernel::GemmOp gemm) {
        shape(gemm.getB());
        shape(gemm.getOut());
      })
      .Case<kernel::ConvOp, kernel::DepthwiseOp>([&](auto conv) {
        shape(conv.getW());
        shape(conv.getOut());
      })
      .Case<kernel::WinogradOutputOp, kernel::StrassenOutputOp>(
          [&](auto output) { shape(output.getOut()); });
  for (NamedAttribute attr : op->getAttrDictionary()) {
    bool isTile =
        isTilesAttr(attr.getName()) &&
        !(isa<kernel::WinogradOutputOp>(op) && attr.getName() == "tile");
    if (isTile)
      continue;
    std::string value;
    if (auto number = dyn_cast<IntegerAttr>(attr.getValue()))
      value = std::to_string(number.getInt());
    else if (auto numbers = dyn_cast<DenseI64ArrayAttr>(attr.getValue()))
      value = llvm::join(llvm::map_range(numbers.asArrayRef(),
                                         [](int64_t number) {
                                           return std::to_string(number);
                                         }),
                         ",");
    else
      continue;
    os << '/' << attr.getName().strref() << '=' << value;
  }
  return text;
}

bool areLegalTiles(Operation *op, ArrayRef<int64_t> tiles,
                   const TargetInfo &target) {
  if (tiles.size() != tilesOf(op).size() || tiles.empty() ||
      llvm::any_of(tiles,
                   [](int64_t tile) { return tile < 1 || tile > mostExtent; }))
    return false;
  if (isa<kernel::DepthwiseOp>(op))
    return tiles[0] * tiles[1] <= target.vectorRegisters - 3;
  // Wide panels are taken in parts where the rows ask for it.
  int64_t vectors = panelVectors(op, target),
          most = expand::rowsThatFit(target, 1);
  if (vectors < 1)
    return false;
  if (auto conv = dyn_cast<kernel::ConvOp>(op))
    return tiles[0] * tiles[1] <= most &&
           tiles[2] <= std::max<int64_t>(1, conv.getOutType().getDimSize(2));
  return tiles[0] <= most;
}

SmallVector<Tiles> tileCandidates(Operation *op, const TargetInfo &target) {
  SmallVector<Tiles> candidates;
  auto offer = [&](Tiles tiles) {
    if (areLegalTiles(op, tiles, target) &&
        !llvm::is_contained(candidates, tiles))
      candidates.push_back(std::move(tiles));
  };
  Tiles own = tilesOf(op);
  if (own.empty())
    return candidates;
  candidates.push_back(own);
  int64_t vectors = panelVectors(op, target);
  if (auto conv = dyn_cast<kernel::ConvOp>(op)) {
    int64_t area = vectors < 1
                       ? 1
                       : expand::rowsThatFit(
                             target, expand::tileVectors(target, vectors)),
            height = conv.getOutType().getDimSize(2);
    // A block of rows is a divisor of the height, so that rows can be joined.
    int64_t fewer = own[2] - 1, more = own[2] + 1;
    while (fewer > 1 && height % fewer != 0)
      --fewer;
    while (more < height && height % more != 0)
      ++more;
    offer({own[0], own[1], more});
    offer({own[0], own[1], fewer});
    for (int64_t rows = 1; rows <= std::min<int64_t>(4, height); ++rows)
      offer({rows, area / rows, std::max(own[2], rows)});
    offer({1, area - 1, own[2]});
    return candidates;
  }
  if (isa<kernel::DepthwiseOp>(op)) {
    for (auto [rows, columns] : {std::pair<int64_t, int64_t>{1, 8},
                                 {1, 4},
                                 {2, 4},
                                 {2, 5},
                                 {1, 10},
                                 {4, 2},
                                 {1, 7},
                                 {2, 7}})
      offer({rows, columns});
    return candidates;
  }
  for (int64_t wide = vectors; wide >= 1; --wide)
    if (vectors % wide == 0) {
      int64_t rows = expand::rowsThatFit(target, wide);
      if (rows <= 2 * own[0])
        for (int64_t less : {0, 1, 2})
          offer({rows - less});
    }
  return candidates;
}

llvm::Expected<TuningDatabase> TuningDatabase::parse(StringRef text) {
  if (text.size() > mostBytes)
    return refuse("it has " + Twine(text.size()) + " bytes, at most " +
                  Twine(mostBytes) + " are read");
  auto [first, rest] = text.split('\n');
  if (first != firstLine)
    return refuse("it does not begin with '" + firstLine + "'");
  TuningDatabase database;
  for (int64_t line = 2; !rest.empty(); ++line) {
    size_t start = rest.data() - text.data();
    StringRef entry;
    std::tie(entry, rest) = rest.split('\n');
    auto wrong = [&](const Twine &what) {
      return refuse("line " + Twine(line) + " " + what);
    };
    if (entry.size() > mostLine)
      return wrong("is too long");
    SmallVector<StringRef> words;
    entry.split(words, ' ', /*MaxSplit=*/8);
    if (words.size() == 2 && words[0] == lastWord) {
      if (!rest.empty())
        return wrong("is not the last");
      std::string expected = hashOf(text.take_front(start));
      if (words[1] != expected)
        return wrong("has the hash " + words[1] + ", expected " + expected);
      return database;
    }
    if (words.size() < 3 || words.size() > 2 + mostTiles || words[0].empty() ||
        words[1].empty())
      return wrong("is no CPU, signature and up to three numbers");
    Tiles tiles;
    for (StringRef word : ArrayRef(words).drop_front(2))
      if (word.getAsInteger(10, tiles.emplace_back()))
        return wrong("has '" + word + "' for a number");
    auto key = std::pair(words[0].str(), words[1].str());
    if (!database.entries.empty() && !(database.entries.rbegin()->first < key))
      return wrong("is out of order");
    database.entries.emplace(std::move(key), std::move(tiles));
  }
  return refuse("it has no hash at its end");
}

std::string TuningDatabase::print() const {
  std::string text = firstLine.str() + "\n";
  for (auto &[key, tiles] : entries) {
    text += key.first + " " + key.second;
    for (int64_t tile : tiles)
      text += " " + std::to_string(tile);
    text += "\n";
  }
  return text + lastWord.str() + " " + hashOf(text) + "\n";
}

const Tiles *TuningDatabase::find(StringRef cpu, StringRef signature) const {
  auto found = entries.find({cpu.str(), signature.str()});
  return found == entries.end() ? nullptr : &found->second;
}

void TuningDatabase::set(StringRef cpu, StringRef signature, Tiles tiles) {
  entries[{cpu.str(), signature.str()}] = std::move(tiles);
}

void TuningDatabase::add(const TuningDatabase &other) {
  for (auto &[key, tiles] : other.entries)
    entries[key] = tiles;
}

bool TuningDatabase::hasCpu(StringRef cpu) const {
  auto found = entries.lower_bound({cpu.str(), ""});
  return found != entries.end() && found->first.first == cpu;
}

} // namespace graven
