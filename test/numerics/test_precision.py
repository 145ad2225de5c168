"""Models of f16 and bf16, and f32 models with bf16 weights: native code against PyTorch in f64.

The bounds are those of the accuracy policy: a sum of K products may be off by 2 sqrt(K) eps sum |a b|, a whole model by
no more than twice what PyTorch itself is off in the same type.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import copy
import json
import subprocess

import numpy as np
import pytest
import torch

import graven as package

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore::FutureWarning",
                                        "ignore::UserWarning")
EPS = {torch.float16: 2.0**-10, torch.bfloat16: 2.0**-7}


class Mlp(torch.nn.Module):
    """Products with biases, activations and a residual at the store."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = torch.nn.Linear(96, 130), torch.nn.Linear(130, 96), torch.nn.Linear(96, 17)

    def forward(self, x):
        y = torch.nn.functional.gelu(self.first(x))
        return self.last(torch.relu(self.second(y) + x))


class Images(torch.nn.Module):
    """Convolutions of all kinds, norms and pools, with channels that fill no block."""

    def __init__(self):
        super().__init__()
        self.stem = torch.nn.Conv2d(3, 24, 3, stride=2, padding=1, bias=False)
        self.norm = torch.nn.BatchNorm2d(24)
        self.depthwise = torch.nn.Conv2d(24, 24, 3, padding=1, groups=24)
        self.point = torch.nn.Conv2d(24, 40, 1)
        self.wide = torch.nn.Conv2d(40, 40, 3, padding=1)
        self.head = torch.nn.Linear(40, 10)

    def forward(self, x):
        x = torch.nn.functional.max_pool2d(torch.relu(self.norm(self.stem(x))), 3, 2, 1)
        x = torch.nn.functional.silu(self.point(torch.relu(self.depthwise(x))))
        x = torch.nn.functional.avg_pool2d(torch.relu(self.wide(x) + x), 2)
        return self.head(x.mean((2, 3)))


class Transformer(torch.nn.Module):
    """Attention, layer norms and an embedding."""

    def __init__(self):
        super().__init__()
        self.words = torch.nn.Embedding(200, 64)
        self.norm, self.last = torch.nn.LayerNorm(64), torch.nn.LayerNorm(64)
        self.qkv, self.out = torch.nn.Linear(64, 192), torch.nn.Linear(64, 64)
        self.up, self.down = torch.nn.Linear(64, 256), torch.nn.Linear(256, 64)

    def forward(self, ids):
        x = self.words(ids)
        parts = self.qkv(self.norm(x)).unflatten(-1, [3, 4, 16]).permute(2, 0, 3, 1, 4)
        y = torch.nn.functional.scaled_dot_product_attention(parts[0], parts[1], parts[2])
        x = x + self.out(y.transpose(1, 2).flatten(2))
        return x + self.down(torch.nn.functional.gelu(self.up(self.last(x))))


def inputs_of(kind):
    torch.manual_seed(0)
    if kind is Mlp:
        return torch.randn(5, 96)
    if kind is Images:
        return torch.randn(2, 3, 30, 34)
    return torch.randint(0, 200, (2, 11))


def model_of(kind):
    torch.manual_seed(1)
    model = kind().eval()
    for name, buffer in model.named_buffers():
        if "running" in name:
            buffer.uniform_(0.5, 1.5)
    return model


def wide(array):
    """A result as f64; NumPy has no bf16 but what ml_dtypes adds."""
    return np.asarray(array).astype(np.float64)


def error(got, exact):
    return np.abs(wide(got) - exact).max() / np.abs(exact).max()


@pytest.mark.parametrize("dtype", EPS, ids=str)
@pytest.mark.parametrize("kind", [Mlp, Images, Transformer])
@pytest.mark.parametrize("cpu", ["native", "x86-64"])
def test_narrow_models(tmp_path, kind, dtype, cpu):
    x, model = inputs_of(kind), model_of(kind).to(dtype)
    if x.is_floating_point():
        x = x.to(dtype)
    with torch.no_grad():
        exact = copy.deepcopy(model).double()(x.double() if x.is_floating_point() else x).numpy()
        theirs = model(x)
        torch.jit.trace(model, (x,)).save(str(tmp_path / "m.pt"))
    got = package.compile(tmp_path / "m.pt", threads=1, target_cpu=cpu)(x)
    assert str(got.dtype) == str(dtype).removeprefix("torch.")
    assert error(got, exact) <= 2 * error(theirs.float().numpy(), exact) + EPS[dtype]


def saved_as(form, model, x, folder):
    """The file of the model, and what compile needs beside it."""
    if form == "exported":
        torch.export.save(torch.export.export(model, (x,)), folder / "m.pt2")
        return folder / "m.pt2", {}
    torch.jit.script(model).save(str(folder / "m.pt"))
    kind = {torch.float16: "f16", torch.bfloat16: "bf16", torch.int64: "i64"}[x.dtype]
    name = "x" if x.is_floating_point() else "ids"
    return folder / "m.pt", {"inputs": [f"{name}:{kind}[{','.join(map(str, x.shape))}]"]}


@pytest.mark.parametrize("precision", ["f32", "bf16"])
@pytest.mark.parametrize("dtype", EPS, ids=str)
@pytest.mark.parametrize("kind", [Images, Transformer])
@pytest.mark.parametrize("form", ["scripted", "exported"])
def test_forms_of_narrow_models(tmp_path, form, kind, dtype, precision):
    x, model = inputs_of(kind), model_of(kind).to(dtype)
    if x.is_floating_point():
        x = x.to(dtype)
    with torch.no_grad():
        exact = copy.deepcopy(model).double()(x.double() if x.is_floating_point() else x).numpy()
        theirs = model(x)
        path, options = saved_as(form, model, x, tmp_path)
    got = package.compile(path, threads=1, precision=precision, **options)(x)
    assert str(got.dtype) == str(dtype).removeprefix("torch.")
    # What is rounded further is off as a model of that type is.
    eps = EPS[torch.bfloat16] if precision == "bf16" else EPS[dtype]
    assert error(got, exact) <= 2 * error(theirs.float().numpy(), exact) + eps


@pytest.mark.parametrize("kind", [Mlp, Images, Transformer])
def test_bf16_of_f32_models(tmp_path, kind):
    x, model = inputs_of(kind), model_of(kind)
    with torch.no_grad():
        exact = copy.deepcopy(model).double()(x.double() if x.is_floating_point() else x).numpy()
        theirs = copy.deepcopy(model).bfloat16()(x.bfloat16() if x.is_floating_point() else x).float().numpy()
        torch.jit.trace(model, (x,)).save(str(tmp_path / "m.pt"))
    plain = package.compile(tmp_path / "m.pt", threads=1)
    model = package.compile(tmp_path / "m.pt", threads=1, precision="bf16")
    got = model(x.numpy())
    assert got.dtype == np.float32
    assert error(got, exact) <= error(theirs, exact)
    assert error(plain(x.numpy()), exact) < 1e-5
    # The convolutions here are small, or Winograd's.
    if kind is not Images:
        assert 1e-5 < error(got, exact)
        assert model.stats.weights_bytes < 0.75 * plain.stats.weights_bytes


@pytest.mark.parametrize("rows", [1, 7, 130])
@pytest.mark.parametrize("numerics", ["strict", "default", "fast"])
def test_bf16_product(tmp_path, rows, numerics):
    torch.manual_seed(2)
    layer = torch.nn.Linear(515, 200, bias=False)
    x = torch.randn(rows, 515)
    torch.jit.trace(layer, (x,)).save(str(tmp_path / "m.pt"))
    got = package.compile(tmp_path / "m.pt", threads=1, numerics=numerics, precision="bf16")(x.numpy())
    w = layer.weight.detach().double().numpy()
    exact, size = wide(x) @ w.T, np.abs(wide(x)) @ np.abs(w.T)
    assert (np.abs(got - exact) <= 2 * np.sqrt(515) * EPS[torch.bfloat16] * size).all()
    # The weights are rounded, and nothing else is.
    rounded = layer.weight.detach().bfloat16().double().numpy()
    assert (np.abs(got - wide(x) @ rounded.T) <= 2 * np.sqrt(515) * 2.0**-8 * size).all()


@pytest.mark.parametrize("make, bidirectional", [(torch.nn.LSTM, False), (torch.nn.GRU, True), (torch.nn.RNN, False)])
@pytest.mark.parametrize("cpu", ["native", "x86-64"])
def test_bf16_recurrence(tmp_path, make, bidirectional, cpu):
    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = make(72, 77, bidirectional=bidirectional)

        def forward(self, x):
            return self.inner(x)[0]

    torch.manual_seed(3)
    model, x = Layer().eval(), torch.randn(9, 3, 72)
    torch.jit.trace(model, (x,)).save(str(tmp_path / "m.pt"))
    plain = package.compile(tmp_path / "m.pt", threads=1, target_cpu=cpu)
    narrow = package.compile(tmp_path / "m.pt", threads=1, precision="bf16", target_cpu=cpu)
    rounded = copy.deepcopy(model).double()
    for name, weight in rounded.named_parameters():
        if "weight" in name:
            weight.data = weight.data.bfloat16().double()
    # The weights are rounded, and nothing else is.
    assert error(narrow(x.numpy()), rounded(x.double()).detach().numpy()) < 1e-5
    assert narrow.stats.weights_bytes < 0.6 * plain.stats.weights_bytes


def test_command_line(graven, tmp_path):
    torch.jit.trace(Mlp().eval(), (torch.randn(1, 96),)).save(str(tmp_path / "m.pt"))
    sizes = {}
    for precision in ("f32", "bf16"):
        run = subprocess.run([graven, "compile", tmp_path / "m.pt", "-o", tmp_path / "m.so", "--precision", precision,
                              "--json"], capture_output=True, text=True, check=True)
        sizes[precision] = json.loads(run.stdout)["weights_bytes"]
    assert sizes["bf16"] < 0.6 * sizes["f32"]
    run = subprocess.run([graven, "compile", tmp_path / "m.pt", "-o", tmp_path / "m.so", "--precision", "f8"],
                         capture_output=True, text=True)
    assert run.returncode == 3


def test_unknown_options(tmp_path):
    with pytest.raises(ValueError, match="precision must be"):
        package.compile(b"", precision="f8")
    with pytest.raises(ValueError, match="numerics must be"):
        package.compile(b"", numerics="loose")
