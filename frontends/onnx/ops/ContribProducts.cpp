//===- ContribProducts.cpp - quantized products ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of com.microsoft's products of quantized
// matrices, whose sums are exact, and of rows picked from quantized tables.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Products.h"
#include "frontends/onnx/ops/Quantized.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// A scale of one number, or of the columns of a product of rank 2 or more.
Value ofColumns(NodeBuilder &n, Value scale) {
  auto shape = n.staticShape(scale);
  if (!shape)
    return {};
  return shape->size() == 1 && shape->front() == 1 ? n.reshape(scale, {})
                                                   : scale;
}

/// The sums times both scales, and the bias when there is one.
Value rescaled(NodeBuilder &n, Value sums, Value a, Value b, Value bias) {
  Type type = n.elementTypeOf(b);
  Value scale = n.binary<MulOp>(n.cast(ofColumns(n, a), type), ofColumns(n, b));
  Value y = n.binary<MulOp>(n.cast(sums, type), scale);
  return bias ? n.binary<AddOp>(y, bias) : y;
}

/// (A, B, scale of A, scale of B, zero of A, zero of B, bias)
LogicalResult buildMatMulIntegerToFloat(NodeBuilder &n) {
  Value sums = exactProduct(n, n.input(0), n.input(4), n.input(1), n.input(5));
  return n.finish(rescaled(n, sums, n.input(2), n.input(3), n.input(6)));
}

/// (A, B, scale of B, zero of B, bias)
LogicalResult buildDynamicQuantizeMatMul(NodeBuilder &n) {
  DynamicCodes a = quantizeDynamically(n, n.input(0));
  Value sums = exactProduct(n, a.codes, a.zero, n.input(1), n.input(3));
  return n.finish(rescaled(n, sums, a.scale, n.input(2), n.input(4)));
}

/// (A, scale, zero, B, scale, zero, C, scale, zero), where C are sums
/// themselves and a result without a scale is one of f32.
LogicalResult buildQGemm(NodeBuilder &n) {
  Value a = n.input(0), b = n.input(3);
  if (n.rankOf(a) != 2 || n.rankOf(b) != 2)
    return n.error(Code::BadGraph) << "the matrices have rank " << n.rankOf(a)
                                   << " and " << n.rankOf(b) << ", expected 2";
  a = centred(n, a, n.input(2));
  if (n.flagAttr("transA"))
    a = n.transpose(a, {1, 0});
  Value zero = n.input(5);
  bool isTransposed = n.flagAttr("transB");
  // The zero points are of the columns of the product: rows of B as it is.
  if (zero && isTransposed && n.rankOf(zero) == 1 && n.staticShape(zero))
    zero = n.reshape(zero, {n.shapeOf(zero)[0], 1});
  b = centred(n, b, zero);
  if (isTransposed)
    b = n.transpose(b, {1, 0});
  Value sums = n.make<MatmulOp>(a, b, false, false);
  if (n.input(6))
    sums = n.binary<AddOp>(sums, n.input(6));
  Value y = rescaled(n, sums, n.input(1), n.input(4), {});
  y = scaled(n, y, n.floatAttr("alpha", 1));
  return n.finish(n.input(7) ? encoded(n, y, 7, 8) : y);
}

/// Rows of a table whose columns are codes of blocks: u4 two in a byte, the low
/// one first, or codes with types of their own.
LogicalResult buildGatherBlockQuantized(NodeBuilder &n) {
  Value codes = n.input(0), scales = n.input(2), zeros = n.input(3);
  int64_t bits = n.intAttr("bits", 4), block = n.intAttr("block_size", 128);
  auto shape = n.staticShape(codes), blocks = n.staticShape(scales);
  if (!shape || !blocks)
    return failure();
  int64_t rank = static_cast<int64_t>(shape->size());
  int64_t rows = n.axis(n.intAttr("gather_axis", 0), rank),
          along = n.axis(n.intAttr("quantize_axis", 1), rank);
  if (n.hasFailed())
    return failure();
  if (rank != 2 || rows != 0 || along != 1 || blocks->size() != 2)
    return n.error(Code::UnsupportedFeature)
           << "rows of a table of rank " << rank << ", gather_axis " << rows
           << " and quantize_axis " << along << ", expected 2, 0 and 1";
  bool isPacked = !n.narrow(0);
  if (bits != 8 &&
      (bits != 4 || (isPacked && !n.elementTypeOf(codes).isUnsignedInteger(8))))
    return n.error(Code::UnsupportedFeature)
           << "bits is " << bits << " of " << n.elementTypeOf(codes);
  Type type = n.elementTypeOf(scales);
  auto pick = [&](Value table) {
    return n.make<GatherOp>(table, n.input(1), int64_t(0), false);
  };
  auto unpacked = [&](Value table) {
    Value picked = pick(table);
    if (!isPacked || bits == 8)
      return n.cast(picked, type);
    IntList whole = n.shapeOf(picked), split = whole;
    split.push_back(1);
    whole.back() *= 2;
    Type byte = n.elementTypeOf(picked);
    Value one = n.reshape(picked, split);
    Value halves[] = {n.binary<AndOp>(one, n.scalar(byte, 15)),
                      n.binary<ShrOp>(one, n.scalar(byte, 4))};
    return n.cast(n.reshape(n.make<ConcatOp>(ValueRange(halves),
                                             int64_t(split.size() - 1)),
                            whole),
                  type);
  };
  Value numbers = unpacked(codes);
  IntList whole = n.shapeOf(numbers), split = whole;
  int64_t count = blocks->back();
  if (n.hasFailed() || block < 1 || count * block < whole.back() ||
      (count - 1) * block >= whole.back())
    return n.hasFailed() ? failure()
                         : LogicalResult(n.error(Code::BadGraph)
                                         << whole.back() << " columns have "
                                         << count << " blocks of " << block);
  // One number for each of a block's columns.
  auto spread = [&](Value list) {
    split = whole;
    split.back() = count;
    split.push_back(1);
    IntList repeated = split, joined = whole;
    repeated.back() = block;
    joined.back() = count * block;
    Value all = n.reshape(n.expand(n.reshape(list, split), repeated), joined);
    return n.slice(all, static_cast<int64_t>(whole.size()) - 1, 0,
                   whole.back());
  };
  if (zeros) {
    Value offset = unpacked(zeros);
    offset = n.slice(offset, n.rankOf(offset) - 1, 0, count);
    numbers = n.binary<SubOp>(numbers, spread(offset));
  } else if (isPacked) {
    numbers = n.binary<SubOp>(numbers, n.scalar(type, 1 << (bits - 1)));
  }
  return n.finish(n.binary<MulOp>(numbers, spread(pick(scales))));
}

} // namespace

void addContribProducts(OpTable &table) {
  table.add("com.microsoft/MatMulIntegerToFloat", 4, buildMatMulIntegerToFloat);
  table.add("com.microsoft/DynamicQuantizeMatMul", 3,
            buildDynamicQuantizeMatMul);
  table.add("com.microsoft/QGemm", 6, buildQGemm);
  table.add("com.microsoft/GatherBlockQuantized", 3, buildGatherBlockQuantized)
      .reads = Codes::Understood;
}

} // namespace graven::onnx
