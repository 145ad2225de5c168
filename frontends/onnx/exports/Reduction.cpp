//===- Reduction.cpp - reductions and pools ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file expresses reductions, scans and pools.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/exports/Exporter.h"

using namespace mlir;
using Ints = SmallVector<int64_t>;

namespace graven::onnx {

static void express(Exporter &e, ReduceOp op) {
  Name x = e.name(op.getX());
  Type type = Exporter::element(op.getX());
  ReduceKind kind = op.getKind();
  const char *node = nullptr;
  switch (kind) {
  case ReduceKind::Sum:
    node = "ReduceSum";
    break;
  case ReduceKind::Prod:
    node = "ReduceProd";
    break;
  case ReduceKind::Mean:
    node = "ReduceMean";
    break;
  case ReduceKind::Max:
  case ReduceKind::Or:
    node = "ReduceMax";
    break;
  case ReduceKind::Min:
  case ReduceKind::And:
    node = "ReduceMin";
    break;
  }
  bool isBool = type.isInteger(1);
  if ((kind == ReduceKind::And || kind == ReduceKind::Or) && !isBool)
    return e.unsupported(op, "bits of ints");
  if (isBool)
    x = e.cast(x, IntegerType::get(op.getContext(), 32));
  Name reduced = e.reduce(node, x, op.getAxes(), op.getKeep());
  e.alias(op.getResult(), isBool ? e.cast(reduced, type) : reduced);
}

static void express(Exporter &e, ArgReduceOp op) {
  Name x = e.name(op.getX());
  if (Exporter::isBool(op.getX()))
    x = e.cast(x, IntegerType::get(op.getContext(), 32));
  SmallVector<Attr> attributes{{"axis", int64_t(op.getAxis())},
                               {"keepdims", op.getKeep()}};
  if (op.getLastIndex()) {
    if (!e.needs(op, 12, "the last of equals"))
      return;
    attributes.push_back({"select_last_index", 1});
  }
  e.give(op, op.getKind() == ExtremeKind::Max ? "ArgMax" : "ArgMin", {x},
         attributes);
}

static void express(Exporter &e, CumReduceOp op) {
  bool isSum = op.getKind() == ReduceKind::Sum;
  if (!isSum && op.getKind() != ReduceKind::Prod)
    return e.unsupported(op, "running extremes");
  if (!e.needs(op, isSum ? 11 : 26))
    return;
  Name axis = e.scalar(IntegerType::get(op.getContext(), 64), op.getAxis());
  e.give(op, isSum ? "CumSum" : "CumProd", {e.name(op.getX()), axis},
         {{"exclusive", op.getExclusive()}, {"reverse", op.getReverse()}});
}

static void express(Exporter &e, TopKOp op) {
  if (!e.needs(op, op.getLargest() ? 10 : 11))
    return;
  SmallVector<Attr> attributes{{"axis", int64_t(op.getAxis())}};
  if (e.opset() >= 11)
    attributes.push_back({"largest", op.getLargest()});
  e.give(op, "TopK", {e.name(op.getX()), e.ints({int64_t(op.getK())})},
         attributes);
}

static bool isOnes(ArrayRef<int64_t> values) {
  return llvm::all_of(values, [](int64_t value) { return value == 1; });
}

static void express(Exporter &e, MaxPoolOp op) {
  if (op.getLayout() != Layout::Planar)
    return e.unsupported(op, "its layout is not NCHW");
  SmallVector<Attr> attributes{{"kernel_shape", op.getKernel()},
                               {"strides", op.getStrides()},
                               {"pads", op.getPads()}};
  if (op.getCeilMode() || !isOnes(op.getDilations())) {
    if (!e.needs(op, 10, "dilations and ceil_mode"))
      return;
    attributes.push_back({"dilations", op.getDilations()});
    attributes.push_back({"ceil_mode", op.getCeilMode()});
  }
  e.give(op, "MaxPool", {e.name(op.getX())}, attributes);
}

static void express(Exporter &e, AvgPoolOp op) {
  if (op.getLayout() != Layout::Planar)
    return e.unsupported(op, "its layout is not NCHW");
  int64_t divisor = op.getDivisor(), taps = 1;
  for (int64_t extent : op.getKernel())
    taps *= extent;
  bool countsPads = op.getCountIncludePad() || divisor;
  if (op.getCeilMode() && divisor)
    return e.unsupported(op, "ceil_mode with a divisor");
  if (op.getCeilMode() && !e.needs(op, 10, "ceil_mode"))
    return;
  if (!isOnes(op.getDilations()) && !e.needs(op, 19, "dilations"))
    return;
  SmallVector<Attr> attributes{{"kernel_shape", op.getKernel()},
                               {"strides", op.getStrides()},
                               {"pads", op.getPads()},
                               {"count_include_pad", countsPads}};
  if (op.getCeilMode())
    attributes.push_back({"ceil_mode", 1});
  if (!isOnes(op.getDilations()))
    attributes.push_back({"dilations", op.getDilations()});
  if (!divisor) {
    e.give(op, "AveragePool", {e.name(op.getX())}, attributes);
    return;
  }
  Name mean = e.make("AveragePool", {e.name(op.getX())}, attributes);
  e.give(
      op, "Mul",
      {mean, e.scalar(Exporter::element(op.getX()), double(taps) / divisor)});
}

void addReductionExports(ExportTable &table) {
  table.add<ReduceOp, express>();
  table.add<ArgReduceOp, express>();
  table.add<CumReduceOp, express>();
  table.add<TopKOp, express>();
  table.add<MaxPoolOp, express>();
  table.add<AvgPoolOp, express>();
}

} // namespace graven::onnx
