"""Models that PyTorch's eager mode quantized: the compiled model gives the numbers that PyTorch's 8-bit kernels give. A
sum that falls within rounding of the middle between two integers may go to either; the tests' models have none.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import subprocess

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch.ao import quantization as q  # noqa: E402

nn = torch.nn
pytestmark = pytest.mark.filterwarnings("ignore")


class Convolutions(nn.Module):
    """Every kind of layer that static quantization has a kernel for."""

    def __init__(self):
        super().__init__()
        self.quant, self.dequant, self.sum, self.join = q.QuantStub(), q.DeQuantStub(), *(
            nn.quantized.FloatFunctional() for _ in range(2))
        self.one = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.two = nn.Conv2d(8, 8, 3, padding=1, stride=1, groups=4)
        self.pool, self.average = nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(2)
        self.gate, self.head = nn.Hardswish(), nn.Sequential(nn.Linear(64, 16), nn.ReLU6(), nn.Linear(16, 5))

    def forward(self, x):
        x = self.one(self.quant(x))
        x = self.sum.add_relu(x, self.two(x))
        x = self.gate(self.pool(x))
        x = self.join.cat([x, torch.sigmoid(x)], 1)
        return self.dequant(self.head(torch.flatten(self.average(x), 1)))


class Dense(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(12, 32), nn.Linear(32, 7, bias=False)

    def forward(self, x):
        return self.two(torch.tanh(self.one(x)))


def static(engine):
    torch.backends.quantized.engine = engine
    model = Convolutions().eval()
    model.qconfig = q.get_default_qconfig(engine)
    q.fuse_modules(model, [["one.0", "one.1", "one.2"]], inplace=True)
    q.prepare(model, inplace=True)
    for _ in range(4):
        model(torch.randn(2, 3, 8, 8))
    return q.convert(model), torch.randn(2, 3, 8, 8)


def dynamic(dtype):
    torch.backends.quantized.engine = "fbgemm"
    return q.quantize_dynamic(Dense().eval(), {nn.Linear}, dtype=dtype), torch.randn(3, 12)


CASES = {
    "static": lambda: static("fbgemm"),
    "dynamic": lambda: dynamic(torch.qint8),
    "dynamic-f16": lambda: dynamic(torch.float16),
}


def save(model, x, how, path):
    if how == "trace":
        saved = torch.jit.trace(model, x, check_trace=False)
    else:
        saved = torch.jit.script(model)
        if how == "frozen":
            saved = torch.jit.freeze(saved)
    torch.jit.save(saved, path)


def native(build, path, x, folder):
    np.save(folder / "x.npy", x.numpy())
    shape = ",".join(map(str, x.shape))
    done = subprocess.run([build / "bin/graven", "run", path, "--input", f"0:f32[{shape}]", "--input",
                           f"0=@{folder / 'x.npy'}", "--save-outputs", folder / "out"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return np.load(folder / "out" / "0.npy")


@pytest.mark.parametrize("how", ["script", "trace", "frozen"])
@pytest.mark.parametrize("name", CASES)
def test_matches_pytorch(build, name, how, tmp_path):
    torch.manual_seed(0)
    model, x = CASES[name]()
    save(model, x, how, tmp_path / "m.pt")
    with torch.no_grad():
        want = model(x).numpy()
    np.testing.assert_allclose(native(build, tmp_path / "m.pt", x, tmp_path), want, rtol=1e-5, atol=1e-5)


class Questions(nn.Module):
    def forward(self, x):
        y = torch.quantize_per_tensor(x, 0.05, 3, torch.qint8)
        return y.int_repr(), y.dequantize() * y.q_scale() + y.q_zero_point(), y.reshape(-1)[1:].dequantize()


@pytest.mark.parametrize("how", ["script", "trace"])
def test_integers(build, how, tmp_path):
    x = torch.linspace(-9, 9, 12).reshape(3, 4)
    save(Questions(), x, how, tmp_path / "m.pt")
    got = native(build, tmp_path / "m.pt", x, tmp_path)
    want = Questions()(x)
    assert got.dtype == np.int8
    np.testing.assert_array_equal(got, want[0].numpy())
    for i in (1, 2):
        np.testing.assert_allclose(np.load(tmp_path / "out" / f"{i}.npy"), want[i].numpy(), rtol=1e-6)


class NoKernel(nn.Module):
    def forward(self, x):
        return torch.softmax(torch.quantize_per_tensor(x, 0.05, 3, torch.qint8), 0).dequantize()


def test_says_what_has_no_quantized_form(build, tmp_path):
    torch.jit.save(torch.jit.script(NoKernel()), tmp_path / "m.pt")
    done = subprocess.run([build / "bin/graven", "import", tmp_path / "m.pt", "--input", "x:f32[4]"],
                          capture_output=True, text=True)
    assert done.returncode == 2
    assert "[GRV0202]" in done.stderr and "aten::softmax of a quantized tensor" in done.stderr
    assert "test_quantized.py:" in done.stderr
