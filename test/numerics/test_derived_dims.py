"""Extents of an export that follow from another one: twice it, one more, multiples of a symbol that no input has itself.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import re
import subprocess

import numpy as np
import pytest
import torch
from torch import nn
from torch.export import Dim

import graven as package

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


class Sums(nn.Module):
    def forward(self, x, y):
        return torch.cat([x.cumsum(0), y.softmax(0)]), y.mean(0)


class Halves(nn.Module):
    """A network that halves images, for sizes of which it can."""

    def __init__(self):
        super().__init__()
        self.down, self.deep = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1)
        self.up = nn.Upsample(scale_factor=2)

    def forward(self, x):
        x = self.down(x)
        return x + self.up(self.deep(x))


class Pairs(nn.Module):
    """Samples are independent, and two rows of `y` belong to each."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 4)

    def forward(self, x, y):
        return self.linear(x).relu() + y.view(-1, 2, 4).sum(1)


def expect_same(compiled, module, *inputs):
    with torch.no_grad():
        expected = module(*inputs)
    got = compiled(*[tensor.numpy() for tensor in inputs])
    for own, other in zip(got if isinstance(got, list) else [got], expected if isinstance(expected, tuple) else [expected]):
        np.testing.assert_allclose(own, other.numpy(), rtol=1e-5, atol=1e-5)


def compiled(module, inputs, shapes, **options):
    return package.export(module.eval(), inputs, dynamic_shapes=shapes).compile(threads=1, **options)


def test_twice_and_one_more():
    s = Dim("s", min=2, max=40)
    for dim, extent in ((2 * s, lambda n: 2 * n), (s + 1, lambda n: n + 1), (3 * s - 1, lambda n: 3 * n - 1)):
        model = compiled(Sums(), (torch.randn(4, 3), torch.randn(extent(4), 3)), ({0: s}, {0: dim}))
        for n in (2, 3, 21, 40):
            expect_same(model, Sums(), torch.randn(n, 3), torch.randn(extent(n), 3))
        with pytest.raises(package.Error, match=r"input 'y': expected extent .* with s\d+ = 4 on axis 0, got"):
            model(np.zeros((4, 3), np.float32), np.zeros((extent(4) + 1, 3), np.float32))


def test_multiples_of_no_input():
    h, w = Dim("_h", min=2, max=16), Dim("_w", min=2, max=16)
    module = Halves()
    graph = package.export(module.eval(), (torch.randn(1, 3, 16, 24),), dynamic_shapes=({2: 4 * h, 3: 4 * w},))
    assert graph.inputs[0].shape == (1, 3, 16, 24)
    model = graph.compile(threads=1)
    for height, width in ((8, 8), (64, 12), (28, 60)):
        expect_same(model, module, torch.randn(1, 3, height, width))
    with pytest.raises(package.Error, match=r"expected extent 4\*s\d+ with s\d+ = 3 on axis 2, got 13"):
        model(np.zeros((1, 3, 13, 60), np.float32))
    with pytest.raises(package.Error, match="from 2 to 16, got 17"):
        model(np.zeros((1, 3, 68, 60), np.float32))
    fixed = graph.compile(threads=1, dims={"_h": 4, "_w": "3..9"})
    expect_same(fixed, module, torch.randn(1, 3, 16, 36))


def test_batches():
    b = Dim("b", min=2, max=32)
    module = Pairs()
    model = compiled(module, (torch.randn(3, 3), torch.randn(6, 4)), ({0: b}, {0: 2 * b}))
    for n in (2, 7, 32):
        expect_same(model, module, torch.randn(n, 3), torch.randn(2 * n, 4))


def test_command_line(build, tmp_path):
    s = Dim("s", min=2, max=16)
    torch.export.save(torch.export.export(Halves(), (torch.randn(1, 3, 16, 24),), dynamic_shapes=({2: 4 * s},)), tmp_path / "m.pt2")

    def graven(*args, returns=0):
        done = subprocess.run([build / "bin/graven", *args], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == returns, done.stderr
        return done.stdout + done.stderr

    said = graven("import", "m.pt2", "-o", "m.mlir", returns=2)
    (symbol,) = re.findall(r"has the extent '4\*(\w+)' on axis 2, which is not known; say which, as in --dim \1=2..16", said)
    graven("compile", "m.pt2", "--input", "x:f32[1,3,32,24]", "-o", "fixed.so")
    graven("compile", "m.pt2", "-o", "m.so")
    assert f'x: f32[1,3,"4*{symbol}",24]' in graven("inspect", "m.so")
    graven("bench", "m.so", "--dim", f"{symbol}=5", "--seconds", "0.01")
    assert f"use --dim {symbol}=8" in graven("bench", "m.so", returns=2)
