"""Models whose Graph depends on the elements of inputs: compiled when they are called, once for each value.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import pytest
from onnx import helper

import graven

X = np.arange(6, dtype=np.float32).reshape(2, 3)


def model(nodes, inputs, outputs):
    def infos(values):
        return [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in values]
    graph = helper.make_graph(nodes, "g", infos(inputs), infos(outputs))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString()


def sums():
    node = helper.make_node("ReduceSum", ["x", "axes"], ["y"], keepdims=0)
    return model([node], [("x", 1, [2, 3]), ("axes", 7, [1])], [("y", 1, None)])


def test_axes_are_an_input():
    compiled = graven.compile(sums())
    assert isinstance(compiled, graven.SpecializingModel)
    np.testing.assert_array_equal(compiled(X, np.array([1])), X.sum(1))
    np.testing.assert_array_equal(compiled(X, np.array([0])), X.sum(0))
    np.testing.assert_array_equal(compiled(axes=np.array([-1]), x=X), X.sum(1))
    assert len(compiled.models) == 3


def test_equal_values_share_code():
    compiled = graven.compile(sums())
    for _ in range(2):
        compiled(X, np.array([1]))
        compiled(X, axes=np.array([1]))
    assert len(compiled.models) == 1
    assert compiled.models[0].input_names == ("x",)


def test_a_graph_knows_no_nodes_but_compiles(tmp_path):
    (tmp_path / "m.onnx").write_bytes(sums())
    graph = graven.load(tmp_path / "m.onnx")
    assert not graph.is_known
    np.testing.assert_array_equal(graph.compile()(X, np.array([0])), X.sum(0))


def test_inputs_are_found_one_after_the_other():
    nodes = [helper.make_node("ReduceSum", ["x", "axes"], ["s"]), helper.make_node("Expand", ["s", "shape"], ["y"])]
    compiled = graven.compile(model(nodes, [("axes", 7, [1]), ("x", 1, [2, 3]), ("shape", 7, [2])], [("y", 1, None)]))
    np.testing.assert_array_equal(compiled(np.array([1]), X, np.array([2, 4])), np.broadcast_to(X.sum(1)[:, None], (2, 4)))


def test_an_error_of_the_value_is_told():
    with pytest.raises(graven.Error, match="axis 2 is out of range for rank 2"):
        graven.compile(sums())(X, np.array([2]))


def test_large_inputs_are_no_sizes():
    node = helper.make_node("Reshape", ["x", "shape"], ["y"])
    size = helper.make_node("Cast", ["z"], ["zi"], to=7)
    least = helper.make_node("ReduceMin", ["zi"], ["shape"], keepdims=1)
    compiled = graven.compile(model([size, least, node], [("x", 1, [2, 3]), ("z", 1, [2000])], [("y", 1, None)]))
    with pytest.raises(graven.Error) as error:
        compiled(X, np.full(2000, 6, np.float32))
    assert error.value.code == "GRV0204" and error.value.needed == (("z", 1),)


def test_a_missing_input_is_told():
    with pytest.raises(graven.Error, match="axes depends on the values of input 'axes'"):
        graven.compile(sums())(X)
