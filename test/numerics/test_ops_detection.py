"""Boxes and regions of the reference evaluator against torchvision, and a plain transcription where it has nothing.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import itertools

import numpy as np
import pytest
import torch
from op_cases import Case, check, randint, randn

ops = pytest.importorskip("torchvision.ops")
CLOSE = "rtol 2.0e-6 atol 1.0e-6"


def boxes_of(*shape, seed=0, dtype=torch.float32):
    """Boxes x1 y1 x2 y2 that overlap a good deal; some are empty or reversed."""
    corner = randn(*shape, 2, seed=seed).abs() * 6
    size = randn(*shape, 2, seed=seed + 1) * 5 + 3
    return torch.cat([corner, corner + size], -1).to(dtype)


def rows(kept, most):
    """The result and count of rows (batch, class, box)."""
    indices = torch.zeros(most, 3, dtype=torch.int64)
    indices[:len(kept)] = torch.tensor(kept, dtype=torch.int64).reshape(-1, 3)
    return [indices, torch.tensor(len(kept))]


def corners(box, form):
    if form == "center":
        half = box[2:] / box.dtype.type(2)
        return np.concatenate([box[:2] - half, box[:2] + half])
    return np.concatenate([np.minimum(box[:2], box[2:]), np.maximum(box[:2], box[2:])])


def overlap(a, b):
    width, height = (max(min(a[i + 2], b[i + 2]) - max(a[i], b[i]), a.dtype.type(0)) for i in (0, 1))
    area = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    union = area[0] + area[1] - width * height
    return 0 if union <= 0 else width * height / union


def suppressed(boxes, scores, iou, least, most, form):
    """What ONNX's NonMaxSuppression says, one box after the other."""
    chosen = []
    for batch, kind in itertools.product(range(scores.shape[0]), range(scores.shape[1])):
        line, kept = scores[batch, kind], []
        order = [i for i in range(len(line)) if least is None or line[i] > least]
        for i in sorted(order, key=lambda i: (-line[i], i)):
            box = corners(boxes[batch, i], form)
            if len(kept) < most and all(overlap(corners(boxes[batch, k], form), box) <= iou for k in kept):
                kept.append(i)
        chosen += [(batch, kind, i) for i in kept]
    return chosen


def test_nms(build, tmp_path):
    cases = []
    for seed, (number, iou) in enumerate(itertools.product((1, 2, 17, 60), (0.0, 0.3, 0.5, 0.9))):
        for dtype in (torch.float32, torch.float64):
            boxes = boxes_of(number, seed=seed, dtype=dtype)
            scores = randn(number, seed=seed, dtype=dtype)
            scores[::5] = scores[0]  # equal ones: the lowest index first
            threshold = torch.tensor(iou, dtype=dtype)
            kept = [(0, 0, i) for i in ops.nms(boxes, scores, threshold.item()).tolist()]
            cases.append(Case("nms xyxy %0 scores %1 iou %2", [boxes[None], scores[None, None], threshold],
                              rows(kept, number)))
    check(build, tmp_path, cases)


def test_nms_special(build, tmp_path):
    iou, boxes = torch.tensor(0.4), boxes_of(20, seed=5)
    scores = randn(20, seed=5)
    scores[3], scores[7], scores[8] = torch.nan, torch.inf, -torch.inf
    kept = [(0, 0, i) for i in ops.nms(boxes, scores, 0.4000000059604645).tolist()]
    cases = [Case("nms xyxy %0 scores %1 iou %2", [boxes[None], scores[None, None], iou], rows(kept, 20))]
    # Coordinates that are no numbers, and boxes without end, overlap nothing.
    boxes = torch.tensor([[0, 0, 2, 2], [0, torch.nan, 2, 2], [0, 0, torch.inf, 2], [0, 0, 2, 1.9], [5, 5, 5, 5],
                          [5, 5, 5, 5]])
    scores = torch.tensor([6.0, 5, 4, 3, 2, 1])
    kept = [(0, 0, i) for i in ops.nms(boxes, scores, 0.4).tolist()]
    cases.append(Case("nms xyxy %0 scores %1 iou %2", [boxes[None], scores[None, None], iou], rows(kept, 6)))
    check(build, tmp_path, cases)


def test_nms_of_classes(build, tmp_path):
    cases = []
    for seed, (form, most, least) in enumerate(itertools.product(("corners", "center"), (-1, 0, 3), (None, 0.1))):
        boxes, scores = boxes_of(2, 15, seed=seed), randn(2, 5, 15, seed=seed)
        if form == "center":
            boxes[..., 2:] = boxes[..., 2:].abs()
        scores[:, :, 4] = scores[:, :, 2]
        scores[1, 3] = -1
        limit = 15 if most < 0 else most
        kept = suppressed(boxes.numpy(), scores.numpy(), np.float32(0.3), least and np.float32(least), limit, form)
        inputs = [boxes, scores, torch.tensor(0.3)] + ([torch.tensor(least)] if least else [])
        cases.append(Case(f"nms {form} %0 scores %1 iou %2{' score %3' if least else ''} max_per_class {most}",
                          inputs, rows(kept, 10 * min(limit, 15))))
    check(build, tmp_path, cases)


def test_nms_of_groups_and_valid(build, tmp_path):
    cases = []
    for seed, (dtype, valid) in enumerate(itertools.product((torch.float32, torch.float64), (0, 9, 40))):
        boxes, scores = boxes_of(40, seed=seed, dtype=dtype), randn(40, seed=seed, dtype=dtype)
        group = randint(0, 4, (40,), seed=seed) * 2**33 + randint(0, 2, (40,), seed=seed + 1)
        iou = torch.tensor(0.25, dtype=dtype)
        used = [part[:valid] for part in (boxes, scores, group)]
        kept = [(0, 0, i) for i in ops.boxes._batched_nms_vanilla(*used, 0.25).tolist()]
        cases.append(Case("nms xyxy %0 scores %1 iou %2 group %3 valid %4",
                          [boxes[None], scores[None, None], iou, group[None], torch.tensor(valid)], rows(kept, 40)))
    check(build, tmp_path, cases)


def regions(seed, dtype=torch.float32):
    """Regions inside, across the edge, outside, empty and reversed; and the image of each."""
    rois = torch.cat([boxes_of(6, seed=seed), torch.tensor([[-9.0, -9, -4, -3], [3, 3, 3, 3], [-3, 2, 30, 40],
                                                            [6, 5, 2, 1], [1, 1, 1.2, 1.3]])])
    return rois.to(dtype), randint(0, 2, (len(rois),), seed=seed)


def with_batch(rois, batch):
    return torch.cat([batch[:, None].to(rois.dtype), rois], 1)


def clause(output, scale, more=""):
    return f"output [{output[0]}, {output[1]}] scale {scale:e}{more}"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_roi_align(build, tmp_path, dtype):
    cases = []
    for seed, (output, samples, aligned) in enumerate(
            itertools.product(((3, 2), (1, 1), (7, 7)), (0, 1, 2), (False, True))):
        x, (rois, batch) = randn(2, 11, 8, 9, seed=seed, dtype=dtype), regions(seed, dtype)
        if aligned and not samples:  # torchvision fails on regions of a negative size
            inside = (rois[:, 2:] >= rois[:, :2]).all(1)
            rois, batch = rois[inside], batch[inside]
        more = (f" sampling_ratio {samples}" if samples else "") + (" aligned" if aligned else "")
        y = ops.roi_align(x, with_batch(rois, batch), output, 0.75, samples, aligned)
        cases.append(Case(f"roi_align avg %0 rois %1 batch %2 {clause(output, 0.75, more)}", [x, rois, batch], [y], CLOSE))
    x, (rois, batch) = randn(2, 18, 8, 9, dtype=dtype), regions(1, dtype)
    rois = rois[:9]  # a region that is reversed divides by no samples
    for samples in (1, 3):
        y = ops.ps_roi_align(x, with_batch(rois, batch[:9]), (3, 2), 0.5, samples)
        more = f" sampling_ratio {samples} aligned per_bin"
        cases.append(Case(f"roi_align avg %0 rois %1 batch %2 {clause((3, 2), 0.5, more)}", [x, rois, batch[:9]], [y], CLOSE))
    check(build, tmp_path, cases)


def test_roi_align_of_halves_and_valid(build, tmp_path):
    x, (rois, batch) = randn(2, 5, 8, 9).half(), regions(3)
    rois = rois.half()
    y = ops.roi_align(x.double(), with_batch(rois.double(), batch), (3, 2), 1.0, 2, False)
    y[4:] = 0
    batch[5] = 77  # not used
    cases = [Case(f"roi_align avg %0 rois %1 batch %2 valid %3 {clause((3, 2), 1.0, ' sampling_ratio 2')}",
                  [x, rois, batch, torch.tensor(4)], [y.half()], "rtol 2.0e-3 atol 1.0e-3")]
    check(build, tmp_path, cases)


def greatest_corner(x, roi, output, samples):
    """ONNX's roi_align of mode max, half_pixel, of one region: the greatest weighted corner of all samples."""
    (height, width), result = x.shape[1:], torch.zeros(x.shape[0], *output)
    start, end = roi[:2] - 0.5, roi[2:] - 0.5
    bins = (end - start) / torch.tensor([output[1], output[0]])
    for py, px in itertools.product(range(output[0]), range(output[1])):
        values = []
        for i, j in itertools.product(range(samples), range(samples)):
            at_x = float(start[0] + px * bins[0] + (j + 0.5) * bins[0] / samples)
            at_y = float(start[1] + py * bins[1] + (i + 0.5) * bins[1] / samples)
            if not (-1 <= at_y <= height and -1 <= at_x <= width):
                values.append(torch.zeros(x.shape[0]))
                continue
            at_y, at_x = min(max(at_y, 0), height - 1), min(max(at_x, 0), width - 1)
            low_y, low_x = int(at_y), int(at_x)
            for dy, dx in itertools.product((0, 1), (0, 1)):
                weight = (at_y - low_y if dy else 1 - at_y + low_y) * (at_x - low_x if dx else 1 - at_x + low_x)
                values.append(weight * x[:, min(low_y + dy, height - 1), min(low_x + dx, width - 1)])
        result[:, py, px] = torch.stack(values).amax(0)
    return result


def test_roi_align_max(build, tmp_path):
    x, (rois, batch) = randn(2, 3, 8, 9), regions(2)
    y = torch.stack([greatest_corner(x[n], roi, (3, 2), 2) for n, roi in zip(batch, rois)])
    cases = [Case(f"roi_align max %0 rois %1 batch %2 {clause((3, 2), 1.0, ' sampling_ratio 2 aligned')}",
                  [x, rois, batch], [y], "rtol 1.0e-5 atol 1.0e-5")]
    check(build, tmp_path, cases)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_roi_pool(build, tmp_path, dtype):
    cases = []
    for seed, (output, scale) in enumerate(itertools.product(((3, 2), (1, 1), (7, 7)), (1.0, 0.4))):
        x, (rois, batch) = randn(2, 9, 8, 9, seed=seed, dtype=dtype), regions(seed, dtype)
        x[0, 1], x[1, 2, 3] = torch.nan, -torch.inf
        y = ops.roi_pool(x, with_batch(rois, batch), output, scale)
        cases.append(Case(f"roi_pool max %0 rois %1 batch %2 {clause(output, scale)}", [x, rois, batch], [y], "exact"))
        x = randn(2, 2 * output[0] * output[1], 8, 9, seed=seed, dtype=dtype)
        y = ops.ps_roi_pool(x, with_batch(rois, batch), output, scale)
        cases.append(Case(f"roi_pool avg %0 rois %1 batch %2 {clause(output, scale, ' per_bin')}", [x, rois, batch], [y], CLOSE))
    check(build, tmp_path, cases)
