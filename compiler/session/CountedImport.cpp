//===- CountedImport.cpp - outputs as long as data say --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the cutting of outputs with room to what a run uses.
//===----------------------------------------------------------------------===//

#include "compiler/session/CountedImport.h"

#include "compiler/session/SampledRoom.h"
#include "dialects/graven/Graven.h"
#include "mlir/Pass/PassManager.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Pipeline.h"

using namespace mlir;

namespace graven {

namespace {

using Module = OwningOpRef<ModuleOp>;

/// Takes the output of counts, which is the last one, and gives the others as
/// their users know them.
class OutputCutter {
public:
  OutputCutter(GraphOp graph, const Room &room)
      : graph(graph), room(room), end(graph.getReturn()), b(end) {}

  void run();

private:
  void readCounts(Value all);
  Value cut(Value value, const RoomShape &shape);

  GraphOp graph;
  const Room &room;
  ReturnOp end;
  OpBuilder b;
  /// Of each function of data that an output has.
  llvm::DenseMap<unsigned, Value> counts;
};

} // namespace

void OutputCutter::readCounts(Value all) {
  Location loc = end.getLoc();
  for (auto [i, count] : llvm::enumerate(room.counts)) {
    auto place = static_cast<int64_t>(i);
    Value one =
        SliceOp::create(b, loc, all, ArrayRef<int64_t>{place},
                        ArrayRef<int64_t>{place + 1}, ArrayRef<int64_t>{1});
    counts[count.function] =
        ReshapeOp::create(b, loc, one, ArrayRef<int64_t>{});
  }
}

/// An output with room has an axis for each factor of its own, and one for an
/// axis without any.
Value OutputCutter::cut(Value value, const RoomShape &shape) {
  Location loc = end.getLoc();
  SmallVector<int64_t> whole;
  SmallVector<Value> ends, extents;
  SmallVector<int64_t> bounds;
  for (const RoomAxis &axis : shape) {
    int64_t places = 1;
    Value extent;
    if (axis.empty())
      bounds.push_back(1);
    for (const RoomFactor &factor : axis) {
      bounds.push_back(factor.function ? ShapedType::kDynamic : factor.most);
      places *= factor.most;
      Value used = factor.function
                       ? counts.lookup(*factor.function)
                       : scalarConstant(b, loc, b.getI64Type(),
                                        static_cast<double>(factor.most), 0);
      if (factor.function)
        ends.push_back(used);
      extent = extent ? MulOp::create(b, loc, extent, used).getResult() : used;
    }
    bool isCounted = llvm::any_of(axis, [](const RoomFactor &factor) {
      return factor.function.has_value();
    });
    whole.push_back(isCounted ? ShapedType::kDynamic : places);
    if (isCounted)
      extents.push_back(extent);
  }
  if (ends.empty())
    return reshaped(b, loc, value, whole);
  Type element = tensorType(value).getElementType();
  SmallVector<int64_t> starts(bounds.size(), 0), steps(bounds.size(), 1);
  value = SliceOp::create(b, loc, RankedTensorType::get(bounds, element), value,
                          ValueRange(), ends, starts, bounds, steps);
  bool isJoined =
      llvm::any_of(shape, [](const RoomAxis &axis) { return axis.size() > 1; });
  if (!isJoined)
    return value;
  return ReshapeOp::create(b, loc, RankedTensorType::get(whole, element), value,
                           extents, whole);
}

void OutputCutter::run() {
  unsigned own = room.outputs.size();
  if (!room.counts.empty())
    readCounts(end->getOperand(own));
  for (unsigned i = 0; i < own; ++i)
    end->setOperand(i, cut(end->getOperand(i), room.outputs[i]));
  if (!room.counts.empty()) {
    end->eraseOperand(own);
    if (ArrayAttr attributes = graph.getResAttrsAttr())
      graph.setResAttrsAttr(
          b.getArrayAttr(attributes.getValue().take_front(own)));
  }
  graph.updateType();
}

/// The extents of the model's own Nodes, when `ofData` says what data decide.
static FailureOr<Module> importAt(MLIRContext *context,
                                  const ImportFunction &import,
                                  const ImportOptions &options,
                                  const ExtentOfData &ofData,
                                  std::string &why) {
  ScopedDiagnosticHandler quiet(context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error && why.empty())
      why = diagnostic.str();
    return success();
  });
  auto attempt = [&](auto pipeline) -> FailureOr<Module> {
    ImportOptions own = options;
    own.extentOfData = ofData;
    auto module = import(own);
    if (failed(module))
      return failure();
    PassManager manager(context);
    pipeline(manager);
    if (failed(manager.run(**module)))
      return failure();
    return module;
  };
  auto module = attempt(buildCountedShapePipeline);
  if (failed(module) || hasKnownExtents(graphOf(**module)))
    return module;
  return attempt(buildSampleShapePipeline);
}

std::variant<Module, PartsProblem> importCounted(MLIRContext *context,
                                                 const ImportFunction &import,
                                                 const ImportOptions &options) {
  Location loc = UnknownLoc::get(context);
  std::string why;
  auto probe = importAt(
      context, import, options, [](int64_t most) { return most; }, why);
  if (failed(probe) || !graphOf(**probe))
    return PartsProblem{loc,
                        "it does not import with the most elements: " + why};
  SmallVector<InputAxes> axes;
  for (Type type : graphOf(**probe).getArgumentTypes())
    axes.emplace_back(cast<RankedTensorType>(type).getRank());
  RoomRequest request{{}, {}, {}, axes, {}};
  request.import = [&](ArrayRef<int64_t>, const ExtentOfData &ofData,
                       std::string &problem) {
    return importAt(context, import, options, ofData, problem);
  };
  auto made = makeRoomFor(request, loc);
  if (auto *problem = std::get_if<PartsProblem>(&made))
    return *problem;
  auto &roomy = std::get<RoomyModule>(made);
  for (const RoomCount &count : roomy.room.counts)
    if (count.lowest > 0)
      return PartsProblem{count.loc,
                          "the model does something else where its data give "
                          "fewer than " +
                              std::to_string(count.lowest) + " elements here"};
  OutputCutter(graphOf(*roomy.module), roomy.room).run();
  return std::move(roomy.module);
}

} // namespace graven
