"""com.microsoft's quantized ops, against ONNX Runtime.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import onnxruntime
import pytest
from onnx import helper, numpy_helper

import graven

RNG = np.random.default_rng(0)
TYPES = pytest.mark.parametrize("dtype", [np.uint8, np.int8])


def check(op, arguments, **attributes):
    """`arguments` are arrays and numbers, which are constants; None stands for an absent one."""
    names = [f"x{i}" if value is not None else "" for i, value in enumerate(arguments)]
    arrays = {name: value for name, value in zip(names, arguments) if isinstance(value, np.ndarray) and value.ndim}
    constants = [numpy_helper.from_array(np.asarray(value), name)
                 for name, value in zip(names, arguments) if name and name not in arrays]
    infos = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape) for name, x in arrays.items()]
    kind = helper.np_dtype_to_tensor_dtype(next(iter(arrays.values())).dtype)
    node = helper.make_node(op, names, ["y"], domain="com.microsoft", **attributes)
    graph = helper.make_graph([node], "g", infos, [helper.make_tensor_value_info("y", kind, None)], constants)
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    proto = helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString()
    expected, = onnxruntime.InferenceSession(proto, providers=["CPUExecutionProvider"]).run(None, arrays)
    own = graven.compile(proto, threads=1)(**arrays)
    assert own.dtype == expected.dtype and own.shape == expected.shape
    # What lies between two numbers may be rounded to either.
    assert np.abs(own.astype(int) - expected.astype(int)).max() <= 1
    assert (own != expected).mean() <= 0.02


def data(dtype, *shape):
    return RNG.integers(np.iinfo(dtype).min, np.iinfo(dtype).max + 1, shape).astype(dtype)


@TYPES
@pytest.mark.parametrize("op", ["QLinearAdd", "QLinearMul"])
def test_of_two(op, dtype):
    zero = dtype(3)
    check(op, [data(dtype, 2, 3, 4), np.float32(0.02), zero, data(dtype, 3, 4), np.float32(0.05), dtype(7), np.float32(0.0311), zero])


@TYPES
@pytest.mark.parametrize("op, attributes", [
    ("QLinearSigmoid", {}), ("QLinearLeakyRelu", {"alpha": 0.2}), ("QLinearSoftmax", {"axis": -1, "opset": 13}),
    ("QLinearGlobalAveragePool", {}),
])
def test_of_one(op, attributes, dtype):
    zero = dtype(0) if op == "QLinearSoftmax" else dtype(5)
    check(op, [data(dtype, 2, 3, 4, 4), np.float32(0.03), dtype(9), np.float32(1 / 256), zero], **attributes)


@TYPES
def test_concat(dtype):
    parts = [data(dtype, 2, 3), np.float32(0.02), dtype(1), data(dtype, 2, 5), np.float32(0.04), dtype(2)]
    check("QLinearConcat", [np.float32(0.03), dtype(4), *parts], axis=1)
