"""Kernels for GPUs without a GPU: the kernels of whole models run on this machine, from the IR that becomes PTX, and
give what PyTorch gives; where NVIDIA's assembler is installed it takes them for each architecture.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import shutil

import numpy
import pytest
import torch

import models
from gpus import assembled, graven_run, simulate
from saving import saved

ARCHITECTURES = ["sm_80", "sm_90", "sm_100"]
needs_ptxas = pytest.mark.skipif(not shutil.which("ptxas"), reason="ptxas is not on PATH")


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_large", "squeezenet", "unet", "bert", "gpt2", "vit"])
def test_models(graven, tmp_path, name):
    model, inputs, expected = models.get(name)
    [result] = simulate(graven, tmp_path, model, inputs)
    assert numpy.abs(result - expected).max() <= 1e-5 * numpy.abs(expected).max()


class Ragged(torch.nn.Module):
    """Extents that are no multiple of anything, several types, data that decide."""

    def forward(self, x, i):
        rows = x[i]
        best, where = torch.topk(rows, 3, dim=1)
        mean = rows.to(torch.bfloat16).mean(1).to(torch.float32)
        return (rows.cumsum(1), best, where, torch.where(rows > 0, rows, mean[:, None]).transpose(0, 1).contiguous(),
                torch.nn.functional.pad(rows, (1, 2), value=3.0), (i * 7) % 5, rows.amax(0), rows > 0.5)


class Recurrent(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.cells = torch.nn.LSTM(13, 9, num_layers=2, bidirectional=True)

    def forward(self, x):
        return self.cells(x)[0]


@torch.jit.script
def halve(x):
    """A loop and a branch of the host, on what the device computed."""
    steps = 0
    while bool(x.abs().max() > 1.0):
        x = x / 2
        steps += 1
    if bool(x.sum() > 0):
        return x, torch.tensor(steps)
    return -x, torch.tensor(steps)


class Halve(torch.nn.Module):
    def forward(self, x):
        return halve(x)


@pytest.mark.parametrize("model, inputs", [
    (Ragged(), (torch.randn(37, 23), torch.randint(0, 37, (19,)))),
    (Recurrent(), (torch.randn(5, 3, 13),)),
    (Halve(), (torch.randn(7, 5) * 20,)),
], ids=["ragged", "recurrent", "host control flow"])
def test_programs(graven, tmp_path, model, inputs):
    expected = model(*inputs)
    results = simulate(graven, tmp_path, model, inputs)
    assert len(results) == (len(expected) if isinstance(expected, tuple) else 1)
    for result, wanted in zip(results, expected if isinstance(expected, tuple) else [expected]):
        wanted = wanted.detach().numpy()
        assert result.shape == wanted.shape and result.dtype == wanted.dtype
        numpy.testing.assert_allclose(result, wanted, rtol=1e-5, atol=1e-6)


@needs_ptxas
@pytest.mark.parametrize("name", ["mobilenet_v3_large", "unet", "bert"])
def test_assembly(graven, tmp_path, name):
    """All kernels assemble for each architecture, and none of them spills."""
    model, inputs, _ = models.get(name)
    (tmp_path / "m.pt").write_bytes(saved(model, inputs))
    counts = set()
    for architecture in ARCHITECTURES:
        made = assembled(graven, tmp_path, architecture)
        assert (tmp_path / "m.cubin").read_bytes()[:4] == b"\x7fELF"
        assert made["kernels"] == len(made["device_kernels"]) > 0
        for kernel in made["device_kernels"]:
            assert kernel["blocks"] > 0 and 32 <= kernel["threads"] <= 1024, kernel
            assert kernel["shared_bytes"] + kernel["dynamic_shared_bytes"] <= 227 << 10, kernel
        counts.add(made["kernels"])
    assert len(counts) == 1


def test_text_is_the_same_each_time(graven, tmp_path):
    model, inputs, _ = models.get("bert")
    (tmp_path / "m.pt").write_bytes(saved(model, inputs))
    for name in ("a", "b"):
        graven_run(graven, "compile", tmp_path / "m.pt", "--target", "cuda", "-o", tmp_path / f"{name}.ptx")
    text = (tmp_path / "a.ptx").read_text()
    assert text == (tmp_path / "b.ptx").read_text()
    assert ".target sm_80" in text and ".extern .func" not in text


@pytest.mark.parametrize("flags, status, message", [
    (["--target", "cuda:sm_70", "-o", "m.ptx"], 3, "--target cuda takes sm_80, "),
    (["--target", "rocm", "-o", "m.ptx"], 3, "--target takes cpu, cuda, cuda:sm_80 or cuda,cpu, got 'rocm'"),
    (["--target", "cuda,cpu", "-o", "m.ptx"], 3, "names a CPU, and .ptx and .cubin hold code for GPUs"),
    (["--target", "cuda,cpu", "-o", "m.s"], 3, "names GPUs and a CPU, and only .so, .o and .a hold code for both"),
    (["--target", "cuda:,cpu", "-o", "m.so"], 3, "got 'cuda:,cpu'"),
    (["--target", "cuda:sm_80,sm_90", "-o", "m.ptx"], 3, "names 2 GPUs, and .ptx and .cubin hold code for one"),
    (["--target", "cuda:sm_80,sm_80", "-o", "m.ptx"], 3, "names 'sm_80' twice"),
    (["--target", "cuda", "--target-cpu", "x86-64-v2,x86-64-v3", "-o", "m.ptx"], 3, "a model for GPUs has one host"),
    (["--target", "cuda", "--tune", "-o", "m.ptx"], 3, "--tune measures kernels of CPUs"),
    (["-o", "m.ptx"], 3, "; kernels alone are for --target cuda"),
])
def test_flags(graven, tmp_path, flags, status, message):
    (tmp_path / "m.pt").write_bytes(saved(torch.nn.ReLU(), (torch.randn(3),)))
    flags = [tmp_path / flag if flag.startswith("m.") else flag for flag in flags]
    run = graven_run(graven, "compile", tmp_path / "m.pt", *flags, expected=status)
    assert message in run.stderr and "GRV" in run.stderr
    assert not list(tmp_path.glob("m.ptx"))


def test_functions_of_a_library_are_refused(graven, tmp_path):
    """A device has no libm: an elementary function of f64 is an error with its place."""
    class Model(torch.nn.Module):
        def forward(self, x):
            return torch.erf(x)

    (tmp_path / "m.pt").write_bytes(saved(Model(), (torch.randn(3, dtype=torch.float64),)))
    run = graven_run(graven, "compile", tmp_path / "m.pt", "--target", "cuda", "-o", tmp_path / "m.ptx", expected=2)
    assert "[GRV0202] 'erf' of 'f64' has no device code" in run.stderr and "test_cuda.py" in run.stderr
