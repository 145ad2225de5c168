//===- MergeWeights.cpp - one copy of the weights of all sizes -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the merging of @prepare functions: each result becomes a
// function of its own, with all it is computed from, and equal functions are
// one.
//===----------------------------------------------------------------------===//

#include "compiler/session/MergeWeights.h"

#include "dialects/graven/Graven.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/lower/LowerUtils.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"
#include <map>

using namespace mlir;

namespace graven {
namespace {

/// A function from Parameters to one weight.
struct Recipe {
  OwningOpRef<func::FuncOp> function;
  /// Names of the Parameters it takes.
  SmallVector<std::string> params;
  int64_t offset = 0;
};

class Merger {
public:
  void add(ModuleOp module);
  OwningOpRef<ModuleOp> build(ArrayRef<ModuleOp> modules);

private:
  Recipe makeRecipe(func::FuncOp prepare, Value weight);
  int64_t place(Recipe recipe);
  std::string keep(ParamOp param);
  bool isSame(ParamOp one, ParamOp other);

  std::vector<Recipe> recipes;
  /// Recipes by what they have in common when they are equal.
  llvm::StringMap<SmallVector<size_t>> known;
  /// Parameters by the names they have from here on, in order.
  llvm::MapVector<StringAttr, ParamOp> params;
  /// Whether two files, by their names in the blob store, have equal bytes.
  std::map<std::pair<std::string, std::string>, bool> sameFiles;
  OwningOpRef<ModuleOp> merged;
  int64_t size = 0;
};

} // namespace

/// Each import maps the model's file anew, under another name.
bool Merger::isSame(ParamOp one, ParamOp other) {
  if (one.getValue() == other.getValue())
    return true;
  auto a = dyn_cast<BlobAttr>(one.getValue()),
       b = dyn_cast<BlobAttr>(other.getValue());
  if (!a || !b || a.getOffset() != b.getOffset() ||
      a.getLength() != b.getLength() || a.getStrides() != b.getStrides() ||
      a.getBigEndian() != b.getBigEndian())
    return false;
  auto [entry, isNew] =
      sameFiles.try_emplace({a.getFile().str(), b.getFile().str()}, false);
  if (!isNew)
    return entry->second;
  auto &store = cast<GravenDialect>(one->getDialect())->getBlobStore();
  auto contents = [&](BlobAttr blob) -> StringRef {
    auto size = store.size(blob.getFile());
    auto bytes = size ? store.read(blob.getFile(), 0, *size)
                      : llvm::Expected<StringRef>(size.takeError());
    if (bytes)
      return *bytes;
    llvm::consumeError(bytes.takeError());
    return {};
  };
  StringRef x = contents(a);
  entry->second = !x.empty() && x == contents(b);
  store.release(a.getFile());
  store.release(b.getFile());
  return entry->second;
}

/// Parameters of one name are those of one model, unless a frontend has
/// computed them from extents.
std::string Merger::keep(ParamOp param) {
  Builder builder(param.getContext());
  StringRef name = param.getSymName();
  for (unsigned n = 0;; ++n) {
    std::string unique = n ? (name + "." + Twine(n)).str() : name.str();
    StringAttr key = builder.getStringAttr(unique);
    auto [entry, isNew] = params.try_emplace(key, ParamOp());
    if (isNew) {
      param->remove();
      if (n)
        param.setSymName(unique);
      merged->push_back(param);
      entry->second = param;
      return unique;
    }
    ParamOp other = entry->second;
    if (other.getType() == param.getType() && isSame(other, param))
      return unique;
  }
}

/// Clones what `weight` is computed from into a function of its own.
Recipe Merger::makeRecipe(func::FuncOp prepare, Value weight) {
  llvm::SetVector<Operation *> slice;
  llvm::SetVector<Value> inputs;
  SmallVector<Value> pending{weight};
  llvm::DenseSet<Value> seen;
  while (!pending.empty()) {
    Value value = pending.pop_back_val();
    if (!seen.insert(value).second)
      continue;
    Operation *op = value.getDefiningOp();
    if (!op) {
      inputs.insert(value);
      continue;
    }
    if (!slice.insert(op))
      continue;
    llvm::SetVector<Value> reads(op->operand_begin(), op->operand_end());
    getUsedValuesDefinedAbove(op->getRegions(), reads);
    pending.append(reads.begin(), reads.end());
  }
  SmallVector<Operation *> ordered = slice.takeVector();
  llvm::sort(ordered,
             [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  OpBuilder builder(prepare.getContext());
  Recipe recipe;
  SmallVector<Type> types(ValueRange(inputs.getArrayRef()).getTypes());
  auto function = func::FuncOp::create(
      weight.getLoc(), "w", builder.getFunctionType(types, weight.getType()));
  Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);
  IRMapping map;
  map.map(inputs.getArrayRef(), body->getArguments());
  for (Operation *op : ordered)
    builder.clone(*op, map);
  func::ReturnOp::create(builder, weight.getLoc(), map.lookup(weight));
  for (Value input : inputs)
    recipe.params.push_back(
        prepare
            .getArgAttrOfType<StringAttr>(
                cast<BlockArgument>(input).getArgNumber(), paramAttrName)
            .str());
  recipe.function = OwningOpRef<func::FuncOp>(function);
  return recipe;
}

/// The offset of the weight, that of an equal one if there is one.
int64_t Merger::place(Recipe recipe) {
  std::string key;
  llvm::raw_string_ostream os(key);
  for (const std::string &param : recipe.params)
    os << param << '\n';
  os << recipe.function->getFunctionType();
  for (Operation &op : recipe.function->getBody().front())
    os << '\n' << op.getName();
  for (size_t index : known[key])
    if (OperationEquivalence::isEquivalentTo(
            *recipes[index].function, *recipe.function,
            OperationEquivalence::IgnoreLocations))
      return recipes[index].offset;
  auto type =
      cast<RankedTensorType>(recipe.function->getFunctionType().getResult(0));
  recipe.offset = size;
  size += llvm::alignTo(
      type.getNumElements() * eval::storageBytes(type.getElementType()), 64);
  known[key].push_back(recipes.size());
  recipes.push_back(std::move(recipe));
  return recipes.back().offset;
}

void Merger::add(ModuleOp module) {
  auto forward = module.lookupSymbol<func::FuncOp>("forward");
  auto prepare = module.lookupSymbol<func::FuncOp>("prepare");
  if (!merged)
    merged = ModuleOp::create(module.getLoc());
  llvm::DenseMap<int64_t, int64_t> moved;
  if (prepare) {
    for (unsigned i = 0; i < prepare.getNumArguments(); ++i) {
      auto name = prepare.getArgAttrOfType<StringAttr>(i, paramAttrName);
      auto param = module.lookupSymbol<ParamOp>(name);
      if (!param)
        param = merged->lookupSymbol<ParamOp>(name);
      prepare.setArgAttr(i, paramAttrName,
                         StringAttr::get(module.getContext(), keep(param)));
    }
    Operation *terminator = prepare.getBody().front().getTerminator();
    auto offsets =
        prepare->getAttrOfType<DenseI64ArrayAttr>(offsetsAttrName).asArrayRef();
    for (auto [weight, offset] :
         llvm::zip_equal(terminator->getOperands(), offsets))
      moved[offset] = place(makeRecipe(prepare, weight));
    prepare.erase();
  }
  for (ParamOp param : llvm::make_early_inc_range(module.getOps<ParamOp>()))
    param.erase();
  forward.walk([&](kernel::WeightOp weight) {
    weight.setOffset(moved.lookup(weight.getOffset()));
  });
}

OwningOpRef<ModuleOp> Merger::build(ArrayRef<ModuleOp> modules) {
  for (ModuleOp module : modules)
    module.lookupSymbol<func::FuncOp>("forward")->setAttr(
        weightsSizeAttrName,
        IntegerAttr::get(IntegerType::get(module.getContext(), 64), size));
  if (recipes.empty())
    return nullptr;
  SmallVector<Type> results;
  SmallVector<int64_t> offsets;
  for (Recipe &recipe : recipes) {
    results.push_back(recipe.function->getFunctionType().getResult(0));
    offsets.push_back(recipe.offset);
  }
  OpBuilder builder(merged->getContext());
  builder.setInsertionPointToEnd(merged->getBody());
  auto prepare = func::FuncOp::create(builder, merged->getLoc(), "prepare",
                                      builder.getFunctionType({}, results));
  prepare->setAttr(offsetsAttrName, builder.getDenseI64ArrayAttr(offsets));
  builder.setInsertionPointToStart(prepare.addEntryBlock());
  llvm::StringMap<Value> arguments;
  SmallVector<Value> weights;
  for (Recipe &recipe : recipes) {
    Block &body = recipe.function->getBody().front();
    IRMapping map;
    for (auto [name, argument] :
         llvm::zip_equal(recipe.params, body.getArguments())) {
      Value &known = arguments[name];
      if (!known) {
        auto attrs = builder.getDictionaryAttr(
            builder.getNamedAttr(paramAttrName, builder.getStringAttr(name)));
        unsigned index = prepare.getNumArguments();
        (void)prepare.insertArgument(index, argument.getType(), attrs,
                                     argument.getLoc());
        known = prepare.getArgument(index);
      }
      map.map(argument, known);
    }
    for (Operation &op : body.without_terminator())
      builder.clone(op, map);
    weights.push_back(map.lookupOrDefault(body.getTerminator()->getOperand(0)));
  }
  func::ReturnOp::create(builder, merged->getLoc(), weights);
  return std::move(merged);
}

OwningOpRef<ModuleOp> mergeWeights(ArrayRef<ModuleOp> modules) {
  Merger merger;
  for (ModuleOp module : modules)
    merger.add(module);
  return merger.build(modules);
}

} // namespace graven
