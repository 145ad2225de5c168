//===- OpsDetection.td - boxes and regions of images -------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the ops of object detection: the choice among overlapping boxes, and the pooling of regions of an
// image to a fixed size.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_OPSDETECTION_TD
#define DIALECTS_GRAVEN_OPSDETECTION_TD

include "dialects/graven/GravenEnums.td"

def Graven_NmsOp : Graven_PureOp<"nms", [AttrSizedOperandSegments, Graven_Indexed]> {
  let summary = "for each class, the boxes that overlap no chosen box of a greater score, and their number";
  let description = [{
    boxes [B, M, 4], scores [B, C, M] -> indices [B C K, 3], rows (batch, class, box) in the order of batch, class and
    falling score, and count; rows from count on are zero. K is M, or min(M, max_per_class) unless that is negative.
    For each batch and class, of the first `valid` boxes (all without it): candidates are those with score > `score`; all
    without it. By falling score, NaN the greatest, ties the lowest index, a candidate is chosen unless its
    `iou(chosen, candidate) > iou` for one chosen before, in the same `group` [B, M] where there are groups; at most
    max_per_class are.
    `iou = o / (a + b - o)`, where o is the area of the overlap and a, b those of the boxes, in the element type (f16 and
    bf16: f32). Boxes are in `format` xyxy: x1 y1 x2 y2, and one with x2 < x1 or y2 < y1 overlaps nothing; corners: two
    opposite corners in any order; center: x y width height. iou is 0 in the latter two where a + b - o <= 0.
    C1 equal element types.  C2 ranks 3, 3, and 0 of the thresholds.  C3 boxes end in 4; B and M agree, those of group too.
    ONNX: NonMaxSuppression.  torchvision: nms, batched_nms.
  }];
  let arguments = (ins Graven_FTensor:$boxes, Graven_FTensor:$scores, Graven_FTensor:$iou, Optional<Graven_FTensor>:$score,
                       Optional<Graven_I64Tensor>:$group, Optional<Graven_ScalarI64>:$valid, Graven_BoxFormatAttr:$format,
                       DefaultValuedAttr<I64Attr, "-1">:$max_per_class);
  let results = (outs Graven_I64Tensor:$indices, Graven_ScalarI64:$count);
  let assemblyFormat = [{
    $format $boxes `scores` $scores `iou` $iou (`score` $score^)? (`group` $group^)? (`valid` $valid^)? (`max_per_class` $max_per_class^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

// What the pooling of regions has in common: x [N, C, H, W], rois [R, 4], batch [R] -> [R, C, h, w] or, with
// per_bin, [R, C / (h w), h, w].
class Graven_RegionOp<string mnemonic> : Graven_PureOp<mnemonic, [Graven_Indexed]> {
  let results = (outs Graven_FTensor:$result);
}
def Graven_RoiAlignOp : Graven_RegionOp<"roi_align"> {
  let summary = "regions of images at a fixed size, by bilinear samples";
  let description = [{
    x [N,C,H,W], rois [R,4] as x1 y1 x2 y2, batch [R] -> [R,C,h,w]. Per axis: `lo = r1 scale - off; s = r2 scale - off - lo`
    with off = 1/2 if aligned, else 0 and s at least 1; `bin = s/h; n = sampling_ratio`, or ceil(s/h) when that is 0. Bin p
    has samples at `lo + p bin + (i + 1/2) bin / n`, i < n. A sample outside [-1, H] x [-1, W] is 0; others interpolate, the
    coordinates clamped to [0, H-1] x [0, W-1]. avg: their sum / max(ny nx, 1); max: the greatest of the four weighted
    corners of all samples. Without samples the result is 0. per_bin: result channel c of bin (py, px) pools channel
    `(c h + py) w + px`, and divides by ny nx itself. Rows of `batch` are checked; those from `valid` on are zero instead.
    C1 equal element types.  C2 rank 4 of x, rois [R,4], batch [R].  C3 output two positive entries, sampling_ratio >= 0.
    C4 per_bin: avg, and C a multiple of h w.  C5 H and W are not 0.
    ONNX: RoiAlign.  torchvision: roi_align, ps_roi_align.
  }];
  let arguments = (ins Graven_FTensor:$x, Graven_FTensor:$rois, Graven_I64Tensor:$batch, Optional<Graven_ScalarI64>:$valid,
                       Graven_RegionModeAttr:$mode, DenseI64ArrayAttr:$output, F64Attr:$spatial_scale,
                       DefaultValuedAttr<I64Attr, "0">:$sampling_ratio, UnitAttr:$aligned, UnitAttr:$per_bin);
  let assemblyFormat = [{
    $mode $x `rois` $rois `batch` $batch (`valid` $valid^)? `output` $output `scale` $spatial_scale
    (`sampling_ratio` $sampling_ratio^)? (`aligned` $aligned^)? (`per_bin` $per_bin^)? attr-dict `:` functional-type(operands, results)
  }];
}
def Graven_RoiPoolOp : Graven_RegionOp<"roi_pool"> {
  let summary = "regions of images at a fixed size, by whole pixels";
  let description = [{
    As roi_align, of the pixels of each bin. Per axis: `lo = round(r1 scale); s = max(round(r2 scale) - lo + e, 1)` with e = 1
    for max and 0 for avg, halves away from zero; bin p has pixels from `lo + floor(p s/h)` to `lo + ceil((p+1) s/h)`, without
    that one, both clamped to [0, H] for max and to [0, H-1] for avg. max: the greatest, NaN left out, at least the least
    finite f32; avg: the mean. A bin without pixels is 0. Constraints as roi_align.
    ONNX: MaxRoiPool.  torchvision: roi_pool (max), ps_roi_pool (avg, per_bin).
  }];
  let arguments = (ins Graven_FTensor:$x, Graven_FTensor:$rois, Graven_I64Tensor:$batch, Optional<Graven_ScalarI64>:$valid,
                       Graven_RegionModeAttr:$mode, DenseI64ArrayAttr:$output, F64Attr:$spatial_scale, UnitAttr:$per_bin);
  let assemblyFormat = [{
    $mode $x `rois` $rois `batch` $batch (`valid` $valid^)? `output` $output `scale` $spatial_scale (`per_bin` $per_bin^)?
    attr-dict `:` functional-type(operands, results)
  }];
}

#endif // DIALECTS_GRAVEN_OPSDETECTION_TD
