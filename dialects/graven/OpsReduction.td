//===- OpsReduction.td - reductions, scans, pools ----------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares reductions, cumulative ops, top-k, pooling and resampling.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_OPSREDUCTION_TD
#define DIALECTS_GRAVEN_OPSREDUCTION_TD

include "dialects/graven/GravenEnums.td"

def Graven_ReduceOp : Graven_PureOp<"reduce", [Graven_Reduction]> {
  let summary = "combines elements along axes";
  let description = [{
    The element type is kept; f16 and bf16 accumulate in f32; mean divides in the accumulator, of ints truncates. Over an
    empty axis: sum and or 0, prod and and 1, max and min their identity, mean NaN (int 0). `keep` leaves extents of 1.
    C1 axes unique, sorted, in range; none is a copy.  C2 and, or: ints and bools; bools take only max, min, and, or.
    ONNX: Reduce*.  ATen: sum, mean, amax, ...
  }];
  let arguments = (ins Graven_TTensor:$x, Graven_ReduceKindAttr:$kind, DenseI64ArrayAttr:$axes, UnitAttr:$keep);
  let results = (outs Graven_TTensor:$result);
  let assemblyFormat = "$kind $x `axes` $axes (`keep` $keep^)? attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}
def Graven_ArgReduceOp : Graven_PureOp<"arg_reduce", [Graven_Reduction]> {
  let summary = "index of the greatest or least element along an axis";
  let description = "NaN is the extreme; ties take the lowest index, or the last with last_index. C1 axis in range.  C2 the axis is not empty. ONNX: ArgMax, ArgMin.  ATen: argmax, argmin.";
  let arguments = (ins Graven_TTensor:$x, Graven_ExtremeKindAttr:$kind, I64Attr:$axis, UnitAttr:$keep, UnitAttr:$last_index);
  let results = (outs Graven_I64Tensor:$result);
  let assemblyFormat = "$kind $x `axis` $axis (`keep` $keep^)? (`last_index` $last_index^)? attr-dict `:` functional-type(operands, results)";
}
def Graven_CumReduceOp : Graven_PureOp<"cum_reduce"> {
  let summary = "running reduction along an axis";
  let description = "y[i] combines x[0..i]; exclusive: x[0..i-1]; reverse: from the end. C1 kind is sum, prod, max or min.  C2 axis in range. ONNX: CumSum.  ATen: cumsum, cumprod.";
  let arguments = (ins Graven_NTensor:$x, Graven_ReduceKindAttr:$kind, I64Attr:$axis, UnitAttr:$exclusive, UnitAttr:$reverse);
  let results = (outs Graven_NTensor:$result);
  let assemblyFormat = "$kind $x `axis` $axis (`exclusive` $exclusive^)? (`reverse` $reverse^)? attr-dict `:` functional-type(operands, results)";
}
def Graven_TopKOp : Graven_PureOp<"topk"> {
  let summary = "the k greatest or least elements along an axis, sorted, with their indices";
  let description = "Stable; NaN is the greatest; ties take the lowest index. C1 axis in range.  C2 0 <= k <= extent. ONNX: TopK.  ATen: topk, sort.";
  let arguments = (ins Graven_TTensor:$x, I64Attr:$k, I64Attr:$axis, DefaultValuedAttr<BoolAttr, "true">:$largest);
  let results = (outs Graven_TTensor:$values, Graven_I64Tensor:$indices);
  let assemblyFormat = "$x `k` $k `axis` $axis (`largest` $largest^)? attr-dict `:` functional-type(operands, results)";
}

def Graven_MaxPoolOp : Graven_PureOp<"max_pool", [Graven_Window, Graven_Monotone]> {
  let summary = "maximum over sliding windows";
  let description = [{
    x [N,C,D..] -> [N,C,O..]; `e = d(K-1)+1; t = D+lo+hi-e; O = floor(t/s)+1`, with ceil_mode `ceil(t/s)+1`, then less one
    if (O-1) s >= D+lo. Pads are -inf or the type's minimum; NaN wins. In layout nchw16c x and the result are blocked.
    C1 rank 3..5, list lengths.  C2 kernel, strides, dilations > 0, pads >= 0.  C3 O >= 0.
    ONNX: MaxPool.  ATen: max_pool1d..3d.
  }];
  let arguments = (ins Graven_NTensor:$x, DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations,
                       DenseI64ArrayAttr:$pads, UnitAttr:$ceil_mode,
                       DefaultValuedAttr<Graven_LayoutAttr, "::graven::Layout::Planar">:$layout);
  let results = (outs Graven_NTensor:$result);
  let assemblyFormat = [{
    $x `kernel` $kernel `strides` $strides `dilations` $dilations `pads` $pads (`ceil_mode` $ceil_mode^)? (`layout` $layout^)?
    attr-dict `:` functional-type(operands, results)
  }];
}
def Graven_AvgPoolOp : Graven_PureOp<"avg_pool", [Graven_Window]> {
  let summary = "mean over sliding windows";
  let description = [{
    Extents as max_pool. The sum is divided by `divisor` if > 0, else by the number of taps inside x, plus those in the pads
    with count_include_pad; taps past D+hi never count.
    C1 rank 3..5, list lengths.  C2 kernel, strides, dilations > 0, pads >= 0.  C3 O >= 0.
    ONNX: AveragePool.  ATen: avg_pool1d..3d.
  }];
  let arguments = (ins Graven_FTensor:$x, DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations,
                       DenseI64ArrayAttr:$pads, UnitAttr:$ceil_mode, UnitAttr:$count_include_pad,
                       DefaultValuedAttr<I64Attr, "0">:$divisor,
                       DefaultValuedAttr<Graven_LayoutAttr, "::graven::Layout::Planar">:$layout);
  let results = (outs Graven_FTensor:$result);
  let assemblyFormat = [{
    $x `kernel` $kernel `strides` $strides `dilations` $dilations `pads` $pads (`ceil_mode` $ceil_mode^)?
    (`count_include_pad` $count_include_pad^)? (`divisor` $divisor^)? (`layout` $layout^)? attr-dict
    `:` functional-type(operands, results)
  }];
}
def Graven_ResizeOp : Graven_PureOp<"resize", [Graven_Window]> {
  let summary = "resamples axes to given extents";
  let description = [{
    Separable. The coordinate of output index i uses scales[a] when given, else out/in; nearest indices are computed in f32;
    taps clamp to the edge (op-set section 18 has the formulas). C1 axes unique, sorted, in range; sizes one entry each.
    C2 scales, when given, one positive entry each.  C3 mode linear or nearest for ints; cubic uses cubic_a.
    C4 a resized axis is not empty, unless its size is 0.
    ONNX: Resize, Upsample.  ATen: upsample_*, interpolate.
  }];
  let arguments = (ins Graven_NTensor:$x, DenseI64ArrayAttr:$axes, DenseI64ArrayAttr:$sizes, OptionalAttr<DenseF64ArrayAttr>:$scales,
                       Graven_ResizeModeAttr:$mode, Graven_CoordinateModeAttr:$coordinate,
                       DefaultValuedAttr<Graven_NearestModeAttr, "::graven::NearestMode::RoundPreferFloor">:$nearest,
                       DefaultValuedAttr<F64Attr, "-0.75">:$cubic_a);
  let results = (outs Graven_NTensor:$result);
  let assemblyFormat = [{
    $mode $x `axes` $axes `sizes` $sizes (`scales` $scales^)? `coordinate` $coordinate (`nearest` $nearest^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

#endif // DIALECTS_GRAVEN_OPSREDUCTION_TD
