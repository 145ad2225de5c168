//===- OpsMovement.td - shape and data movement ops --------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the ops that copy, reorder and index elements. A mixed list is a list of integers in which
// a dynamic entry stands for the next of the op's rank-0 i64 operands: `[%b, 12, 64]`.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_OPSMOVEMENT_TD
#define DIALECTS_GRAVEN_OPSMOVEMENT_TD

include "dialects/graven/GravenEnums.td"

class Graven_MovementOp<string mnemonic, list<Trait> traits = []> : Graven_PureOp<mnemonic, traits # [Graven_Movement]> {
  let results = (outs Graven_TTensor:$result);
}

def Graven_ReshapeOp : Graven_MovementOp<"reshape", [Graven_ViewLike]> {
  let summary = "the same elements, row-major, under another shape";
  let description = [{
    C1 at most one entry is -1 and is inferred.  C2 the number of elements is kept.  C3 no -1 beside a zero extent.
    C4 entries >= -1; one dynamic operand for each dynamic entry. ONNX: Reshape, Flatten, Squeeze, Unsqueeze.  ATen: view, reshape.
  }];
  let arguments = (ins Graven_TTensor:$x, Variadic<Graven_ScalarI64>:$dynamic_shape, DenseI64ArrayAttr:$shape);
  let assemblyFormat = "$x `to` custom<DynamicIndexList>($dynamic_shape, $shape) attr-dict `:` functional-type(operands, results)";
  let builders = [OpBuilder<(ins "::mlir::Value":$x, "::llvm::ArrayRef<int64_t>":$shape)>];
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}
def Graven_TransposeOp : Graven_MovementOp<"transpose", [Graven_ViewLike]> {
  let summary = "axes in another order";
  let description = "`result.dim(i) = x.dim(permutation[i])`. C1 permutation is a permutation of the axes. ONNX: Transpose.  ATen: permute, transpose.";
  let arguments = (ins Graven_TTensor:$x, DenseI64ArrayAttr:$permutation);
  let assemblyFormat = "$x `by` $permutation attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}
def Graven_BroadcastOp : Graven_MovementOp<"broadcast", [Graven_ViewLike]> {
  let summary = "repeats along new axes and axes of extent 1";
  let description = [{
    Axis i of x becomes axis axes[i] of the result; other result axes are new. C1 axes ascend and lie inside the result.
    C2 each extent of x is 1 or the result's.  C3 one dynamic operand for each dynamic entry. ONNX: Expand.  ATen: expand.
  }];
  let arguments = (ins Graven_TTensor:$x, Variadic<Graven_ScalarI64>:$dynamic_shape, DenseI64ArrayAttr:$shape, DenseI64ArrayAttr:$axes);
  let assemblyFormat = "$x `to` custom<DynamicIndexList>($dynamic_shape, $shape) `axes` $axes attr-dict `:` functional-type(operands, results)";
  let builders = [OpBuilder<(ins "::mlir::Value":$x, "::llvm::ArrayRef<int64_t>":$shape, "::llvm::ArrayRef<int64_t>":$axes)>];
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}
def Graven_SliceOp : Graven_MovementOp<"slice", [Graven_ViewLike, AttrSizedOperandSegments]> {
  let summary = "a strided window";
  let description = [{
    Python's rule: a negative start or end counts from the end, then both clamp to [0, d]; result extent
    `max(0, ceil((end - start) / step))`. 9223372036854775807 is an open end. C1 one entry an axis in starts, ends, steps.
    C2 steps >= 1.  C3 one dynamic operand for each dynamic entry. ONNX: Slice, Split.  ATen: slice, narrow, select.
  }];
  let arguments = (ins Graven_TTensor:$x, Variadic<Graven_ScalarI64>:$dynamic_starts, Variadic<Graven_ScalarI64>:$dynamic_ends,
                       DenseI64ArrayAttr:$starts, DenseI64ArrayAttr:$ends, DenseI64ArrayAttr:$steps);
  let assemblyFormat = [{
    $x custom<DynamicIndexList>($dynamic_starts, $starts) `to` custom<DynamicIndexList>($dynamic_ends, $ends)
    `by` $steps attr-dict `:` functional-type(operands, results)
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$x, "::llvm::ArrayRef<int64_t>":$starts, "::llvm::ArrayRef<int64_t>":$ends,
                             "::llvm::ArrayRef<int64_t>":$steps)>];
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}
def Graven_InsertSliceOp : Graven_MovementOp<"insert_slice"> {
  let summary = "dest with a strided window replaced";
  let description = [{
    The window of src's extents that begins at starts and advances by steps. C1 equal element types and ranks.
    C2 the window fits: 0 <= starts, starts + (extent - 1) steps < d.  C3 steps >= 1.  C4 one entry an axis in starts and
    steps, one dynamic operand for each dynamic entry. ONNX: ScatterND.  ATen: slice_scatter, select_scatter.
  }];
  let arguments = (ins Graven_TTensor:$dest, Graven_TTensor:$src, Variadic<Graven_ScalarI64>:$dynamic_starts, DenseI64ArrayAttr:$starts,
                       DenseI64ArrayAttr:$steps);
  let assemblyFormat = [{
    $src `into` $dest custom<DynamicIndexList>($dynamic_starts, $starts) `by` $steps attr-dict
    `:` functional-type(operands, results)
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$dest, "::mlir::Value":$src, "::llvm::ArrayRef<int64_t>":$starts,
                             "::llvm::ArrayRef<int64_t>":$steps)>];
  let hasCanonicalizer = 1;
}
def Graven_ConcatOp : Graven_MovementOp<"concat"> {
  let summary = "tensors one after the other along an axis";
  let description = "C1 at least one operand, equal element types and ranks.  C2 axis is in range.  C3 extents are equal but on axis. ONNX: Concat.  ATen: cat.";
  let arguments = (ins Variadic<Graven_TTensor>:$inputs, I64Attr:$axis);
  let assemblyFormat = "$inputs `axis` $axis attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}
def Graven_PadOp : Graven_MovementOp<"pad"> {
  let summary = "adds elements around a tensor; negative amounts crop first";
  let description = [{
    Result extent `d + low + high`. constant: `value`, or 0; reflect: mirror without the edge (amount <= d - 1); edge: the
    nearest element; wrap: index modulo d. C1 one entry an axis in low and high.  C2 result extents >= 0.  C3 value has
    x's element type, rank 0, and is only given in mode constant.  C4 other modes have elements to repeat. ONNX: Pad.  ATen: pad, constant_pad_nd.
  }];
  let arguments = (ins Graven_TTensor:$x, Optional<Graven_TTensor>:$value, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high,
                       DefaultValuedAttr<Graven_PadModeAttr, "::graven::PadMode::Constant">:$mode);
  let assemblyFormat = "$x (`value` $value^)? `low` $low `high` $high (`mode` $mode^)? attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}
def Graven_ReverseOp : Graven_MovementOp<"reverse"> {
  let summary = "reverses the order along axes";
  let description = "C1 axes are unique, sorted and in range. ONNX: Slice with step -1.  ATen: flip.";
  let arguments = (ins Graven_TTensor:$x, DenseI64ArrayAttr:$axes);
  let assemblyFormat = "$x `axes` $axes attr-dict `:` functional-type(operands, results)";
}
def Graven_GatherOp : Graven_PureOp<"gather", [Graven_Movement, Graven_Indexed]> {
  let summary = "slices of x picked by indices along an axis";
  let description = [{
    Result shape: x.dims[:axis] + indices.dims + x.dims[axis+1:]. Indices lie in [-d, d), negative ones count from the
    end; out of range is a run-time error. `nonneg` promises indices >= 0. C1 axis in range. ONNX: Gather.  ATen: index_select, embedding.
  }];
  let arguments = (ins Graven_TTensor:$x, Graven_IndexTensor:$indices, I64Attr:$axis, UnitAttr:$nonneg);
  let results = (outs Graven_TTensor:$result);
  let assemblyFormat = "$x `[` $indices `]` `axis` $axis (`nonneg` $nonneg^)? attr-dict `:` functional-type(operands, results)";
}
def Graven_GatherElementsOp : Graven_PureOp<"gather_elements", [Graven_Movement, Graven_Indexed]> {
  let summary = "result[p] = x[p with axis := indices[p]]";
  let description = "C1 axis in range.  C2 equal ranks.  C3 off the axis, indices extents <= x extents. ONNX: GatherElements.  ATen: gather.";
  let arguments = (ins Graven_TTensor:$x, Graven_IndexTensor:$indices, I64Attr:$axis, UnitAttr:$nonneg);
  let results = (outs Graven_TTensor:$result);
  let assemblyFormat = "$x `[` $indices `]` `axis` $axis (`nonneg` $nonneg^)? attr-dict `:` functional-type(operands, results)";
}
def Graven_GatherNdOp : Graven_PureOp<"gather_nd", [Graven_Movement, Graven_Indexed]> {
  let summary = "elements or slices picked by index tuples";
  let description = [{
    indices [b.., m.., t] -> result [b.., m.., x.dims[batch_dims + t:]]. C1 batch extents are equal.  C2 t <= rank x - batch_dims.
    ONNX: GatherND.  ATen: index.
  }];
  let arguments = (ins Graven_TTensor:$x, Graven_IndexTensor:$indices, DefaultValuedAttr<I64Attr, "0">:$batch_dims, UnitAttr:$nonneg);
  let results = (outs Graven_TTensor:$result);
  let assemblyFormat = "$x `[` $indices `]` (`batch_dims` $batch_dims^)? (`nonneg` $nonneg^)? attr-dict `:` functional-type(operands, results)";
}
def Graven_ScatterNdOp : Graven_PureOp<"scatter_nd", [Graven_Indexed]> {
  let summary = "x with elements or slices updated at index tuples";
  let description = [{
    indices [m.., t], updates [m.., x.dims[t:]] -> type of x. Updates are visited in row-major order; with kind none the last
    wins. C1 t <= rank x.  C2 extents of updates as said.  C3 equal element types.  C4 bools take kind none only. ONNX: ScatterND.  ATen: index_put.
  }];
  let arguments = (ins Graven_TTensor:$x, Graven_IndexTensor:$indices, Graven_TTensor:$updates,
                       DefaultValuedAttr<Graven_ScatterKindAttr, "::graven::ScatterKind::None">:$kind, UnitAttr:$nonneg);
  let results = (outs Graven_TTensor:$result);
  let assemblyFormat = "$updates `into` $x `[` $indices `]` (`kind` $kind^)? (`nonneg` $nonneg^)? attr-dict `:` functional-type(operands, results)";
}
def Graven_NonzeroOp : Graven_PureOp<"nonzero", [Graven_Indexed]> {
  let summary = "coordinates of the elements that are not zero, in row-major order, and their number";
  let description = [{
    x of rank r and n elements -> indices [n, r] and count. Rows of indices from count on are zero; `prefix` takes those
    before. NaN is not zero. C1 the extents of x are known. ONNX: NonZero, Compress.  ATen: nonzero, masked_select.
  }];
  let arguments = (ins Graven_TTensor:$x);
  let results = (outs Graven_I64Tensor:$indices, Graven_ScalarI64:$count);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}
def Graven_PrefixOp : Graven_PureOp<"prefix", [Graven_Movement]> {
  let summary = "the first places along an axis, of which `count` are used: an extent that data decide";
  let description = [{
    The Value's extent is count, 0 <= count <= extent; the type has room for `extent` places. What lies in those past count
    is no part of the Value, so that no result may depend on it. `graven-room` (passes/graph/Room.h) sees to that, and leaves no
    prefix. C1 axis in range.  C2 0 <= extent <= that of x. ONNX: Slice.  ATen: slice.
  }];
  let arguments = (ins Graven_TTensor:$x, Graven_ScalarI64:$count, I64Attr:$axis, I64Attr:$extent);
  let results = (outs Graven_TTensor:$result);
  let assemblyFormat = "$x `count` $count `axis` $axis `extent` $extent attr-dict `:` functional-type(operands, results)";
}
def Graven_IotaOp : Graven_PureOp<"iota"> {
  let summary = "result[p] = p[axis]";
  let description = "C1 entries of shape >= 0, one dynamic operand for each dynamic entry.  C2 axis in range. ONNX: Range.  ATen: arange.";
  let arguments = (ins Variadic<Graven_ScalarI64>:$dynamic_shape, DenseI64ArrayAttr:$shape, I64Attr:$axis, TypeAttr:$element_type);
  let results = (outs Graven_NTensor:$result);
  let assemblyFormat = "custom<DynamicIndexList>($dynamic_shape, $shape) `axis` $axis `of` $element_type attr-dict `:` functional-type(operands, results)";
  let builders = [OpBuilder<(ins "::llvm::ArrayRef<int64_t>":$shape, "int64_t":$axis, "::mlir::Type":$elementType)>];
  let hasCanonicalizer = 1;
}
def Graven_DimOp : Graven_Op<"dim", [NoMemoryEffect, SpeculatableIfStatic, DeclareOpInterfaceMethods<InferTypeOpInterface>,
                                      DeclareOpInterfaceMethods<Graven_EvaluateInterface>]> {
  let summary = "extent of an axis, an i64 scalar";
  let description = "C1 axis in range. Folds when the extent is static. ONNX: Shape.  ATen: size.";
  let arguments = (ins Graven_TTensor:$x, I64Attr:$axis);
  let results = (outs Graven_ScalarI64:$result);
  let assemblyFormat = "$x `axis` $axis attr-dict `:` type($x)";
  let hasFolder = 1;
  let hasVerifier = 1;
}
def Graven_RelayoutOp : Graven_MovementOp<"relayout"> {
  let summary = "the same logical tensor in another layout";
  let description = [{
    nchw [N,C,D..] <-> nchw16c [N,ceil(C/16),D..,16]. To blocked, tail lanes are zero; from blocked, `channels` says how many
    are real. Made by passes only. C1 from and to differ.  C2 channels > 0, ceil(channels/16) blocks of 16.
    C3 the planar rank is 2 to 5.
  }];
  let arguments = (ins Graven_TTensor:$x, Graven_LayoutAttr:$from, Graven_LayoutAttr:$to, I64Attr:$channels);
  let assemblyFormat = "$x `from` $from `to` $to `channels` $channels attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

#endif // DIALECTS_GRAVEN_OPSMOVEMENT_TD
