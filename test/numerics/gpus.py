"""What tests of code for GPUs share: runs of the tool, models in the simulator, what the assembler says, and a driver
without a GPU.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import shutil
import subprocess

import numpy

from saving import saved


def graven_run(*command, expected=0):
    run = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == expected, run.stderr
    return run


def simulate(graven, folder, model, inputs, order=None):
    """The outputs of a model whose kernels are simulated, the threads in an order of their own; leaves it in m.pt."""
    (folder / "m.pt").write_bytes(saved(model, inputs))
    given = []
    for i, tensor in enumerate(inputs):
        numpy.save(folder / f"{i}.npy", tensor.numpy())
        given += ["--input", f"{i}=@{folder / f'{i}.npy'}"]
    graven_run(graven, "run", folder / "m.pt", *given, "--target", "cuda",
               f"--simulate={order}" if order else "--simulate", "--save-outputs", folder / "out")
    return [numpy.load(path) for path in sorted((folder / "out").iterdir(), key=lambda path: int(path.stem))]


def assembled(graven, folder, architecture):
    """What became of m.pt, of whose kernels none needs memory for what its registers do not hold."""
    made = json.loads(graven_run(graven, "compile", folder / "m.pt", "--target", f"cuda:{architecture}", "-o",
                                 folder / "m.cubin", "--json").stdout)
    for kernel in made["device_kernels"]:
        assert kernel["spill_store_bytes"] == kernel["spill_load_bytes"] == kernel["stack_bytes"] == 0, kernel
    return made


def compiler():
    return shutil.which("clang-22") or "cc"


def build_null_driver(root, folder):
    """libcuda.so.1 without a GPU, in the folder."""
    subprocess.run([compiler(), "-shared", "-fPIC", "-Wall", "-Werror", "-o", folder / "libcuda.so.1",
                    root / "test" / "numerics" / "Inputs" / "null_driver.c"], check=True)
