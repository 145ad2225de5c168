"""Kernels whose threads work together, on the simulator, which looks at what they share: rows, reductions, transposes at
extents that are no multiple of anything, in several orders of the threads.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy
import pytest
import torch

from gpus import simulate

ORDERS = ["seed=1", "seed=2,copies=late", "seed=3,copies=early"]


class Rows(torch.nn.Module):
    """A row of a part of a warp, of a warp, of a block, and of more than its registers."""

    def __init__(self):
        super().__init__()
        self.norms = torch.nn.ModuleList([torch.nn.LayerNorm(n) for n in (9, 49, 768, 2501)])

    def forward(self, a, b, c, d, e):
        normed = [norm(x) for norm, x in zip(self.norms, (a, b, c, d))]
        return (*normed, torch.softmax(a, -1), torch.log_softmax(c, -1), torch.nn.functional.normalize(d.double(), dim=-1),
                torch.softmax(e, -1), torch.softmax(c.half(), -1), torch.softmax(d[:, :1] * -torch.inf + c[:5], -1))


class Reductions(torch.nn.Module):
    def forward(self, x, y, i):
        return (x.sum(1), x.sum(0), y.amax((2, 3)), y.mean((0, 2, 3)), x.sum(), i.sum(1), i.amin(0), x.double().prod(1),
                (x > 0).all(1), (x > -9).all(0), x.to(torch.bfloat16).amax(1).float(), x.norm(dim=1), y.sum(1), x.argmax(1),
                torch.logsumexp(x, 0), x.std(1), (i == 3).any())


class Transposes(torch.nn.Module):
    def forward(self, x, y, z):
        return (x.transpose(1, 2) + 1, (y.permute(0, 2, 3, 1) > 0).contiguous(), (x.transpose(1, 2) * z).half(),
                y.permute(3, 2, 1, 0).contiguous(), torch.softmax(y.permute(0, 2, 3, 1), 1))


class Windows(torch.nn.Module):
    """Depthwise convolutions of whole and of parts of vectors, pools of planes and of channels in blocks."""

    def __init__(self):
        super().__init__()
        conv = torch.nn.Conv2d
        self.first = torch.nn.ModuleList([conv(3, channels, 1) for channels in (32, 20, 18)])
        self.depthwise = torch.nn.ModuleList([conv(32, 32, 3, 1, 1, groups=32), conv(20, 20, 5, 2, 2, groups=20, bias=False),
                                              conv(18, 18, 3, 1, 2, 2, groups=18)])
        self.last = conv(20, 5, 1)

    @staticmethod
    def pools(x):
        f = torch.nn.functional
        return (f.max_pool2d(x, 3, 2, 1), f.max_pool2d(x, 3, 2, 1, ceil_mode=True), f.max_pool2d(x, 5, 1, 2, 2),
                f.avg_pool2d(x, 3, 2, 1), f.avg_pool2d(x, 3, 2, 1, count_include_pad=False, ceil_mode=True),
                f.avg_pool2d(x, 7, divisor_override=3), f.max_pool2d(x, 2))

    def forward(self, x):
        parts = [first(x) for first in self.first]
        pools = [self.last(pool) for pool in self.pools(parts[1])]
        return (*(depthwise(part) for depthwise, part in zip(self.depthwise, parts)), *self.pools(x), *pools)


class Elements(torch.nn.Module):
    """Many, of several types side by side, and what is repeated along the neighbours."""

    def forward(self, x, y, z):
        a = torch.sigmoid(x) * y
        return (a, a > 0.5, x.half() + 1, (z[None, :, None] * x).relu(), x.to(torch.bfloat16).float(),
                torch.where(x > 0, x, y.exp()), x.double() * 2, torch.cat([x, a, x], 2))


@pytest.mark.parametrize("width", [512, 511])
def test_elements(graven, tmp_path, width):
    torch.manual_seed(0)
    inputs = torch.randn(5, 64, width), torch.randn(64, width), torch.randn(64)
    for result, wanted in zip(simulate(graven, tmp_path, Elements(), inputs), Elements()(*inputs)):
        tolerance = 1e-3 if wanted.dtype == torch.float16 else 2e-6
        numpy.testing.assert_allclose(result, wanted.numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("model, shapes", [
    (Rows(), [(37, 9), (33, 49), (13, 768), (5, 2501), (2, 40001)]),
    (Reductions(), [(37, 523), (3, 5, 17, 19), (40, 77)]),
    (Transposes(), [(3, 70, 100), (2, 35, 19, 33), (3, 100, 70)]),
    (Windows(), [(2, 3, 19, 23)]),
], ids=["rows", "reductions", "transposes", "windows"])
def test_blocks(graven, tmp_path, model, shapes, order):
    torch.manual_seed(0)
    inputs = tuple(torch.randint(0, 100, shape) if shape == (40, 77) else torch.randn(shape) for shape in shapes)
    results = simulate(graven, tmp_path, model, inputs, order)
    expected = model(*inputs)
    assert len(results) == len(expected)
    for result, wanted in zip(results, expected):
        wanted = wanted.detach().numpy()
        assert result.shape == wanted.shape and result.dtype == wanted.dtype
        tolerance = 1e-3 if wanted.dtype == numpy.float16 else 2e-6
        numpy.testing.assert_allclose(result, wanted, rtol=tolerance, atol=tolerance)
