"""graven.Graph.export_onnx: what it writes is valid, runs in ONNX Runtime, and has the names that were asked for.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")
import graven  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.head = torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.Linear(8, 5)

    def forward(self, x, scale):
        return self.head(torch.relu(self.norm(self.conv(x))).mean((2, 3))) * scale, scale + 1


def inputs():
    return torch.randn(2, 3, 8, 8), torch.rand(1)


def run(path, *arrays):
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, dict(zip((i.name for i in session.get_inputs()), arrays)))


def names(values):
    return [value.name for value in values]


@pytest.mark.parametrize("opset", [11, 17, 21])
@pytest.mark.parametrize("make", [graven.trace, graven.export], ids=["trace", "export"])
def test_runs_as_pytorch(make, opset, tmp_path):
    torch.manual_seed(0)
    model, args = Net().eval(), inputs()
    make(model, args).export_onnx(tmp_path / "m.onnx", opset_version=opset)
    written = onnx.load(tmp_path / "m.onnx")
    onnx.checker.check_model(written, full_check=True)
    assert written.opset_import[0].version == opset
    for got, want in zip(run(tmp_path / "m.onnx", *[a.numpy() for a in args]), model(*args), strict=True):
        np.testing.assert_allclose(got, want.detach().numpy(), rtol=1e-5, atol=1e-5)


def test_names_and_folding(tmp_path):
    graph = graven.trace(Net().eval(), inputs())
    graph.export_onnx(tmp_path / "m.onnx", input_names=["image"], output_names=["logits", "next"],
                      do_constant_folding=False)
    written = onnx.load(tmp_path / "m.onnx").graph
    assert names(written.input) == ["image", "scale"] and names(written.output) == ["logits", "next"]
    assert "BatchNormalization" in [node.op_type for node in written.node]


def test_save_by_extension_and_inputs(tmp_path):
    graph = graven.script(Net().eval())
    graph.save(tmp_path / "m.onnx", inputs={"x": "f32[2,3,8,8]", "scale": "f32[1]"})
    assert names(onnx.load(tmp_path / "m.onnx").graph.input) == ["x", "scale"]
    with pytest.raises(graven.Error, match="GRV0301"):
        graph.export_onnx(tmp_path / "n.onnx")
    assert not (tmp_path / "n.onnx").exists()


def test_dynamic_axes(tmp_path):
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 4])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", 4])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8),
              tmp_path / "in.onnx")
    loaded = graven.load(tmp_path / "in.onnx")
    loaded.export_onnx(tmp_path / "out.onnx", dynamic_axes={"x": {0: "batch"}, "y": [0]})
    written = onnx.load(tmp_path / "out.onnx").graph
    assert written.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert run(tmp_path / "out.onnx", np.ones((3, 4), np.float32))[0].shape == (3, 4)


def test_an_axis_that_is_none_is_refused(tmp_path):
    with pytest.raises(graven.Error, match="GRV0207"):
        graven.trace(Net().eval(), inputs()).export_onnx(tmp_path / "m.onnx", dynamic_axes={"x": {4: "batch"}})
    with pytest.raises(graven.Error, match="GRV0207"):
        graven.trace(Net().eval(), inputs()).export_onnx(tmp_path / "m.onnx", dynamic_axes={"y": {0: "batch"}})
    assert not (tmp_path / "m.onnx").exists()


class Old(torch.nn.Module):
    """What later opsets have nodes for."""

    def forward(self, x):
        rows, columns = torch.tensor([0, -1, 1]), torch.tensor([2, 0, -1])
        y = torch.nn.functional.interpolate(x, scale_factor=2)
        z = x[0, 0][rows, columns]
        return y, z, torch.round(x * 8) / 2, x.floor() == x * 2, x.round() >= x, x.round() <= x, x.round() != x


@pytest.mark.parametrize("opset", [9, 10, 11, 13, 18])
def test_what_old_opsets_lack_is_made_of_others(opset, tmp_path):
    x = torch.tensor([float("inf"), float("nan"), 0.5, 1.5, -0.5, 2.5, -2.5, 0.0, -3.0, 0.0625, 0.1875, -0.0625]).reshape(1, 1, 3, 4)
    graven.trace(Old(), (x,)).export_onnx(tmp_path / "m.onnx", opset_version=opset)
    onnx.checker.check_model(str(tmp_path / "m.onnx"), full_check=True)
    for got, want in zip(run(tmp_path / "m.onnx", x.numpy()), Old()(x), strict=True):
        np.testing.assert_array_equal(got, want.numpy())


class Attending(torch.nn.Module):
    def forward(self, q, k, mask):
        attend = torch.nn.functional.scaled_dot_product_attention
        return attend(q, k, k), attend(q, q, q, is_causal=True), attend(q, k, k, attn_mask=mask), attend(
            q, k, k, is_causal=True, scale=0.3)


@pytest.mark.parametrize("opset", [17, 23, 24])
def test_attention_is_one_node_where_there_is_one(opset, tmp_path):
    torch.manual_seed(0)
    mask = torch.ones(2, 1, 1, 7, dtype=torch.bool)
    mask[1, :, :, 3:] = False
    args = torch.randn(2, 3, 5, 8), torch.randn(2, 3, 7, 8), mask
    graven.trace(Attending(), args).export_onnx(tmp_path / "m.onnx", opset_version=opset)
    onnx.checker.check_model(str(tmp_path / "m.onnx"), full_check=True)
    for got, want in zip(run(tmp_path / "m.onnx", *[a.numpy() for a in args]), Attending()(*args), strict=True):
        np.testing.assert_allclose(got, want.numpy(), rtol=1e-4, atol=1e-5)
    # A causal mask of other numbers of queries and keys begins elsewhere.
    kinds = [node.op_type for node in onnx.load(tmp_path / "m.onnx").graph.node]
    assert kinds.count("Attention") == (3 if opset >= 23 else 0)


def test_what_an_opset_lacks_is_said_with_the_one_that_has_it(tmp_path):
    class Rounded(torch.nn.Module):
        def forward(self, x):
            return torch.fmod(x, 2.0) + torch.cumsum(x, 0)

    with pytest.raises(graven.Error) as caught:
        graven.trace(Rounded(), (torch.rand(2, 3),)).export_onnx(tmp_path / "m.onnx", opset_version=9)
    text = str(caught.value)
    assert "graven.rem" in text and "the lowest opset of ONNX that has a form for the whole model is 11" in text


def test_old_opsets_say_what_they_lack(tmp_path):
    with pytest.raises(graven.Error) as caught:
        graven.trace(Net().eval(), inputs()).export_onnx(tmp_path / "m.onnx", opset_version=3)
    assert "opset" in str(caught.value)
