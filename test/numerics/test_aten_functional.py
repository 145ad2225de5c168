"""Losses, distances, pools, sampling and linear algebra of ATen, compiled, against PyTorch.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import graven as package
from aten_cases import check, compiled

try:
    from torchvision.models.detection import roi_heads as heads
except ImportError:
    heads = None

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore::FutureWarning",
                                        "ignore::torch.jit.TracerWarning", "ignore::UserWarning")


def real(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape) + len(shape)))


def positive(*shape):
    return real(*shape).abs() + 0.1


CLASSES = torch.tensor([0, 3, -100, 2])
SIGNS = torch.tensor([1.0, -1.0, 1.0, -1.0])
LOSSES = {
    "l1_loss": (lambda x, y, r: F.l1_loss(x, y, reduction=r), real(4, 5), real(5, 4).T),
    "mse_loss": (lambda x, y, r: F.mse_loss(x, y, reduction=r), real(4, 5), real(5, 4).T),
    "smooth_l1_loss": (lambda x, y, r: F.smooth_l1_loss(x, y, reduction=r, beta=0.5), real(4, 5), real(5, 4).T),
    "huber_loss": (lambda x, y, r: F.huber_loss(x, y, reduction=r, delta=0.7), real(4, 5), real(5, 4).T),
    "binary_cross_entropy": (lambda x, y, w, r: F.binary_cross_entropy(x, y, w, reduction=r),
                             torch.tensor([0, 1, 0.3, 0.9]), torch.tensor([0.0, 1, 1, 0]), positive(4)),
    "with_logits": (lambda x, y, w, r: F.binary_cross_entropy_with_logits(x, y, pos_weight=w, reduction=r),
                    30 * real(3, 4), positive(3, 4), positive(4)),
    "kl_div": (lambda x, y, r: (F.kl_div(x, y, reduction=r), F.kl_div(x, y, reduction=r, log_target=True)),
               real(3, 4), torch.tensor([0.0, 0.2, 0.5, 0.3])),
    "poisson": (lambda x, y, r: (F.poisson_nll_loss(x, y, full=True, reduction=r),
                                 F.poisson_nll_loss(x.exp(), y, log_input=False, reduction=r)),
                real(3, 4), 3 * positive(3, 4)),
    "cross_entropy": (lambda x, t, w, r: (F.cross_entropy(x, t, reduction=r), F.cross_entropy(x, t, w, reduction=r),
                                          F.cross_entropy(x, t, w, reduction=r, label_smoothing=0.2)),
                      real(4, 5), CLASSES, positive(5)),
    "cross_entropy_soft": (lambda x, t, w, r: (F.cross_entropy(x, t, w, reduction=r),
                                               F.cross_entropy(x, t, reduction=r, label_smoothing=0.2)),
                           real(2, 3, 4), positive(2, 3, 4), positive(3)),
    "nll_loss": (lambda x, t, w, r: (F.nll_loss(x, t[:, None].expand(4, 3), w, reduction=r), F.nll_loss(x[0, :, 0], t[1])),
                 real(4, 5, 3), CLASSES, positive(5)),
    "margin_ranking": (lambda x, y, t, r: F.margin_ranking_loss(x, y, t, 0.3, reduction=r), real(4), 2 * real(4), SIGNS),
    "hinge_embedding": (lambda x, t, r: F.hinge_embedding_loss(x, t, 0.5, reduction=r), real(4), SIGNS),
    "cosine_embedding": (lambda x, y, t, r: F.cosine_embedding_loss(x, y, t, 0.1, reduction=r),
                         real(4, 6), real(4, 6).flip(1), SIGNS),
    "triplet": (lambda x, y, z, r: F.triplet_margin_loss(x, y, z, swap=True, p=3.0, reduction=r),
                real(4, 6), real(4, 6).flip(0), real(6, 4).T),
    "soft_margin": (lambda x, t, r: F.soft_margin_loss(x, t, reduction=r), real(4), SIGNS),
    "multi_margin": (lambda x, t, w, r: F.multi_margin_loss(x, t, 2, 0.5, w, reduction=r),
                     real(3, 4), torch.tensor([3, 0, 1]), positive(4)),
    "multilabel_margin": (lambda x, t, r: F.multilabel_margin_loss(x, t, reduction=r),
                          real(2, 4), torch.tensor([[3, 0, -1, 1], [-1, 2, 1, 0]])),
}
FUNCTIONS = {
    "cosine_similarity": (lambda x, y: (F.cosine_similarity(x, y), F.cosine_similarity(x, y, 0)), real(4, 6), real(6)),
    "pairwise": (lambda x, y: (F.pairwise_distance(x, y), F.pairwise_distance(x, y, 1, keepdim=True)), real(4, 6), real(6)),
    "cdist": (lambda x, y: [torch.cdist(x, y, p) for p in (0.0, 1.0, 2.0, 3.0, float("inf"))], real(2, 4, 3), real(5, 3)),
    "pdist": (lambda x: (F.pdist(x), F.pdist(x, 1.0), torch.dist(x, x.flip(0), 3)), real(5, 3)),
    "bilinear": (lambda x, y, w, b: F.bilinear(x, y, w, b), real(2, 3, 4), real(2, 3, 5), real(6, 4, 5), real(6)),
    "unfold": (lambda x: F.unfold(x, (2, 3), dilation=(2, 1), padding=(1, 2), stride=(1, 2)), real(2, 3, 6, 5)),
    "fold": (lambda x: F.fold(x, (5, 6), (2, 3), padding=1, stride=2), real(2, 18, 9)),
    "max_pool_places": (lambda x: (F.max_pool2d(x, 3, 2, 1, return_indices=True), F.max_pool1d(
        x[0], 2, return_indices=True), F.max_pool2d(x, 2, 3, 1, 2, True, return_indices=True)), real(2, 3, 9, 8)),
    "max_pool3d_places": (lambda x: F.max_pool3d(x, 2, 2, 1, return_indices=True), real(1, 2, 4, 5, 6)),
    "adaptive_places": (lambda x: (F.adaptive_max_pool2d(x, (3, 5), True), F.adaptive_max_pool1d(x[0], 3, True)),
                        real(2, 3, 7, 8)),
    "max_unpool": (lambda x: torch.ops.aten.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), (7, 8)),
                   real(2, 3, 6, 8)),
    "affine_grid": (lambda t: (F.affine_grid(t, (2, 1, 3, 4), align_corners=False),
                               F.affine_grid(t, (2, 1, 1, 4), align_corners=True)), real(2, 2, 3)),
    "antialias": (lambda x: (F.interpolate(x, (3, 9), mode="bilinear", antialias=True),
                             F.interpolate(x, scale_factor=0.4, mode="bicubic", antialias=True)), real(1, 2, 8, 7)),
}
MATRICES = {
    "addmv": (lambda m, v, x: (torch.addmv(x, m, v, beta=0.5, alpha=2), torch.addr(m, x, v), torch.vdot(v, v)),
              real(3, 4), real(4), real(3)),
    "inner": (lambda x, y: (torch.inner(x, y), torch.tensordot(x, y, ([1, 2], [0, 2])), torch.kron(x, y[0])),
              real(2, 3, 4), real(3, 5, 4)),
    "cross": (lambda x, y: (torch.cross(x, y, dim=1), torch.linalg.cross(x, y, dim=1), torch.linalg.vecdot(x, y)),
              real(2, 3), real(1, 3)),
    "chain": (lambda x, y, z: (torch.linalg.multi_dot([x, y, z, x]), torch.linalg.multi_dot([x[0], y, z[:, 0]])),
              real(2, 6), real(6, 3), real(3, 2)),
    "power": (lambda x: [torch.linalg.matrix_power(x, n) for n in (0, 1, 5, -2)], real(2, 3, 3)),
    "norms": (lambda x: [torch.linalg.matrix_norm(x, p) for p in ("fro", 1, -1, float("inf"), -float("inf"))] + [
        torch.linalg.norm(x), torch.linalg.norm(x, 1, dim=(2, 0), keepdim=True), torch.linalg.norm(x, 3, dim=1)],
        real(2, 3, 4)),
    "inverse": (lambda x: (torch.linalg.inv(x), torch.linalg.inv_ex(x), torch.linalg.det(x), torch.linalg.slogdet(x)),
                real(3, 4, 4)),
    "singular": (lambda x: (torch.linalg.det(x), torch.linalg.slogdet(x), torch.linalg.inv_ex(x).info),
                 torch.tensor([[1.0, 2, 3], [2, 4, 6], [1, 0, 1]])),
    "solve": (lambda a, b: (torch.linalg.solve(a, b), torch.linalg.solve(a, b[..., 0]), torch.linalg.solve(
        a, b.mT, left=False)), real(2, 3, 3), real(2, 3, 5)),
    "triangular": (lambda a, b: [torch.linalg.solve_triangular(a, b, upper=u, unitriangular=n) for u in (
        True, False) for n in (True, False)] + [torch.linalg.solve_triangular(a, b.mT, upper=True, left=False)],
        real(3, 3) + 3 * torch.eye(3), real(2, 3, 4)),
    "cholesky": (lambda a: (torch.linalg.cholesky(a), torch.linalg.cholesky(a, upper=True), torch.cholesky_inverse(
        torch.linalg.cholesky(a)), torch.cholesky_solve(a, torch.linalg.cholesky(a))),
        torch.tensor([[4.0, 1, 0.5], [1, 3, -1], [0.5, -1, 5]])),
    "lu": (lambda a: (torch.linalg.lu(a), torch.linalg.lu_factor(a), torch.lu_unpack(*torch.linalg.lu_factor(a))),
           real(2, 4, 3)),
}


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("name", LOSSES)
def test_loss(name, reduction):
    function, *inputs = LOSSES[name]
    check(lambda *xs: function(*xs, reduction), inputs)


def test_narrow_norms_do_not_overflow():
    x, y = 300 * real(4, 5).half(), torch.zeros(5, dtype=torch.half)
    check(lambda x, y: (torch.dist(x, y), F.pairwise_distance(x, y), torch.linalg.norm(x)), [x, y], tolerance=1e-3)


def test_orthogonal_factors():
    check(lambda a, b: (torch.linalg.qr(a), torch.linalg.qr(a, "complete"), torch.geqrf(a), torch.ormqr(
        *torch.geqrf(a), b), torch.ormqr(*torch.geqrf(a), b.mT, left=False, transpose=True)),
        [real(2, 4, 3), real(2, 4, 5)], tolerance=1e-4)


def test_transforms_between_reals():
    check(lambda x: (torch.fft.irfft(x), torch.fft.irfft(x, 5, 1, "ortho"), torch.fft.hfft(x, 7), torch.fft.irfft2(x),
                     torch.fft.hfftn(x, norm="forward"), torch.fft.fftshift(x), torch.fft.ifftshift(x, 1)), [real(3, 4, 5)])


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_embedding_bag(mode):
    weight, indices = real(7, 3), torch.tensor([1, 4, 6, 0, 0, 2])
    check(lambda w, i, o: (F.embedding_bag(i, w, o, mode=mode), F.embedding_bag(i, w, o, mode=mode, padding_idx=0)),
          [weight, indices, torch.tensor([0, 2, 2, 5])])


def test_hypot_of_infinities():
    x = torch.tensor([math.inf, math.inf, -math.inf, 0, math.nan, 3e38])
    check(torch.hypot, [x, torch.tensor([math.inf, math.nan, 1, 0, 2, 4])])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name):
    function, *inputs = FUNCTIONS[name]
    check(function, inputs)


@pytest.mark.parametrize("name", MATRICES)
def test_matrices(name):
    function, *inputs = MATRICES[name]
    check(function, inputs, tolerance=1e-4)


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("aligned", [True, False])
def test_grid_sample(mode, padding, aligned):
    check(lambda x, g: F.grid_sample(x, g, mode, padding, aligned), [real(2, 3, 5, 4), 1.3 * real(2, 6, 3, 2)])
    if mode != "bicubic":
        check(lambda x, g: F.grid_sample(x, g, mode, padding, aligned), [real(1, 2, 3, 4, 5), real(1, 2, 3, 2, 3)])


REGIONS = torch.tensor([[0, 1, 1, 6, 5], [1, -3, 2.5, 2, 9], [0, 3, 3, 3, 3], [1, 0.2, 0.1, 7.7, 6.9]])


@pytest.mark.parametrize("samples", [2, -1])
@pytest.mark.parametrize("aligned", [True, False])
def test_roi_align(aligned, samples):
    ops = pytest.importorskip("torchvision.ops")
    check(lambda x, b: ops.roi_align(x, b, (3, 2), 0.9, samples, aligned), [real(2, 3, 8, 7), REGIONS])


def test_regions():
    ops = pytest.importorskip("torchvision.ops")
    check(lambda x, b: (ops.roi_pool(x, b, (3, 2), 0.9), ops.ps_roi_align(x, b, (3, 2), 0.9, 2),
                        ops.ps_roi_pool(x, b, (3, 2), 0.9)), [real(2, 12, 8, 7), REGIONS])
    check(lambda x, b: ops.roi_align(x, [b, b[:0]], 2), [real(2, 3, 8, 7), REGIONS[:, 1:]])


@pytest.mark.parametrize("groups, parts, window", [(1, 1, (1, 0, 1)), (2, 1, ((2, 1), (1, 2), (1, 2))), (1, 2, (1, 1, 2))])
def test_deform_conv2d(groups, parts, window):
    ops = pytest.importorskip("torchvision.ops")
    stride, padding, dilation = window
    x, weight = real(2, 4, 7, 8), real(6, 4 // groups, 3, 2)
    height, width = F.conv2d(x, weight, None, stride, padding, dilation, groups).shape[2:]
    offset, mask, bias = 2 * real(2, parts * 12, height, width), real(2, parts * 6, height, width), real(6)
    check(lambda x, o, w, b: ops.deform_conv2d(x, o, w, b, stride, padding, dilation), [x, offset, weight, bias])
    check(lambda x, o, w, m: ops.deform_conv2d(x, o, w, None, stride, padding, dilation, m), [x, offset, weight, mask])


def test_functions_of_boxes():
    ops = pytest.importorskip("torchvision.ops")
    a, b = (REGIONS[:, 1:] + shift for shift in (0, 1.5))
    check(lambda a, b: (ops.box_iou(a, b), ops.generalized_box_iou(a, b), ops.box_area(a),
                        ops.box_convert(a, "xyxy", "cxcywh"), ops.clip_boxes_to_image(a, (5, 6)),
                        ops.sigmoid_focal_loss(a, (b > 3).float())), [a, b])


class Pasting(torch.nn.Module):
    def forward(self, masks: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
        return heads.paste_masks_in_image(masks, boxes, (12, 16), 1)


@pytest.mark.skipif(heads is None, reason="needs torchvision")
def test_paste_masks(tmp_path):
    """A function of torchvision that loops over boxes is taken whole, whatever is in the loop."""
    boxes = torch.tensor([[1, 2, 9, 7.5], [0, 0, 15, 11], [3, 3, 3, 3], [8.2, 1.1, 15, 4]])
    masks = real(4, 1, 6, 6)
    torch.jit.script(Pasting()).save(tmp_path / "m.pt")
    model = package.compile(tmp_path / "m.pt", inputs=[masks.numpy(), boxes.numpy()])
    np.testing.assert_allclose(model(masks.numpy(), boxes.numpy()), Pasting()(masks, boxes), atol=2e-6)


class Keypoints(torch.nn.Module):
    def forward(self, maps: torch.Tensor, boxes: torch.Tensor):
        return heads.heatmaps_to_keypoints(maps, boxes)


@pytest.mark.skipif(heads is None, reason="needs torchvision")
def test_keypoints_of_heat_maps(tmp_path):
    """A map is resized to its box, whose size data decide: smaller than a tile, of several, of no extent."""
    boxes = torch.tensor([[1, 2, 9, 7.5], [0, 0, 150, 110], [3, 3, 3, 3], [8.2, 1.1, 150, 40], [5, 6, 69, 70.0]])
    maps = real(5, 3, 14, 12)
    torch.jit.script(Keypoints()).save(tmp_path / "m.pt")
    model = package.compile(tmp_path / "m.pt", inputs=[maps.numpy(), boxes.numpy()])
    places, scores = Keypoints()(maps, boxes)
    got = model(maps.numpy(), boxes.numpy())
    np.testing.assert_allclose(got[0], places, atol=2e-5)
    np.testing.assert_allclose(got[1], scores, atol=2e-6)
    # The first of equal elements; NaN is the greatest.
    maps = torch.zeros(5, 3, 14, 12)
    maps[1, 1, 3, 3] = float("nan")
    maps[2] = -float("inf")
    for own, other in zip(model(maps.numpy(), boxes.numpy()), Keypoints()(maps, boxes), strict=True):
        np.testing.assert_array_equal(own, other)
    boxes[1, 2] = 1e12
    with pytest.raises(package.Error, match="index out of range"):
        model(maps.numpy(), boxes.numpy())


@pytest.mark.skipif(heads is None, reason="needs torchvision")
def test_keypoints_of_other_shapes_are_refused(tmp_path):
    torch.jit.script(Keypoints()).save(tmp_path / "m.pt")
    with pytest.raises(package.Error, match="maps and boxes of these shapes"):
        package.compile(tmp_path / "m.pt", inputs={"maps": "f32[5,3,14,12]", "boxes": "f32[4,4]"})


@pytest.mark.parametrize("function, message", [
    (lambda x: torch.linalg.svdvals(F.pad(x, (0, 70, 0, 70))), "more than 64"),
    (lambda x: torch.linalg.lstsq(x, x)[0], "linalg_lstsq"),
    (lambda x: torch.linalg.inv(F.pad(x, (0, 40, 0, 40)) + 3 * torch.eye(44)), "more than 32"),
])
def test_refuses(function, message):
    with pytest.raises(package.Error, match=message):
        compiled(function, [real(4, 4)])
