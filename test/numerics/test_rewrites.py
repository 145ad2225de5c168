"""Rewrites of the graph phase beside PyTorch: merged contractions, branches that both run, bounds, powers, conditions and
casts; each pass on each of them with --verify-numerics, and what is left of the Nodes.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import subprocess

import numpy
import pytest
import torch
from torch import nn

pytestmark = pytest.mark.filterwarnings("ignore")


class Convs(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 32, 3, padding=1), nn.Conv2d(32, 8, 1), nn.Conv2d(8, 8, 1, stride=2))

    def forward(self, x):
        return self.layers(x)


class Linears(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(16, 64), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 2), nn.Linear(2, 16))

    def forward(self, x):
        return self.layers(x)


class Branches(nn.Module):
    def forward(self, x):
        if bool(x.sum() > 0):
            y = torch.exp(-x.abs())
        else:
            y = x * 2 + 1
        return y


class Bounds(nn.Module):
    def forward(self, x):
        y = torch.clamp(torch.relu(x), max=1.5) + torch.relu(torch.clamp(x, min=0.5)) + torch.max(torch.min(x, x * 0 + 1), x * 0)
        square = x * x + 0.125
        return y + square ** 0.5 + square ** -0.5 + x / 8 + (-x) * (-x)


class Conditions(nn.Module):
    def forward(self, x):
        i = (x * 4).to(torch.int64)
        small = (i > -3) & (i > 0) & ~(i >= 4)
        other = (i == 1) | (i < 1)
        y = torch.where(~(x < 0.5), x, -x)
        return y * small + torch.where(other.to(torch.float32) != 0, y, x + 1) + (i + 2 == 3)


class Casts(nn.Module):
    def forward(self, x):
        half = x.to(torch.float16)
        wide = half.to(torch.float32)[:, :2]
        back = x.t().to(torch.float16).to(torch.float32).t()
        return torch.cat([wide, half.to(torch.float32)], 1).sum() + back


def steps(graven, path, *inputs):
    """Nodes at the end of the graph phase."""
    done = subprocess.run([graven, "compile", path, "-o", path.with_suffix(".mlir"), "--to", "graph", *inputs],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return path.with_suffix(".mlir").read_text()


@pytest.mark.parametrize("module, shape, gone", [
    (Convs, (1, 3, 12, 12), None), (Linears, (5, 16), None), (Branches, (4, 6), "graven.if"), (Bounds, (7, 9), "graven.pow"),
    (Conditions, (9, 11), "graven.not"), (Casts, (6, 6), None)])
@pytest.mark.parametrize("sign", [1, -1])
def test_results_are_those_of_pytorch(graven, tmp_path, module, shape, gone, sign):
    torch.manual_seed(1)
    program = module().eval()
    torch.jit.script(program).save(tmp_path / "m.pt")
    x = torch.randn(shape).abs() * sign + 0.01 * torch.randn(shape)
    numpy.save(tmp_path / "x.npy", x.numpy())
    with torch.no_grad():
        numpy.save(tmp_path / "y.npy", program(x).numpy())
    spec = f"0:f32[{','.join(map(str, shape))}]"
    done = subprocess.run([graven, "run", tmp_path / "m.pt", "--input", f"0=@{tmp_path / 'x.npy'}", "--expect",
                           f"0=@{tmp_path / 'y.npy'}", "--rtol", "1e-4", "--atol", "1e-5"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run([graven, "compile", tmp_path / "m.pt", "-o", tmp_path / "m.so", "--input", spec, "--verify-numerics"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if gone:
        assert gone not in steps(graven, tmp_path / "m.pt", "--input", spec)


@pytest.mark.parametrize("module, shape, op, left", [(Convs, (1, 3, 12, 12), "graven.conv", 1), (Linears, (5, 16), "graven.matmul", 3)])
def test_contractions_are_merged(graven, tmp_path, module, shape, op, left):
    """Three convolutions are one, two layers are; a product of low rank stays. Not where sums are to be plain."""
    torch.jit.script(module().eval()).save(tmp_path / "m.pt")
    spec = f"0:f32[{','.join(map(str, shape))}]"
    counts = {}
    for numerics in ("default", "strict"):
        text = steps(graven, tmp_path / "m.pt", "--input", spec, "--numerics", numerics)
        forward = text.split("@forward", 1)[1].split("graven.graph", 1)[0]
        counts[numerics] = sum(f"{op} " in line for line in forward.splitlines())
    assert counts["default"] == left and counts["strict"] > left


def test_patterns_of_canonicalization_are_counted(graven, tmp_path):
    torch.jit.script(Convs().eval()).save(tmp_path / "m.pt")
    done = subprocess.run([graven, "compile", tmp_path / "m.pt", "-o", tmp_path / "m.so", "--input", "0:f32[1,3,12,12]", "--explain=json"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text = done.stdout + done.stderr
    report = json.JSONDecoder().raw_decode(text[text.index("{"):])[0]
    counts = report["pattern_counts"]
    assert any(name.startswith("graven-canonicalize: ") and count["fired"] > 0 for name, count in counts.items())
    assert any(name.startswith("graven-to-kernel: ") and count["fired"] > 0 for name, count in counts.items())
