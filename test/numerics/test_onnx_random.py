"""ONNX ops that draw numbers: right shapes, types and laws, the same in every run, and those of the seed.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import pytest
from onnx import TensorProto, helper

import graven

F32, F64, I64 = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64


def draw(op, x=None, kind=F32, opset=21, inputs=("x",), **attributes):
    """Twice, by two compilations."""
    infos = [] if x is None else [helper.make_tensor_value_info("x", helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)]
    node = helper.make_node(op, [] if x is None else inputs, ["y"], **attributes)
    graph = helper.make_graph([node], "g", infos, [helper.make_tensor_value_info("y", kind, None)])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10).SerializeToString()
    first, second = (graven.compile(proto, threads=1).run(*([] if x is None else [x]))[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    return first


def test_uniform():
    y = draw("RandomUniform", shape=[100, 50], low=-2.0, high=3.0)
    assert y.shape == (100, 50) and y.dtype == np.float32 and y.min() >= -2 and y.max() < 3
    np.testing.assert_allclose([y.mean(), y.var()], [0.5, 25 / 12], atol=0.05)
    np.testing.assert_array_equal(draw("RandomUniform", shape=[4], seed=5.0, dtype=F64, kind=F64), np.random.RandomState(5).rand(4))
    assert not np.array_equal(draw("RandomUniform", shape=[4], seed=6.0), draw("RandomUniform", shape=[4], seed=5.0))


def test_normal():
    y = draw("RandomNormal", shape=[100, 50], mean=1.0, scale=2.0)
    np.testing.assert_allclose([y.mean(), y.std()], [1, 2], atol=0.08)
    np.testing.assert_array_equal(draw("RandomNormal", shape=[5], seed=5.0, dtype=F64, kind=F64), np.random.RandomState(5).randn(5))


@pytest.mark.parametrize("op", ["RandomUniformLike", "RandomNormalLike"])
def test_like(op):
    x = np.zeros((3, 4), np.float64)
    assert draw(op, x, F64).shape == (3, 4)
    assert draw(op, x, F32, dtype=F32).dtype == np.float32


def test_bernoulli():
    x = np.tile(np.array([0, 0.25, 1], np.float32), (2000, 1))
    y = draw("Bernoulli", x)
    np.testing.assert_allclose(y.mean(0), [0, 0.25, 1], atol=0.05)
    assert set(np.unique(y)) == {0, 1}
    assert draw("Bernoulli", x, I64, dtype=I64).dtype == np.int64


def test_multinomial():
    x = np.log(np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 1e-9]], np.float32))
    y = draw("Multinomial", x, TensorProto.INT32, sample_size=4000)
    assert y.shape == (2, 4000) and y.dtype == np.int32
    for row, wanted in zip(y, np.exp(x)):
        np.testing.assert_allclose(np.bincount(row, minlength=3) / 4000, wanted, atol=0.04)


def test_two_nodes_draw_apart():
    nodes = [helper.make_node("RandomUniform", [], [name], name=name, shape=[8]) for name in "ab"]
    graph = helper.make_graph(nodes, "g", [], [helper.make_tensor_value_info(name, F32, [8]) for name in "ab"])
    model = graven.compile(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10).SerializeToString())
    a, b = model.run()
    assert not np.array_equal(a, b)


def test_what_is_too_much():
    with pytest.raises(graven.Error, match="GRV0202.*RandomNormal.*draws a tensor"):
        draw("RandomNormal", shape=[1 << 20, 1 << 20])
