"""`graven export` of programs that round, compare and pad extents, at extents that it did not see; and the guard of those
that are another graph at other extents.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import subprocess

import numpy
import onnx
import onnxruntime
import pytest
import torch
from torch.nn import functional

pytestmark = pytest.mark.filterwarnings("ignore")


class PadsToEight(torch.nn.Module):
    def forward(self, x):
        n = x.size(1)
        x = functional.pad(x, (0, (8 - n % 8) % 8))
        return x.reshape(x.size(0), -1, 8).sum(-1)


class PadsToSquare(torch.nn.Module):
    def forward(self, x):
        h, w = x.size(2), x.size(3)
        m = max(h, w)
        return functional.pad(x, (0, m - w, 0, m - h)) + m


class TakesARest(torch.nn.Module):
    def forward(self, x):
        y = torch.cat([x, x[:, : x.size(1) // 2]], 1)
        return y + (y.size(1) % 4)


class TakesAtMostTen(torch.nn.Module):
    def forward(self, x):
        return x[:, : min(x.size(1), 10)] * 2


class PoolsWithCeil(torch.nn.Module):
    def forward(self, x):
        return functional.max_pool2d(torch.cat([x, x], 2), 2, 2, ceil_mode=True)


class IsAnotherEachTime(torch.nn.Module):
    def forward(self, x):
        n = x.size(1)
        return x * ((n % 16) * (n // 2 % 8) * (n // 3 % 2))


def export(graven, module, folder, spec):
    torch.jit.script(module.eval()).save(folder / "m.pt")
    return subprocess.run([graven, "export", folder / "m.pt", "-o", folder / "m.onnx", "--input", spec], capture_output=True,
                          text=True, check=False)


@pytest.mark.parametrize("module, spec, shapes", [
    (PadsToEight, "x:f32[2,n]", [(2, n) for n in (1, 6, 7, 8, 9, 15, 16, 17, 40, 64, 333)]),
    (PadsToSquare, "x:f32[1,3,h,w]", [(1, 3, h, w) for h, w in ((4, 9), (9, 4), (6, 6), (1, 2), (50, 33))]),
    (TakesARest, "x:f32[2,n]", [(2, n) for n in (2, 3, 4, 5, 6, 7, 64, 99)]),
    (TakesAtMostTen, "x:f32[2,n]", [(2, n) for n in (2, 9, 10, 11, 200)]),
    (PoolsWithCeil, "x:f32[1,3,h,9]", [(1, 3, h, 9) for h in (2, 3, 8, 31)])])
def test_other_extents_give_the_same(graven, tmp_path, module, spec, shapes):
    done = export(graven, module(), tmp_path, spec)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    torch.manual_seed(0)
    for shape in shapes:
        x = torch.randn(shape)
        got, = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        numpy.testing.assert_allclose(got, module()(x).numpy(), rtol=1e-5, atol=1e-5, err_msg=str(shape))


def test_a_graph_of_multiples_says_so(graven, tmp_path):
    """Where only multiples of 32 are one graph, the symbol counts them, and a warning says why."""
    done = export(graven, IsAnotherEachTime(), tmp_path, "x:f32[2,n]")
    assert done.returncode == 0, done.stderr
    assert "warning: n % 32 == 0, because" in done.stderr and "'n_by_32' counts the 32s" in done.stderr
    model = onnx.load(tmp_path / "m.onnx")
    assert [dim.dim_param for dim in model.graph.input[0].type.tensor_type.shape.dim] == ["", "32*n_by_32"]
