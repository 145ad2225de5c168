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
LEAST_PASSES = 1785


def array_of(value):
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    return np.asarray(value) if isinstance(value, (np.generic, bool, int, float)) else value


def is_tensor(value):
    return isinstance(value, onnx.TensorProto) or (isinstance(value, (np.ndarray, np.generic)) and value.dtype != object)


def as_meant(output, expected):
    """Narrow elements (f8, i4) come as their bytes."""
    if output.dtype.name not in ("uint8", "int8") or not is_narrow(expected.dtype):
        return output
    return output.view(expected.dtype) if expected.dtype.name.startswith("float") else output.astype(expected.dtype)


def is_narrow(dtype):
    return dtype.name.startswith(("float8", "float4")) or dtype.name in ("int4", "uint4", "int2", "uint2")


def noise_of(expected):
    """Twice the precision of the type, of the greatest element: some expected values are rounded after each of many steps,
    or are what a sum that is zero leaves."""
    if expected.dtype not in (np.float16, np.float32, np.float64):
        return 0
    sizes = np.abs(expected[np.isfinite(expected)]).astype(np.float64)
    return 2 * float(np.finfo(expected.dtype).eps) * float(sizes.max(initial=0))


DRAWING = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}


def is_random(model):
    """Whether results can be judged by shape and type only."""
    nodes = [*model.graph.node, *(node for function in model.functions for node in function.node)]
    return any(node.op_type in DRAWING for node in nodes)


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
        outputs = [as_meant(*pair) for pair in zip(outputs, expected)]
        if is_random(case.model):
            same = all(own.shape == other.shape and own.dtype == other.dtype for own, other in zip(outputs, expected, strict=True))
            if not same:
                return "wrong: other shapes or types"
            continue
        try:
            for own, other in zip(outputs, expected, strict=True):
                Runner.assert_similar_outputs([other], [own], case.rtol, max(case.atol, noise_of(other)), None)
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
