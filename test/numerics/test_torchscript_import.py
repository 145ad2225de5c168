"""TorchScript models, scripted and traced, made here: the imported graph, run by the reference evaluator, gives what
PyTorch gives.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import subprocess
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from programs import Encoder, Mutating  # noqa: E402

nn = torch.nn
warnings.filterwarnings("ignore", category=DeprecationWarning)

# Element types as --input writes them.
DTYPES = {torch.float32: "f32", torch.int64: "i64", torch.bool: "i1"}


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2),
            nn.Conv2d(8, 8, 3, groups=4), nn.Hardswish(inplace=True), nn.AdaptiveAvgPool2d(2))
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(32, 5))

    def forward(self, x):
        return self.head(torch.flatten(self.features(x), 1))


class Promoting(nn.Module):
    def forward(self, x, i):
        return x + i, i * 2.5, i // 3, torch.where(i > 2, i, 0), (i / 2).floor(), torch.cat([x, i.to(torch.float32)])


def tensors(value):
    if isinstance(value, torch.Tensor):
        return [value]
    items = value.values() if isinstance(value, dict) else value
    return [t for item in items for t in tensors(item)]


def run(graven, model, inputs, folder):
    """The outputs of the reference evaluator for a saved model."""
    command = [str(graven), "run", "--evaluate", str(model), "--save-outputs", str(folder / "out")]
    for i, tensor in enumerate(inputs):
        np.save(folder / f"{i}.npy", tensor.numpy())
        command += ["--input", f"{i}=@{folder / f'{i}.npy'}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    count = len(list((folder / "out").glob("*.npy")))
    return [np.load(folder / "out" / f"{i}.npy") for i in range(count)]


CASES = {
    "convnet": (ConvNet, lambda: (torch.rand(1, 3, 11, 11),)),
    "encoder": (Encoder, lambda: (torch.randint(0, 20, (1, 6)), torch.tensor([[1, 1, 1, 1, 0, 0]]))),
    "mutating": (Mutating, lambda: (torch.randn(4, 3),)),
    "promoting": (Promoting, lambda: (torch.rand(4), torch.tensor([-5, 0, 3, 7]))),
}


@pytest.mark.parametrize("how", ["script", "trace"])
@pytest.mark.parametrize("name", CASES)
def test_matches_pytorch(graven, tmp_path, name, how):
    torch.manual_seed(0)
    make, example = CASES[name]
    model, inputs = make().eval(), example()
    with torch.no_grad():
        saved = torch.jit.script(model) if how == "script" else torch.jit.trace(model, inputs, strict=False)
        expected = tensors(model(*[t.clone() for t in inputs]))
    torch.jit.save(saved, tmp_path / "m.pt")
    outputs = run(graven, tmp_path / "m.pt", inputs, tmp_path)
    assert len(outputs) == len(expected)
    for got, want in zip(outputs, expected):
        assert got.dtype == want.numpy().dtype
        np.testing.assert_allclose(got, want.numpy(), rtol=1e-5, atol=1e-5)


def test_strided_and_shared_weights(graven, tmp_path):
    class Views(nn.Module):
        def __init__(self):
            super().__init__()
            base = torch.arange(24.0).reshape(4, 6)
            self.register_buffer("a", base[1:, ::2])
            self.register_buffer("b", base.t())
            self.register_buffer("c", torch.ones(1).expand(3))
            self.register_buffer("h", torch.tensor([1.5, -2.0], dtype=torch.float16))

        def forward(self, x):
            return self.a @ x, self.b + 1, self.c, self.h.to(torch.float32)

    x = torch.rand(3, 2)
    torch.jit.save(torch.jit.script(Views()), tmp_path / "m.pt")
    outputs = run(graven, tmp_path / "m.pt", (x,), tmp_path)
    for got, want in zip(outputs, Views()(x)):
        np.testing.assert_allclose(got, want.numpy(), rtol=1e-6)


def test_weights_only_file_is_explained(graven, tmp_path):
    torch.save({"w": torch.ones(2)}, tmp_path / "m.pt")
    done = subprocess.run([str(graven), "import", str(tmp_path / "m.pt")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "[GRV0002]" in done.stderr and "weights only" in done.stderr


@pytest.mark.parametrize("keep", [0, 1, 100, 500, -1])
def test_truncated_archives(graven, tmp_path, keep):
    torch.jit.save(torch.jit.script(Mutating()), tmp_path / "m.pt")
    data = (tmp_path / "m.pt").read_bytes()[:keep]
    (tmp_path / "cut.pt").write_bytes(data)
    done = subprocess.run([str(graven), "import", str(tmp_path / "cut.pt"), "--input", "x:f32[4,3]"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert "[GRV" in done.stderr


def test_written_buffers(graven, tmp_path):
    """A run sees what it writes itself; the next one starts from the saved value."""
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("count", torch.zeros(2))

        def forward(self, x):
            self.count.add_(1)
            return x + self.count

    x = torch.rand(2)
    torch.jit.save(torch.jit.script(Counting()), tmp_path / "m.pt")
    np.testing.assert_allclose(run(graven, tmp_path / "m.pt", (x,), tmp_path)[0], x.numpy() + 1)
