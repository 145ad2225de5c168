"""graven.export_onnx takes what torch.onnx.export takes: every argument does what it says, or is refused with the reason.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import io
import pathlib

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")
import graven  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
DIGITS = pathlib.Path(__file__).resolve().parents[2] / "examples/digits/digits.pt"


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.drop = torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Dropout()
        self.head = torch.nn.Linear(4, 5)

    def forward(self, x, scale=None):
        y = self.head(self.drop(torch.relu(self.norm(self.conv(x)))).mean((2, 3)))
        return y if scale is None else y * scale


class Affine(torch.nn.Module):
    def forward(self, x, k: int, shift=1.5):
        return x * k + shift


class Counting(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(3))

    def forward(self, x):
        self.count.add_(1)
        return x + self.count


class Tied(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.out = torch.nn.Embedding(500, 16), torch.nn.Linear(16, 500, bias=False)
        self.out.weight = self.words.weight

    def forward(self, i):
        return self.out(self.words(i))


class Widened(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.randn(4, 5).half())

    def forward(self, x):
        return x @ self.w.float()


def names(values):
    return [value.name for value in values]


def image(batch=2, size=8):
    return torch.randn(batch, 3, size, size)


def written(path):
    onnx.checker.check_model(str(path), full_check=True)
    return onnx.load(path).graph


def run(file, *tensors):
    session = ort.InferenceSession(file if isinstance(file, bytes) else str(file), providers=["CPUExecutionProvider"])
    return session.run(None, dict(zip(names(session.get_inputs()), [t.numpy() for t in tensors], strict=True)))


def check(file, module, *tensors, tolerance=1e-5):
    mode = module.training
    want = module.eval()(*tensors).detach().numpy()
    module.train(mode)
    np.testing.assert_allclose(run(file, *tensors)[0], want, rtol=tolerance, atol=tolerance)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.onnx"


@pytest.mark.parametrize("dynamo", [None, True, False])
@pytest.mark.parametrize("training", [True, False])
def test_module(path, dynamo, training):
    net, x = Net().train(training), image()
    graven.export_onnx(net, path, (x,), dynamo=dynamo)
    check(path, net, x)
    assert net.training == net.norm.training == training
    assert set(names(written(path).initializer)) >= {"conv.weight", "conv.bias", "head.weight", "norm.running_mean"}


def test_the_opset_that_is_asked_for(path):
    for asked, wanted in ((None, 17), (9, 9), (21, 21)):
        graven.export_onnx(Net(), path, image(), opset_version=asked)
        assert onnx.load(path).opset_import[0].version == wanted
    with pytest.raises(graven.Error, match="opset 40"):
        graven.export_onnx(Net(), path, image(), opset_version=40)


def test_names_with_dots_and_slashes(path):
    graven.export_onnx(Net(), path, image(), input_names=["image.in"], output_names=["out/1"])
    graph = written(path)
    assert names(graph.input) == ["image.in"] and names(graph.output) == ["out/1"]


@pytest.mark.parametrize("more, word", [({"input_names": ["a", "b"]}, "2 names"), ({"dynamic_axes": {"z": [0]}}, "'z'"),
                                        ({"input_names": ["a"], "output_names": ["a"]}, "'a'")])
def test_names_that_do_not_fit(path, more, word):
    with pytest.raises(graven.Error, match=word):
        graven.export_onnx(Net(), path, image(), **more)
    assert not path.exists()


@pytest.mark.parametrize("axes", [{"x": {0: "batch"}}, {"x": [0, 2, 3]}])
def test_dynamic_axes(path, axes):
    net = Net()
    graven.export_onnx(net, path, image(), input_names=["x"], dynamic_axes=axes)
    for batch in (1, 5):
        check(path, net, image(batch, 11 if len(axes["x"]) == 3 else 8))


@pytest.mark.parametrize("shapes", [({0: "batch"},), {"x": {0: "batch"}}, ({0: torch.export.Dim("batch")},)])
def test_dynamic_shapes(path, shapes):
    net = Net()
    graven.export_onnx(net, path, image(), dynamic_shapes=shapes)
    assert written(path).input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    check(path, net, image(7))


@pytest.mark.parametrize("dynamo", [True, False])
def test_keyword_arguments(path, dynamo):
    net, x, scale = Net(), image(), torch.tensor(3.0)
    graven.export_onnx(net, path, (x,), kwargs={"scale": scale}, dynamo=dynamo)
    check(path, net, x, scale)
    graven.export_onnx(net, path, (x, None), dynamo=dynamo)
    check(path, net, x)


def test_arguments_that_are_numbers(path):
    x = torch.randn(3)
    graven.export_onnx(Affine(), path, (x, 3))
    np.testing.assert_allclose(run(path, x)[0], x * 3 + 1.5, rtol=1e-6)
    with pytest.raises(TypeError, match="tensors alone, got the argument 3"):
        graven.export_onnx(Affine(), path, (x, 3), dynamo=False)


@pytest.mark.parametrize("dynamo", [True, False])
def test_buffers_begin_with_what_the_module_has(path, dynamo):
    module, x = Counting(), torch.randn(3)
    graven.export_onnx(module, path, x, dynamo=dynamo)
    assert module.count.tolist() == [0, 0, 0]
    np.testing.assert_allclose(run(path, x)[0], x + 1, rtol=1e-6)


@pytest.mark.parametrize("dynamo", [True, False])
def test_tied_weights_are_stored_once(path, dynamo):
    module, i = Tied(), torch.randint(0, 500, (2, 3))
    graven.export_onnx(module, path, i, dynamo=dynamo)
    check(path, module, i)
    assert path.stat().st_size < 1.5 * 500 * 16 * 4


def test_narrow_floats_stay_narrow(path):
    module, x = Net().half(), image().half()
    graven.export_onnx(module, path, x)
    check(path, module, x, tolerance=5e-3)
    assert written(path).initializer[0].data_type == onnx.TensorProto.FLOAT16
    graven.export_onnx(torch.nn.Linear(4, 5).bfloat16(), path, torch.randn(2, 4).bfloat16())
    assert {i.data_type for i in written(path).initializer} == {onnx.TensorProto.BFLOAT16}
    module, x = Widened(), torch.randn(2, 4)
    graven.export_onnx(module, path, x)
    check(path, module, x)
    assert [i.data_type for i in written(path).initializer] == [onnx.TensorProto.FLOAT16]


def test_weights_as_inputs(path):
    net, x = Net(), image()
    graven.export_onnx(net, path, x, keep_initializers_as_inputs=True)
    graph = written(path)
    assert set(names(graph.initializer)) <= set(names(graph.input)) and names(graph.input)[0] == "x"
    session = ort.InferenceSession(path)
    doubled = session.run(None, {"x": x.numpy(), "head.bias": np.full(5, 7, np.float32)})[0]
    plain = session.run(None, {"x": x.numpy()})[0]
    np.testing.assert_allclose(doubled - plain, np.broadcast_to(7 - net.head.bias.detach().numpy(), (2, 5)), atol=1e-5)

    graven.export_onnx(net, path, x, export_params=False)
    graph = written(path)
    assert not graph.initializer and path.stat().st_size < 4000
    state = net.state_dict()
    feeds = {name: x.numpy() if name == "x" else state[name].numpy() for name in names(graph.input)}
    np.testing.assert_allclose(ort.InferenceSession(path).run(None, feeds)[0], plain, atol=1e-5)


def test_files(path, tmp_path):
    net, x = Net(), image()
    path.write_text("what was there")
    graven.export_onnx(net, str(path), x)
    check(path, net, x)
    buffer = io.BytesIO()
    graven.export_onnx(net, buffer, x)
    assert buffer.getvalue() == path.read_bytes()
    with open(tmp_path / "f.onnx", "wb") as file:
        graven.export_onnx(net, file, x)
    assert (tmp_path / "f.onnx").read_bytes() == path.read_bytes()
    with pytest.raises(TypeError, match="path or a binary file, got int"):
        graven.export_onnx(net, 3, x)
    with pytest.raises(graven.Error, match="GRV0003"):
        graven.export_onnx(net, tmp_path / "nowhere" / "m.onnx", x)


def test_external_data(tmp_path):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    module, x = torch.nn.Linear(64, 64), torch.randn(2, 64)
    graven.export_onnx(module, folder / "m.onnx", x, external_data=True)
    assert sorted(p.name for p in folder.iterdir()) == ["m.onnx", "m.onnx.data"]
    check(folder / "m.onnx", module, x)
    with pytest.raises(ValueError, match="no file beside it"):
        graven.export_onnx(module, io.BytesIO(), x, external_data=True)


def test_whatever_is_a_model(path):
    net, x = Net().eval(), image()
    graph = graven.trace(net, x)
    for model in (torch.export.export(net, (x,)), graph):
        graven.export_onnx(model, path)
        check(path, net, x)
    graven.export_onnx(path.read_bytes(), path, opset_version=21)
    check(path, net, x)
    graven.export_onnx(DIGITS, path)
    written(path)
    scripted = torch.jit.script(torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU()))
    for batch in (torch.randn(2, 3), torch.randn(5, 3)):
        graven.export_onnx(scripted, path, batch, input_names=["i"], dynamic_axes={"i": {0: "n"}})
        check(path, scripted, torch.randn(9, 3))
    graven.export_onnx(lambda x: x + 1, path, x)
    np.testing.assert_allclose(run(path, x)[0], x + 1)


def test_what_contradicts_itself(path):
    for more in ({"dynamo": True}, {"dynamic_shapes": ({0: "n"},)}):
        with pytest.raises(ValueError, match="dynamic_axes is for files and traces"):
            graven.export_onnx(Net(), path, image(), dynamic_axes={"x": [0]}, **more)
    with pytest.raises(TypeError, match="are for modules"):
        graven.export_onnx(DIGITS, path, image())
    with pytest.raises(TypeError, match="list of names"):
        graven.export_onnx(Net(), path, image(), input_names="x")


def test_verbose(path, capsys):
    graven.export_onnx(torch.nn.ReLU(), path, image(), verbose=True)
    assert "graven::relu" in capsys.readouterr().out
