"""One artifact for GPUs and CPUs (--target cuda,cpu): the GPU runs the model where there is one that the code is for,
and the CPU where there is none, from one copy of the weights.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import os
import subprocess

import numpy
import pytest
import torch

import models
from gpus import build_null_driver, compiler
from saving import saved


@pytest.fixture(scope="module")
def driver(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("driver")
    build_null_driver(root, folder)
    return folder


class Recurrent(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.LSTM(20, 37, 2)

    def forward(self, x):
        return self.layers(x)[0]


def save(folder, model, inputs):
    """Leaves the model in m.pt; how its inputs are named on a command line."""
    (folder / "m.pt").write_bytes(saved(model, inputs))
    given = []
    for i, tensor in enumerate(inputs):
        numpy.save(folder / f"{i}.npy", tensor.numpy())
        given += ["--input", f"{i}=@{folder / f'{i}.npy'}"]
    return given


def tool(*command, status=0, **environment):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, check=False,
                          env=os.environ | environment)
    assert done.returncode == status, done.stderr
    return done


def used(graven, artifact, **environment):
    listed = json.loads(tool(graven, "inspect", artifact, "--json", **environment).stdout)["variants"]
    return next(variant["cpu"] for variant in listed if variant["used_here"])


def get(name):
    if name != "lstm":
        return models.get(name)
    torch.manual_seed(0)
    model, x = Recurrent().eval(), torch.randn(7, 3, 20)
    return model, (x,), model(x).detach().numpy()


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_large", "unet", "gpt2", "vit", "lstm"])
def test_without_a_gpu(graven, tmp_path, name):
    """And without a driver: what PyTorch gives."""
    model, inputs, expected = get(name)
    given = save(tmp_path, model, inputs)
    both = json.loads(tool(graven, "compile", tmp_path / "m.pt", "--target", "cuda,cpu", "-o", tmp_path / "m.so",
                           "--json").stdout)
    tool(graven, "run", tmp_path / "m.so", *given, "--save-outputs", tmp_path / "out")
    result = numpy.load(tmp_path / "out" / "0.npy")
    assert numpy.abs(result - expected).max() <= 1e-5 * numpy.abs(expected).max()
    assert (tmp_path / "m.so").stat().st_size < 2 * both["weights_bytes"] + (8 << 20)
    # The same kernels for GPUs, of panels that both can take.
    tool(graven, "run", tmp_path / "m.pt", *given, "--target", "cuda,cpu", "--simulate", "--save-outputs", tmp_path / "gpu")
    result = numpy.load(tmp_path / "gpu" / "0.npy")
    assert numpy.abs(result - expected).max() <= 1e-5 * numpy.abs(expected).max()


@pytest.fixture(scope="module")
def artifact(graven, tmp_path_factory):
    """A layer of two sizes for two GPUs and two CPUs."""
    folder = tmp_path_factory.mktemp("artifact")
    torch.manual_seed(0)
    save(folder, torch.nn.Linear(8, 5), (torch.randn(3, 8),))
    tool(graven, "compile", folder / "m.pt", "--input", "0:f32[n,8]", "--dim", "n=1,3", "--target",
         "cuda:sm_80,sm_90,cpu", "--target-cpu", "x86-64-v2,x86-64-v3", "-o", folder / "m.so")
    return folder


def run(graven, artifact, driver, log, **environment):
    done = tool(graven, "run", artifact / "m.so", "--input", f"0=@{artifact / '0.npy'}", "--save-outputs", log.parent / "out",
                LD_LIBRARY_PATH=str(driver), NULL_CUDA_LOG=str(log), **environment)
    return done.stdout, log.read_text().splitlines() if log.exists() else []


def test_with_a_gpu(graven, artifact, driver, tmp_path):
    _, lines = run(graven, artifact, driver, tmp_path / "log")
    assert [line.split()[0] for line in lines].count("launch") > 0
    assert used(graven, artifact / "m.so", LD_LIBRARY_PATH=str(driver)) == "cuda:sm_80,sm_90"


@pytest.mark.parametrize("environment", [
    {"NULL_CUDA_SM": "75"}, {"NULL_CUDA_DEVICES": "0"}, {"NULL_CUDA_FAIL": "cuInit=1"}, {"GRAVEN_CUDA_DEVICE": "3"},
], ids=["an older GPU", "no GPU", "no driver that works", "not that GPU"])
def test_without_one_that_can(graven, artifact, driver, tmp_path, environment):
    _, lines = run(graven, artifact, driver, tmp_path / "log", **environment)
    assert not any(line.startswith(("launch", "allocate", "module")) for line in lines)
    layer = torch.jit.load(artifact / "m.pt")
    expected = layer(torch.from_numpy(numpy.load(artifact / "0.npy"))).detach().numpy()
    numpy.testing.assert_allclose(numpy.load(tmp_path / "out" / "0.npy"), expected, rtol=1e-5, atol=1e-6)


def test_the_best_cpu_takes_over(graven, artifact):
    assert used(graven, artifact / "m.so") == "x86-64-v3"
    assert used(graven, artifact / "m.so", GRAVEN_MAX_CPU="x86-64-v2") == "x86-64-v2"


def test_a_failure_of_the_gpu_is_no_reason(graven, artifact, driver, tmp_path):
    """Where there is one that can, what goes wrong there is said."""
    done = tool(graven, "run", artifact / "m.so", "--input", f"0=@{artifact / '0.npy'}", status=2,
                LD_LIBRARY_PATH=str(driver), NULL_CUDA_LOG=str(tmp_path / "log"), NULL_CUDA_FAIL="cuMemAlloc_v2=2")
    assert "cuMemAlloc" in done.stderr


def test_the_cpu_takes_no_stream(root, graven, driver, tmp_path):
    save(tmp_path, torch.nn.Linear(8, 8), (torch.randn(4, 8),))
    tool(graven, "compile", tmp_path / "m.pt", "--target", "cuda,cpu", "-o", tmp_path / "m.so")
    tool(compiler(), "-I", root / "runtime" / "include", "-o", tmp_path / "host",
         root / "test" / "numerics" / "Inputs" / "stream_host.c", "-ldl")
    done = tool(tmp_path / "host", tmp_path / "m.so", "off", LD_LIBRARY_PATH=str(driver), NULL_CUDA_SM="75")
    assert done.stdout.startswith("13 ") and "expected threads for code for CPUs, got a stream" in done.stdout
