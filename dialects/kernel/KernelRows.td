//===- KernelRows.td - window and row kernels -----------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the kernels that reduce a window or the last axis: pool,
// softmax and rownorm.

#ifndef GRAVEN_DIALECTS_KERNEL_ROWS_TD
#define GRAVEN_DIALECTS_KERNEL_ROWS_TD

def Kernel_PoolKindEnum : I32EnumAttr<"PoolKind", "reduction of a pooling window", [
    I32EnumAttrCase<"Max", 0, "max">, I32EnumAttrCase<"Avg", 1, "avg">]> {
  let cppNamespace = "::graven::kernel";
  let genSpecializedAttr = 0;
}
def Kernel_PoolKindAttr : EnumAttr<Kernel_Dialect, Kernel_PoolKindEnum, "pool_kind"> {
  let assemblyFormat = "$value";
}

def Kernel_NormKindEnum : I32EnumAttr<"NormKind", "kind of row normalisation", [
    I32EnumAttrCase<"Layer", 0, "layer">, I32EnumAttrCase<"Rms", 1, "rms">]> {
  let cppNamespace = "::graven::kernel";
  let genSpecializedAttr = 0;
}
def Kernel_NormKindAttr : EnumAttr<Kernel_Dialect, Kernel_NormKindEnum, "norm_kind"> {
  let assemblyFormat = "$value";
}

def Kernel_PoolOp : Kernel_DpsOp<"pool"> {
  let summary = "2-D max or average pooling";
  let description = [{
    Window element (kh, kw) of output (y, x) is the input at
    `(y*sh - ph + kh*dh, x*sw - pw + kw*dw)`.
    ```
    max: out = maximum over the elements inside the input (NaN wins)
    avg: out = sum over the elements inside the input / n
         n = divisor                       if divisor > 0
             elements inside the input     unless count_include_pad
             elements inside the input and its pads   otherwise
    ```
    `x` is blocked [N, CB, H, W, 16] or planar [N, C, H, W], not padded; `out` has
    the same layout. `pads` are [h low, w low, h high, w high]; positions past the
    high pad (ceil mode) never count.

    Constraints:
    - C1 `x` and `out` have rank 4 or 5, the same, and element types computed in one type.
    - C2 N, channel axes agree.
    - C3 `kernel`, `strides`, `dilations` have two entries >= 1; `pads` four >= 0.
    - C4 each window has at least one element inside the input.
  }];
  let arguments = (ins Kernel_PoolKindAttr:$kind, Kernel_Operand:$x, Kernel_Operand:$out,
      DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides,
      DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads,
      UnitAttr:$count_include_pad, DefaultValuedAttr<I64Attr, "0">:$divisor);
  let assemblyFormat = [{
    $kind `ins` `(` $x `:` type($x) `)` `outs` `(` $out `:` type($out) `)` attr-dict
    (`->` type($results)^)?
  }];
}

def Kernel_SoftmaxOp : Kernel_DpsOp<"softmax"> {
  let summary = "softmax over the last axis";
  let description = [{
    ```
    m = max_j x[..,j];  s = sum_j exp(x[..,j] - m)
    out[..,i] = exp(x[..,i] - m) / s         (log: x[..,i] - m - log(s))
    ```
    A row with a NaN, a +inf, or -inf only gives NaN. The last axis is contiguous.

    Constraints:
    - C1 `x` and `out` have the same shape, rank >= 1, and element types computed in one type.
    - C2 the last extent is at least 1.
  }];
  let arguments = (ins Kernel_Operand:$x, Kernel_Operand:$out, UnitAttr:$log);
  let assemblyFormat = [{
    `ins` `(` $x `:` type($x) `)` `outs` `(` $out `:` type($out) `)` attr-dict
    (`->` type($results)^)?
  }];
}

def Kernel_RowNormOp : Kernel_DpsOp<"rownorm"> {
  let summary = "layer or rms normalisation of the last axis";
  let description = [{
    ```
    layer: mu = mean_j x[..,j];  v = mean_j (x[..,j] - mu)^2
           out[..,i] = (x[..,i] - mu) / sqrt(v + epsilon) * scale[i] + bias[i]
    rms:   out[..,i] = x[..,i] / sqrt(mean_j x[..,j]^2 + epsilon) * scale[i] + bias[i]
    ```
    `params` are none, scale, or scale and bias, each [N] with N the last extent.
    Two passes over the row, which is contiguous.

    Constraints:
    - C1 `x` and `out` have the same shape, rank >= 1, and element types computed in one type.
    - C2 at most two `params`, each of shape [N].
    - C3 the last extent is at least 1; epsilon >= 0.
  }];
  let arguments = (ins Kernel_NormKindAttr:$kind, Kernel_Operand:$x,
      Variadic<Kernel_Operand>:$params, Kernel_Operand:$out, F64Attr:$epsilon);
  let assemblyFormat = [{
    $kind `ins` `(` $x `:` type($x) `)` (`params` `(` $params^ `:` type($params) `)`)?
    `outs` `(` $out `:` type($out) `)` attr-dict (`->` type($results)^)?
  }];
}

def Kernel_ScanOp : Kernel_DpsOp<"scan"> {
  let summary = "what the elements of an axis come to one after the other";
  let description = [{
    ```
    s_0 = initial;  s_{i+1} = body(s_i, x[o,i,k]);  out[o,i,k] = s_{i+1}      (exclusive: s_i)
    ```
    `reverse` walks from the last i to the first. The state and the arguments of the body
    have the type of `initial`, in which elements are computed. A vector of k, or a few o
    where there is one k, is walked at once; some of them are a unit of work.

    Constraints:
    - C1 `x` and `out` have the same shape [O, I, K] and element type.
    - C2 the body takes and gives values of the type of `initial`, by operations that work
      on vectors as on numbers.
  }];
  let arguments = (ins Kernel_NumberOperand:$x, Kernel_NumberOperand:$out, TypedAttrInterface:$initial,
      UnitAttr:$exclusive, UnitAttr:$reverse);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `ins` `(` $x `:` type($x) `)` `outs` `(` $out `:` type($out) `)` `initial` $initial
    attr-dict-with-keyword $body (`->` type($results)^)?
  }];
}

#endif // GRAVEN_DIALECTS_KERNEL_ROWS_TD
