"""`graven export`: ops without a node of their own at an opset, narrow types, all opsets, loops and branches on data.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import subprocess

import numpy
import onnx
import onnxruntime
import pytest
import torch
from torch.nn import functional

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.filterwarnings("ignore::FutureWarning"),
              pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")]


def export(graven, source, target, *flags):
    done = subprocess.run([graven, "export", source, "-o", target, *map(str, flags)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    onnx.checker.check_model(str(target), full_check=True)
    return onnx.load(target)


def run(path, *inputs):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {entry.name: value.numpy() for entry, value in zip(session.get_inputs(), inputs, strict=True)})


class Module(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *args):
        return self.function(*args)


def save(function, path, *inputs):
    torch.jit.trace(Module(function), inputs, check_trace=False).save(path)


def check(graven, folder, function, inputs, opsets, bound=1e-5):
    save(function, folder / "m.pt", *inputs)
    want = function(*inputs).numpy()
    for opset in opsets:
        export(graven, folder / "m.pt", folder / "m.onnx", "--opset", opset)
        got = run(folder / "m.onnx", *inputs)[0]
        assert got.dtype == want.dtype and got.shape == want.shape, opset
        far = numpy.abs(got.astype(float) - want.astype(float)).max()
        assert far <= bound * max(numpy.abs(want.astype(float)).max(), 1e-6), opset


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(10, 14), (9, 5), (7, 3)])
def test_resize_at_any_opset(graven, tmp_path, mode, size):
    torch.manual_seed(0)
    opsets = [9, 10, 17] if mode != "nearest-exact" else [9, 10]
    check(graven, tmp_path, lambda x: functional.interpolate(x, size, mode=mode), [torch.randn(2, 3, 5, 7)], opsets)


def test_resize_with_corners(graven, tmp_path):
    torch.manual_seed(0)
    check(graven, tmp_path, lambda x: functional.interpolate(x, (9, 4), mode="bilinear", align_corners=True),
          [torch.randn(1, 2, 5, 7)], [9, 10, 13])


def test_single_elements_at_any_opset(graven, tmp_path):
    torch.manual_seed(0)
    places = torch.randint(0, 5, (2, 3, 7))
    for axis, shape in [(1, (2, 5, 7)), (0, (5, 4, 7)), (2, (2, 3, 5))]:
        check(graven, tmp_path, lambda x, i, axis=axis: torch.gather(x, axis, i), [torch.randn(shape), places], [9, 10, 11])


@pytest.mark.parametrize("dtype", [torch.float16, torch.int8, torch.uint8, torch.int16, torch.int32, torch.bool])
def test_narrow_inputs(graven, tmp_path, dtype):
    torch.manual_seed(0)
    x = (torch.rand(3, 8) * 100).to(dtype) if dtype != torch.bool else torch.rand(3, 8) > 0.5
    weight = torch.randn(8, 4)
    check(graven, tmp_path, lambda x: functional.relu(x.float() @ weight) + x[:, :4].float(), [x], [9, 13, 17, 21], 1e-3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_narrow_floats(graven, tmp_path, dtype):
    """Computed as they are; ONNX Runtime has not all of these kernels for bf16, the reference of the onnx package has."""
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.LayerNorm(16), torch.nn.GELU(), torch.nn.Linear(16, 4)).to(dtype)
    x = torch.randn(3, 8).to(dtype)
    with torch.no_grad():
        torch.jit.trace(module, x, check_trace=False).save(tmp_path / "m.pt")
        want = module(x).float().numpy()
    for opset in [13, 17, 21]:
        model = export(graven, tmp_path / "m.pt", tmp_path / "m.onnx", "--opset", opset)
        name = {torch.float16: onnx.TensorProto.FLOAT16, torch.bfloat16: onnx.TensorProto.BFLOAT16}[dtype]
        assert model.graph.input[0].type.tensor_type.elem_type == name
        if dtype == torch.float16:
            got = run(tmp_path / "m.onnx", x)[0]
            assert numpy.abs(got - want).max() <= 1e-2 * numpy.abs(want).max(), opset


def test_all_opsets(graven, tmp_path):
    torch.manual_seed(0)
    x = torch.randn(2, 6)
    save(lambda x: functional.softmax(functional.layer_norm(functional.gelu(x), [6]), 1), tmp_path / "m.pt", x)
    kinds = {}
    for opset in range(9, 29):
        model = export(graven, tmp_path / "m.pt", tmp_path / "m.onnx", "--opset", opset)
        assert model.opset_import[0].version == opset
        kinds[opset] = {node.op_type for node in model.graph.node}
    assert "LayerNormalization" in kinds[17] and "LayerNormalization" not in kinds[16]
    assert "Gelu" in kinds[20] and "Gelu" not in kinds[19]


class Collatz(torch.nn.Module):
    """A loop as long as data say, with a branch in it."""

    def forward(self, n: torch.Tensor):
        steps = torch.zeros(1, dtype=torch.int64)
        while bool(n.sum() > 1):
            if bool((n % 2).sum() == 0):
                n = n // 2
            else:
                n = 3 * n + 1
            steps = steps + 1
        return steps


def test_loops_and_branches_on_data(graven, tmp_path):
    torch.jit.script(Collatz()).save(tmp_path / "m.pt")
    for opset in [9, 10, 17, 21]:
        model = export(graven, tmp_path / "m.pt", tmp_path / "m.onnx", "--opset", opset, "--input", "n:i64[1]")
        loop, = (node for node in model.graph.node if node.op_type == "Loop")
        body, = (attribute.g for attribute in loop.attribute if attribute.name == "body")
        assert "If" in {node.op_type for node in body.node}
        for number, steps in [(1, 0), (2, 1), (6, 8), (27, 111), (-4, 0)]:
            assert run(tmp_path / "m.onnx", torch.tensor([number]))[0].tolist() == [steps], opset
