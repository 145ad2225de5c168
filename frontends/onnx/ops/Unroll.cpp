//===- Unroll.cpp - loops of which each iteration is built ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements loops whose iterations are Nodes of their own.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/ops/Unroll.h"

#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/Lists.h"

using namespace mlir;

namespace graven::onnx {

/// A loop of more iterations is refused.
static constexpr int64_t kMaxUnrolled = 10'000;

LogicalResult unrollLoop(NodeBuilder &n, LoopInputs loop) {
  Builder &builder = n.getBuilder();
  int64_t trip = std::numeric_limits<int64_t>::max(), goesOn = 1;
  auto read = [&](Value value, StringRef what, int64_t &to) {
    auto known = n.oneInt(value, what);
    to = known.value_or(0);
    return known.has_value();
  };
  if ((loop.trip && !read(loop.trip, "the trip count", trip)) ||
      (loop.condition && !read(loop.condition, "the condition", goesOn)))
    return failure();
  size_t numCarried = loop.carried.size(),
         numStacked = n.getOutputCount() -
                      std::min<size_t>(numCarried, n.getOutputCount());
  SmallVector<SmallVector<Value>> stacked(numStacked);
  for (int64_t i = 0; i < trip && goesOn; ++i) {
    if (i == kMaxUnrolled)
      return n.error(Code::UnsupportedFeature)
             << "the loop has more than " << kMaxUnrolled
             << " iterations, each of which would be Nodes of its own";
    SmallVector<Value> arguments{
        n.scalar(builder.getI64Type(), static_cast<double>(i)),
        n.scalar(builder.getI1Type(), 1)};
    llvm::append_range(arguments, loop.carried);
    auto outputs = n.getImporter().importSubgraph(n.getLoc(), *loop.body,
                                                  n.getScope(), arguments);
    if (failed(outputs))
      return failure();
    if (outputs->size() != 1 + numCarried + numStacked)
      return n.error(Code::BadGraph)
             << "the body gives " << outputs->size() << " values, expected "
             << 1 + numCarried + numStacked;
    if (!isTensor(outputs->front()))
      return n.error(Code::BadGraph) << "the body gives no condition";
    if (!read(outputs->front(), "whether the loop goes on", goesOn))
      return failure();
    loop.carried.assign(outputs->begin() + 1,
                        outputs->begin() + 1 + numCarried);
    for (auto [slices, value] : llvm::zip_equal(
             stacked, ArrayRef(*outputs).drop_front(1 + numCarried))) {
      if (!isTensor(value))
        return n.error(Code::BadGraph) << "the body gives no tensor to stack";
      auto shape = n.staticShape(value);
      if (!shape)
        return failure();
      shape->insert(shape->begin(), 1);
      slices.push_back(n.reshape(value, *shape));
    }
  }
  for (auto [i, value] : llvm::enumerate(loop.carried))
    n.setOutput(i, value);
  for (auto [i, slices] : llvm::enumerate(stacked)) {
    if (slices.empty())
      return n.error(Code::UnsupportedFeature)
             << "the loop never runs: the extents of its slices are not known";
    n.setOutput(numCarried + i,
                n.make<ConcatOp>(ValueRange(slices), int64_t(0)));
  }
  return n.finish();
}

} // namespace graven::onnx
