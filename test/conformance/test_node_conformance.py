"""The node tests of the onnx package, compiled: right, or refused with a coded error.

expected/onnx-nodes.txt lists the cases that are not supported. A case that is not in the list must pass, and one that is
must not, so that the list shrinks with the work on it; wrong results and crashes cannot be listed. Here an eighth of the
cases run, and all that are listed; GRAVEN_ONNX_NODES=all runs all.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnx_nodes
import onnx_table
import pytest
from onnx import helper

from processes import Verdict, problems_of


def test_cases(tmp_path):
    part = [] if os.environ.get("GRAVEN_ONNX_NODES") == "all" else ["--part", "0/8"]
    report = tmp_path / "report.json"
    subprocess.run([sys.executable, pathlib.Path(onnx_nodes.__file__), "--quiet", "--json", report, *part], check=False,
                   timeout=3000)
    verdicts = {name: Verdict(*fields) for name, fields in json.loads(report.read_text()).items()}
    expected = onnx_nodes.read_expected()
    problems = problems_of(verdicts, expected, "onnx_nodes.py --shrink")
    assert not problems, "\n".join(problems)
    assert len(verdicts) > 200, "the onnx package has more cases"


def test_only_refusals_are_listed():
    for name, reason in onnx_nodes.read_expected().items():
        assert reason.startswith(("[GRV", "input '", "no model takes")), f"{name}: {reason}"


@pytest.mark.filterwarnings("ignore")
def test_the_table_is_up_to_date():
    assert onnx_table.DOC.read_text() == onnx_table.table(), "run onnx_table.py --update"


class Tolerances:
    rtol, atol = 1e-3, 1e-7


@pytest.mark.parametrize("got, expected, is_close", [
    ([1.0, 100.0], [1.0, 100.0], True),
    ([1.0, 100.2], [1.0, 100.0], False),
    ([0.0, 100.0], [2e-6, 100.0], True),  # noise
    ([0.0, 100.0], [2e-4, 100.0], False),
    ([np.nan, 1.0], [np.nan, 1.0], True),
    ([1.0, 1.0], [np.nan, 1.0], False),
    ([np.inf, 1.0], [-np.inf, 1.0], False),
])
def test_the_judge(got, expected, is_close):
    try:
        onnx_nodes.close([np.array(expected, np.float32)], [np.array(got, np.float32)], Tolerances)
    except AssertionError:
        assert not is_close
    else:
        assert is_close


def test_the_judge_wants_types_and_counts():
    one = np.ones(2, np.float32)
    for other in ([], [one.astype(np.float64)], [np.ones(3, np.float32)]):
        with pytest.raises(AssertionError):
            onnx_nodes.close([one], other, Tolerances)


def backend_model():
    infos = {name: helper.make_tensor_value_info(name, 1, [2]) for name in "xyz"}
    graph = helper.make_graph([helper.make_node("Sub", ["x", "y"], ["z"])], "g", [infos["x"], infos["y"]], [infos["z"]])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def test_the_backend_takes_lists_and_names():
    from graven import onnx_backend
    x, y = np.array([5, 7], np.float32), np.array([1, 2], np.float32)
    prepared = onnx_backend.prepare(backend_model())
    for inputs in ([x, y], {"y": y, "x": x}):
        (z,) = prepared.run(inputs)
        np.testing.assert_array_equal(z, x - y)
    assert onnx_backend.supports_device("CPU") and not onnx_backend.supports_device("CUDA:0")
    with pytest.raises(ValueError, match="device must be 'CPU'"):
        onnx_backend.prepare(backend_model(), "CUDA")
    onnx.checker.check_model(backend_model())


def test_the_backend_needs_no_pytorch():
    code = "import graven.onnx_backend, sys; assert 'torch' not in sys.modules"
    package = pathlib.Path(sys.modules["graven"].__file__).parents[1] if "graven" in sys.modules else None
    environment = os.environ | ({"PYTHONPATH": str(package)} if package else {})
    assert subprocess.run([sys.executable, "-c", code], check=False, env=environment).returncode == 0
