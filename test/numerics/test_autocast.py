"""Exported programs with torch.autocast in them compute in the types that PyTorch computes in.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import subprocess

import numpy as np
import pytest

torch = pytest.importorskip("torch")
nn = torch.nn
F = nn.functional


class Mixed(nn.Module):
    """Products in the lower type, the rest in the type it is given; inside, once without."""

    def __init__(self, dtype):
        super().__init__()
        self.dtype = dtype
        self.conv, self.norm, self.linear = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Linear(8, 8)

    def forward(self, x, y):
        with torch.autocast("cpu", dtype=self.dtype):
            features = self.norm(self.conv(x)).relu().mean((2, 3))
            scores = self.linear(features) @ y
            with torch.autocast("cpu", enabled=False):
                whole = self.linear(features.float())
        return features, scores, whole, self.linear(x.mean((2, 3)).repeat(1, 3)[:, :8])


class Lists(nn.Module):
    """What is cast to f32, and to the widest type of a list."""

    def __init__(self, dtype):
        super().__init__()
        self.dtype = dtype

    def forward(self, x, y):
        low = x.to(self.dtype)
        with torch.autocast("cpu", dtype=self.dtype):
            return (torch.cat([low, x], 1), torch.stack([low, low]), F.mse_loss(low, low * 2), low.prod(), low + x,
                    torch.einsum("ij,kj->ik", x, y), F.scaled_dot_product_attention(x[None], y[None], y[None]),
                    low.softmax(1), F.pad(low, (1, 1), mode="replicate"), torch.baddbmm(x[None], x[None], y[None].mT),
                    x.double() @ y.double().T)


def export(model, inputs, decompose=False):
    program = torch.export.export(model.eval(), inputs)
    return program.run_decompositions() if decompose else program


CASES = {"mixed": (Mixed, lambda: (torch.randn(2, 3, 6, 6), torch.randn(8, 5))),
         "lists": (Lists, lambda: (torch.randn(4, 4), torch.randn(4, 4)))}


@pytest.mark.parametrize("decompose", [False, True], ids=["exported", "decomposed"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=["bf16", "f16"])
@pytest.mark.parametrize("name", CASES)
def test_types_are_pytorchs(name, dtype, decompose, tmp_path):
    import graven
    torch.manual_seed(0)
    make, inputs = CASES[name]
    inputs = inputs()
    program = export(make(dtype), inputs, decompose)
    torch.export.save(program, tmp_path / "m.pt2")
    with torch.no_grad():
        expected = program.module()(*inputs)
    outputs = graven.load(tmp_path / "m.pt2").compile(threads=1)(*inputs)
    step = torch.finfo(dtype).eps
    for i, (output, wanted) in enumerate(zip(outputs, expected, strict=True)):
        assert str(output.dtype) == str(wanted.dtype).removeprefix("torch.") and output.shape == tuple(wanted.shape), i
        # The products that came before are rounded, in an order that neither promises.
        np.testing.assert_allclose(output.astype("f8"), wanted.double(), rtol=0, atol=2 * step * wanted.abs().max().item())


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 4)

    def forward(self, x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return self.lstm(x)[0]


def test_what_is_cast_within_is_refused(build, tmp_path):
    path = tmp_path / "m.pt2"
    torch.export.save(export(Recurrent(), (torch.randn(2, 1, 4),)), path)
    result = subprocess.run([build / "bin/graven", "import", path], capture_output=True, text=True)
    assert result.returncode == 2 and "[GRV0202] aten::lstm" in result.stderr and "torch.autocast" in result.stderr


class Scripted(nn.Module):
    def __init__(self, device: str, enabled: bool):
        super().__init__()
        self.device, self.enabled = device, enabled
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.enabled):
            return self.linear(x)


@pytest.mark.parametrize("device, enabled", [("cpu", True), ("cpu", False), ("cuda", True)])
def test_a_script_casts_where_nothing_says_it(device, enabled, tmp_path):
    import graven
    module, x = torch.jit.script(Scripted(device, enabled)), torch.randn(2, 4)
    module.save(tmp_path / "m.pt")
    if device == "cpu" and enabled:
        with pytest.raises(graven.Error, match="GRV0202.*torch.autocast in a script"):
            graven.compile(tmp_path / "m.pt", inputs=[x.numpy()])
    else:
        output = graven.compile(tmp_path / "m.pt", inputs=[x.numpy()])(x.numpy())
        np.testing.assert_allclose(output, module.linear(x).detach(), rtol=1e-5, atol=1e-6)


def test_a_trace_says_its_casts(tmp_path):
    import graven
    torch.manual_seed(0)
    inputs = (torch.randn(2, 3, 6, 6), torch.randn(8, 5))
    with torch.no_grad():
        traced = torch.jit.trace(Mixed(torch.bfloat16).eval(), inputs, check_trace=False)
        expected = traced(*inputs)
    traced.save(tmp_path / "m.pt")
    for output, wanted in zip(graven.compile(tmp_path / "m.pt")(*[x.numpy() for x in inputs]), expected, strict=True):
        assert str(output.dtype) == str(wanted.dtype).removeprefix("torch.")
        np.testing.assert_allclose(output.astype("f8"), wanted.double(), rtol=0, atol=2**-7 * wanted.abs().max().item())
