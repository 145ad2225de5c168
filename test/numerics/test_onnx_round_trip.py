"""ONNX through Graven and back: fewer nodes than there were, and ONNX Runtime's results for both.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import collections
import subprocess

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn


class Encoder(nn.Module):
    """Attention and a feed-forward layer, as exporters take them apart; biases begin as zeros, or not."""

    def __init__(self, bias):
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(32, 32) for _ in range(4))
        self.up, self.down = nn.Linear(32, 64, bias=False), nn.Linear(64, 32, bias=False)
        for layer in (self.q, self.k, self.v, self.o):
            nn.init.constant_(layer.bias, bias)

    def heads(self, x):
        return x.view(*x.shape[:2], 4, 8).transpose(1, 2)

    def forward(self, x):
        q, k, v = (self.heads(layer(x)) for layer in (self.q, self.k, self.v))
        y = ((q @ k.transpose(2, 3)) * 8 ** -0.5).softmax(-1) @ v
        x = x + self.o(y.transpose(1, 2).reshape(x.shape))
        return x + self.down(self.up(x).relu())


class Normalised(nn.Module):
    def __init__(self, scale, bias):
        super().__init__()
        self.norm = nn.GroupNorm(2, 6)
        nn.init.constant_(self.norm.weight, scale)
        nn.init.constant_(self.norm.bias, bias)

    def forward(self, x):
        return self.norm(x)


def round_trip(graven, folder, module, x):
    """The ops of what came back, after both were run."""
    before, after = folder / "before.onnx", folder / "after.onnx"
    torch.onnx.export(module.eval(), (x,), before, dynamo=False, opset_version=17)
    subprocess.run([graven, "export", before, "-o", after, "--opset", "17"], check=True, timeout=120)
    onnx.checker.check_model(str(after), full_check=True)
    want, got = (onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {name(path): x.numpy()})[0]
                 for path in (before, after))
    np.testing.assert_allclose(got, want, atol=1e-6 * np.abs(want).max())
    return collections.Counter(node.op_type for node in onnx.load(after).graph.node)


def name(path):
    return onnx.load(path).graph.input[0].name


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("bias, more", [(0.0, {}), (0.5, {"Gemm": 1, "Reshape": 1, "Add": 1, "MatMul": -1})])
def test_transformer(graven, tmp_path, bias, more):
    """One product for query, key and value, its bias within, none of zeros; keys transposed once; no reshape in front of layers."""
    torch.manual_seed(0)
    ops = round_trip(graven, tmp_path, Encoder(bias), torch.randn(2, 5, 32))
    expected = collections.Counter({"MatMul": 6, "Split": 1, "Reshape": 4, "Transpose": 4, "Mul": 1, "Softmax": 1, "Add": 2, "Relu": 1})
    expected.update(more)
    assert ops == expected


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("scale, bias, more", [(1.0, 0.0, []), (2.0, 0.0, ["Mul"]), (1.0, 0.5, ["Add"]), (2.0, 0.5, ["Mul", "Add"])])
def test_group_norm(graven, tmp_path, scale, bias, more):
    ops = round_trip(graven, tmp_path, Normalised(scale, bias), torch.randn(2, 6, 4, 4))
    assert ops == collections.Counter(["Reshape", "InstanceNormalization", "Reshape", *more])
