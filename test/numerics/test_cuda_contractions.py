"""Products and convolutions on tensor cores, without a GPU: what blocks of threads compute, simulated, is what PyTorch
computes in double precision; where NVIDIA's assembler is installed, every tile assembles for every architecture.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import shutil

import numpy
import pytest
import torch
from torch.nn import functional

from gpus import assembled, graven_run, simulate
from saving import saved

ARCHITECTURES = ["sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120"]
# Of the largest result: f32 is multiplied as two parts of 11 and 11 bits, and narrow results are rounded once.
TOLERANCE = {torch.float32: 1.2e-6, torch.bfloat16: 2.0 ** -8, torch.float16: 2.0 ** -11}


class Function(torch.nn.Module):
    """A function of the inputs, in some type, and of tensors that are weights."""

    def __init__(self, function, *weights, dtype=torch.float32):
        super().__init__()
        self.function, self.dtype = function, dtype
        self.weights = torch.nn.ParameterList(
            torch.nn.Parameter(weight.to(dtype), requires_grad=False) for weight in weights)

    def forward(self, *inputs):
        return self.function(*(tensor.to(self.dtype) for tensor in inputs), *self.weights).float()

    def exact(self, inputs):
        weights = [weight.double() for weight in self.weights]
        return self.function(*(tensor.to(self.dtype).double() for tensor in inputs), *weights).numpy()


def compare(graven, folder, model, inputs, tolerance=None):
    """The simulated output of `model` is that in double precision, of the same numbers."""
    [result] = simulate(graven, folder, model, inputs)
    wanted = model.exact(inputs)
    error = numpy.abs(result.astype(numpy.float64) - wanted).max()
    assert error <= (tolerance or TOLERANCE[model.dtype]) * numpy.abs(wanted).max()
    graven_run(graven, "compile", folder / "m.pt", "--target", "cuda", "-o", folder / "m.ptx")
    assert "mma.sync" in (folder / "m.ptx").read_text()


def normal(*shape, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape))).to(dtype)


PRODUCTS = [(1, 768, 300), (5, 1, 7), (37, 53, 19), (130, 64, 70), (67, 37, 65), (16, 100, 1000), (300, 33, 130),
            (33, 97, 31)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=["f32", "bf16", "f16"])
@pytest.mark.parametrize("m, k, n", PRODUCTS, ids=["x".join(map(str, sizes)) for sizes in PRODUCTS])
def test_products(graven, tmp_path, dtype, m, k, n):
    compare(graven, tmp_path, Function(lambda x, w: x @ w, normal(k, n), dtype=dtype), (normal(m, k),))


@pytest.mark.parametrize("model, inputs", [
    # Heads of attention; a right-hand side that is computed.
    (Function(lambda q, k: q @ k.transpose(-1, -2)), (normal(2, 3, 29, 16), normal(2, 3, 31, 16))),
    # One right-hand side for all.
    (Function(lambda x, w: x @ w, normal(40, 24)), (normal(3, 17, 40),)),
    # A part of each row, and of every second row.
    (Function(lambda x, w: x[::2, 3:40] @ w, normal(37, 20)), (normal(44, 48),)),
    # The left-hand side transposed.
    (Function(lambda x, w: x.transpose(0, 1) @ w, normal(30, 20)), (normal(30, 22),)),
    # Epilogues: a row, a scalar, a whole tensor, and functions.
    (Function(lambda x, y, w, b: functional.gelu(functional.linear(x, w, b)) * 0.5 + y, normal(50, 32), normal(50)),
     (normal(45, 32), normal(45, 50))),
    (Function(lambda x, w, b: torch.sigmoid(functional.linear(x, w, b)), normal(13, 32), normal(13)), (normal(45, 32),)),
], ids=["heads", "broadcast", "strided", "transposed", "residual", "ragged epilogue"])
def test_forms_of_products(graven, tmp_path, model, inputs):
    compare(graven, tmp_path, model, inputs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=["f32", "bf16", "f16"])
@pytest.mark.parametrize("weights, shape, how", [
    ((64, 32, 3, 3), (1, 32, 10, 12), {"padding": 1}),
    ((37, 20, 3, 3), (2, 20, 9, 11), {"stride": 2, "padding": 1}),
    ((40, 48, 1, 1), (2, 48, 7, 7), {}),
    ((16, 3, 7, 7), (1, 3, 21, 19), {"stride": 2, "padding": 3}),
    ((32, 32, 3, 3), (1, 32, 13, 13), {"dilation": (2, 3)}),
    ((24, 32, 5), (2, 32, 40), {"stride": 2, "padding": 2}),
    ((64, 32, 3, 3), (1, 64, 7, 7), {"groups": 2, "padding": 1}),
    ((48, 24, 2, 2), (1, 48, 8, 8), {"groups": 2}),
], ids=["3x3", "ragged", "1x1", "stem", "dilated", "1-d", "groups", "joined groups"])
def test_convolutions(graven, tmp_path, dtype, weights, shape, how):
    convolve = functional.conv1d if len(shape) == 3 else functional.conv2d
    model = Function(lambda x, w, b: functional.relu(convolve(x, w, b, **how)), normal(*weights), normal(weights[0]),
                     dtype=dtype)
    compare(graven, tmp_path, model, (normal(*shape),))


class Tiles(torch.nn.Module):
    """Products of a size for each tile, of a type or with weights of another."""

    SIZES = [(1650, 36, 1020), (2048, 40, 1024), (512, 70, 512), (130, 64, 130), (10, 300, 3000), (700, 129, 30),
             (900, 65, 14), (4, 64, 100)]

    def __init__(self, dtype, weights):
        super().__init__()
        self.weights = torch.nn.ParameterList(
            torch.nn.Parameter(normal(k, n, dtype=weights), requires_grad=False) for _, k, n in self.SIZES)
        self.convs = torch.nn.ModuleList(
            [torch.nn.Conv2d(3, 64, 7, 2, 3), torch.nn.Conv2d(64, 128, 3), torch.nn.Conv2d(128, 24, 1),
             torch.nn.Conv2d(128, 128, 3, groups=2), torch.nn.Conv2d(20, 10, 3)]).to(dtype)

    def forward(self, *inputs):
        products = [torch.relu(x @ w.to(x.dtype)) for x, w in zip(inputs, self.weights)]
        return products + [f(x) for x, f in zip(inputs[len(products):], self.convs)]

    def inputs(self, dtype):
        images = [(1, 3, 64, 64), (2, 64, 32, 32), (1, 128, 14, 14), (1, 128, 14, 14), (1, 20, 9, 9)]
        return tuple(normal(*shape, dtype=dtype) for shape in [(m, k) for m, k, _ in self.SIZES] + images)


@pytest.mark.skipif(not shutil.which("ptxas"), reason="ptxas is not on PATH")
@pytest.mark.parametrize("dtype, weights, architectures", [
    (torch.float32, torch.float32, ARCHITECTURES), (torch.bfloat16, torch.bfloat16, ["sm_80", "sm_120"]),
    (torch.float16, torch.float16, ["sm_80"]), (torch.float32, torch.bfloat16, ["sm_80"]),
], ids=["f32", "bf16", "f16", "mixed"])
def test_assembly(graven, tmp_path, dtype, weights, architectures):
    """No kernel needs memory of its own, for what its registers do not hold."""
    model = Tiles(dtype, weights).eval()
    (tmp_path / "m.pt").write_bytes(saved(model, model.inputs(dtype)))
    for architecture in architectures:
        assert assembled(graven, tmp_path, architecture)["kernels"] > 0


@pytest.mark.skipif(not shutil.which("ptxas"), reason="ptxas is not on PATH")
@pytest.mark.parametrize("depth", [64, 128])
def test_assembly_of_attention(graven, tmp_path, depth):
    """Scores and sums stay in registers."""
    model = Function(lambda q, m: attention(q, q, q, m) + attention(q, q, q, is_causal=True))
    (tmp_path / "m.pt").write_bytes(saved(model, (normal(1, 2, 100, depth), normal(100, 100))))
    for architecture in ARCHITECTURES:
        made = assembled(graven, tmp_path, architecture)
        assert max(kernel["registers"] for kernel in made["device_kernels"]) > 100


def attention(q, k, v, *mask, **how):
    return functional.scaled_dot_product_attention(q, k, v, *mask, **how)


HALF = torch.rand(1, 1, 37, 51, generator=torch.Generator().manual_seed(1)) > 0.5


@pytest.mark.parametrize("model, inputs", [
    (Function(attention), (normal(2, 3, 37, 64), normal(2, 3, 51, 64), normal(2, 3, 51, 64))),
    # Columns of another number, none of which is a multiple of anything.
    (Function(attention), (normal(1, 2, 5, 17), normal(1, 2, 40, 17), normal(1, 2, 40, 35))),
    (Function(lambda q, k, v: attention(q, k, v, is_causal=True)),
     (normal(1, 2, 100, 32), normal(1, 2, 100, 32), normal(1, 2, 100, 32))),
    (Function(lambda q, k, v: attention(q, k, v, is_causal=True)),
     (normal(1, 1, 70, 16), normal(1, 1, 33, 16), normal(1, 1, 33, 128))),
    (Function(attention), (normal(1, 2, 1, 96), normal(1, 2, 70, 96), normal(1, 2, 70, 96))),
    (Function(lambda q, k, v, m: attention(q, k, v, m, scale=0.3)),
     (normal(2, 3, 37, 24), normal(2, 3, 51, 24), normal(2, 3, 51, 40), normal(2, 1, 37, 51))),
    (Function(lambda q, k, v, m: attention(q, k, v, torch.where(m > 0, 0.0, -float("inf")))),
     (normal(1, 3, 37, 24), normal(1, 3, 51, 24), normal(1, 3, 51, 40), HALF.float())),
    # Heads that stand side by side, and more of queries than of keys.
    (Function(lambda x, y: attention(x.unflatten(2, (8, 16)).transpose(1, 2), *(
        part.unflatten(2, (2, 16)).transpose(1, 2).repeat_interleave(4, 1) for part in y.chunk(2, 2))).transpose(1, 2)),
     (normal(2, 35, 128), normal(2, 35, 64))),
], ids=["plain", "ragged", "causal", "causal with few keys", "one row", "mask", "hidden keys", "groups of heads"])
def test_attention(graven, tmp_path, model, inputs):
    # What a score is wrong by, its weight is, relative to itself.
    compare(graven, tmp_path, model, inputs, tolerance=4e-6)


def test_rows_without_keys(graven, tmp_path):
    """Rows that have no key are zeros, and a NaN reaches its row alone."""
    def masked(q, k, v, m):
        return attention(q, k, v, m > 0)

    mask = HALF.float()
    mask[:, :, 5] = 0
    query = normal(1, 2, 37, 24)
    query[0, 1, 7, 3] = float("nan")
    inputs = (query, normal(1, 2, 51, 24), normal(1, 2, 51, 24), mask)
    [result] = simulate(graven, tmp_path, Function(masked), inputs)
    assert numpy.isnan(result[0, 1, 7]).all() and numpy.isnan(result).sum() == 24
    assert (result[:, :, 5] == 0).all()


def with_infinities(*shape):
    """Of each sign, and a NaN, in different rows of what is contracted."""
    values = normal(*shape)
    flat = values.reshape(-1, shape[-1])
    flat[1, 2], flat[3, 0], flat[5, shape[-1] // 2] = torch.inf, -torch.inf, torch.nan
    return values


@pytest.mark.parametrize("model, inputs", [
    (Function(lambda x, w: x @ w, normal(37, 50)), (with_infinities(40, 37),)),
    (Function(lambda x, y: x @ y), (normal(21, 45), with_infinities(45, 30))),
    (Function(lambda x: x @ x.transpose(1, 2)), (with_infinities(2, 19, 33),)),
    (Function(lambda x, w: functional.conv2d(x, w, padding=1), normal(33, 3, 3, 3)), (with_infinities(2, 3, 9, 11),)),
    (Function(lambda x, v, w: functional.conv2d(functional.conv2d(x, v), w, stride=2), normal(20, 3, 1, 1),
              normal(33, 20, 3, 3)), (with_infinities(2, 3, 9, 11),)),
], ids=["rows", "columns", "both", "planar", "blocked"])
def test_infinities(graven, tmp_path, model, inputs):
    """f32 is multiplied as two numbers, of which an infinity has none: what comes of it is as without."""
    [result] = simulate(graven, tmp_path, model, inputs)
    wanted = model.exact(inputs)
    isfinite = numpy.isfinite(wanted)
    assert not isfinite.all() and isfinite.any()
    numpy.testing.assert_array_equal(result[~isfinite], wanted[~isfinite].astype(numpy.float32))
    assert numpy.abs(result[isfinite] - wanted[isfinite]).max() <= TOLERANCE[torch.float32] * numpy.abs(wanted[isfinite]).max()
