"""The Python package: Graphs of PyTorch's modules, and the package where there is no PyTorch.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

import graven as package
from saving import exported, saved

pytestmark = pytest.mark.filterwarnings("ignore")


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Linear(4, 8), torch.nn.Linear(8, 3)

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return Net().eval()


def agree(got, expected):
    expected = expected.detach().numpy()
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= 1e-4 * np.abs(expected).max()


X = torch.randn(2, 4)


@pytest.mark.parametrize("make", [
    lambda net: package.trace(net, X), lambda net: package.trace(net, (X,)), lambda net: package.trace(net, (), kwargs={"x": X}),
    lambda net: package.script(net, inputs={"x": "f32[2,4]"}), lambda net: package.script(torch.jit.script(net), inputs=[X]),
    lambda net: package.export(net, X), lambda net: package.export(net, (), kwargs={"x": X}),
    lambda net: package.export(torch.export.export(net, (X,)), name="Net"),
], ids=["trace", "trace-tuple", "trace-kwargs", "script", "scripted", "export", "export-kwargs", "exported"])
def test_every_way_gives_the_same(net, make):
    graph = make(net)
    assert isinstance(graph, package.Graph) and graph.name == "Net" and graph.inputs[0].shape == (2, 4)
    assert set(graph.params) == {"first.weight", "first.bias", "second.weight", "second.bias"}
    assert [graph.stats().nodes[kind] for kind in ("matmul", "relu")] == [2, 1]
    agree(graph.compile(target="cpu", threads=1)(X), net(X))


def test_functions_and_several_tensors():
    graph = package.trace(lambda a, b: (a + b, (a * b).sum()), (X, X))
    results = graph.compile()(X, X)
    assert isinstance(results, list)
    agree(results[0], X + X)
    agree(results[1], (X * X).sum())


def test_tensors_that_want_gradients(net):
    model = package.trace(net, X).compile()
    agree(model(X.clone().requires_grad_()), net(X))
    agree(model(torch.nn.Parameter(X.t().contiguous()).t()), net(X))


@pytest.mark.parametrize("shapes", [{"x": {0: torch.export.Dim("batch", min=2, max=9)}},
                                    ({0: torch.export.Dim("batch", min=2, max=9)},)])
def test_export_with_a_dynamic_extent(net, shapes):
    graph = package.export(net, X, dynamic_shapes=shapes)
    symbol = graph.inputs[0].shape[0]
    assert isinstance(symbol, str) and graph.inputs[0].shape == (symbol, 4) and graph.outputs[0].shape == ("?", 3)
    assert graph.graph.startswith(f"# dynamic extents, shown at {symbol}=2\ngraph(%x : Float(2, 4)):")
    model = graph.run_passes("graven-dce").compile()
    for batch in (2, 3, 9):
        agree(model(torch.ones(batch, 4)), net(torch.ones(batch, 4)))
    with pytest.raises(package.Error, match="from 2 to 9"):
        model(torch.ones(10, 4))
    model = graph.compile(dims={"batch": [4, 5]})
    agree(model(torch.ones(5, 4)), net(torch.ones(5, 4)))
    with pytest.raises(package.Error):
        model(torch.ones(3, 4))
    with pytest.raises(package.Error, match="GRV0207"):
        graph.save("never.mlir")


def test_extents_that_cannot_share_code():
    class Turn(torch.nn.Module):
        def forward(self, x):
            return x.cumsum(0).flip(0) - x.mean()

    graph = package.export(Turn(), torch.ones(4, 4), dynamic_shapes={"x": {0: torch.export.Dim("n", min=2)}})
    model = graph.compile()
    for rows in (3, 7, 3):
        x = torch.randn(rows, 4)
        agree(model(x), Turn()(x))


def test_what_pytorch_raises_stays(net):
    with pytest.raises(RuntimeError):
        package.trace(net, torch.ones(3, 5))
    with pytest.raises(Exception, match="Constraint|specialized|dynamic"):
        package.export(torch.nn.Linear(4, 3), X, dynamic_shapes=({0: torch.export.Dim("b"), 1: torch.export.Dim("c")},))


def test_a_mutable_module_is_not_kept(net):
    module = Net().eval()
    graph = package.trace(module, X)
    expected = module(X)
    with torch.no_grad():
        module.first.weight.zero_()
    agree(graph.compile()(X), expected)


WITHOUT_PYTORCH = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ImportError("there is no PyTorch here")

sys.meta_path.insert(0, Refuse())
import numpy, graven

x, expected = numpy.load(sys.argv[1]), numpy.load(sys.argv[2])
for path in sys.argv[3:]:
    inputs = {"x": "f32[2,4]"} if "scripted" in path else None
    for model in (graven.compile(path, inputs=inputs), graven.load(path, inputs=inputs).compile(), graven.load(path).compile()):
        assert abs(model(x) - expected).max() <= 1e-4 * abs(expected).max(), path
    graph = graven.load(path, inputs=inputs).run_passes("graven-dce")
    assert "relu" in graph.code and graph.stats().parameters == 67, path
for name in ("trace", "script", "export"):
    try:
        getattr(graven, name)(None, None) if name != "script" else graven.script(None)
    except ImportError as error:
        assert "no PyTorch" in str(error)
assert "torch" not in sys.modules
print("done")
"""


def test_without_pytorch(net, build, tmp_path):
    """Files of all kinds compile and run where `import torch` fails."""
    np.save(tmp_path / "x.npy", X.numpy())
    np.save(tmp_path / "y.npy", net(X).detach().numpy())
    (tmp_path / "traced.pt").write_bytes(saved(net, (X,)))
    (tmp_path / "scripted.pt").write_bytes(saved(net))
    (tmp_path / "net.onnx").write_bytes(exported(net, (X,), {"x": {}}))
    torch.export.save(torch.export.export(net, (X,)), tmp_path / "exported.pt2")
    files = [tmp_path / name for name in ("traced.pt", "scripted.pt", "net.onnx", "exported.pt2")]
    run = subprocess.run([sys.executable, "-c", WITHOUT_PYTORCH, tmp_path / "x.npy", tmp_path / "y.npy", *files],
                         capture_output=True, text=True, check=False,
                         env=os.environ | {"PYTHONPATH": str(build / "python")})
    assert run.returncode == 0, run.stderr
    assert "done" in run.stdout
