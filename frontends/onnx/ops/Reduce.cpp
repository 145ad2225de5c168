//===- Reduce.cpp - reductions and scans ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of reductions, arg-reductions and
// running sums.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// The axes an ONNX reduction works on; nullopt after an error. `isCopy` is set
/// when there are none and the op says that this is no reduction.
std::optional<IntList> readAxes(NodeBuilder &n, bool &isCopy) {
  int64_t rank = n.rankOf(n.input(0));
  auto given = n.intsAttrOrInput("axes", 1);
  if (n.hasFailed())
    return std::nullopt;
  if (given && !given->empty()) {
    IntList axes = n.axes(*given, rank);
    return n.hasFailed() ? std::nullopt : std::optional(axes);
  }
  isCopy = n.flagAttr("noop_with_empty_axes");
  return isCopy ? IntList() : sequence(0, rank);
}

/// What is done to the elements before and to the sums after.
enum class Form { Plain, L1, L2, LogSum, LogSumExp, SumSquare };

/// log sum e^x, shifted by the maximum where that is finite.
Value logSumExp(NodeBuilder &n, Value x, ArrayRef<int64_t> axes, bool keep) {
  Type type = n.elementTypeOf(x);
  Value most = n.reduce(x, ReduceKind::Max, axes, /*keep=*/true);
  Value isFinite =
      n.compare(ComparePredicate::Lt, n.make<AbsOp>(most),
                n.scalar(type, std::numeric_limits<double>::infinity()));
  Value shift = n.select(isFinite, most, n.scalar(type, 0));
  Value powers = n.make<ExpOp>(n.binary<SubOp>(x, shift));
  Value sum = n.make<LogOp>(n.reduce(powers, ReduceKind::Sum, axes, true));
  Value result = n.binary<AddOp>(sum, shift);
  if (keep || n.hasFailed())
    return result;
  // Extents of 1 at the axes are dropped by a sum over them.
  return n.reduce(result, ReduceKind::Sum, axes, /*keep=*/false);
}

template <ReduceKind kind, Form form = Form::Plain>
LogicalResult reduction(NodeBuilder &n) {
  Value x = n.input(0);
  bool isCopy = false, keep = n.flagAttr("keepdims", true);
  auto axes = readAxes(n, isCopy);
  if (!axes)
    return failure();
  Type type = n.elementTypeOf(x);
  // Roots and logarithms of ints are computed in f32 and rounded back.
  bool needsFloat =
      form == Form::L2 || form == Form::LogSum || form == Form::LogSumExp;
  if (needsFloat && !isa<FloatType>(type))
    x = n.cast(x, n.getBuilder().getF32Type());
  if (form == Form::L1)
    x = n.make<AbsOp>(x);
  if (form == Form::L2 || form == Form::SumSquare)
    x = n.make<MulOp>(x, x);
  if (form == Form::LogSumExp && !isCopy)
    x = logSumExp(n, x, *axes, keep);
  else if (!isCopy)
    x = n.reduce(x, kind, *axes, keep);
  if (form == Form::L2)
    x = n.make<SqrtOp>(x);
  if (form == Form::LogSum)
    x = n.make<LogOp>(x);
  return n.finish(n.cast(x, type));
}

template <ExtremeKind kind> LogicalResult argReduction(NodeBuilder &n) {
  Value x = n.input(0);
  int64_t axis = n.axis(n.intAttr("axis", 0), n.rankOf(x));
  return n.finish(n.make<ArgReduceOp>(x, kind, axis,
                                      n.flagAttr("keepdims", true),
                                      n.flagAttr("select_last_index")));
}

template <ReduceKind kind> LogicalResult scan(NodeBuilder &n) {
  Value x = n.input(0);
  auto given = n.oneInt(n.input(1), "the axis");
  if (!given)
    return failure();
  int64_t axis = n.axis(*given, n.rankOf(x));
  return n.finish(n.make<CumReduceOp>(x, kind, axis, n.flagAttr("exclusive"),
                                      n.flagAttr("reverse")));
}

} // namespace

void addReductions(OpTable &table) {
  table.add("ReduceSum", 1, reduction<ReduceKind::Sum>);
  table.add("ReduceProd", 1, reduction<ReduceKind::Prod>);
  table.add("ReduceMax", 1, reduction<ReduceKind::Max>);
  table.add("ReduceMin", 1, reduction<ReduceKind::Min>);
  table.add("ReduceMean", 1, reduction<ReduceKind::Mean>);
  table.add("ReduceL1", 1, reduction<ReduceKind::Sum, Form::L1>);
  table.add("ReduceL2", 1, reduction<ReduceKind::Sum, Form::L2>);
  table.add("ReduceLogSum", 1, reduction<ReduceKind::Sum, Form::LogSum>);
  table.add("ReduceLogSumExp", 1, reduction<ReduceKind::Sum, Form::LogSumExp>);
  table.add("ReduceSumSquare", 1, reduction<ReduceKind::Sum, Form::SumSquare>);
  table.add("ArgMax", 1, argReduction<ExtremeKind::Max>);
  table.add("ArgMin", 1, argReduction<ExtremeKind::Min>);
  table.add("CumSum", 2, scan<ReduceKind::Sum>);
  table.add("CumProd", 2, scan<ReduceKind::Prod>);
}

} // namespace graven::onnx
