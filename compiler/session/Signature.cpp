//===- Signature.cpp - what the outside sees of a model ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the signature of an artifact: of one graph, and of
// several that stand for sizes of one model.
//===----------------------------------------------------------------------===//

#include "compiler/session/Signature.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/memory/Passes.h"

using namespace mlir;

namespace graven {

cpu::TensorSpec specOf(std::string name, Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return {std::move(name), tensor.getElementType(),
          SmallVector<int64_t>(tensor.getShape())};
}

cpu::ModelSignature signatureOf(GraphOp graph, StringRef name) {
  cpu::ModelSignature signature;
  signature.name = name.str();
  for (auto [i, type] : llvm::enumerate(graph.getArgumentTypes()))
    signature.inputs.push_back(specOf(graph.getInputName(i), type));
  for (auto [i, type] : llvm::enumerate(graph.getResultTypes()))
    signature.outputs.push_back(specOf(graph.getOutputName(i), type));
  return signature;
}

static func::FuncOp mainFunction(ModuleOp module) {
  for (func::FuncOp function : module.getOps<func::FuncOp>())
    if (function->hasAttr(kNumInputsAttr))
      return function;
  return {};
}

int64_t bytesOf(ModuleOp module, StringRef attribute) {
  auto attr = mainFunction(module)->getAttrOfType<IntegerAttr>(attribute);
  return attr ? attr.getInt() : 0;
}

/// Runs of several sizes put an output together along axis 0, and only there.
static LogicalResult checkSplit(const cpu::ModelSignature &signature,
                                Location loc) {
  for (auto [i, tensor] : llvm::enumerate(signature.outputs)) {
    int64_t unit = signature.splitUnits[signature.inputs.size() + i];
    llvm::SmallDenseMap<llvm::hash_code, ArrayRef<int64_t>> others;
    for (const cpu::SizeSpec &size : signature.sizes) {
      SmallVector<int64_t> rest(size.extents);
      int64_t count = std::exchange(rest[*signature.split], 0);
      ArrayRef<int64_t> extents = size.outputs[i];
      bool good = unit == 0 || extents.front() == unit * count;
      ArrayRef<int64_t> tail = extents.drop_front(unit == 0 ? 0 : 1);
      auto [entry, isNew] =
          others.try_emplace(llvm::hash_combine_range(rest), tail);
      if (!good || entry->second != tail)
        return emitCoded(loc, Code::DynamicShape)
               << "the extents of output '" << tensor.name
               << "' do not follow from the extent '"
               << signature.symbols[*signature.split].name
               << "' of the inputs; name the sizes there is to be code for";
    }
  }
  return success();
}

LogicalResult addSizes(cpu::ModelSignature &signature, const SizedModel &model,
                       ArrayRef<cpu::ModelSignature> own, Location loc) {
  signature.symbols = model.symbols;
  signature.split = model.split;
  signature.splitUnits = model.splitUnits;
  for (auto [size, one] : llvm::zip_equal(model.sizes, own)) {
    cpu::SizeSpec spec;
    spec.extents = size.extents;
    for (const cpu::TensorSpec &tensor : one.inputs)
      spec.inputs.push_back(tensor.extents);
    for (auto [i, tensor] : llvm::enumerate(one.outputs)) {
      if (tensor.extents.size() != signature.outputs[i].extents.size())
        return emitCoded(loc, Code::DynamicShape)
               << "output '" << tensor.name << "' has rank "
               << signature.outputs[i].extents.size() << " or "
               << tensor.extents.size()
               << ", as the dynamic extents of the inputs are";
      spec.outputs.push_back(tensor.extents);
    }
    signature.sizes.push_back(std::move(spec));
  }
  for (auto [tensor, symbols] :
       llvm::zip_equal(signature.inputs, model.inputSymbols)) {
    tensor.symbols = symbols;
    for (auto [extent, symbol] : llvm::zip_equal(tensor.extents, symbols))
      extent = symbol.empty() ? extent : ShapedType::kDynamic;
  }
  // What is the extent of a symbol in all sizes is called by its name.
  for (auto [i, tensor] : llvm::enumerate(signature.outputs))
    for (size_t axis = 0; axis < tensor.extents.size(); ++axis) {
      auto isAlways = [&](auto extentAt) {
        return llvm::all_of(signature.sizes, [&](const cpu::SizeSpec &size) {
          return size.outputs[i][axis] == extentAt(size);
        });
      };
      int64_t unit = model.split && axis == 0
                         ? model.splitUnits[signature.inputs.size() + i]
                         : 0;
      if (unit == 0 && isAlways([&, extent = tensor.extents[axis]](
                                    const auto &) { return extent; }))
        continue;
      tensor.extents[axis] = ShapedType::kDynamic;
      tensor.symbols.resize(tensor.extents.size());
      for (size_t s = 0; s < signature.symbols.size(); ++s)
        if (isAlways([&](const auto &size) { return size.extents[s]; }))
          tensor.symbols[axis] = signature.symbols[s].name;
    }
  return model.split ? checkSplit(signature, loc) : success();
}

} // namespace graven
