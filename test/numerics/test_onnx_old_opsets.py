"""ONNX models of opsets 1 to 6: attributes that became operands, broadcast along an axis, training by default.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import pytest
import torch
from onnx import TensorProto, helper

from onnx_driver import Driver

KINDS = {np.dtype("float32"): TensorProto.FLOAT, np.dtype("int64"): TensorProto.INT64, np.dtype("bool"): TensorProto.BOOL,
         np.dtype("int32"): TensorProto.INT32}
RANDOM = np.random.default_rng(1)


def floats(*shape):
    return RANDOM.standard_normal(shape, np.float32)


X = floats(2, 3, 4, 5)
FLAGS = X > 0


@pytest.fixture(scope="module")
def driver(build, tmp_path_factory):
    made = Driver(build / "bin" / "evaluate-onnx", tmp_path_factory.mktemp("old"))
    yield made
    made.close()


def model(op, opset, inputs, outputs, attributes, constants=()):
    """One node. `constants`: which of the inputs the file has, by number."""
    names = [f"x{i}" for i in range(len(inputs))]
    infos = [helper.make_tensor_value_info(name, KINDS[x.dtype], x.shape) for name, x in zip(names, inputs)]
    results = [helper.make_tensor_value_info(f"y{i}", KINDS[y.dtype], y.shape) for i, y in enumerate(outputs)]
    node = helper.make_node(op, names, [info.name for info in results], **attributes)
    held = [helper.make_tensor(names[i], KINDS[inputs[i].dtype], inputs[i].shape, inputs[i].tobytes(), raw=True)
            for i in constants]
    graph = helper.make_graph([node], "g", infos, results, held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=3)


def check(driver, op, opset, inputs, outputs, attributes=None, constants=()):
    made = model(op, opset, inputs, outputs, attributes or {}, constants)
    answer, results = driver.run(made, [x for i, x in enumerate(inputs) if i not in constants])
    assert answer == "ok", answer
    for wanted, got in zip(outputs, results, strict=True):
        assert got.dtype == wanted.dtype and got.shape == wanted.shape
        np.testing.assert_allclose(got, wanted, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("opset", [1, 6])
@pytest.mark.parametrize("shape, axis, aligned", [
    ((3,), 1, (3, 1, 1)), ((3, 4), 1, (3, 4, 1)), ((2,), 0, (2, 1, 1, 1)), ((5,), None, (5,)), ((4, 5), None, (4, 5)),
    ((4, 5), -2, (4, 5)), ((1,), None, (1,)), ((), 0, ()), ((2, 1), 0, (2, 1, 1, 1)),
], ids=str)
def test_broadcast_from_an_axis(driver, opset, shape, axis, aligned):
    b = np.abs(floats(*shape)) + np.float32(0.5)
    attributes = {"broadcast": 1} | ({} if axis is None else {"axis": axis})
    for op, function in [("Add", np.add), ("Sub", np.subtract), ("Mul", np.multiply), ("Div", np.divide)]:
        check(driver, op, opset, [X, b], [function(X, b.reshape(aligned))], attributes)
    check(driver, "Pow", opset, [np.abs(X), b], [np.abs(X) ** b.reshape(aligned)], attributes)
    for op, function in [("Less", np.less), ("Greater", np.greater)]:
        check(driver, op, opset, [X, b], [function(X, b.reshape(aligned))], attributes)
    flags = np.asarray(b > 1)
    for op, function in [("And", np.logical_and), ("Or", np.logical_or), ("Xor", np.logical_xor)]:
        check(driver, op, opset, [FLAGS, flags], [function(FLAGS, flags.reshape(aligned))], attributes)
    whole, some = (X * 2).astype(np.int64), (b * 2).astype(np.int64)
    check(driver, "Equal", opset, [whole, some], [whole == some.reshape(aligned)], attributes)


def test_no_broadcast_unless_asked_for(driver):
    check(driver, "Add", 6, [X, X], [X + X])
    answer = driver.import_bytes(model("Add", 6, [X, X[0, 0, 0]], [X], {}).SerializeToString())
    assert "[GRV0107]" in answer and "expected one shape without broadcast = 1" in answer
    answer = driver.import_bytes(model("Add", 6, [X, floats(4, 5)], [X], {"broadcast": 1, "axis": 3}).SerializeToString())
    assert "[GRV0107]" in answer and "rank 2 from axis 3" in answer


@pytest.mark.parametrize("op", ["BatchNormalization", "Dropout"])
def test_training_is_the_default_and_refused(driver, op):
    more = [floats(3), floats(3), floats(3), np.abs(floats(3))] if op == "BatchNormalization" else []
    answer = driver.import_bytes(model(op, 6, [X, *more], [X], {}).SerializeToString())
    assert "[GRV0202]" in answer and "is_test = 0" in answer


def test_inference_of_what_may_train(driver):
    check(driver, "Dropout", 1, [X], [X], {"is_test": 1})
    scale, bias, mean, variance = floats(3), floats(3), floats(3), np.abs(floats(3)) + 1
    wanted = torch.nn.functional.batch_norm(*map(torch.from_numpy, (X, mean, variance, scale, bias)), eps=1e-5).numpy()
    check(driver, "BatchNormalization", 6, [X, scale, bias, mean, variance], [wanted], {"is_test": 1})


@pytest.mark.parametrize("opset", [1, 6])
@pytest.mark.parametrize("count", [1, 3])
def test_slopes_are_the_channels(driver, opset, count):
    slope = np.abs(floats(count))
    check(driver, "PRelu", opset, [X, slope], [np.where(X < 0, X * slope.reshape(-1, 1, 1), X)])


def test_operands_that_were_attributes(driver):
    check(driver, "Reshape", 1, [X], [X.reshape(2, 3, 20)], {"shape": [0, 3, -1]})
    check(driver, "Pad", 1, [X], [np.pad(X, ((0, 0), (0, 0), (1, 3), (2, 4)), constant_values=0.5)],
          {"paddings": [0, 0, 1, 2, 0, 0, 3, 4], "value": 0.5})
    check(driver, "Tile", 1, [X, np.array([3]), np.array([2])], [np.tile(X, (1, 1, 3, 1))], constants=(1, 2))
    check(driver, "Split", 1, [X], [X[:, :, :1], X[:, :, 1:]], {"axis": 2, "split": [1, 3]})
    check(driver, "Split", 1, [X, np.array([1, 2])], [X[:, :1], X[:, 1:]], {"axis": 1}, constants=(1,))
    check(driver, "Concat", 1, [X, X], [np.concatenate([X, X], 1)])
    check(driver, "Cast", 1, [X], [X.astype(np.int32)], {"to": "INT32"})
    check(driver, "Upsample", 1, [X], [X.repeat(2, 2).repeat(3, 3)],
          {"height_scale": 2.0, "width_scale": 3.0, "mode": "nearest"})
    check(driver, "Selu", 1, [X], [np.float32(1.0507) * np.where(X > 0, X, np.float32(1.6732) * np.expm1(X))])


def test_pools_and_products(driver):
    wanted = torch.nn.functional.avg_pool2d(torch.from_numpy(X), 3, 1, 1, count_include_pad=False).numpy()
    check(driver, "AveragePool", 1, [X], [wanted], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})
    wanted = torch.nn.functional.lp_pool2d(torch.from_numpy(np.abs(X)), 3, 2, 1).numpy()
    check(driver, "LpPool", 1, [X], [wanted], {"kernel_shape": [2, 2], "p": 3.0})
    check(driver, "GlobalLpPool", 1, [X], [np.sqrt((X * X).sum((2, 3), keepdims=True))], {"p": 2.0})
    a, b, c = floats(4, 3), floats(5, 3), floats(5)
    check(driver, "Gemm", 6, [a, b, c], [a @ b.T + 2 * c], {"transB": 1, "beta": 2.0, "broadcast": 1})


def test_a_type_that_is_none(driver):
    answer = driver.import_bytes(model("Cast", 5, [X], [X], {"to": "FLOAT7"}).SerializeToString())
    assert "[GRV0202]" in answer
