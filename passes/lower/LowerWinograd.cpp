//===- LowerWinograd.cpp - convolutions by Winograd's way -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering to `kernel.winograd`, and the transform of
// its weights, which depends on Parameters alone and so is done once.
//===----------------------------------------------------------------------===//

#include "passes/lower/LowerWinograd.h"

#include "dialects/graven/Winograd.h"
#include "dialects/kernel/StageShapes.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/ScalarFormulas.h"
#include "passes/lower/expand/Tiles.h"

using namespace mlir;

namespace graven {

int64_t winogradTileOf(Algorithm algorithm) {
  switch (algorithm) {
  case Algorithm::Direct:
  case Algorithm::Strassen:
    return 0;
  case Algorithm::Winograd2:
    return 2;
  case Algorithm::Winograd4:
    return 4;
  }
  llvm_unreachable("all algorithms are listed");
}

/// (G w G^T)[i, j] as one sum over the nine taps: factor[i * size + j, tap].
static SmallVector<double> tapFactors(const WinogradTransform &t) {
  constexpr int64_t k = kWinogradKernel;
  SmallVector<double> factors;
  for (int64_t i = 0; i < t.size; ++i)
    for (int64_t j = 0; j < t.size; ++j)
      for (int64_t y = 0; y < k; ++y)
        for (int64_t x = 0; x < k; ++x)
          factors.push_back(t.weight[i * k + y] * t.weight[j * k + x]);
  return factors;
}

/// w [OC,IC,3,3] as [ceil(OC/P)][points][IC][P], absent channels 0. Summed in
/// f64: the transform's own rounding would otherwise add to the kernel's.
static Value transformWeights(OpBuilder &b, Location loc, Value w,
                              const kernel::WinogradShape &shape) {
  constexpr int64_t taps = kWinogradKernel * kWinogradKernel;
  WinogradTransform transform = makeWinogradTransform(shape.tile);
  Type f64 = b.getF64Type();
  auto factorType = RankedTensorType::get({shape.points(), taps}, f64);
  Value factors = arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(factorType,
                             ArrayRef<double>(tapFactors(transform))));
  w = reshapeTo(b, loc, w, {shape.outChannels, shape.inChannels, taps});
  return generate(
      b, loc, {shape.panels(), shape.points(), shape.inChannels, shape.panel},
      b.getF32Type(),
      [&](OpBuilder &inner, Location at, ValueRange i) -> Value {
        Value oc = arith::AddIOp::create(
            inner, at,
            arith::MulIOp::create(inner, at, i[0],
                                  indexConstant(inner, at, shape.panel)),
            i[3]);
        Value limit = indexConstant(inner, at, shape.outChannels - 1);
        Value exists = arith::CmpIOp::create(
            inner, at, arith::CmpIPredicate::sle, oc, limit);
        Value safe = arith::MinSIOp::create(inner, at, oc, limit);
        Value sum = emitConstant(inner, at, f64, 0);
        for (int64_t tap = 0; tap < taps; ++tap) {
          Value index = indexConstant(inner, at, tap);
          Value factor = tensor::ExtractOp::create(inner, at, factors,
                                                   ValueRange{i[1], index});
          Value element = tensor::ExtractOp::create(
              inner, at, w, ValueRange{safe, i[2], index});
          element = arith::ExtFOp::create(inner, at, f64, element);
          sum = arith::AddFOp::create(
              inner, at, sum,
              arith::MulFOp::create(inner, at, factor, element).getResult());
        }
        sum = arith::TruncFOp::create(inner, at, inner.getF32Type(), sum);
        return arith::SelectOp::create(
            inner, at, exists, sum,
            emitConstant(inner, at, inner.getF32Type(), 0));
      });
}

kernel::WinogradOp emitWinograd(OpBuilder &b, Location loc,
                                const TargetInfo &target, Value x, Value w,
                                ValueRange epilogue, Value whole, Value out,
                                int64_t tile, int64_t pool) {
  auto wType = cast<RankedTensorType>(w.getType()),
       outType = cast<RankedTensorType>(out.getType());
  kernel::WinogradShape shape(outType.getDimSize(0), wType.getDimSize(1),
                              wType.getDimSize(0), outType.getDimSize(2) * pool,
                              outType.getDimSize(3) * pool, /*panel=*/1, tile);
  expand::WinogradTile choice = expand::chooseWinogradTile(
      target, shape.inChannels, shape.points(), shape.tiles());
  shape.panel = choice.channels;
  shape.block = choice.block;
  Value packed = transformWeights(b, loc, w, shape);
  Value scratch = emptyTensor(b, loc, {shape.products().scratchSize()},
                              outType.getElementType());
  SmallVector<Type> types{outType, scratch.getType()};
  if (whole)
    types.insert(types.begin(), whole.getType());
  return kernel::WinogradOp::create(
      b, loc, types, x, packed, epilogue, whole, out, scratch, shape.inChannels,
      shape.outChannels, shape.tile, shape.block, choice.mr, pool);
}

} // namespace graven
