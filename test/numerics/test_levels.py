"""One artifact for several CPUs: every version that this machine can run gives what PyTorch gives, from one copy of the
weights.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import os
import subprocess

import numpy
import pytest

import models
from saving import saved

LEVELS = ["x86-64-v4", "x86-64-v3", "x86-64-v2", "x86-64"]


def graven_json(*command, level=None):
    environment = os.environ | ({"GRAVEN_MAX_CPU": level} if level else {})
    run = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, check=False,
                         env=environment)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout) if "--json" in command else None


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_large", "unet", "bert"])
def test_versions(graven, tmp_path, name):
    model, inputs, expected = models.get(name)
    (tmp_path / "m.pt").write_bytes(saved(model, inputs))
    given = []
    for i, tensor in enumerate(inputs):
        numpy.save(tmp_path / f"{i}.npy", tensor.numpy())
        given += ["--input", f"{i}=@{tmp_path / f'{i}.npy'}"]
    both = graven_json(graven, "compile", tmp_path / "m.pt", "-o", tmp_path / "m.so", "--json", "--target-cpu",
                       "x86-64-v2,x86-64-v3,x86-64-v4,x86-64")
    widest = graven_json(graven, "compile", tmp_path / "m.pt", "-o", tmp_path / "w.so", "--json", "--target-cpu", "x86-64-v4")
    assert both["weights_bytes"] == widest["weights_bytes"]
    assert both["workspace_bytes"] == widest["workspace_bytes"]
    answers = {}
    for level in LEVELS:
        listed = graven_json(graven, "inspect", tmp_path / "m.so", "--json", level=level)["variants"]
        assert [variant["cpu"] for variant in listed] == LEVELS
        used = next(variant["cpu"] for variant in listed if variant["used_here"])
        assert LEVELS.index(used) >= LEVELS.index(level)
        graven_json(graven, "run", tmp_path / "m.so", *given, "--save-outputs", tmp_path / level, level=level)
        answers[used] = numpy.load(tmp_path / level / "0.npy")
    assert "x86-64" in answers and "x86-64-v2" in answers
    for answer in answers.values():
        assert numpy.abs(answer - expected).max() <= 1e-5 * numpy.abs(expected).max()
