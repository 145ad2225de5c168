//===- Compute.cpp - helpers of the ops' naive functions ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements what the naive functions of several op families share.
//===----------------------------------------------------------------------===//

#include "dialects/graven/eval/Compute.h"
#include "dialects/support/Diagnostics.h"

using namespace mlir;

namespace graven::eval {

int64_t product(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

RankedTensorType resultType(Operation *op) {
  return cast<RankedTensorType>(op->getResult(0).getType());
}

Shape resolveMixed(ArrayRef<int64_t> list, ArrayRef<Tensor> operands,
                   size_t &next) {
  Shape resolved(list);
  for (int64_t &entry : resolved)
    if (ShapedType::isDynamic(entry))
      entry = operands[next++].getInt(0);
  return resolved;
}

Sweep::Sweep(ArrayRef<int64_t> in, ArrayRef<int64_t> kernel,
             ArrayRef<int64_t> out, ArrayRef<int64_t> strides,
             ArrayRef<int64_t> dilations, ArrayRef<int64_t> pads) {
  size_t rank = in.size(), shift = 3 - rank;
  for (size_t i = 0; i < rank; ++i) {
    this->in[shift + i] = in[i];
    this->kernel[shift + i] = kernel[i];
    this->out[shift + i] = out[i];
    stride[shift + i] = strides[i];
    dilation[shift + i] = dilations[i];
    low[shift + i] = pads[i];
    high[shift + i] = pads[rank + i];
  }
}

/// Calls copy(planar offset, blocked offset) for every element.
template <class Copy>
static void forEachBlockedElement(ArrayRef<int64_t> planar, Copy &&copy) {
  constexpr int64_t block = 16;
  int64_t samples = planar[0], channels = planar[1],
          blocks = (channels + block - 1) / block,
          points = product(planar.drop_front(2));
  for (int64_t n = 0; n < samples; ++n)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t p = 0; p < points; ++p)
        copy((n * channels + c) * points + p,
             ((n * blocks + c / block) * points + p) * block + c % block);
}

Tensor toBlocked(const Tensor &planar) {
  Shape shape(planar.getShape());
  shape[1] = (shape[1] + 15) / 16;
  shape.push_back(16);
  Tensor blocked(RankedTensorType::get(shape, planar.getElementType()));
  forEachBlockedElement(planar.getShape(), [&](int64_t from, int64_t to) {
    blocked.copy(to, planar, from);
  });
  return blocked;
}

Tensor toPlanar(const Tensor &blocked, int64_t channels) {
  Shape shape(blocked.getShape().drop_back());
  shape[1] = channels;
  Tensor planar(RankedTensorType::get(shape, blocked.getElementType()));
  forEachBlockedElement(
      shape, [&](int64_t to, int64_t from) { planar.copy(to, blocked, from); });
  return planar;
}

FailureOr<int64_t> resolveIndex(Operation *op, int64_t index, int64_t extent,
                                int64_t axis) {
  if (index >= -extent && index < extent)
    return index < 0 ? index + extent : index;
  return emitCoded(op->getLoc(), Code::IndexOutOfRange)
         << "'" << op->getName() << "' index " << index
         << " is out of range for extent " << extent << " of axis " << axis;
}

} // namespace graven::eval
