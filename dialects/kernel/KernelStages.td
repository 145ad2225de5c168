//===- KernelStages.td - kernels in two stages ----------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the kernels of Winograd's convolution and Strassen's
// product, and the two stages that each is split into once its buffers are
// placed.

#ifndef GRAVEN_DIALECTS_KERNEL_STAGES_TD
#define GRAVEN_DIALECTS_KERNEL_STAGES_TD

def Kernel_WinogradOp : Kernel_Op<"winograd", [
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>, DestinationStyleOpInterface]> {
  let summary = "3x3 convolution by Winograd's minimal filtering";
  let description = [{
    The convolution of `kernel.conv` for 3x3 taps, strides and dilations 1, and one
    group, on output tiles of `tile` x `tile` pixels (F(tile x tile, 3 x 3)); with
    S = tile + 2 and the matrices B, A of dialects/graven/Winograd.h
    ```
    d[t]   = B^T x[tile t] B
    p[t]   = sum_ic d[t][ic] * w[.., ic, ..]       (elementwise in the S x S points)
    y      = epilogue(A^T p[t] A, e0, e1, ...)
    out    = y, or with `pool` 2 the maximum over windows of 2 x 2 (NaN wins)
    ```
    - `x` blocked [N, ceil(IC/16), H, W, 16], padded already: H >= ceil(OH/tile) tile + 2,
      W likewise
    - `w` [ceil(OC/P), S*S, IC, P], the weights transformed, P output channels a panel
    - `out` blocked [N, ceil(OC/16), OH/pool, OW/pool, 16]
    - `whole` blocked [N, ceil(OC/16), OH, OW, 16]: y, where it is wanted beside its pool
    - `scratch` [n]: the transformed tiles of a block and the products of each panel
      (StageShapes.h says where); holds nothing of use before or after
    - an epilogue operand is full (of y's shape), per channel [OC], or []

    `block` tiles are transformed and multiplied at a time, so that they stay in the
    second level cache; `mr` is the number of tiles of the register tile.

    Constraints:
    - C1 ranks 5, 4, 5 and 1; f32.
    - C2 extents agree as above.
    - C3 `tile` is 2 or 4, `block` and `mr` >= 1.
    - C4 P is a multiple of 16; every epilogue operand has one of the shapes.
    - C5 the epilogue region as in `kernel.gemm`.
    - C6 `pool` is 1 or 2; only with 2 there is a `whole`.
  }];
  let arguments = (ins Kernel_Operand:$x, Kernel_Operand:$w,
      Variadic<Kernel_Operand>:$epilogue, Optional<Kernel_Operand>:$whole,
      Kernel_Operand:$out, Kernel_Operand:$scratch,
      I64Attr:$in_channels, I64Attr:$out_channels, I64Attr:$tile, I64Attr:$block, I64Attr:$mr,
      DefaultValuedAttr<I64Attr, "1">:$pool);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region MaxSizedRegion<1>:$body);
  let assemblyFormat = [{
    `ins` `(` $x `,` $w `:` type($x) `,` type($w) `)`
    (`epilogue` `(` $epilogue^ `:` type($epilogue) `)`)?
    (`whole` `(` $whole^ `:` type($whole) `)`)?
    `outs` `(` $out `,` $scratch `:` type($out) `,` type($scratch) `)`
    attr-dict-with-keyword ($body^)? (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      unsigned count = getWhole() ? 3 : 2;
      return ::mlir::MutableOperandRange(getOperation(), getNumOperands() - count, count);
    }
  }];
}

def Kernel_WinogradInputOp : Kernel_Op<"winograd_input", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>, DestinationStyleOpInterface]> {
  let summary = "transform a block of input tiles";
  let description = [{
    The first stage of `kernel.winograd` for the block of tiles with the given
    number: `scratch` gets the transformed tiles. On memrefs only. `extents` are
    [OH, OW], `panel` is P.
  }];
  let arguments = (ins Kernel_Operand:$x, Index:$number, Kernel_Operand:$scratch,
      DenseI64ArrayAttr:$extents, I64Attr:$in_channels, I64Attr:$out_channels,
      I64Attr:$panel, I64Attr:$tile, I64Attr:$block);
  let assemblyFormat = [{
    `ins` `(` $x `:` type($x) `)` `block` `(` $number `)` `outs` `(` $scratch `:` type($scratch) `)` attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getScratchMutable(); }
  }];
}

def Kernel_WinogradOutputOp : Kernel_Op<"winograd_output", [
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>, DestinationStyleOpInterface]> {
  let summary = "multiply a block of transformed tiles and transform the products";
  let description = [{
    The second stage of `kernel.winograd` for the block of tiles with the given
    number: reads the transformed tiles in `scratch`, keeps products there, and
    writes the block's pixels of `out` and `whole`. On memrefs only.
  }];
  let arguments = (ins Kernel_Operand:$w, Index:$number,
      Variadic<Kernel_Operand>:$epilogue, Optional<Kernel_Operand>:$whole,
      Kernel_Operand:$out, Kernel_Operand:$scratch,
      I64Attr:$in_channels, I64Attr:$out_channels, I64Attr:$tile, I64Attr:$block, I64Attr:$mr,
      DefaultValuedAttr<I64Attr, "1">:$pool);
  let regions = (region MaxSizedRegion<1>:$body);
  let assemblyFormat = [{
    `ins` `(` $w `:` type($w) `)` `block` `(` $number `)`
    (`epilogue` `(` $epilogue^ `:` type($epilogue) `)`)?
    (`whole` `(` $whole^ `:` type($whole) `)`)?
    `outs` `(` $out `,` $scratch `:` type($out) `,` type($scratch) `)`
    attr-dict-with-keyword ($body^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      unsigned count = getWhole() ? 3 : 2;
      return ::mlir::MutableOperandRange(getOperation(), getNumOperands() - count, count);
    }
  }];
}

def Kernel_StrassenOp : Kernel_Op<"strassen", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>, DestinationStyleOpInterface]> {
  let summary = "matrix product by one level of Strassen's recursion";
  let description = [{
    The product of `kernel.gemm` for one matrix, in seven products of quadrants
    instead of eight (Strassen, "Gaussian Elimination is not Optimal", 1969):
    ```
    p[i]   = (combination i of a's quadrants) (combination i of b's quadrants)
    out    = epilogue(combinations of p, e0, e1, ...)
    ```
    - `a` [1, M, K] row-major; the lower quadrants begin at row ceil(M/2)
    - `b` [Q, 7, K/2, P], the combinations of the right-hand side in Q = ceil(ceil(N/P)/2)
      panels of P columns of a quadrant; the right quadrants begin at column Q P, and
      columns past N are zero
    - `out` [1, M, N] row-major
    - `scratch` [n]: the combinations of a block of rows and the products of each panel
      (StageShapes.h says where); holds nothing of use before or after
    - an epilogue operand is full [1, M, N], a row [N], or a scalar []

    `block` rows of a quadrant are combined and multiplied at a time; `mr` is the
    number of rows of the register tile.

    Constraints:
    - C1 ranks 3, 4, 3 and 1; f32.
    - C2 extents agree as above; K is even, N > P.
    - C3 `block` and `mr` >= 1.
    - C4 every epilogue operand has one of the shapes; region as in `kernel.gemm`.
  }];
  let arguments = (ins Kernel_Operand:$a, Kernel_Operand:$b,
      Variadic<Kernel_Operand>:$epilogue, Kernel_Operand:$out, Kernel_Operand:$scratch,
      I64Attr:$block, I64Attr:$mr);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region MaxSizedRegion<1>:$body);
  let assemblyFormat = [{
    `ins` `(` $a `,` $b `:` type($a) `,` type($b) `)`
    (`epilogue` `(` $epilogue^ `:` type($epilogue) `)`)?
    `outs` `(` $out `,` $scratch `:` type($out) `,` type($scratch) `)`
    attr-dict-with-keyword ($body^)? (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(getOperation(), getNumOperands() - 2, 2);
    }
  }];
}

def Kernel_StrassenInputOp : Kernel_Op<"strassen_input", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>, DestinationStyleOpInterface]> {
  let summary = "combine the quadrants of a block of rows";
  let description = [{
    The first stage of `kernel.strassen` for the block of rows with the given
    number: `scratch` gets the combinations. On memrefs only.
  }];
  let arguments = (ins Kernel_Operand:$a, Index:$number, Kernel_Operand:$scratch,
      I64Attr:$columns, I64Attr:$panel, I64Attr:$block);
  let assemblyFormat = [{
    `ins` `(` $a `:` type($a) `)` `block` `(` $number `)` `outs` `(` $scratch `:` type($scratch) `)` attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getScratchMutable(); }
  }];
}

def Kernel_StrassenOutputOp : Kernel_Op<"strassen_output", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>, DestinationStyleOpInterface]> {
  let summary = "multiply the combinations of a block of rows and combine the products";
  let description = [{
    The second stage of `kernel.strassen` for the block of rows with the given
    number: reads the combinations in `scratch`, keeps products there, and writes the
    block's rows of `out`. On memrefs only.
  }];
  let arguments = (ins Kernel_Operand:$b, Index:$number,
      Variadic<Kernel_Operand>:$epilogue, Kernel_Operand:$out, Kernel_Operand:$scratch,
      I64Attr:$block, I64Attr:$mr);
  let regions = (region MaxSizedRegion<1>:$body);
  let assemblyFormat = [{
    `ins` `(` $b `:` type($b) `)` `block` `(` $number `)`
    (`epilogue` `(` $epilogue^ `:` type($epilogue) `)`)?
    `outs` `(` $out `,` $scratch `:` type($out) `,` type($scratch) `)`
    attr-dict-with-keyword ($body^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(getOperation(), getNumOperands() - 2, 2);
    }
  }];
}

#endif // GRAVEN_DIALECTS_KERNEL_STAGES_TD
