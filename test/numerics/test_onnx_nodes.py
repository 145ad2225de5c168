"""The node tests of the onnx package, imported and run by the reference evaluator.

A case may be unsupported (a clean error with a code); it may not be wrong and it may not crash. The number of cases
that pass may only grow.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import collections
import warnings

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases
from onnx.backend.test.runner import Runner

from onnx_driver import Driver

# Raise it when more cases pass.
LEAST_PASSES = 1318


def array_of(value):
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    return np.asarray(value) if isinstance(value, (np.generic, bool, int, float)) else value


def is_tensor(value):
    return isinstance(value, onnx.TensorProto) or (isinstance(value, (np.ndarray, np.generic)) and value.dtype != object)


def judge(driver, case):
    for inputs, expected in case.data_sets:
        if not all(is_tensor(value) for value in [*inputs, *expected]):
            return "unsupported: no tensors"
        arrays = [value if isinstance(value, onnx.TensorProto) else np.asarray(value) for value in inputs]
        answer, outputs = driver.run(case.model, arrays)
        if answer.startswith("crash"):
            return answer
        if answer != "ok":
            return f"unsupported: {answer}" if "[GRV" in answer else f"uncoded: {answer}"
        expected = [array_of(value) for value in expected]
        # Sums of halves accumulate in f32 here; the expanded references round after every op: 2 ULP.
        halves = any(value.dtype == np.float16 for value in expected)
        try:
            Runner.assert_similar_outputs(expected, outputs, max(case.rtol, 2e-3 if halves else 0), case.atol, None)
        except AssertionError as error:
            return f"wrong: {str(error)[:200]}"
    return "pass"


@pytest.fixture(scope="module")
def results(build, tmp_path_factory):
    warnings.filterwarnings("ignore")
    folder = tmp_path_factory.mktemp("onnx-nodes")
    driver = Driver(build / "bin" / "evaluate-onnx", folder)
    found = {case.name: judge(driver, case) for case in collect_testcases()}
    driver.close()
    return found


def named(results, *kinds):
    return [f"{name}: {result}" for name, result in results.items() if result.startswith(kinds)]


def test_nothing_is_wrong(results):
    assert not named(results, "wrong")


def test_nothing_crashes(results):
    assert not named(results, "crash")


def test_every_refusal_has_a_code(results):
    assert not named(results, "uncoded")


def test_passes_only_grow(results):
    count = collections.Counter(result.split(":")[0] for result in results.values())
    print(dict(count))
    assert count["pass"] >= LEAST_PASSES
