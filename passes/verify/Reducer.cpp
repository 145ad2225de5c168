//===- Reducer.cpp - the least Graph that still fails -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the reductions of Graphs and weights, and their order.
//===----------------------------------------------------------------------===//

#include "passes/verify/Reducer.h"

#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/Verifier.h"
#include "passes/verify/Extents.h"
#include "passes/verify/Trace.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using graven::eval::Tensor;

namespace graven {

/// Elements of weights that a reader of the text can follow.
static constexpr int64_t kFewElements = 256;

int64_t countNodes(GraphOp graph) {
  int64_t count = 0;
  graph.walk([&](Operation *op) { count += op != graph && isTraced(op); });
  return count;
}

GraphOp Reducer::graph() { return current->lookupSymbol<GraphOp>(name); }

static SmallVector<Operation *> nodesOf(GraphOp graph) {
  return llvm::map_to_vector(graph.getBody().front().without_terminator(),
                             [](Operation &op) { return &op; });
}

size_t Reducer::numNodes() { return nodesOf(graph()).size(); }

/// Removes what nothing uses: Nodes, inputs, Parameters and other Graphs.
static void removeUnused(ModuleOp module, GraphOp graph) {
  // Those inside of a Node come after it: users before what they use.
  SmallVector<Operation *> nodes;
  graph.walk<WalkOrder::PreOrder>([&](Operation *op) { nodes.push_back(op); });
  for (Operation *op : llvm::reverse(nodes))
    if (op != graph && !op->hasTrait<OpTrait::IsTerminator>() &&
        op->use_empty())
      op->erase();
  for (unsigned i = graph.getNumArguments(); i-- > 0;)
    if (graph.getArgument(i).use_empty())
      (void)graph.eraseArgument(i);
  bool changed = true;
  while (changed) {
    changed = false;
    for (Operation &op : llvm::make_early_inc_range(module.getOps()))
      if (&op != graph && isa<SymbolOpInterface>(op) &&
          SymbolTable::symbolKnownUseEmpty(&op, module)) {
        op.erase();
        changed = true;
      }
  }
}

bool Reducer::attempt(Change change) {
  OwningOpRef<ModuleOp> copy = current->clone();
  ScopedDiagnosticHandler quiet(copy->getContext(),
                                [](Diagnostic &) { return success(); });
  auto changed = copy->lookupSymbol<GraphOp>(name);
  if (failed(change(changed)))
    return false;
  removeUnused(*copy, changed);
  changed.updateType();
  if (failed(verify(*copy)))
    return false;
  ++tried;
  if (!interesting(*copy))
    return false;
  ++kept;
  current = std::move(copy);
  return true;
}

/// What the Graph gives is these values; names of outputs are lost.
static void setOutputs(GraphOp graph, ValueRange values) {
  graph.getReturn().getOutputsMutable().assign(values);
  graph.removeResAttrsAttr();
  graph.updateType();
}

bool Reducer::keepOneOutput() {
  size_t outputs = graph().getReturn().getOutputs().size();
  for (size_t i = 0; outputs > 1 && i < outputs; ++i)
    if (attempt([&](GraphOp graph) {
          Value kept = graph.getReturn().getOutputs()[i];
          return setOutputs(graph, kept), success();
        }))
      return true;
  return false;
}

/// Long steps first: most of the Nodes of a large Graph come after what fails.
bool Reducer::cutTail() {
  bool isCut = false;
  for (size_t stride = numNodes() / 2; stride > 0;) {
    size_t count = numNodes();
    bool found = false;
    for (size_t i = stride - 1; i + 1 < count && !found; i += stride)
      found = attempt([&](GraphOp graph) {
        Operation *last = nodesOf(graph)[i];
        if (!isTraced(last) ||
            graph.getReturn()->getOperands() == ValueRange(last->getResults()))
          return failure();
        return setOutputs(graph, last->getResults()), success();
      });
    isCut |= found;
    stride = found ? std::min(stride, numNodes() / 2) : stride / 2;
  }
  return isCut;
}

/// An input with a name that none has.
static Value addInput(GraphOp graph, Type type, Location loc) {
  unsigned index = graph.getNumArguments();
  llvm::StringSet<> taken;
  for (unsigned i = 0; i < index; ++i)
    taken.insert(graph.getInputName(i));
  unsigned number = 0;
  while (taken.contains("x" + std::to_string(number)))
    ++number;
  (void)graph.insertArgument(index, type, DictionaryAttr(), loc);
  graph.setInputName(index, "x" + std::to_string(number));
  return graph.getArgument(index);
}

bool Reducer::cutNodes() {
  bool isCut = false;
  for (size_t length = std::max<size_t>(numNodes() / 2, 1); length > 0;
       length /= 2) {
    // From the end, so that what is left has the same places.
    for (size_t end = numNodes(); end > 0; end -= std::min(end, length)) {
      end = std::min(end, numNodes());
      size_t begin = end - std::min(end, length);
      isCut |= attempt([&](GraphOp graph) {
        SmallVector<Operation *> nodes = nodesOf(graph);
        auto cut = ArrayRef(nodes).slice(begin, end - begin);
        llvm::DenseSet<Operation *> inside(cut.begin(), cut.end());
        Block &block = graph.getBody().front();
        for (Operation *node : cut)
          for (Value result : node->getResults()) {
            auto isOutside = [&](OpOperand &use) {
              return !inside.contains(
                  block.findAncestorOpInBlock(*use.getOwner()));
            };
            if (!llvm::any_of(result.getUses(), isOutside))
              continue;
            Value input = addInput(graph, result.getType(), node->getLoc());
            result.replaceUsesWithIf(input, isOutside);
          }
        // Nothing computed is no Graph to look at.
        return success(!llvm::all_of(nodes, [&](Operation *node) {
          return inside.contains(node) || !isTraced(node);
        }));
      });
      if (numNodes() == 0)
        return isCut;
    }
  }
  return isCut;
}

bool Reducer::bypassNodes() {
  bool isBypassed = false;
  // Positions in the order of the walk; a Node that is gone lets the next one
  // take its place.
  for (size_t position = 0;;) {
    bool isPast = true;
    bool done = attempt([&](GraphOp graph) {
      SmallVector<Operation *> nodes;
      graph.walk([&](Operation *op) {
        if (op != graph && isTraced(op))
          nodes.push_back(op);
      });
      if (position >= nodes.size())
        return failure();
      isPast = false;
      Operation *node = nodes[position];
      if (node->getNumResults() != 1)
        return failure();
      for (Value operand : node->getOperands())
        if (operand.getType() == node->getResult(0).getType()) {
          node->getResult(0).replaceAllUsesWith(operand);
          return success();
        }
      return failure();
    });
    if (isPast)
      return isBypassed;
    isBypassed |= done;
    position += !done;
  }
}

/// One number everywhere: a plain one of the type.
static DenseElementsAttr plainSplat(RankedTensorType type) {
  Tensor one(RankedTensorType::get({}, type.getElementType()));
  if (isa<FloatType>(type.getElementType()))
    one.set(0, 0.5);
  else
    one.set(0, int64_t(1));
  return DenseElementsAttr::get(type,
                                one.toElements().getSplatValue<Attribute>());
}

/// Values that differ from their neighbours along each axis.
static DenseElementsAttr plainValues(RankedTensorType type) {
  Tensor values(type);
  bool isFloat = isa<FloatType>(type.getElementType());
  for (int64_t i = 0; i < values.size(); ++i) {
    if (isFloat)
      values.set(i, static_cast<double>(i * 5 % 13) / 4 - 1);
    else
      values.set(i, i * 5 % 13);
  }
  return values.toElements();
}

static bool isSplat(Attribute value) {
  auto elements = dyn_cast<DenseElementsAttr>(value);
  return elements && elements.isSplat();
}

bool Reducer::simplifyWeights() {
  bool isSimpler = false;
  SmallVector<std::string> names;
  for (ParamOp param : current->getOps<ParamOp>())
    if (!isSplat(param.getValue()) && !isa<PreparedAttr>(param.getValue()))
      names.push_back(param.getSymName().str());
  for (StringRef param : names) {
    auto replace = [&](auto &&make) {
      return attempt([&](GraphOp graph) -> LogicalResult {
        auto op = SymbolTable::lookupNearestSymbolFrom<ParamOp>(
            graph, StringAttr::get(graph.getContext(), param));
        if (!op)
          return failure();
        DenseElementsAttr made = make(op);
        if (!made || made == op.getValue())
          return failure();
        op.setValueAttr(made);
        return success();
      });
    };
    auto few = [](ParamOp op) {
      return isa<BlobAttr>(op.getValue()) &&
             op.getTensorType().getNumElements() <= kFewElements;
    };
    isSimpler |=
        replace([](ParamOp op) { return plainSplat(op.getTensorType()); }) ||
        replace([&](ParamOp op) {
          return few(op) ? plainValues(op.getTensorType())
                         : DenseElementsAttr();
        }) ||
        replace([&](ParamOp op) -> DenseElementsAttr {
          if (!few(op))
            return {};
          auto own = eval::readParam(op);
          return succeeded(own) ? own->toElements() : DenseElementsAttr();
        });
  }
  return isSimpler;
}

bool Reducer::shrinkExtents() {
  bool isSmaller = false;
  for (int64_t extent : extentsOf(graph()))
    for (int64_t to : smallerExtents(extent)) {
      bool done = false;
      for (Attributes attributes : {Attributes::Kept, Attributes::Changed})
        done = done || attempt([&](GraphOp graph) {
                 return replaceExtent(graph, extent, to, attributes);
               });
      isSmaller |= done;
      if (done)
        break;
    }
  return isSmaller;
}

OwningOpRef<ModuleOp> Reducer::run() {
  bool isSmaller = true;
  while (isSmaller) {
    isSmaller = keepOneOutput();
    isSmaller |= cutTail();
    isSmaller |= cutNodes();
    isSmaller |= bypassNodes();
    isSmaller |= shrinkExtents();
    isSmaller |= simplifyWeights();
  }
  return std::move(current);
}

} // namespace graven
