"""Models between whose operators torch.export holds quantize and dequantize nodes (PT2E), against PyTorch.

PyTorch no longer makes them itself: the quantizer has become a library of its own. Here the models call the operators
that it puts between the others.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import subprocess

import numpy as np
import pytest
import torch
import torch.ao.quantization.fx._decomposed  # registers the operators

import graven as package

pytestmark = pytest.mark.filterwarnings("ignore")
ops = torch.ops.quantized_decomposed


def fake(x, scale, zero, dtype=torch.int8):
    low, high = (-128, 127) if dtype == torch.int8 else (0, 255)
    q = ops.quantize_per_tensor(x, scale, zero, low, high, dtype)
    return ops.dequantize_per_tensor(q, scale, zero, low, high, dtype)


class Static(torch.nn.Module):
    """Activations of one scale each, weights of i8 with a scale for each channel."""

    def __init__(self):
        super().__init__()
        for name, shape in (("conv", (8, 3, 3, 3)), ("head", (5, 32))):
            weight = torch.randn(shape)
            scales = weight.flatten(1).abs().amax(1) / 127
            zeros = torch.zeros(shape[0], dtype=torch.int64)
            self.register_buffer(f"{name}_q", ops.quantize_per_channel(weight, scales, zeros, 0, -127, 127, torch.int8))
            self.register_buffer(f"{name}_scales", scales)
            self.register_buffer(f"{name}_zeros", zeros)

    def weight(self, name):
        q, scales, zeros = (getattr(self, f"{name}_{part}") for part in ("q", "scales", "zeros"))
        return ops.dequantize_per_channel(q, scales, zeros, 0, -127, 127, torch.int8)

    def forward(self, x):
        x = torch.nn.functional.conv2d(fake(x, 0.03, 3), self.weight("conv"), padding=1)
        x = fake(torch.relu(x), 0.05, -128)
        x = torch.nn.functional.adaptive_avg_pool2d(x, 2).flatten(1)
        return torch.nn.functional.linear(fake(x, 0.02, 7, torch.uint8), self.weight("head"))


class Dynamic(torch.nn.Module):
    """Scales from the data: of the tensor, symmetric or not, and of its rows."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(16, 7)

    def forward(self, x):
        scale, zero = ops.choose_qparams.tensor(x, -128, 127, 1e-7, torch.int8)
        q = ops.quantize_per_tensor.tensor(x, scale, zero, -128, 127, torch.int8)
        one = ops.dequantize_per_tensor.tensor(q, scale, zero, -128, 127, torch.int8)
        scale, zero = ops.choose_qparams_symmetric.tensor(x, -127, 127, 1e-7, torch.int8)
        q = ops.quantize_per_tensor.tensor(x, scale, zero, -127, 127, torch.int8)
        two = ops.dequantize_per_tensor.tensor(q, scale, zero, -127, 127, torch.int8)
        scales, zeros = ops.choose_qparams_per_token_asymmetric(x, torch.int8)
        q = ops.quantize_per_token(x, scales, zeros, -128, 127, torch.int8)
        three = ops.dequantize_per_token(q, scales, zeros, -128, 127, torch.int8, torch.float32)
        return self.layer(one), two, three


class Groups(torch.nn.Module):
    """Weights of rows in groups, and a layer that only rounds."""

    def __init__(self):
        super().__init__()
        weight = torch.randn(6, 32)
        scales = weight.reshape(-1, 8).abs().amax(1).reshape(6, 4) / 7
        zeros = torch.zeros(6, 4, dtype=torch.int32)
        self.register_buffer("scales", scales)
        self.register_buffer("zeros", zeros)
        self.register_buffer("q", ops.quantize_per_channel_group(weight, scales, zeros, -8, 7, torch.int8, 8))

    def forward(self, x):
        weight = ops.dequantize_per_channel_group(self.q, self.scales, self.zeros, -8, 7, torch.int8, 8, torch.float32)
        y = ops.fake_quant_per_channel(x @ weight.t(), torch.full((6,), 0.1), torch.zeros(6, dtype=torch.int64), 1, -128,
                                       127)
        return y, ops.convert_element_type.no_fuse(y, torch.int32)


@pytest.mark.parametrize("kind, shape", [(Static, (2, 3, 8, 8)), (Dynamic, (4, 16)), (Groups, (3, 32))])
def test_exported(tmp_path, kind, shape):
    torch.manual_seed(0)
    model, x = kind().eval(), torch.randn(shape)
    torch.export.save(torch.export.export(model, (x,)), tmp_path / "m.pt2")
    got, expected = package.compile(tmp_path / "m.pt2", threads=1)(x.numpy()), model(x)
    if isinstance(expected, torch.Tensor):
        got, expected = [got], [expected]
    for mine, theirs in zip(got, expected, strict=True):
        theirs = theirs.detach().numpy()
        assert mine.dtype == theirs.dtype
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())


def test_quantized_integers_are_results(tmp_path):
    class Integers(torch.nn.Module):
        def forward(self, x):
            return (ops.quantize_per_tensor(x, 0.1, 5, 0, 255, torch.uint8),
                    ops.quantize_per_channel(x, torch.tensor([0.1, 0.5]), torch.tensor([3, -3]), 1, -128, 127,
                                             torch.int8))

    x = torch.tensor([[-100., 0.26], [0.04, 100.], [3.14, -0.5]])
    torch.export.save(torch.export.export(Integers(), (x,)), tmp_path / "m.pt2")
    for mine, theirs in zip(package.compile(tmp_path / "m.pt2", threads=1)(x.numpy()), Integers()(x), strict=True):
        np.testing.assert_array_equal(mine, theirs.numpy())


def test_channels_that_do_not_fit(graven, tmp_path):
    (tmp_path / "m.py").write_text(
        "def forward(x: Tensor, s: Tensor, z: Tensor):\n"
        "  return ops.quantized_decomposed.quantize_per_channel(x, s, z, 0, -128, 127, 1)\n")
    inputs = ["--input", "x:f32[2,3]", "--input", "s:f32[4]", "--input", "z:i64[4]"]
    run = subprocess.run([graven, "import", tmp_path / "m.py", *inputs], capture_output=True, text=True)
    assert run.returncode == 2
    assert "scheme of 4 channels, expected 2" in run.stderr
