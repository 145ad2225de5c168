//===- OpsContraction.td - contractions and attention ------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares matrix products, convolutions and attention: the ops that hold the arithmetic of a model.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_OPSCONTRACTION_TD
#define DIALECTS_GRAVEN_OPSCONTRACTION_TD

include "dialects/graven/GravenEnums.td"

def Graven_MatmulOp : Graven_PureOp<"matmul", [Graven_Contraction]> {
  let summary = "batched matrix product";
  let description = [{
    out[b..,m,n] = sum_k a[b..,m,k] b[b..,k,n]; a flag transposes the last two axes of an operand first.
    C1 equal element types.  C2 equal ranks >= 2.  C3 the contracted extents are equal.  C4 batch axes broadcast.
    C5 `algorithm` strassen takes f32, an a that is not transposed, and a b with batch axes of 1, an even K and a known N.
    K = 0 gives 0. f16 and bf16 accumulate in f32. ONNX: MatMul, Gemm.  ATen: matmul, linear, addmm, bmm.
  }];
  let arguments = (ins Graven_NTensor:$a, Graven_NTensor:$b, UnitAttr:$transpose_a, UnitAttr:$transpose_b,
                       DefaultValuedAttr<Graven_AlgorithmAttr, "::graven::Algorithm::Direct">:$algorithm);
  let results = (outs Graven_NTensor:$result);
  let assemblyFormat = [{
    $a `,` $b (`transpose_a` $transpose_a^)? (`transpose_b` $transpose_b^)? (`algorithm` $algorithm^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

def Graven_ConvOp : Graven_PureOp<"conv", [Graven_Contraction, Graven_Window]> {
  let summary = "N-d convolution, N in 1..3, grouped";
  let description = [{
    out[n,co,o..] = bias[co] + sum_{ci,k..} x[n, g Ci + ci, o stride + k dil - pad_lo] w[co,ci,k..] with Ci = Cin/groups,
    Co = Cout/groups, g = co / Co; reads outside x are 0.
    Shapes: x [N,Cin,D..], w [Cout,Cin/groups,K..], bias [Cout] -> out [N,Cout,O..];
      O = floor((D + pad_lo + pad_hi - dil (K-1) - 1) / stride) + 1
    `pads` = [lo.., hi..] in elements. In layout nchw16c out and x are [N,ceil(C/16),D..,16], and `channels` is
    Cin; an x of few channels may stay planar.
    C1 equal element types.  C2 rank 3..5; list attributes have an entry a spatial axis, pads two.
    C3 strides, dilations, groups, kernel extents > 0, pads >= 0.  C4 Cin % groups = 0 and Cout % groups = 0.  C5 w.dim(1) = Cin/groups.
    C6 O >= 0.  C7 bias has Cout elements.  C8 in layout nchw16c, a blocked x has
    ceil(Cin/16) blocks of 16 and `channels` is given; a planar x has `channels` channels, if given.
    C9 `algorithm` winograd2 or winograd4 (output tiles of 2x2 or 4x4) takes f32, layout nchw16c with a blocked x, 3x3
    kernels, strides and dilations 1, and one group.
    ONNX: Conv.  ATen: convolution.
  }];
  let arguments = (ins Graven_FTensor:$x, Graven_FTensor:$w, Optional<Graven_FTensor>:$bias, DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations,
                       DenseI64ArrayAttr:$pads, DefaultValuedAttr<I64Attr, "1">:$groups,
                       DefaultValuedAttr<Graven_LayoutAttr, "::graven::Layout::Planar">:$layout, OptionalAttr<I64Attr>:$channels,
                       DefaultValuedAttr<Graven_AlgorithmAttr, "::graven::Algorithm::Direct">:$algorithm);
  let results = (outs Graven_FTensor:$result);
  let assemblyFormat = [{
    $x `,` $w (`bias` $bias^)? `strides` $strides `dilations` $dilations `pads` $pads (`groups` $groups^)?
    (`layout` $layout^)? (`channels` $channels^)? (`algorithm` $algorithm^)? attr-dict `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    /// Number of spatial axes.
    int64_t getSpatialRank() { return getStrides().size(); }
  }];
}

def Graven_ConvTransposeOp : Graven_PureOp<"conv_transpose", [Graven_Contraction]> {
  let summary = "transposed N-d convolution, N in 1..3, grouped";
  let description = [{
    out[n,co,o] = bias[co] + sum x[n,ci,i] w[ci,co - g Cout/groups,k] over all i,k with o = i s + k d - lo.
    Shapes: x [N,Cin,D..], w [Cin,Cout/groups,K..], bias [Cout] -> [N,Cout,O..];
      O = (D-1) s + d (K-1) + 1 + output_padding - lo - hi
    Negative pads extend. C1 equal element types.  C2 rank 3..5, list lengths.  C3 strides, dilations, groups > 0;
    0 <= output_padding < max(s, d).  C4 Cin % groups = 0 and w.dim(0) = Cin.  C5 O >= 0.  C6 bias has Cout elements.
    ONNX: ConvTranspose.  ATen: conv_transpose1d..3d.
  }];
  let arguments = (ins Graven_FTensor:$x, Graven_FTensor:$w, Optional<Graven_FTensor>:$bias, DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations,
                       DenseI64ArrayAttr:$pads, DenseI64ArrayAttr:$output_padding, DefaultValuedAttr<I64Attr, "1">:$groups);
  let results = (outs Graven_FTensor:$result);
  let assemblyFormat = [{
    $x `,` $w (`bias` $bias^)? `strides` $strides `dilations` $dilations `pads` $pads `output_padding` $output_padding
    (`groups` $groups^)? attr-dict `:` functional-type(operands, results)
  }];
}

def Graven_AttentionOp : Graven_PureOp<"attention", [Graven_Contraction]> {
  let summary = "scaled dot product attention";
  let description = [{
    s = scale q k^T; s = softcap tanh(s/softcap) if softcap > 0; + mask (bool: false is -inf); softmax over L in f32; times v.
    Shapes: q [B,Hq,S,E], k [B,Hk,L,E], v [B,Hk,L,Ev], mask [B|1,Hq|1,S|1,L] -> [B,Hq,S,Ev]; head h uses key head
    floor(h Hk/Hq). causal: j <= i. A row with every key at -inf gives 0 or NaN by `empty_row`. With `rounded`, a target
    that multiplies pairs of bf16 may round q, k, v and the weights to it before it multiplies them.
    C1 equal float element types; the mask is bool or of that type.  C2 rank 4.  C3 Hq % Hk = 0; extents agree.
    C4 the mask broadcasts to [B,Hq,S,L].
    ONNX: Attention 23.  ATen: scaled_dot_product_attention.
  }];
  let arguments = (ins Graven_FTensor:$q, Graven_FTensor:$k, Graven_FTensor:$v, Optional<Graven_TTensor>:$mask, F64Attr:$scale, UnitAttr:$causal,
                       DefaultValuedAttr<F64Attr, "0.0">:$softcap,
                       DefaultValuedAttr<Graven_EmptyRowAttr, "::graven::EmptyRow::Zero">:$empty_row,
                       UnitAttr:$rounded);
  let results = (outs Graven_FTensor:$result);
  let assemblyFormat = [{
    $q `,` $k `,` $v (`mask` $mask^)? `scale` $scale (`causal` $causal^)? (`softcap` $softcap^)? (`empty_row` $empty_row^)?
    attr-dict `:` functional-type(operands, results)
  }];
}

#endif // DIALECTS_GRAVEN_OPSCONTRACTION_TD
