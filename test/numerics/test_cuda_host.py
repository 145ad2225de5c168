"""Artifacts for GPUs on a driver that has no GPU (Inputs/null_driver.c): what is loaded, copied and launched,
that every pointer lies in memory of the device, and what is said when something fails.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import os
import shutil
import subprocess

import numpy
import pytest
import torch

from gpus import build_null_driver
from saving import saved


class Classifier(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.linear = torch.nn.Linear(8, 5)

    def forward(self, x):
        return torch.softmax(self.linear(torch.relu(self.conv(x)).mean((2, 3))), -1)


@torch.jit.script
def halve(x):
    while bool(x.abs().max() > 1.0):
        x = x / 2
    return x


class Halve(torch.nn.Module):
    def forward(self, x):
        return halve(x)


@pytest.fixture(scope="module")
def driver(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("driver")
    build_null_driver(root, folder)
    return folder


@pytest.fixture(scope="module")
def artifact(graven, tmp_path_factory):
    """The classifier for two GPUs."""
    folder = tmp_path_factory.mktemp("artifact")
    torch.manual_seed(0)
    inputs = (torch.randn(2, 3, 16, 16),)
    (folder / "m.pt").write_bytes(saved(Classifier().eval(), inputs))
    numpy.save(folder / "x.npy", inputs[0].numpy())
    subprocess.run([graven, "compile", folder / "m.pt", "--target", "cuda:sm_80,sm_90", "-o", folder / "m.so"], check=True)
    return folder


def run(graven, model, driver, log, *flags, status=0, **environment):
    environment = os.environ | {"LD_LIBRARY_PATH": str(driver), "NULL_CUDA_LOG": str(log)} | environment
    done = subprocess.run([graven, "run", model, *flags], capture_output=True, text=True, timeout=120, check=False,
                          env=environment)
    assert done.returncode == status, done.stderr
    return done.stderr, log.read_text().splitlines() if log.exists() else []


def given(artifact):
    return "--input", f"0=@{artifact / 'x.npy'}"


def test_a_run(graven, artifact, driver, tmp_path):
    """On a GPU newer than the machine code, so that the text says how many pointers a kernel takes."""
    _, lines = run(graven, artifact / "m.so", driver, tmp_path / "log", *given(artifact), NULL_CUDA_SM="120")
    assert lines[:3] == ["device 0", "retain 0", "module text"]
    assert len([line for line in lines if line.startswith("allocate")]) == 1
    # The weights, once, and the input; then the kernels; then the output.
    copies = [line for line in lines if line.startswith("to device")]
    assert len(copies) == 2 and copies[1] == f"to device {2 * 3 * 16 * 16 * 4}"
    launches = [line for line in lines if line.startswith("launch")]
    assert launches and all(line.endswith(" pointers") and not line.endswith(" 0 pointers") for line in launches)
    assert lines[-1] == f"to host {2 * 5 * 4}" and lines.index(copies[1]) < lines.index(launches[0])
    assert not any("fails" in line for line in lines)


def test_the_same_kernels_are_launched_as_simulated(graven, artifact, driver, tmp_path):
    _, lines = run(graven, artifact / "m.so", driver, tmp_path / "log", *given(artifact))
    text = subprocess.run([graven, "compile", artifact / "m.pt", "--target", "cuda", "--to", "loops", "-o",
                           tmp_path / "m.mlir"], check=True, capture_output=True)
    assert text.returncode == 0
    written = (tmp_path / "m.mlir").read_text()
    main = written[written.index("func.func @forward"):written.index("gpu.module")]
    assert main.count("gpu.launch_func") == len([line for line in lines if line.startswith("launch")])


@pytest.mark.skipif(not shutil.which("ptxas"), reason="without ptxas an artifact has text alone")
@pytest.mark.parametrize("device, code", [("80", "machine code"), ("86", "machine code"), ("90", "machine code"),
                                          ("100", "text")])
def test_choice_of_code(graven, artifact, driver, tmp_path, device, code):
    _, lines = run(graven, artifact / "m.so", driver, tmp_path / "log", *given(artifact), NULL_CUDA_SM=device)
    assert f"module {code}" in lines


def test_device_by_number(graven, artifact, driver, tmp_path):
    two = {"NULL_CUDA_DEVICES": "2"}
    _, lines = run(graven, artifact / "m.so", driver, tmp_path / "log", *given(artifact), GRAVEN_CUDA_DEVICE="1", **two)
    assert lines[0] == "device 1"
    for wrong in ("2", "one", "-1"):
        message, _ = run(graven, artifact / "m.so", driver, tmp_path / "log", *given(artifact), status=2,
                         GRAVEN_CUDA_DEVICE=wrong, **two)
        assert "GRAVEN_CUDA_DEVICE has no number of one" in message


def test_no_driver(graven, artifact, tmp_path):
    message, _ = run(graven, artifact / "m.so", tmp_path, tmp_path / "log", *given(artifact), status=2)
    assert "[GRV0502]" in message and "device failure: no CUDA driver: libcuda.so.1 cannot be loaded" in message


@pytest.mark.parametrize("environment, message", [
    ({"NULL_CUDA_DEVICES": "0"}, "device failure: no device: the driver counts none"),
    ({"NULL_CUDA_SM": "75"}, "no code for this device: it is older than the GPUs that the model was compiled for"),
    ({"NULL_CUDA_FAIL": "cuInit=3"}, "device failure: cuInit: a failure of the null driver"),
    ({"NULL_CUDA_FAIL": "cuMemAlloc_v2=2"}, "cuMemAlloc: out of memory"),
    ({"NULL_CUDA_FAIL": "cuModuleLoadData=218"}, "device failure: cuModuleLoadData: "),
    ({"NULL_CUDA_FAIL": "cuLaunchKernel=700"}, "device failure: k_0: an illegal memory access was encountered"),
    ({"NULL_CUDA_FAIL": "cuStreamSynchronize=700"}, "an illegal memory access was encountered"),
    ({"NULL_CUDA_FAIL": "cuMemcpyDtoHAsync_v2=1"}, "device failure: cuMemcpyDtoHAsync: "),
], ids=["none", "older", "init", "memory", "module", "launch", "wait", "copy"])
def test_failures(graven, artifact, driver, tmp_path, environment, message):
    said, lines = run(graven, artifact / "m.so", driver, tmp_path / "log", *given(artifact), status=2, **environment)
    assert "[GRV0502]" in said and message in said, said
    # After a failed launch no other follows, and nothing that failed is tried again.
    assert len([line for line in lines if "fails" in line]) == ("NULL_CUDA_FAIL" in environment)
    assert "cuLaunchKernel" not in str(environment) or not any(line.startswith("launch") for line in lines)
    # A device that could not be opened is given back.
    if "retain 0" in lines and not any(line.startswith("to device") for line in lines):
        assert lines[-1] == "release 0"


def test_control_flow_reads_the_device(graven, driver, tmp_path):
    """The null driver's memory is zeros: the loop's condition is false when it is read for the first time."""
    (tmp_path / "m.pt").write_bytes(saved(Halve(), (torch.randn(7, 5),)))
    numpy.save(tmp_path / "x.npy", numpy.full((7, 5), 100, numpy.float32))
    _, lines = run(graven, tmp_path / "m.pt", driver, tmp_path / "log", "--target", "cuda", "--input",
                   f"0=@{tmp_path / 'x.npy'}", NULL_CUDA_SM="120")
    assert "to host 1" in lines and lines[-1] == "to host 140"
    assert lines.index("to host 1") > min(i for i, line in enumerate(lines) if line.startswith("launch"))


def test_shared_memory_is_asked_for(graven, driver, tmp_path):
    """A product whose stages are more than a kernel may have unasked: asked for once, before it is launched."""
    (tmp_path / "m.pt").write_bytes(saved(torch.nn.Linear(96, 2048), (torch.randn(1024, 96),)))
    numpy.save(tmp_path / "x.npy", numpy.zeros((1024, 96), numpy.float32))
    subprocess.run([graven, "compile", tmp_path / "m.pt", "--target", "cuda", "-o", tmp_path / "m.so"], check=True)
    flags = ["--input", f"0=@{tmp_path / 'x.npy'}"]
    _, lines = run(graven, tmp_path / "m.so", driver, tmp_path / "log", *flags)
    asked = [line for line in lines if line.endswith(" bytes")]
    assert len(asked) == 1 and int(asked[0].split()[-2]) > 48 << 10
    name = asked[0].split()[0]
    launched = [line for line in lines if line.startswith(f"launch {name} ")]
    assert len(launched) == 1 and lines.index(asked[0]) < lines.index(launched[0])
    message, lines = run(graven, tmp_path / "m.so", driver, tmp_path / "failed", *flags, status=2,
                         NULL_CUDA_FAIL="cuFuncSetAttribute=1")
    assert "device failure: cuFuncSetAttribute: " in message and lines[-1] == "release 0"
