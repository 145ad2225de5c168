"""`graven verify` beside ONNX Runtime and PyTorch: outputs, and the values of nodes.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import os
import subprocess
import sys

import onnx
import pytest
import torch
from onnx import TensorProto, helper


@pytest.fixture
def model(tmp_path):
    """Two convolutions with norms between, in ONNX."""
    def weights(name, *shape):
        count = 1
        for extent in shape:
            count *= extent
        return helper.make_tensor(name, TensorProto.FLOAT, shape, [(i * 5 % 13) / 13 + 0.1 for i in range(count)])

    nodes = [helper.make_node("Conv", ["x", "w0"], ["a"], name="conv0", pads=[1, 1, 1, 1]),
             helper.make_node("BatchNormalization", ["a", "s", "b", "m", "v"], ["c"], name="norm"),
             helper.make_node("Relu", ["c"], ["d"], name="act"),
             helper.make_node("Conv", ["d", "w1"], ["y"], name="conv1")]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 8, 8])],
        [weights("w0", 20, 3, 3, 3), weights("w1", 4, 20, 1, 1), *(weights(name, 20) for name in "sbmv")])
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def verify(graven, *arguments, python=sys.executable):
    return subprocess.run([str(a) for a in (graven, "verify", *arguments)], capture_output=True, text=True, timeout=300,
                          check=False, env=os.environ | {"GRAVEN_PYTHON": python})


def test_outputs_beside_onnx_runtime(graven, model):
    run = verify(graven, model, "ort", "--json")
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert report["same"] and report["second"].startswith("ONNX Runtime on")
    output, = report["outputs"]
    assert sum(output["histogram"].values()) == 1 * 4 * 8 * 8
    assert output["greatest_difference"] <= 1e-4 * output["greatest_element"]


def test_nodes_beside_onnx_runtime(graven, model):
    """The evaluator has a Node for each of the model, native code a fusion for several: the place of its last."""
    run = verify(graven, f"evaluator:{model}", "ort", "--per-node", "--json")
    assert run.returncode == 0, run.stderr
    assert [node["place"] for node in json.loads(run.stdout)["nodes"]] == [
        "Node 'conv0'", "Node 'norm'", "Node 'act'"]
    run = verify(graven, model, "ort", "--per-node")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Nodes compared: none differs" in run.stdout and " 0 of " not in run.stdout


def test_the_first_node_that_differs(graven, model, tmp_path):
    changed = onnx.load(model)
    changed.graph.node[1].attribute.append(helper.make_attribute("epsilon", 0.5))
    onnx.save(changed, tmp_path / "changed.onnx")
    run = verify(graven, f"evaluator:{tmp_path / 'changed.onnx'}", f"ort:{model}", "--per-node")
    assert run.returncode == 1, run.stderr
    assert "the first that differs is 'batch_norm' at Node 'norm'" in run.stdout
    assert run.stdout.endswith("different\n")


def test_any_limit_of_steps_gives_a_right_model(graven, model, tmp_path):
    artifact = tmp_path / "m.so"
    def compile_with(limit):
        run = subprocess.run([graven, "compile", model, "-o", artifact, "--opt-bisect-limit", str(limit), "--json"],
                             capture_output=True, text=True, check=True)
        return json.loads(run.stdout)["steps"]

    steps = compile_with(-1)
    for limit in range(0, steps, steps // 12):
        compile_with(limit)
        run = verify(graven, artifact, f"evaluator:{model}")
        assert run.returncode == 0, (limit, run.stdout + run.stderr)


def test_an_artifact_beside_pytorch(graven, tmp_path):
    network = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.GELU(), torch.nn.Linear(16, 4)).eval()
    torch.jit.trace(network, torch.zeros(2, 8)).save(str(tmp_path / "m.pt"))
    exported = torch.export.export(network, (torch.zeros(2, 8),))
    torch.export.save(exported, str(tmp_path / "m.pt2"))
    subprocess.run([graven, "compile", tmp_path / "m.pt", "-o", tmp_path / "m.so", "--input", "0:f32[2,8]"], check=True)
    for name in ("m.pt", "m.pt2"):
        run = verify(graven, tmp_path / "m.so", f"torch:{tmp_path / name}")
        assert run.returncode == 0, run.stdout + run.stderr
        assert "beside PyTorch on" in run.stdout
    other = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.GELU(), torch.nn.Linear(16, 4)).eval()
    torch.jit.trace(other, torch.zeros(2, 8)).save(str(tmp_path / "other.pt"))
    run = verify(graven, tmp_path / "m.so", f"torch:{tmp_path / 'other.pt'}")
    assert run.returncode == 1 and run.stdout.endswith("different\n")


def test_a_file_that_the_other_runtime_does_not_take(graven, tmp_path):
    (tmp_path / "m.py").write_text("def forward(x: Tensor) -> Tensor:\n    return torch.relu(x)\n")
    run = verify(graven, tmp_path / "m.py", "torch", "--input", "0:f32[2]")
    assert run.returncode == 2
    assert "[GRV0503] PyTorch: " in run.stderr


class Branching(torch.nn.Module):
    """Submodules, a branch, a value that is overwritten."""
    def __init__(self):
        super().__init__()
        self.first, self.norm, self.last = torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.Linear(8, 5)

    def forward(self, x):
        y = torch.relu_(self.norm(self.first(x)) + 1)
        if x.size(0) > 3:
            y = y * 2
        return self.last(y.mean((2, 3)))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["script", "trace", "export"])
def test_nodes_beside_pytorch(graven, tmp_path, form):
    torch.manual_seed(0)
    module, x = Branching().eval(), torch.randn(1, 3, 8, 8)
    path = tmp_path / ("m.pt2" if form == "export" else "m.pt")
    if form == "export":
        torch.export.save(torch.export.export(module, (x,)), path)
    else:
        (torch.jit.script(module) if form == "script" else torch.jit.trace(module, x)).save(path)
    flags = ["--input", "x:f32[1,3,8,8]"] if form == "script" else []
    run = verify(graven, f"evaluator:{path}", "torch", "--per-node", "--json", *flags)
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    nodes = report["nodes"]
    # The product of a linear layer is a Node of its own here.
    assert sum(node["same"] for node in nodes) >= 6 and "first_diverging" not in report, report
    assert any("first" in node["place"] for node in nodes) and any("last" in node["place"] for node in nodes)
    run = verify(graven, path, "torch", "--per-node", *flags)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Nodes compared: none differs" in run.stdout and "\n0 of " not in run.stdout


@pytest.mark.filterwarnings("ignore")
def test_the_first_node_that_differs_from_pytorch(graven, tmp_path):
    torch.manual_seed(0)
    module = Branching().eval()
    torch.jit.script(module).save(tmp_path / "m.pt")
    module.norm.eps = 0.5
    torch.jit.script(module).save(tmp_path / "changed.pt")
    run = verify(graven, f"evaluator:{tmp_path / 'changed.pt'}", f"torch:{tmp_path / 'm.pt'}", "--per-node", "--input",
                 "x:f32[1,3,8,8]")
    assert run.returncode == 1, run.stderr
    assert "the first that differs is 'batch_norm'" in run.stdout and "'norm'" in run.stdout
