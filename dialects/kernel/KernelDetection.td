//===- KernelDetection.td - boxes and regions of images -------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the kernels of object detection: the choice among
// overlapping boxes, and the pooling of regions.

#ifndef GRAVEN_DIALECTS_KERNEL_DETECTION_TD
#define GRAVEN_DIALECTS_KERNEL_DETECTION_TD

def Kernel_I64Operand
    : AnyTypeOf<[StaticShapeTensorOf<[I64]>, StaticShapeMemRefOf<[I64]>],
                "statically shaped tensor or memref of i64">;
def Kernel_ComputedOperand
    : AnyTypeOf<[StaticShapeTensorOf<[Kernel_Computed]>, StaticShapeMemRefOf<[Kernel_Computed]>],
                "statically shaped tensor or memref of f32 or f64">;

def Kernel_BoxFormatEnum : I32EnumAttr<"BoxFormat", "what the four numbers of a box are", [
    I32EnumAttrCase<"XYXY", 0, "xyxy">, I32EnumAttrCase<"Corners", 1, "corners">,
    I32EnumAttrCase<"Center", 2, "center">]> {
  let cppNamespace = "::graven::kernel";
  let genSpecializedAttr = 0;
}
def Kernel_BoxFormatAttr : EnumAttr<Kernel_Dialect, Kernel_BoxFormatEnum, "box_format"> {
  let assemblyFormat = "$value";
}

def Kernel_NmsOp : Kernel_Op<"nms", [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>, DestinationStyleOpInterface]> {
  let summary = "the boxes of each class that overlap no chosen box of a greater score";
  let description = [{
    `graven.nms`, whose description has the formulas: for each batch b and class c, the
    first `counts[b,c]` entries of `kept[b,c]` are the chosen boxes by falling score; the
    others are 0.
    - `boxes` [B, M, 4], `scores` [B, C, M], `iou` []; `score` [], `group` [B, M] and `valid` [], if present
    - `outs`: `kept` [B, C, K], `counts` [B, C], and two that hold nothing of use before
      or after: `order` [B, C, M], the candidates, and `corners` [B, C, 5, P], the corners
      and areas of the chosen boxes (and, with groups, [B, C, 7, P], the bits of theirs), P
      the next multiple of 16 of K

    Each candidate is compared with the chosen boxes, a vector of them at a time, up to
    the first it overlaps. A batch and class is a unit of work.

    Constraints:
    - C1 equal types of floats, f32 or f64.
    - C2 extents agree as above.
  }];
  let arguments = (ins Kernel_BoxFormatAttr:$format, Kernel_ComputedOperand:$boxes, Kernel_ComputedOperand:$scores,
      Kernel_ComputedOperand:$iou, Optional<Kernel_ComputedOperand>:$score, Optional<Kernel_I64Operand>:$group,
      Optional<Kernel_I64Operand>:$valid,
      Kernel_I64Operand:$kept, Kernel_I64Operand:$counts, Kernel_I64Operand:$order,
      Kernel_ComputedOperand:$corners);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $format `ins` `(` $boxes `,` $scores `,` $iou `:` type($boxes) `,` type($scores) `,` type($iou) `)`
    (`score` `(` $score^ `:` type($score) `)`)? (`group` `(` $group^ `:` type($group) `)`)?
    (`valid` `(` $valid^ `:` type($valid) `)`)?
    `outs` `(` $kept `,` $counts `,` $order `,` $corners `:`
    type($kept) `,` type($counts) `,` type($order) `,` type($corners) `)`
    attr-dict (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(getOperation(), getNumOperands() - 4, 4);
    }
  }];
}

def Kernel_RegionKindEnum : I32EnumAttr<"RegionKind", "what a bin of a region has", [
    I32EnumAttrCase<"Samples", 0, "samples">, I32EnumAttrCase<"Pixels", 1, "pixels">]> {
  let cppNamespace = "::graven::kernel";
  let genSpecializedAttr = 0;
}
def Kernel_RegionKindAttr : EnumAttr<Kernel_Dialect, Kernel_RegionKindEnum, "region_kind"> {
  let assemblyFormat = "$value";
}

def Kernel_RegionsOp : Kernel_DpsOp<"regions"> {
  let summary = "regions of images at a fixed size";
  let description = [{
    `graven.roi_align` (`samples`) and `graven.roi_pool` (`pixels`), whose descriptions have
    the formulas.
    - `x` [N, C, H, W], `rois` [R, 4], `batch` [R], clamped to 0 .. N - 1; `valid` [], if present
    - `out` [R, C, h, w], or [R, C / (h w), h, w] if `per_bin`

    Where a bin lies is computed once for eight channels. Eight channels of a region are a
    unit of work.

    Constraints:
    - C1 element types computed in one type.
    - C2 extents agree as above; N, H and W are at least 1.
    - C3 `sampling_ratio` >= 0.
  }];
  let arguments = (ins Kernel_RegionKindAttr:$kind, Kernel_PoolKindAttr:$mode, Kernel_Operand:$x, Kernel_Operand:$rois,
      Kernel_I64Operand:$batch, Optional<Kernel_I64Operand>:$valid, Kernel_Operand:$out,
      F64Attr:$spatial_scale, DefaultValuedAttr<I64Attr, "0">:$sampling_ratio, UnitAttr:$aligned,
      UnitAttr:$per_bin);
  let assemblyFormat = [{
    $kind $mode `ins` `(` $x `,` $rois `,` $batch `:` type($x) `,` type($rois) `,` type($batch) `)`
    (`valid` `(` $valid^ `:` type($valid) `)`)? `outs` `(` $out `:` type($out) `)` attr-dict
    (`->` type($results)^)?
  }];
}

#endif // GRAVEN_DIALECTS_KERNEL_DETECTION_TD
