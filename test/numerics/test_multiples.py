"""Extents of which a model takes multiples of a number only: what is said of them, and what is found out.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import re
import subprocess

import numpy as np
import onnx
import onnx.helper as oh
import pytest
import torch
from torch import nn

import graven as package

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


class Windows(nn.Module):
    """Cuts an image into windows of 4 x 6."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        b, c, h, w = x.shape
        return self.conv(x).view(b, 4, h // 4, 4, w // 6, 6).amax((3, 5)).flatten(2).mean(2)


class Any(nn.Module):
    """Takes any extents but those that are too small."""

    def forward(self, x):
        return nn.functional.max_pool2d(x, 9).sum((2, 3))


@pytest.fixture
def graven(build, tmp_path):
    def run(*args, returns=0):
        done = subprocess.run([build / "bin/graven", *args], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == returns, done.stderr
        return done.stdout + done.stderr
    return run


def script(module, path):
    torch.jit.script(module.eval()).save(path)
    return module


def expect_same(model, module, *shape):
    x = torch.randn(*shape)
    with torch.no_grad():
        np.testing.assert_allclose(model(x.numpy()), module(x).numpy(), rtol=1e-5, atol=1e-5)


def test_stated(graven, tmp_path):
    module = script(Windows(), tmp_path / "m.pt")
    said = graven("compile", "m.pt", "--input", "x:f32[b,3,4*h,6 * w]", "--dim", "b=1..4", "--dim", "h=2..9", "--dim", "w=1..8", "-o", "m.so")
    assert "%" not in said
    assert 'x: f32["b",3,"4*h","6*w"]' in graven("inspect", "m.so")
    model = package.load(tmp_path / "m.so")
    for shape in ((1, 3, 8, 6), (3, 3, 36, 48), (2, 3, 20, 30)):
        expect_same(model, module, *shape)
    with pytest.raises(package.Error, match=r"expected extent 4\*h with h = \d+ on axis 2, got 22"):
        model(np.zeros((1, 3, 22, 6), np.float32))


def test_found(graven, tmp_path):
    module = script(Windows(), tmp_path / "m.pt")
    said = graven("compile", "m.pt", "--input", "x:f32[b,3,h,w]", "--dim", "b=1..4", "--dim", "h=6..40", "--dim", "w=12,6..48", "-o", "m.so")
    for symbol, factor in (("h", 4), ("w", 6)):
        assert re.search(rf"test_multiples.py:\d+:\d+: warning: {symbol} % {factor} == 0, because .*aten::view", said)
    shown = graven("inspect", "m.so")
    assert 'x: f32["b",3,"4*h_by_4","6*w_by_6"]' in shown
    assert "extent h_by_4: 2 to 10" in shown and "extent w_by_6: 1 to 8" in shown
    model = package.load(tmp_path / "m.so")
    for shape in ((1, 3, 8, 6), (3, 3, 40, 48), (2, 3, 20, 12)):
        expect_same(model, module, *shape)


def test_sizes_that_do_not_fit(graven, tmp_path):
    script(Windows(), tmp_path / "m.pt")
    said = graven("compile", "m.pt", "--input", "x:f32[1,3,h,12]", "--dim", "h=9,8..64", "-o", "m.so", returns=2)
    assert "% 4" not in said and "aten::view" in said


def test_least_extent_is_no_multiple(graven, tmp_path):
    module = script(Any(), tmp_path / "m.pt")
    said = graven("compile", "m.pt", "--input", "x:f32[1,3,h,12]", "--dim", "h=9..30", "-o", "m.so")
    assert "%" not in said
    expect_same(package.load(tmp_path / "m.so"), module, 1, 3, 29, 12)


def test_symbols_of_onnx(graven, tmp_path):
    """A formula is what follows from a symbol; a dash is a part of a name."""
    x = oh.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 3])
    y = oh.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["2*n + 1", 3])
    z = oh.make_tensor_value_info("z", onnx.TensorProto.FLOAT, ["n-1", 3])
    out = oh.make_tensor_value_info("out", onnx.TensorProto.FLOAT, None)
    graph = oh.make_graph([oh.make_node("Concat", ["x", "y", "z"], ["out"], axis=0)], "g", [x, y, z], [out])
    onnx.save(oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)]), tmp_path / "m.onnx")
    graven("compile", "m.onnx", "--dim", "n=1..9", "--dim", "n-1=1..7", "-o", "m.so")
    shown = graven("inspect", "m.so")
    assert 'y: f32["2*n+1",3]' in shown
    model = package.load(tmp_path / "m.so")
    for n, rest in ((1, 7), (9, 2)):
        parts = [np.random.rand(rows, 3).astype(np.float32) for rows in (n, 2 * n + 1, rest)]
        np.testing.assert_array_equal(model(*parts), np.concatenate(parts))
    with pytest.raises(package.Error, match="input 'y': expected extent .* got 4"):
        model(*(np.zeros((rows, 3), np.float32) for rows in (2, 4, 2)))
