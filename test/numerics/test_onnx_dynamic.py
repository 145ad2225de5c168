"""Exported ONNX files whose extents are dynamic: one file runs in ONNX Runtime at several sizes, and is as PyTorch at each.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")
from torch.nn.functional import interpolate  # noqa: E402

import graven  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


class Encoder(torch.nn.Module):
    """Positions from the length, a causal mask, attention, norms."""

    def __init__(self):
        super().__init__()
        self.words, self.places = torch.nn.Embedding(50, 16), torch.nn.Embedding(64, 16)
        self.norm, self.qkv, self.out = torch.nn.LayerNorm(16), torch.nn.Linear(16, 48), torch.nn.Linear(16, 16)

    def forward(self, ids):
        b, s = ids.shape
        x = self.words(ids) + self.places(torch.arange(s))
        q, k, v = self.qkv(self.norm(x)).view(b, s, 3, 4, 4).permute(2, 0, 3, 1, 4)
        scores = (q @ k.transpose(-1, -2)) / k.shape[-1] ** 0.5
        keep = torch.ones(s, s).tril() > 0
        y = scores.masked_fill(~keep, float("-inf")).softmax(-1) @ v
        return self.out(y.transpose(1, 2).reshape(b, s, 16)) + x.mean(1, keepdim=True)


class Recurrent(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.norm = torch.nn.LSTM(8, 6, batch_first=True), torch.nn.GroupNorm(2, 6)

    def forward(self, x):
        y, (h, _) = self.cell(x)
        return self.norm(y.transpose(1, 2)), h


class Image(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.head = torch.nn.Conv2d(3, 6, 3, stride=2, padding=1), torch.nn.Linear(6, 5)

    def forward(self, x):
        y = torch.relu(self.conv(x))
        z = torch.cat([y, y.flip(-1)], 1)[:, :, 1:, : y.shape[-1] // 2]
        return self.head(y.flatten(2).mean(-1)), z


class Found(torch.nn.Module):
    def forward(self, x):
        positive = x[x > 0]
        return positive, positive.sum() / positive.numel(), torch.nonzero(x), x * 2


class Program(torch.nn.Module):
    def forward(self, x, n: int):
        for i in range(n):
            if bool(x.sum() > 0):
                x = x - float(i) * 0.5
            else:
                x = x * 2.0 + 3.0
        return x


def compare(path, model, runs):
    onnx.checker.check_model(str(path), full_check=True)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]
    for args in runs:
        want = model(*args)
        want = want if isinstance(want, tuple) else (want,)
        got = session.run(None, {n: np.asarray(a) for n, a in zip(names, args, strict=True)})
        for one, other in zip(got, want, strict=True):
            assert one.shape == tuple(other.shape)
            np.testing.assert_allclose(one, other.detach().numpy(), rtol=1e-4, atol=1e-5)
    return onnx.load(path).graph


def dims(value):
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


SIZES = [(1, 3), (2, 7), (3, 16), (4, 10), (5, 33)]


@pytest.mark.parametrize("opset", [13, 17, 21])
def test_batch_and_length_of_a_trace(opset, tmp_path):
    torch.manual_seed(0)
    model, path = Encoder().eval(), tmp_path / "m.onnx"
    graven.trace(model, (torch.randint(0, 50, (2, 9)),)).export_onnx(
        path, opset_version=opset, input_names=["ids"], output_names=["y"],
        dynamic_axes={"ids": {0: "batch", 1: "length"}, "y": {0: "batch", 1: "length"}})
    graph = compare(path, model, [(torch.randint(0, 50, size),) for size in SIZES])
    assert dims(graph.input[0]) == ["batch", "length"] and dims(graph.output[0]) == ["batch", "length", 16]
    assert set(model.state_dict()) <= {i.name for i in graph.initializer}


def test_batch_of_an_export_and_length_of_a_script(tmp_path):
    torch.manual_seed(0)
    model, path = Recurrent().eval(), tmp_path / "m.onnx"
    # PyTorch's recurrent layers fix the length.
    graven.export(model, (torch.rand(2, 5, 8),), dynamic_shapes=({0: torch.export.Dim("batch")},)).export_onnx(path)
    compare(path, model, [(torch.rand(batch, 5, 8),) for batch, _ in SIZES])
    graven.export(model, (torch.rand(2, 5, 8),), dynamic_shapes=({0: torch.export.Dim("batch")},)).export_onnx(
        path, dynamic_axes={"x": {0: "n"}})
    graph = onnx.load(path).graph
    assert dims(graph.input[0]) == ["n", 5, 8] and dims(graph.output[0]) == ["n", 6, 5]
    graven.script(model).export_onnx(path, inputs={"x": "f32[b,t,8]"})
    compare(path, model, [(torch.rand(*size, 8),) for size in SIZES])


def test_height_and_width_of_a_script(tmp_path):
    torch.manual_seed(0)
    model, path = Image().eval(), tmp_path / "m.onnx"
    graven.script(model).export_onnx(path, inputs={"x": "f32[n,3,h,w]"})
    graph = compare(path, model, [(torch.rand(n, 3, 8 * n, 50 - 7 * n),) for n in range(1, 6)])
    assert dims(graph.input[0]) == ["n", 3, "h", "w"] and dims(graph.output[0]) == ["n", 5]


@pytest.mark.parametrize("opset", [13, 17, 21])
def test_extents_that_data_decide(opset, tmp_path):
    model, path = Found(), tmp_path / "m.onnx"
    graven.script(model).export_onnx(path, opset_version=opset, inputs={"x": "f32[4,5]"})
    torch.manual_seed(0)
    compare(path, model, [(torch.randn(4, 5) + shift,) for shift in (-1, 0, 1, 3)])


@pytest.mark.parametrize("opset", [11, 17, 21])
def test_branches_and_loops_on_data(opset, tmp_path):
    model, path = Program(), tmp_path / "m.onnx"
    graven.script(model).export_onnx(path, opset_version=opset, inputs={"x": "f32[3]", "n": "i64[]"})
    torch.manual_seed(0)
    graph = compare(path, model, [(torch.randn(3), n) for n in (0, 1, 2, 5, 8)])
    assert [node.op_type for node in graph.node if node.op_type in ("Loop", "If")] == ["Loop"]


class Resized(torch.nn.Module):
    """By scales; to another tensor's extents, which no scale gives."""

    def forward(self, x):
        small, size = torch.nn.functional.avg_pool2d(x, 3, 2, 1), x.shape[-2:]
        return (interpolate(x, scale_factor=2.0, mode="nearest"),
                interpolate(x, scale_factor=1.5, mode="bilinear", align_corners=False),
                x + interpolate(small, size=size, mode="bilinear", align_corners=False),
                x + interpolate(small, size=size, mode="bilinear", align_corners=True),
                x + interpolate(small, size=size, mode="nearest"),
                x + interpolate(small, size=size, mode="nearest-exact"))


@pytest.mark.parametrize("opset", [11, 17, 21])
def test_resizes_that_follow_from_extents(opset, tmp_path):
    model, path = Resized(), tmp_path / "m.onnx"
    graven.script(model).export_onnx(path, opset_version=opset, inputs={"x": "f32[n,3,h,w]"})
    graph = compare(path, model, [(torch.rand(n, 3, 6 + 5 * n, 40 - 7 * n),) for n in range(1, 6)])
    assert [node.op_type for node in graph.node].count("Resize") == 2
    assert dims(graph.output[0])[:2] == ["n", 3]


def test_cubic_resizes_to_computed_extents_are_refused(tmp_path):
    class Cubic(torch.nn.Module):
        def forward(self, x):
            small = torch.nn.functional.avg_pool2d(x, 3, 2, 1)
            return interpolate(small, size=x.shape[-2:], mode="bicubic")

    with pytest.raises(graven.Error, match="GRV0207.*resizes to extents"):
        graven.script(Cubic()).export_onnx(tmp_path / "m.onnx", inputs={"x": "f32[1,3,h,w]"})


def test_what_an_extent_decides_is_no_one_graph(tmp_path):
    class Unrolled(torch.nn.Module):
        def forward(self, x):
            y = x[0]
            for i in range(1, x.shape[0]):
                y = torch.tanh(y + x[i])
            return y

    graph = graven.script(Unrolled())
    graph.export_onnx(tmp_path / "m.onnx", inputs={"x": "f32[4,3]"})
    with pytest.raises(graven.Error, match="GRV0207"):
        graph.export_onnx(tmp_path / "n.onnx", inputs={"x": "f32[t,3]"})
    assert not (tmp_path / "n.onnx").exists()
