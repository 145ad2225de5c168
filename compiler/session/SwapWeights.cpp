//===- SwapWeights.cpp - a model with other weights -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the match of a model's tensors with those of another
// file. The importer then reads the others as it would the model's own, so that
// whatever it computes with values, it computes with the right ones.
//===----------------------------------------------------------------------===//

#include "compiler/session/WeightsFile.h"
#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace graven {

static constexpr size_t mostListed = 100;

namespace {

/// What stands before the names of one side and not of the other.
struct Prefixes {
  std::string file, model;
};

class Match {
public:
  Match(const Weights &model, const Weights &file, const OtherWeights &other,
        Location loc);
  /// Finds the tensor of the file for each of the model, or reports why not.
  LogicalResult run();
  /// The file's tensor for a name of the model; null to keep the model's own.
  const WeightTensor *at(StringRef name) const { return found.lookup(name); }

private:
  std::optional<std::string> nameInFile(StringRef name,
                                        const Prefixes &prefixes) const;
  size_t coverage(const Prefixes &prefixes) const;
  std::vector<Prefixes> candidates() const;
  LogicalResult choosePrefixes();
  void matchGroup(ArrayRef<const WeightTensor *> names);
  void compare(const WeightTensor &own, const WeightTensor &given);
  void complain(const Twine &what) { problems.push_back(what.str()); }

  const Weights &model, &file;
  const OtherWeights &other;
  Location loc;
  llvm::StringMap<const WeightTensor *> byName; ///< of the file
  /// Tensors of the model that are one, by their names.
  std::vector<SmallVector<const WeightTensor *, 1>> groups;
  size_t required = 0; ///< groups that the file must have
  Prefixes prefixes;
  llvm::StringMap<const WeightTensor *> found;
  std::vector<std::string> problems, kept;
};

} // namespace

static bool isRequired(ArrayRef<const WeightTensor *> group) {
  return llvm::any_of(group, [](const WeightTensor *tensor) {
    return tensor->role == WeightRole::Parameter;
  });
}

Match::Match(const Weights &model, const Weights &file,
             const OtherWeights &other, Location loc)
    : model(model), file(file), other(other), loc(loc) {
  for (const WeightTensor &tensor : file.tensors)
    byName[tensor.name] = &tensor;
  llvm::MapVector<std::pair<size_t, uint64_t>, SmallVector<size_t, 1>> shared;
  for (const WeightTensor &tensor : model.tensors) {
    SmallVector<size_t, 1> *mates = nullptr;
    if (tensor.hasBytes()) {
      mates = &shared[{tensor.file, tensor.begin}];
      auto *mate = llvm::find_if(*mates, [&](size_t group) {
        return groups[group].front()->isTiedTo(tensor);
      });
      if (mate != mates->end()) {
        groups[*mate].push_back(&tensor);
        continue;
      }
      mates->push_back(groups.size());
    }
    groups.push_back({&tensor});
  }
  for (auto &group : groups)
    required += isRequired(group);
}

std::optional<std::string> Match::nameInFile(StringRef name,
                                             const Prefixes &way) const {
  if (!name.consume_front(way.model))
    return std::nullopt;
  return way.file + name.str();
}

/// How many tensors that the file must have it has this way.
size_t Match::coverage(const Prefixes &way) const {
  return llvm::count_if(groups, [&](auto &group) {
    return isRequired(group) &&
           llvm::any_of(group, [&](const WeightTensor *tensor) {
             auto name = nameInFile(tensor->name, way);
             return name && byName.contains(*name);
           });
  });
}

/// The ways in which the first tensor that the file must have could be in it.
std::vector<Prefixes> Match::candidates() const {
  std::vector<Prefixes> ways = {{"", ""}};
  // A tensor with several names may lead to the same way with each.
  auto add = [&](std::string inFile, std::string inModel) {
    if (llvm::none_of(ways, [&](const Prefixes &way) {
          return way.file == inFile && way.model == inModel;
        }))
      ways.push_back({std::move(inFile), std::move(inModel)});
  };
  auto first = llvm::find_if(groups, [](auto &g) { return isRequired(g); });
  if (first == groups.end())
    return ways;
  for (const WeightTensor *tensor : *first) {
    StringRef name = tensor->name;
    for (const WeightTensor &given : file.tensors) {
      StringRef prefix = given.name;
      if (prefix.size() > name.size() && prefix.consume_back(name) &&
          prefix.ends_with("."))
        add(prefix.str(), "");
    }
    for (size_t dot = name.find('.'); dot != StringRef::npos;
         dot = name.find('.', dot + 1))
      if (byName.contains(name.drop_front(dot + 1)))
        add("", name.take_front(dot + 1).str());
  }
  return ways;
}

LogicalResult Match::choosePrefixes() {
  if (other.prefix) {
    prefixes.file = *other.prefix;
    return success();
  }
  std::vector<Prefixes> complete;
  size_t best = 0;
  for (const Prefixes &way : candidates()) {
    size_t count = coverage(way);
    if (count == required)
      complete.push_back(way);
    if (count > best) {
      best = count;
      prefixes = way;
    }
    // Names that are equal need no other way.
    if (count == required && way.file.empty() && way.model.empty())
      break;
  }
  if (complete.size() < 2)
    return success();
  auto diagnostic = emitCoded(loc, Code::WrongWeights)
                    << "the file has weights for the model under "
                    << complete.size() << " prefixes:";
  for (const Prefixes &way : complete)
    diagnostic << " '" << way.file << "'";
  return diagnostic << "; say which, as in --weights-prefix "
                    << complete.front().file;
}

/// Whether both have the same elements.
static bool areEqual(const Weights &file, const WeightTensor &a,
                     const WeightTensor &b) {
  auto elements = [&](const WeightTensor &tensor, std::vector<char> &copy) {
    if (tensor.isDense())
      return file.bytes(tensor).take_front(tensor.bytes());
    llvm::cantFail(file.read(tensor, [&](ArrayRef<char> piece) {
      copy.insert(copy.end(), piece.begin(), piece.end());
      return llvm::Error::success();
    }));
    return StringRef(copy.data(), copy.size());
  };
  if (a.isTiedTo(b))
    return true;
  std::vector<char> copyOfA, copyOfB;
  return a.type == b.type && a.sizes == b.sizes &&
         elements(a, copyOfA) == elements(b, copyOfB);
}

void Match::compare(const WeightTensor &own, const WeightTensor &given) {
  if (!given.unsupported.empty())
    complain("'" + given.name + "' is " + given.unsupported);
  else if (given.type != own.type || given.sizes != own.sizes)
    complain("'" + given.name + "' is " + typeText(given) + ", expected " +
             typeText(own));
}

/// Tensors of the model that are one take one tensor of the file.
void Match::matchGroup(ArrayRef<const WeightTensor *> group) {
  const WeightTensor *chosen = nullptr;
  for (const WeightTensor *own : group) {
    auto name = nameInFile(own->name, prefixes);
    auto it = name ? byName.find(*name) : byName.end();
    if (it == byName.end())
      continue;
    const WeightTensor *given = it->second;
    size_t before = problems.size();
    compare(*own, *given);
    if (problems.size() == before && chosen && !areEqual(file, *chosen, *given))
      complain("'" + chosen->name + "' and '" + given->name +
               "' are one tensor in the model, and differ in the file");
    chosen = given;
  }
  if (chosen) {
    for (const WeightTensor *own : group)
      found[own->name] = chosen;
    return;
  }
  if (!isRequired(group))
    return;
  std::string what =
      "'" + group.front()->name + "' of " + typeText(*group.front());
  if (other.missing == OtherWeights::Missing::Kept)
    kept.push_back(what);
  else
    complain("missing " + what);
}

LogicalResult Match::run() {
  if (failed(choosePrefixes()))
    return failure();
  for (auto &group : groups)
    matchGroup(group);
  llvm::StringMap<bool> known;
  for (const WeightTensor &tensor : model.tensors)
    if (auto name = nameInFile(tensor.name, prefixes))
      known[*name] = true;
  size_t used = 0;
  for (const WeightTensor &given : file.tensors) {
    bool isKnown = known.contains(given.name);
    used += isKnown;
    if (!isKnown && StringRef(given.name).starts_with(prefixes.file))
      complain("unexpected '" + given.name + "' of " + typeText(given));
  }
  if (used == 0 && problems.empty())
    complain("no name of the file is one of the model");
  if (problems.empty()) {
    if (!kept.empty()) {
      auto warning = mlir::emitWarning(loc)
                     << "the model keeps its own values of " << kept.size()
                     << " tensors that the file lacks:";
      for (const std::string &what : ArrayRef(kept).take_front(mostListed))
        warning << "\n  " << what;
    }
    return success();
  }
  auto diagnostic = emitCoded(loc, Code::WrongWeights)
                    << "the weights do not fit the model";
  if (!prefixes.file.empty())
    diagnostic << ", taking the names that begin with '" << prefixes.file
               << "'";
  diagnostic << ":";
  for (const std::string &problem : ArrayRef(problems).take_front(mostListed))
    diagnostic << "\n  " << problem;
  if (problems.size() > mostListed)
    diagnostic << "\n  and " << problems.size() - mostListed << " more";
  return diagnostic;
}

LogicalResult useWeights(Session &session, StringRef path,
                         const OtherWeights &other, ImportOptions &options) {
  MLIRContext *context = &session.getContext();
  Location loc = FileLineColLoc::get(context, other.path, 0, 0);
  // What is not asked for need not be understood.
  auto file = readWeights(session, other.path, OpaqueValues::LeftOut);
  if (failed(file))
    return failure();
  auto model = readWeights(session, path, OpaqueValues::Refused);
  if (failed(model))
    return failure();
  Match match(*model, *file, other, loc);
  if (failed(match.run()))
    return failure();

  auto &store = context->getOrLoadDialect<GravenDialect>()->getBlobStore();
  std::vector<std::string> blobs;
  for (auto &mapped : file->files)
    blobs.push_back(store.add(
        llvm::sys::path::filename(mapped->getBufferIdentifier()), mapped));
  llvm::StringMap<Attribute> attributes;
  llvm::DenseMap<const WeightTensor *, Attribute> made;
  for (const WeightTensor &own : model->tensors) {
    const WeightTensor *given = match.at(own.name);
    if (!given || !given->hasBytes())
      continue;
    Attribute &attribute = made[given];
    int64_t width = aten::itemSize(given->type);
    if (!attribute && given->isDense() && (!file->bigEndian || width == 1)) {
      attribute = BlobAttr::get(context, blobs[given->file],
                                given->begin + given->offset * width,
                                given->bytes(), {}, /*bigEndian=*/false);
    } else if (!attribute) {
      // Importers take dense elements; few files have others.
      auto dense = llvm::WritableMemoryBuffer::getNewUninitMemBuffer(
          given->bytes(), given->name);
      char *end = dense->getBufferStart();
      llvm::cantFail(file->read(*given, [&](ArrayRef<char> piece) {
        end = llvm::copy(piece, end);
        return llvm::Error::success();
      }));
      attribute =
          BlobAttr::get(context, store.add(given->name, std::move(dense)), 0,
                        given->bytes(), {}, /*bigEndian=*/false);
    }
    attributes[own.name] = attribute;
  }
  options.weightFor = [attributes = std::move(attributes)](StringRef name) {
    return attributes.lookup(name);
  };
  return success();
}

} // namespace graven
