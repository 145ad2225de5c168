"""Models on threads: one of the host's executors or the artifact's own pool, 1 to 7 threads, 100 runs, and always the same
bits; a run with a workspace allocates nothing and takes no lock.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import shutil
import subprocess

import pytest

import models
from saving import saved


@pytest.fixture(scope="module")
def host(root, tmp_path_factory):
    program = tmp_path_factory.mktemp("host") / "host"
    compiler = shutil.which("clang-22") or shutil.which("cc")
    subprocess.run([compiler, "-std=c11", "-O1", "-I", root, root / "test/numerics/Inputs/executors_host.c", "-o", program,
                    "-ldl", "-lpthread"], check=True, timeout=60)
    return program


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_large", "unet", "bert", "gpt2"])
def test_bits_do_not_depend_on_threads(graven, host, tmp_path, name):
    model, inputs, _ = models.get(name)
    (tmp_path / "m.pt").write_bytes(saved(model, inputs))
    files = []
    for i, tensor in enumerate(inputs):
        files.append(tmp_path / f"{i}.bin")
        tensor.numpy().tofile(files[-1])
    subprocess.run([graven, "compile", tmp_path / "m.pt", "-o", tmp_path / "m.so"], check=True, timeout=120)
    run = subprocess.run([host, tmp_path / "m.so", "20", *files], capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout == "calls 0\n"
