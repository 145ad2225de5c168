//===- KernelAttention.td - attention as one kernel -----------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the kernel of scaled dot product attention, whose operands
// are read and written where they are, through maps from logical axes to
// elements.

#ifndef GRAVEN_DIALECTS_KERNEL_ATTENTION_TD
#define GRAVEN_DIALECTS_KERNEL_ATTENTION_TD

def Kernel_AttentionOp : Kernel_Op<"attention", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>, DestinationStyleOpInterface]> {
  let summary = "scaled dot product attention";
  let description = [{
    With `extents` = [B, H, Hk, S, L, E, F], batch b, head h, its key head
    g = h Hk / H, row i and column f:
    ```
    s[j]   = scale * sum_e q[b,h,i,e] k[b,g,j,e];  s = softcap tanh(s / softcap) if softcap > 0
    s[j]  += mask[b,h,i,j];  s[j] = -inf if causal and j > i
    m      = max_j s[j];  p[j] = exp(s[j] - m)
    out[b,h,i,f] = sum_j p[j] v[b,g,j,f] / sum_j p[j]
    ```
    A row whose every score is -inf gives NaN, or 0 with `zero_empty`; a NaN among
    the scores gives NaN.

    With `paired`, for a target that multiplies pairs of bf16, q, k times the scale, v and
    p are rounded to it before they are multiplied; sums and the softmax stay f32.

    Operands are flat. A map is [offset, batch, head, row, column]: q[b,h,i,e] is
    element `offset + batch b + head h + row i + column e` of `q`, and so on; the rows
    of k, v are the keys, the columns of the mask are. So heads that stand side by
    side in the rows of a projection, or in the rows of one merged projection, are
    read in place. A stride of 0 repeats.

    Row tiles are `mr` rows high; scores and columns of the result are computed
    `panel` at a time. `block` keys are scored before their exponentials are summed:
    all of them, or, where they are too many for the caches, a block after the other
    with the sums so far rescaled to the new maximum (Milakov and Gimelshein, "Online
    normalizer calculation for softmax", 2018). `group` row tiles are one unit of
    work. `scratch` holds a slot for each task (AttentionShape.h says what); it holds
    nothing of use before or after.

    Constraints:
    - C1 ranks 1; equal element types, f32 or f64; f32 if `paired`.
    - C2 extents >= 1, H a multiple of Hk.
    - C3 a map has five entries >= 0 and reaches no element past its operand; the
      columns of q, k, v and out are contiguous, those of the mask also repeated. Two
      elements of out are not the same.
    - C4 `mr`, `block`, `group` >= 1, `panel` a multiple of 4, `block` a multiple of `panel` or
      at least L.
    - C5 `scratch` has the size that follows.
  }];
  let arguments = (ins Kernel_Operand:$q, Kernel_Operand:$k, Kernel_Operand:$v,
      Optional<Kernel_Operand>:$mask, Kernel_Operand:$out, Kernel_Operand:$scratch,
      DenseI64ArrayAttr:$extents, DenseI64ArrayAttr:$q_map, DenseI64ArrayAttr:$k_map,
      DenseI64ArrayAttr:$v_map, OptionalAttr<DenseI64ArrayAttr>:$mask_map,
      DenseI64ArrayAttr:$out_map, F64Attr:$scale,
      DefaultValuedAttr<F64Attr, "0.0">:$softcap, UnitAttr:$causal, UnitAttr:$zero_empty,
      UnitAttr:$paired,
      I64Attr:$mr, I64Attr:$panel, I64Attr:$block, I64Attr:$group);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $q `,` $k `,` $v `:` type($q) `,` type($k) `,` type($v) `)`
    (`mask` `(` $mask^ `:` type($mask) `)`)?
    `outs` `(` $out `,` $scratch `:` type($out) `,` type($scratch) `)`
    attr-dict (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(getOperation(), getNumOperands() - 2, 2);
    }
  }];
}

#endif // GRAVEN_DIALECTS_KERNEL_ATTENTION_TD
