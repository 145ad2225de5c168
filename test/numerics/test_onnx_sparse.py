"""Sparse initializers and constants of ONNX against the onnx reference and NumPy.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import graven

W = np.zeros((3, 4), np.float32)
W[0, 1], W[2, 0], W[2, 3] = 2.5, -1.0, 4.0


def sparse(indices, values=(2.5, -1.0, 4.0), dims=(3, 4), kind=TensorProto.FLOAT, name="w"):
    indices = np.array(indices, np.int64)
    return helper.make_sparse_tensor(helper.make_tensor(name, kind, [len(values)], values),
                                     helper.make_tensor("i", TensorProto.INT64, indices.shape, indices.ravel()), dims)


def model(tensor, constant=False):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 4])
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    if constant:
        nodes.insert(0, helper.make_node("Constant", [], ["w"], sparse_value=tensor))
    graph = helper.make_graph(nodes, "g", [x], [y], sparse_initializer=[] if constant else [tensor])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("indices", [[1, 8, 11], [[0, 1], [2, 0], [2, 3]]])
def test_elements_at_their_places(indices, constant):
    proto = model(sparse(indices), constant)
    onnx.checker.check_model(proto)
    x = np.random.default_rng(0).standard_normal((2, 3)).astype(np.float32)
    np.testing.assert_allclose(graven.compile(proto.SerializeToString())(x), x @ W, rtol=1e-6)


@pytest.mark.parametrize("tensor, words", [
    (sparse([1, 8, 12]), ["ascend", "value 2"]), (sparse([1, 1, 2]), ["ascend", "value 1"]), (sparse([-1, 0, 2]), ["value 0"]),
    (sparse([[0, 1], [2, 0], [3, 0]]), ["value 2"]), (sparse([[0, 4], [2, 0], [2, 3]]), ["value 0"]),
    (sparse([0, 1]), ["indices for each", "tensor<2xi64>"]),
    (sparse([0, 1, 2], dims=(1 << 40, 1 << 40)), ["more than 16 axes"]), (sparse([0, 1, 2], dims=(1 << 30, 4)), ["bytes"]),
    (sparse([0, 1, 2], dims=(-3, 4)), ["more than"]), (sparse([0, 1, 2], (1, 2, 3), kind=TensorProto.UINT4), ["narrow"]),
])
def test_others_are_refused(tensor, words):
    with pytest.raises(graven.Error) as raised:
        graven.compile(model(tensor).SerializeToString())
    assert all(word in str(raised.value) for word in ["[GRV0", *words]), raised.value
