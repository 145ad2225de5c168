"""Products of groups of four warps (wgmma of sm_90a), without a GPU: simulated, they are what PyTorch computes in double
precision, in each order; mistakes that are planted into them are found; ptxas takes them without a spill.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import os
import re
import shutil
import subprocess

import numpy
import pytest
import torch
from torch.nn import functional

from gpus import assembled, build_null_driver, graven_run
from saving import saved
from test_cuda_contractions import TOLERANCE, Function, normal

ORDERS = ["seed=1", "seed=2,copies=late", "seed=3,copies=early"]
half, brain = torch.float16, torch.bfloat16


def simulated(graven, folder, model, inputs, order):
    (folder / "m.pt").write_bytes(saved(model, inputs))
    given = []
    for i, tensor in enumerate(inputs):
        numpy.save(folder / f"{i}.npy", tensor.numpy())
        given += ["--input", f"{i}=@{folder / f'{i}.npy'}"]
    graven_run(graven, "run", folder / "m.pt", *given, "--target", "cuda:sm_90a", f"--simulate={order}", "--save-outputs",
               folder / "out")
    return numpy.load(folder / "out" / "0.npy")


CASES = {
    # Rows, columns and steps that are no whole tiles; one stage, and more than there are at a time.
    "64x64": (Function(lambda x, w: x @ w, normal(100, 520), dtype=half), (normal(520, 100),), "m64n64k16.f32.f16"),
    "64x128": (Function(lambda x, w: x @ w, normal(70, 1024), dtype=brain), (normal(1000, 70),), "m64n128k16.f32.bf16"),
    "128x256": (Function(lambda x, w: x @ w, normal(330, 2048), dtype=half), (normal(2100, 330),), "m64n256k16.f32.f16"),
    "one step": (Function(lambda x, w: x @ w, normal(5, 520), dtype=brain), (normal(520, 5),), "m64n64k16.f32.bf16"),
    # Lines of 64 and of 32 bytes.
    "narrow": (Function(lambda x, w: x @ w, normal(200, 32), dtype=half), (normal(9000, 200),), r"m64n\d+k16.f32.f16"),
    "narrower": (Function(lambda x, w: x @ w, normal(90, 14), dtype=half), (normal(9000, 90),), r"m64n\d+k16.f32.f16"),
    "batch": (Function(lambda x, y: x @ y, dtype=half), (normal(6, 200, 80), normal(6, 80, 200)), "m64n64k16.f32.f16"),
    "epilogue": (Function(lambda x, y, w, b: functional.gelu(functional.linear(x, w, b)) + y, normal(520, 96), normal(520),
                          dtype=brain), (normal(520, 96), normal(520, 520)), "m64n64k16.f32.bf16"),
    "conv": (Function(lambda x, w: functional.conv2d(x, w, padding=1), normal(128, 24, 3, 3), dtype=half),
             (normal(2, 24, 48, 49),), r"m64n\d+k16.f32.f16"),
    "strided conv": (Function(lambda x, v, w: functional.conv2d(functional.conv2d(x, v), w, stride=2), normal(32, 3, 1, 1),
                              normal(128, 32, 3, 3), dtype=brain), (normal(1, 3, 131, 101),), r"m64n\d+k16.f32.bf16"),
}


@pytest.mark.parametrize("case", CASES)
def test_products(graven, tmp_path, case):
    model, inputs, instruction = CASES[case]
    wanted = model.exact(inputs)
    for order in ORDERS:
        result = simulated(graven, tmp_path, model, inputs, order)
        assert numpy.abs(result.astype(numpy.float64) - wanted).max() <= 2 * TOLERANCE[model.dtype] * numpy.abs(wanted).max()
    graven_run(graven, "compile", tmp_path / "m.pt", "--target", "cuda:sm_90a", "-o", tmp_path / "m.ptx")
    text = (tmp_path / "m.ptx").read_text()
    assert re.search(f"wgmma.mma_async.sync.aligned.{instruction}", text) and ".target sm_90a" in text


@pytest.mark.skipif(not shutil.which("ptxas"), reason="ptxas is not on PATH")
@pytest.mark.parametrize("case", CASES)
def test_assembly(graven, tmp_path, case):
    """Nothing is spilled, and nothing makes the assembler wait for one product before the next."""
    model, inputs, _ = CASES[case]
    (tmp_path / "m.pt").write_bytes(saved(model, inputs))
    assert assembled(graven, tmp_path, "sm_90a")["kernels"] > 0
    graven_run(graven, "compile", tmp_path / "m.pt", "--target", "cuda:sm_90a", "-o", tmp_path / "m.ptx")
    said = subprocess.run(["ptxas", "-arch=sm_90a", "-v", tmp_path / "m.ptx", "-o", tmp_path / "m.cubin"], capture_output=True,
                          text=True, check=True)
    assert "serialized" not in said.stderr and "warning" not in said.stderr


@pytest.fixture(scope="module")
def product(graven, tmp_path_factory):
    """A product of eleven stages in the NVVM dialect, with its inputs."""
    folder = tmp_path_factory.mktemp("product")
    inputs = normal(520, 700, dtype=half), normal(700, 520, dtype=half)
    (folder / "m.pt").write_bytes(saved(Function(lambda x, y: x @ y, dtype=half), inputs))
    for i, tensor in enumerate(inputs):
        numpy.save(folder / f"{i}.npy", tensor.numpy())
    graven_run(graven, "compile", folder / "m.pt", "--target", "cuda:sm_90a", "--to", "loops", "-o", folder / "loops.mlir")
    graven_run(graven.parent / "graven-opt", folder / "loops.mlir", "--graven-nvvm-phase", "-o", folder / "m.mlir")
    return folder


# What is written wrong, and what the simulator says, with copies as late as may be and as early.
MISTAKES = {
    "copies that nobody published": (r"nvvm.fence.proxy.*", "", "without a fence of the proxy"),
    "a stage that is still read": ("wait.group.sync.aligned 1", "wait.group.sync.aligned 2", "asynchronous copy"),
    "a copy not waited for": ("nvvm.cp.async.wait.group 1", "nvvm.cp.async.wait.group 2", "asynchronous copy"),
    "threads that do not meet": ("nvvm.barrier\n", "\n", "nothing orders the two|has not been waited for"),
}


@pytest.mark.parametrize("mistake", [None, *MISTAKES])
def test_planted_mistakes(graven, product, tmp_path, mistake):
    right = (product / "m.mlir").read_text()
    pattern, replacement, finding = MISTAKES.get(mistake, ("", "", ""))
    text = re.sub(pattern, replacement, right, count=1)
    assert (text == right) == (mistake is None)
    # It refers to the weights beside it, of which it has none.
    (product / "planted.mlir").write_text(text)
    for copies in ("early", "late"):
        run = subprocess.run([graven.parent / "graven-simulate", product / "planted.mlir", f"--simulate=seed=1,copies={copies}",
                              *(f"--input={i}=@{product / f'{i}.npy'}" for i in range(2)), f"--save-outputs={tmp_path}"],
                             capture_output=True, text=True, timeout=300, check=False)
        assert run.returncode == (0 if mistake is None else 1), run.stderr
        assert re.search(finding, run.stderr)


def test_an_artifact_for_this_gpu_and_others(root, graven, tmp_path):
    """Each has kernels of its own, which are launched in extents of their own."""
    model, inputs, _ = CASES["64x128"]
    (tmp_path / "m.pt").write_bytes(saved(model, inputs))
    graven_run(graven, "compile", tmp_path / "m.pt", "--target", "cuda:sm_80,sm_90a", "-o", tmp_path / "m.so")
    build_null_driver(root, tmp_path)
    numpy.save(tmp_path / "x.npy", inputs[0].numpy())

    def launched(version):
        log = tmp_path / f"log{version}"
        done = subprocess.run([graven, "run", tmp_path / "m.so", "--input", f"0=@{tmp_path / 'x.npy'}"],
                              capture_output=True, text=True, check=False,
                              env=os.environ | {"LD_LIBRARY_PATH": str(tmp_path), "NULL_CUDA_LOG": str(log),
                                                "NULL_CUDA_SM": str(version)})
        assert done.returncode == 0, done.stderr
        # Only a text says how many pointers a kernel takes.
        return [line.split(",")[0] for line in log.read_text().splitlines() if line.startswith(("module", "launch"))]

    # Of 16 x 8 tiles each is a group's.
    older, this, newer = launched(80), launched(90), launched(100)
    assert older[1:] != this[1:] and len(older) == len(this) and any(line == "launch k_1 128 x 128" for line in this)
    # Of the one text there is, that of sm_80.
    assert newer == ["module text", *older[1:]] and "module text" not in older + this
