"""Code with AVX-512 gives what PyTorch gives: on an emulated CPU, so on every machine.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import subprocess
import sys

import numpy
import pytest

import models
from saving import saved


def emulated(graven, root, folder, name, *flags):
    """What an emulated CPU makes of the model, what PyTorch makes of it, and the variant that ran."""
    model, inputs, expected = models.get(name)
    (folder / "m.pt").write_bytes(saved(model, inputs))
    files = []
    for i, tensor in enumerate(inputs):
        files.append(folder / f"input{i}.npy")
        numpy.save(files[-1], tensor.numpy())
    ran = None
    for command in [[graven, "compile", folder / "m.pt", "-o", folder / "m.so", *flags],
                    [sys.executable, root / "tools/dev/emulate/run.py", folder / "m.so", folder, *files]]:
        ran = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, check=False)
        assert ran.returncode == 0, ran.stderr
    return numpy.load(folder / "0.npy"), expected, ran.stdout.strip()


@pytest.mark.parametrize("name", ["unet", "mobilenet_v3_large", "squeezenet", "densenet121", "bert", "gpt2", "vit"])
def test_models(graven, root, tmp_path, name):
    got, expected, variant = emulated(graven, root, tmp_path, name, "--target-cpu", "znver5")
    assert variant == "znver5"
    assert numpy.abs(got - expected).max() <= 1e-5 * numpy.abs(expected).max()


def test_widest_of_several_levels(graven, root, tmp_path):
    got, expected, variant = emulated(graven, root, tmp_path, "bert", "--target-cpu", "x86-64-v2,x86-64-v3,x86-64-v4")
    assert variant == "x86-64-v4"
    assert numpy.abs(got - expected).max() <= 1e-5 * numpy.abs(expected).max()
