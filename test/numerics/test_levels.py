"""One artifact for several CPUs: every version that this machine can run gives what PyTorch gives, from one copy of the
weights.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import os
import subprocess

import numpy
import pytest
import torch

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


class Recurrent(torch.nn.Module):
    def __init__(self, kind, *sizes, **how):
        super().__init__()
        self.layers = kind(*sizes, **how)

    def forward(self, x):
        return self.layers(x)[0]


# Of 37 units the last panel is ragged for every CPU; of 256 a panel of one is several vectors of another.
@pytest.mark.parametrize("kind, units, layers, batch", [
    (torch.nn.LSTM, 37, 2, 3), (torch.nn.LSTM, 256, 1, 1), (torch.nn.GRU, 70, 1, 5), (torch.nn.RNN, 130, 1, 2),
], ids=["lstm", "wide lstm", "gru", "rnn"])
def test_recurrent_layers(graven, tmp_path, kind, units, layers, batch):
    """Panels of their weights are as wide as the widest CPU's vectors; the others take them in parts."""
    torch.manual_seed(0)
    model, x = Recurrent(kind, 20, units, layers, bidirectional=units == 37).eval(), torch.randn(7, batch, 20)
    (tmp_path / "m.pt").write_bytes(saved(model, (x,)))
    numpy.save(tmp_path / "x.npy", x.numpy())
    expected = model.double()(x.double()).detach().numpy()
    graven_json(graven, "compile", tmp_path / "m.pt", "-o", tmp_path / "m.so", "--target-cpu", ",".join(LEVELS))
    for level in LEVELS:
        graven_json(graven, "run", tmp_path / "m.so", "--input", f"0=@{tmp_path / 'x.npy'}", "--save-outputs",
                    tmp_path / level, level=level)
        assert numpy.abs(numpy.load(tmp_path / level / "0.npy") - expected).max() <= 1e-6
