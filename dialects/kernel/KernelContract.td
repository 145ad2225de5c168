//===- KernelContract.td - contraction kernels ----------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the kernels that multiply and add over a contracted axis,
// gemm, conv and depthwise, and the packing of a run-time operand for gemm.

#ifndef GRAVEN_DIALECTS_KERNEL_CONTRACT_TD
#define GRAVEN_DIALECTS_KERNEL_CONTRACT_TD

def Kernel_GemmOp : Kernel_DpsOp<"gemm"> {
  let summary = "matrix product with packed right-hand side";
  let description = [{
    ```
    acc[b,m,n] = sum_k a[b,m,k] * b[b or 0, n / NR, k, n % NR]
    out[b,m,n] = epilogue(acc[b,m,n], e0, e1, ...)
    ```
    - `a` [B, M, K] row-major (on memrefs it may be a strided view)
    - `b` [B or 1, ceil(N/NR), K, NR] panels
    - `out` [B, M, N] row-major
    - an epilogue operand is full [B, M, N], a row [N], or a scalar []

    Where `a` and `b` are bf16, `b` may be panels of pairs [B or 1, ceil(N/NR),
    ceil(K/2), NR, 2], the pair of k = 2i and 2i+1 side by side (0 past K): the
    order of vdpbf16ps, which takes denormals for 0.

    `mr` is the number of rows of the register tile, `kc` the number of k steps
    after which the accumulators are added to `out` and restarted from zero (0:
    never): shorter chains round less.

    Constraints:
    - C1 `a` has rank 3, `b` rank 4, `out` rank 3; element types computed in one type.
    - C6 panels of pairs have `a` and `b` of bf16.
    - C2 extents agree: B, M, K as above, b.1 = ceil(N/NR), b.0 = B or 1.
    - C3 `mr` >= 1, `kc` >= 0.
    - C4 every epilogue operand has one of the three shapes.
    - C5 the epilogue region is empty (identity) or takes the accumulator and one
      element per epilogue operand, holds elementwise and constant operations
      only, and yields one element.

    ```mlir
    %r = kernel.gemm ins(%a, %b : tensor<1x128x768xf32>, tensor<1x48x768x16xf32>)
        epilogue(%bias : tensor<768xf32>) outs(%init : tensor<1x128x768xf32>)
        attributes {mr = 6 : i64, kc = 384 : i64} {
    ^bb0(%acc: f32, %e: f32):
      %s = arith.addf %acc, %e : f32
      kernel.yield %s : f32
    } -> tensor<1x128x768xf32>
    ```
  }];
  let arguments = (ins Kernel_Operand:$a, Kernel_Operand:$b,
      Variadic<Kernel_Operand>:$epilogue, Kernel_Operand:$out,
      I64Attr:$mr, I64Attr:$kc);
  let regions = (region MaxSizedRegion<1>:$body);
  let extraClassDeclaration = dpsDeclaration # [{
    /// Whether `b` is in panels of pairs.
    bool isPaired() {
      return ::llvm::cast<::mlir::ShapedType>(getB().getType()).getRank() == 5;
    }
  }];
  let assemblyFormat = [{
    `ins` `(` $a `,` $b `:` type($a) `,` type($b) `)`
    (`epilogue` `(` $epilogue^ `:` type($epilogue) `)`)?
    `outs` `(` $out `:` type($out) `)` attr-dict-with-keyword ($body^)? (`->` type($results)^)?
  }];
}

def Kernel_ConvOp : Kernel_DpsOp<"conv"> {
  let summary = "direct 2-D convolution of a padded input with packed weights";
  let description = [{
    ```
    acc[n,oc,y,x] = sum_{ic,kh,kw} x[n, ic, y*sh + kh*dh, x*sw + kw*dw] * w[oc, ic, kh, kw]
    out[n,oc,y,x] = epilogue(acc[n,oc,y,x], e0, e1, ...)
    ```
    - `x` is blocked [N, ceil(IC/16), H, W, 16], or planar [N, IC, H, W] (stems).
      It is padded already: H >= (OH-1)*sh + (KH-1)*dh + 1, W likewise.
    - `w` [OCP, ICB, KH, KW, ICI, OCT] with OCP = ceil(OC/OCT); blocked x: ICI = 16
      and ICB = ceil((IC/groups)/16); planar x: ICB = 1 and ICI = IC. Output
      channels past OC have zero weights. Where blocked `x` and `w` are bf16, it may
      be pairs of input channels [OCP, ICB, KH, KW, 8, OCT, 2], as in `kernel.gemm`.
    - `out` is blocked [N, ceil(OC/16), OH, OW, 16] or planar [N, OC, OH, OW].
    - an epilogue operand is full (the type of `out`), per channel [OC], or []

    The lanes of `x` past IC are not read. The lanes of a blocked `out` past OC
    hold any value. `tile` is the [rows, columns] of output pixels of the
    register tile; `row_block` is the number of output rows of one unit of work.
    A 1-D convolution has H = KH = OH = 1.

    Constraints:
    - C1 ranks as above; element types computed in one type.
    - C2 extents agree as above.
    - C3 `strides`, `dilations` and `tile` have two entries >= 1; 1 <= `row_block`.
    - C4 groups > 1: x is blocked, IC/groups and OC/groups are multiples of 16 and
      OC/groups is a multiple of OCT.
    - C5 OCT divides 16 or is a multiple of 16; every epilogue operand has one of the
      shapes.
    - C6 the epilogue region as in `kernel.gemm`.
  }];
  let arguments = (ins Kernel_Operand:$x, Kernel_Operand:$w,
      Variadic<Kernel_Operand>:$epilogue, Kernel_Operand:$out,
      I64Attr:$in_channels, I64Attr:$out_channels,
      DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations,
      DefaultValuedAttr<I64Attr, "1">:$groups,
      DenseI64ArrayAttr:$tile, I64Attr:$row_block);
  let regions = (region MaxSizedRegion<1>:$body);
  let assemblyFormat = [{
    `ins` `(` $x `,` $w `:` type($x) `,` type($w) `)`
    (`epilogue` `(` $epilogue^ `:` type($epilogue) `)`)?
    `outs` `(` $out `:` type($out) `)` attr-dict-with-keyword ($body^)? (`->` type($results)^)?
  }];
  let extraClassDeclaration = dpsDeclaration # [{
    bool isPlanarInput() {
      return ::llvm::cast<::mlir::ShapedType>(getX().getType()).getRank() == 4;
    }
    /// Whether the weights are in pairs of input channels.
    bool isPaired() {
      return ::llvm::cast<::mlir::ShapedType>(getW().getType()).getRank() == 7;
    }
    bool isPlanarOutput() { return getOutType().getRank() == 4; }
  }];
}

def Kernel_DepthwiseOp : Kernel_DpsOp<"depthwise"> {
  let summary = "depthwise 2-D convolution of a padded blocked input";
  let description = [{
    ```
    acc[n,c,y,x] = sum_{kh,kw} x[n, c, y*sh + kh*dh, x*sw + kw*dw] * w[c, kh, kw]
    out[n,c,y,x] = epilogue(acc[n,c,y,x], e0, e1, ...)
    ```
    - `x` blocked [N, ceil(C/16), H, W, 16], padded already
    - `w` [ceil(C/16), KH, KW, 16]
    - `out` blocked [N, ceil(C/16), OH, OW, 16]
    - an epilogue operand is full (the type of `out`), per channel [C], or []

    `channels` is C; lanes past it hold any value. `tile` as in `kernel.conv`.

    Constraints:
    - C1 ranks 5, 4, 5; element types computed in one type.
    - C2 extents agree as above; H >= (OH-1)*sh + (KH-1)*dh + 1, W likewise.
    - C3 `strides`, `dilations` and `tile` have two entries >= 1.
    - C4 every epilogue operand has one of the shapes; region as in `kernel.gemm`.
  }];
  let arguments = (ins Kernel_Operand:$x, Kernel_Operand:$w,
      Variadic<Kernel_Operand>:$epilogue, Kernel_Operand:$out,
      I64Attr:$channels, DenseI64ArrayAttr:$strides,
      DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$tile);
  let regions = (region MaxSizedRegion<1>:$body);
  let assemblyFormat = [{
    `ins` `(` $x `,` $w `:` type($x) `,` type($w) `)`
    (`epilogue` `(` $epilogue^ `:` type($epilogue) `)`)?
    `outs` `(` $out `:` type($out) `)` attr-dict-with-keyword ($body^)? (`->` type($results)^)?
  }];
}

def Kernel_PackOp : Kernel_DpsOp<"pack"> {
  let summary = "copy a matrix into panels";
  let description = [{
    ```
    out[b, n / NR, k, n % NR] = x[b,k,n]      (transposed: x[b,n,k])
    ```
    Columns past N are zero. `x` [B, K, N], or [B, N, K] when `transposed`;
    `out` [B, ceil(N/NR), K, NR], or bf16 [B, ceil(N/NR), ceil(K/2), NR, 2] (panels of
    pairs, see `kernel.gemm`).

    Constraints:
    - C1 ranks 3 and 4 or 5; element types computed in one type.
    - C2 extents agree as above.
  }];
  let arguments = (ins Kernel_Operand:$x, Kernel_Operand:$out, UnitAttr:$transposed);
  let extraClassDeclaration = dpsDeclaration # [{
    /// Whether `out` is in panels of pairs.
    bool isPaired() { return getOutType().getRank() == 5; }
  }];
  let assemblyFormat = [{
    `ins` `(` $x `:` type($x) `)` `outs` `(` $out `:` type($out) `)` attr-dict
    (`->` type($results)^)?
  }];
}

#endif // GRAVEN_DIALECTS_KERNEL_CONTRACT_TD
