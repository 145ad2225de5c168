//===- Signature.cpp - what the outside sees of a model ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the signature of an artifact: of one graph, and of
// several that stand for sizes of one model.
//===----------------------------------------------------------------------===//

#include "compiler/session/Signature.h"
#include "compiler/session/DiagnosticPrinter.h"
#include "dialects/graven/CallerView.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/memory/Passes.h"
#include "runtime/include/graven/runtime.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace graven {

cpu::TensorSpec specOf(std::string name, Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return {std::move(name), tensor.getElementType(),
          SmallVector<int64_t>(tensor.getShape())};
}

/// What callers see of a tensor whose bytes stand for another type.
static cpu::TensorSpec meant(cpu::TensorSpec spec, Type meaning) {
  if (meaning)
    spec.elementType = meaning;
  return spec;
}

cpu::ModelSignature signatureOf(GraphOp graph, StringRef name) {
  cpu::ModelSignature signature;
  signature.name = name.str();
  for (auto [i, type] : llvm::enumerate(graph.getArgumentTypes()))
    signature.inputs.push_back(
        meant(specOf(graph.getInputName(i), type), graph.getInputMeaning(i)));
  for (auto [i, type] : llvm::enumerate(graph.getResultTypes()))
    signature.outputs.push_back(
        meant(specOf(graph.getOutputName(i), type), graph.getOutputMeaning(i)));
  if (auto text = graph->getAttrOfType<StringAttr>(kStructureAttr))
    signature.provenance.emplace_back("structure", text.getValue());
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

/// The tensors as a caller sees them: without what is passed and the counts,
/// and with an axis for all of its factors.
static cpu::ModelSignature withoutRoom(const cpu::ModelSignature &own,
                                       const Room &room) {
  cpu::ModelSignature result = own;
  result.inputs.resize(room.inputs.size());
  result.outputs.resize(room.outputs.size());
  for (auto [tensor, shape] : llvm::zip_equal(result.outputs, room.outputs)) {
    tensor.extents.clear();
    for (const RoomAxis &axis : shape) {
      int64_t extent = 1;
      for (const RoomFactor &factor : axis)
        extent *= factor.most;
      tensor.extents.push_back(extent);
    }
  }
  return result;
}

/// Where in the model something is; the folder that it lies in is nobody's
/// business.
static std::string placeOf(Location loc) {
  std::string place = describe(loc);
  return place.empty() ? "an unknown place"
                       : llvm::sys::path::filename(place).str();
}

static cpu::RoomSpec roomSpecOf(const SizedModel::Size &size,
                                const cpu::ModelSignature &own) {
  cpu::RoomSpec spec;
  spec.lowest = size.lowest;
  for (const ExtentFunction &function : size.room->functions)
    spec.functions.push_back({function.symbol, function.values});
  // Functions of data are known by their counts; others of them are the code's
  // own.
  for (cpu::RoomSpec::Function &function : spec.functions)
    if (function.symbol >= size.room->numSymbols)
      function = {0, {}};
  for (auto [i, count] : llvm::enumerate(size.room->counts)) {
    spec.functions[count.function].symbol = i;
    spec.counts.push_back({placeOf(count.loc), count.lowest, count.most});
  }
  spec.passed.assign(size.room->passed.begin(), size.room->passed.end());
  for (const RoomShape &shape :
       llvm::concat<const RoomShape>(size.room->inputs, size.room->outputs)) {
    auto &factors = spec.factors.emplace_back();
    for (auto [axis, own] : llvm::enumerate(shape))
      for (const RoomFactor &factor : own)
        factors.push_back(
            {static_cast<int64_t>(axis), factor.most,
             factor.function ? static_cast<int64_t>(*factor.function) : -1});
  }
  spec.inputs = own.inputs;
  spec.outputs = own.outputs;
  return spec;
}

/// What an extent of an output is in code with room: dynamic, and perhaps a
/// symbol itself.
static void noteRooms(cpu::TensorSpec &tensor, const SizedModel &model,
                      size_t output) {
  for (const SizedModel::Size &size : model.sizes) {
    if (!size.room)
      continue;
    for (auto [axis, own] : llvm::enumerate(size.room->outputs[output])) {
      if (llvm::none_of(own, [](const RoomFactor &factor) {
            return factor.function.has_value();
          }))
        continue;
      tensor.extents[axis] = ShapedType::kDynamic;
      tensor.symbols.resize(tensor.extents.size());
      bool isCounted = llvm::any_of(own, [&](const RoomFactor &factor) {
        return factor.function &&
               size.room->functions[*factor.function].symbol >=
                   size.room->numSymbols;
      });
      if (isCounted) {
        tensor.most.resize(tensor.extents.size(), -1);
        int64_t &most = tensor.most[axis];
        int64_t places = 1;
        for (const RoomFactor &factor : own)
          places *= factor.most;
        most = std::max(most, places);
        tensor.symbols[axis].clear();
        continue;
      }
      const ExtentFunction &function =
          size.room->functions[own.front().function.value_or(0)];
      const cpu::SymbolSpec &symbol = model.symbols[function.symbol];
      bool isSymbol = own.size() == 1;
      for (auto [i, value] : llvm::enumerate(function.values))
        isSymbol &= value == symbol.lowest + static_cast<int64_t>(i);
      tensor.symbols[axis] = isSymbol ? symbol.name : "";
    }
  }
}

LogicalResult addSizes(cpu::ModelSignature &signature, const SizedModel &model,
                       ArrayRef<cpu::ModelSignature> codes, Location loc) {
  std::vector<cpu::ModelSignature> own;
  for (auto [size, code] : llvm::zip_equal(model.sizes, codes))
    own.push_back(size.room ? withoutRoom(code, *size.room) : code);
  signature.inputs = own.front().inputs;
  signature.outputs = own.front().outputs;
  signature.symbols = model.symbols;
  signature.split = model.split;
  signature.splitUnits = model.splitUnits;
  for (auto [size, one, code] : llvm::zip_equal(model.sizes, own, codes)) {
    cpu::SizeSpec spec;
    spec.extents = size.extents;
    if (size.room)
      spec.room = roomSpecOf(size, code);
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
  // Without symbols there are no names of them either.
  for (auto [tensor, symbols] :
       llvm::zip(signature.inputs, model.inputSymbols)) {
    tensor.symbols = symbols;
    for (auto [extent, symbol] : llvm::zip_equal(tensor.extents, symbols))
      extent = symbol.empty() ? extent : ShapedType::kDynamic;
  }
  // What is the extent of a symbol in all sizes is called by its name.
  for (auto [i, tensor] : llvm::enumerate(signature.outputs)) {
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
    noteRooms(tensor, model, i);
  }
  return model.split ? checkSplit(signature, loc) : success();
}

void setWorkspace(cpu::ModelSignature &signature, size_t index, int64_t bytes) {
  int64_t whole = bytes;
  if (!signature.sizes.empty()) {
    cpu::SizeSpec &size = signature.sizes[index];
    if (size.room) {
      size.room->workspaceSize = bytes;
      // See runtime/support/room.c.
      whole =
          llvm::alignTo(bytes, 64) +
          llvm::alignTo(
              8 * (size.room->counts.size() + size.room->passed.size()), 64);
      size_t tensor = 0;
      for (const cpu::TensorSpec &spec : llvm::concat<const cpu::TensorSpec>(
               signature.inputs, signature.outputs)) {
        const auto &factors = size.room->factors[tensor++];
        int64_t count = 1;
        for (const cpu::RoomSpec::Factor &factor : factors)
          count *= factor.most;
        if (llvm::any_of(factors, [](const cpu::RoomSpec::Factor &factor) {
              return factor.function >= 0;
            }))
          whole += llvm::alignTo(
              count * graven_dtype_size(cpu::dtypeOf(spec.elementType)), 64);
      }
    }
    size.workspaceSize = whole;
  }
  signature.workspaceSize = std::max(signature.workspaceSize, whole);
}

} // namespace graven
