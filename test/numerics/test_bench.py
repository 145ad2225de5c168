"""`graven bench --vs ort`: another runtime in turns, and what the two say of each other.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import os
import subprocess
import sys

import onnx
import pytest
from onnx import TensorProto, helper


@pytest.fixture
def gemm(tmp_path):
    """y = x w + b, with an input of integers beside it."""
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "ids"], ["row"]), helper.make_node("Gemm", ["x", "w", "row"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [8, 32]),
         helper.make_tensor_value_info("ids", TensorProto.INT64, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [8, 16])],
        [helper.make_tensor("w", TensorProto.FLOAT, [32, 16], [(i % 7) / 7 - 0.4 for i in range(512)]),
         helper.make_tensor("table", TensorProto.FLOAT, [2, 16], [i / 32 for i in range(32)])])
    path = tmp_path / "gemm.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


def bench(graven, *arguments, python=sys.executable):
    return subprocess.run([str(a) for a in (graven, "bench", *arguments)], capture_output=True, text=True, timeout=120,
                          check=False, env=os.environ | {"GRAVEN_PYTHON": python})


def test_times_and_difference(graven, gemm):
    run = bench(graven, gemm, "--vs", "ort", "--seconds", "0.2", "--json", "--input", "random")
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    peer = report["ort"]
    assert 0 < peer["min_ms"] <= peer["median_ms"] and peer["runs"] >= 5
    assert peer["ratio"] == pytest.approx(peer["min_ms"] / report["min_ms"])
    assert peer["difference"] < 1e-5


def test_text(graven, gemm):
    run = bench(graven, gemm, "--vs", "ort", "--seconds", "0.1")
    assert run.returncode == 0, run.stderr
    assert "ONNX Runtime: min " in run.stdout and "outputs differ by " in run.stdout


@pytest.mark.parametrize("python, said", [("/nonexistent/python", "cannot run '/nonexistent/python'"),
                                          ("/bin/true", "the Python process ended")])
def test_no_runtime(graven, gemm, python, said):
    run = bench(graven, gemm, "--vs", "ort", "--seconds", "0.1", python=python)
    assert run.returncode == 2
    assert "[GRV0503]" in run.stderr and said in run.stderr


def test_what_it_cannot_compare(graven, gemm, tmp_path):
    run = bench(graven, gemm, "--vs", "tvm")
    assert run.returncode == 3 and "--vs takes ort, got 'tvm'" in run.stderr
    artifact = tmp_path / "gemm.so"
    subprocess.run([graven, "compile", gemm, "-o", artifact], check=True)
    run = bench(graven, artifact, "--vs", "ort")
    assert run.returncode == 3 and "--vs ort needs an ONNX file" in run.stderr
