"""The Python package: Graphs of files, their text, passes, Parameters, and what becomes of them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import pytest
import torch

import graven as package
from saving import exported, saved

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore::FutureWarning")


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3)
        self.norm = torch.nn.BatchNorm2d(8)
        self.norm.running_mean.uniform_(-1, 1)
        self.norm.running_var.uniform_(0.5, 2)

    def forward(self, x):
        y = torch.relu(self.norm(self.conv(x)))
        if y.mean() > 0.5:
            y = y * 2
        return y


X = torch.randn(2, 3, 8, 8)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return Net().eval()


@pytest.fixture
def graph(net):
    return package.script(net, inputs={"x": "f32[2,3,8,8]"})


def agree(got, expected):
    expected = expected.detach().numpy()
    assert np.abs(got - expected).max() <= 1e-4 * np.abs(expected).max()


def test_graph_and_code(graph):
    assert graph.graph.startswith("graph(%x : Float(2, 3, 8, 8)):\n")
    for line in ("graven::conv[", "graven::batch_norm[epsilon=1.000000e-05](", "graven::relu(", "graven::if(", "block1():"):
        assert line in graph.graph
    assert graph.graph.rstrip().endswith(")") and str(graph) == graph.graph
    assert graph.code.startswith("def forward(self,\n    x: Tensor) -> Tensor:\n")
    for line in ("graven.conv(x, self.conv.weight, self.conv.bias, dilations=[1, 1]", "graven.batch_norm(",
                 'kind="mean"', "graven.constant(5.000000e-01)", "  if _", "  else:\n", "  return _"):
        assert line in graph.code
    compile(graph.code, "code", "exec")  # it is Python's syntax
    assert repr(graph) == "<graven.Graph 'Net' (x:f32[2,3,8,8])>"


def test_inputs_and_outputs(graph):
    assert [str(spec) for spec in graph.inputs] == ["x:f32[2,3,8,8]"]
    assert [spec.shape for spec in graph.outputs] == [(2, 8, 6, 6)]


def test_passes_rewrite_the_graph_and_what_is_compiled(graph, net):
    before = graph.stats().nodes
    assert graph.run_passes("graven-fuse-conv-bn,graven-dce") is graph
    assert "batch_norm" in before and "batch_norm" not in graph.stats().nodes
    assert "batch_norm" not in graph.graph + graph.code
    agree(graph.compile()(X), net(X))
    graph.run_passes("builtin.module(graven.graph(cse, canonicalize),graven-dce)")
    agree(graph.compile()(X), net(X))


@pytest.mark.parametrize("pipeline, text", [
    ("nonsense", "'nonsense' does not refer to a registered pass"), ("graven-dce(", "stands in no parentheses"),
    ("graven.graph(graven-dce)", "stands in no parentheses"), ("builtin.module(cse", "is not closed"), ("(", "error"),
    ("canonicalize{nothing=1}", "no such option"), ("graven.graph(cse))", "error"),
])
def test_bad_pipelines(graph, pipeline, text):
    before = graph.graph
    with pytest.raises(package.Error, match=r"GRV0004") as error:
        graph.run_passes(pipeline)
    assert text in str(error.value)
    assert graph.graph == before
    assert graph.compile()(X).shape == (2, 8, 6, 6)


def test_params_are_views_of_the_file(graph, net):
    params = graph.params
    weights = dict(net.named_parameters()) | dict(net.named_buffers())
    weights.pop("norm.num_batches_tracked")
    assert set(params) == set(weights)
    for name, tensor in weights.items():
        param = params[name]
        assert (param.shape, param.dtype) == (tuple(tensor.shape), "f32")
        assert param.requires_grad == tensor.requires_grad and param.is_buffer == name.startswith("norm.running")
        array = param.numpy()
        assert not array.flags.owndata and not array.flags.writeable
        np.testing.assert_array_equal(array, tensor.detach().numpy())
        np.testing.assert_array_equal(np.asarray(param), array)
    np.testing.assert_array_equal(np.asarray(params["conv.bias"], dtype=np.float64), params["conv.bias"].numpy())
    array = params["conv.weight"].numpy()
    del graph, params, param
    np.testing.assert_array_equal(array, net.conv.weight.detach().numpy())


def test_strided_and_typed_params():
    class Weights(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.transposed = torch.nn.Parameter(torch.arange(6.).reshape(2, 3).t())
            self.register_buffer("table", torch.arange(100))
            self.register_buffer("small", torch.randn(300).half())
            self.register_buffer("brain", torch.randn(300).bfloat16())

        def forward(self, x):
            return x @ self.transposed + self.table.sum() + self.small.float().sum() + self.brain.float().sum()

    module = Weights()
    params = package.trace(module, torch.randn(2, 3)).params
    np.testing.assert_array_equal(params["transposed"], module.transposed.detach().numpy())
    np.testing.assert_array_equal(params["table"], module.table.numpy())
    np.testing.assert_array_equal(params["small"], module.small.numpy())
    np.testing.assert_array_equal(params["brain"].numpy().view("uint16"), module.brain.view(torch.uint16).numpy())


def test_stats(graph):
    stats = graph.stats()
    assert stats.nodes["conv"] == stats.nodes["if"] == 1
    assert stats.parameters == 8 * 27 + 5 * 8 and stats.parameter_bytes == 4 * stats.parameters
    assert stats.macs == 2 * 8 * 6 * 6 * 27


def test_macs_of_products():
    class Products(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.up = torch.nn.ConvTranspose2d(4, 6, 2, stride=2)

        def forward(self, a, b):
            return (a @ b).sum() + self.up(a.reshape(1, 4, 5, 1)).sum()

    graph = package.trace(Products().eval(), (torch.randn(4, 5), torch.randn(5, 6)))
    assert graph.stats().macs == 4 * 5 * 6 + 4 * 5 * 6 * 4


def test_text_and_back(graph, net, tmp_path):
    graph.run_passes("graven-fuse-conv-bn,graven-dce").save(tmp_path / "m.mlir")
    assert (tmp_path / "m.safetensors").exists()
    again = package.load(tmp_path / "m.mlir")
    assert isinstance(again, package.Graph) and again.name == "m"
    assert again.code == graph.code and set(again.params) == set(graph.params)
    agree(again.compile()(X), net(X))
    # The Graph still reads the file that it came from.
    (tmp_path / "m.safetensors").unlink()
    np.testing.assert_array_equal(graph.params["conv.bias"], net.conv.bias.detach().numpy())


def test_code_and_back(graph, net, tmp_path):
    graph.save(tmp_path / "m.so", threads=2)
    model = package.load(tmp_path / "m.so", threads=1)
    assert isinstance(model, package.Model) and model.name == "m"
    agree(model(X), net(X))
    for extension in ("o", "a", "s", "ll"):
        graph.save(tmp_path / f"m.{extension}")
        assert (tmp_path / f"m.{extension}").stat().st_size > 1000
    with pytest.raises(ValueError, match="must end in"):
        graph.save(tmp_path / "m.txt")
    with pytest.raises(package.Error, match="GRV0003"):
        graph.save(tmp_path / "none" / "m.so")


def test_unknown_shapes_compile_when_called(net, tmp_path):
    graph = package.script(net)
    assert not graph.is_known and "not known" in repr(graph)
    for ask in (lambda: graph.graph, lambda: graph.code, lambda: graph.inputs, graph.stats, lambda: graph.params,
                lambda: graph.save(tmp_path / "m.mlir"), lambda: graph.save(tmp_path / "m.so")):
        with pytest.raises(package.Error, match="GRV0301"):
            ask()
    graph.run_passes("graven-fuse-conv-bn")
    model = graph.compile(threads=1)
    assert isinstance(model, package.SpecializingModel) and model.models == ()
    for x in (X, X[:1], torch.randn(1, 3, 5, 7), X):
        agree(model(x), net(x))
    agree(model(x=X.numpy()), net(X))
    assert [m.inputs[0].shape for m in model.models] == [(2, 3, 8, 8), (1, 3, 8, 8), (1, 3, 5, 7)]
    with pytest.raises(package.Error):
        model(X[0, 0])
    with pytest.raises(TypeError):
        model(3)
    with pytest.raises(package.Error, match="expected one"):
        model.save(tmp_path / "m.so")
    known = graph.with_inputs({"x": X})
    assert known.inputs[0].shape == (2, 3, 8, 8) and "batch_norm" not in known.code and not graph.is_known
    assert isinstance(graph.compile(inputs={"x": "f32[2,3,8,8]"}), package.Model)


def test_inputs_take_the_place_of_the_file_s(net):
    graph = package.script(net, inputs={"x": "f32[2,3,8,8]"})
    agree(graph.compile(inputs={"x": X[:1]})(X[:1]), net(X[:1]))
    with pytest.raises(package.Error) as error:
        graph.compile(inputs={"y": "f32[1]"})
    assert error.value.code == "GRV0302"


def test_dynamic_onnx():
    linear = torch.nn.Linear(4, 3).eval()
    graph = package.load(exported(linear, (torch.randn(2, 4),), {"x": {0: "n"}}))
    assert graph.inputs[0].shape == ("n", 4) and graph.stats().macs is None
    x = torch.randn(5, 4)
    agree(graph.compile()(x), linear(x))
    model = graph.run_passes("graven-dce").compile(dims={"n": "1..8"})
    agree(model(x), linear(x))
    with pytest.raises(package.Error, match="from 1 to 8"):
        model(torch.randn(9, 4))


def test_load_looks_at_the_content(root, digits, image, tmp_path):
    graph = package.load(root / "examples/digits/digits.pt")
    assert isinstance(graph, package.Graph) and graph.name == "digits"
    np.testing.assert_array_equal(graph.compile()(image), digits(image))
    digits.save(tmp_path / "misnamed.pt")
    assert isinstance(package.load(tmp_path / "misnamed.pt"), package.Model)
    (tmp_path / "source.py").write_text("def forward(x: Tensor) -> Tensor:\n  return torch.relu(x)\n")
    source = package.load(tmp_path / "source.py", inputs={"x": "f32[3]"})
    assert source.compile()(np.float32([-1, 0, 1])).tolist() == [0, 0, 1]
    with pytest.raises(ValueError, match="threads"):
        package.load(root / "examples/digits/digits.pt", threads=1)
    with pytest.raises(ValueError, match="inputs"):
        package.load(tmp_path / "misnamed.pt", inputs={})
    (tmp_path / "nothing.so").write_bytes(b"\0" * 64)
    with pytest.raises(package.Error, match="GRV0002"):
        package.load(tmp_path / "nothing.so")


def test_unsupported_operations_are_found_at_once():
    with pytest.raises(package.Error) as error:
        package.load(saved(LeastSquares(), (torch.randn(3, 3),)))
    assert error.value.code == "GRV0201" and "lstsq" in str(error.value)


class LeastSquares(torch.nn.Module):
    def forward(self, x):
        return torch.linalg.lstsq(x, x)[0]


@pytest.mark.parametrize("wrong", [{"target": "gpu"}, {"precision": "f8"}, {"opt_level": 4}, {"numerics": "odd"},
                                   {"threads": 0}])
def test_bad_options(graph, wrong):
    with pytest.raises(ValueError):
        graph.compile(**wrong)
