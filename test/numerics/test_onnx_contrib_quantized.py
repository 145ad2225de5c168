"""com.microsoft's quantized ops, against ONNX Runtime.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import graven

RNG = np.random.default_rng(0)
TYPES = pytest.mark.parametrize("dtype", [np.uint8, np.int8])


def check(op, arguments, kind=None, near=None, outputs=("y",), **attributes):
    """`arguments` are arrays and numbers, which are constants; None stands for an absent one. `kind` is the type of the results, the
    first array's unless it is given; `near` is how far floats may be off, of the greatest magnitude."""
    names = [f"x{i}" if value is not None else "" for i, value in enumerate(arguments)]
    arrays = {name: value for name, value in zip(names, arguments) if isinstance(value, np.ndarray) and value.ndim}
    constants = [numpy_helper.from_array(np.asarray(value), name)
                 for name, value in zip(names, arguments) if name and name not in arrays]
    infos = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape) for name, x in arrays.items()]
    kind = kind or helper.np_dtype_to_tensor_dtype(next(iter(arrays.values())).dtype)
    node = helper.make_node(op, names, outputs, domain="com.microsoft", **attributes)
    results = [helper.make_tensor_value_info(name, kind, None) for name in outputs]
    graph = helper.make_graph([node], "g", infos, results, constants)
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    proto = helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString()
    wanted = onnxruntime.InferenceSession(proto, providers=["CPUExecutionProvider"]).run(None, arrays)
    got = graven.compile(proto, threads=1)(**arrays)
    for own, expected in zip(got if len(outputs) > 1 else [got], wanted, strict=True):
        assert own.dtype == expected.dtype and own.shape == expected.shape
        if near is not None:
            assert np.abs(own - expected).max() <= near * np.abs(expected).max()
            continue
        # What lies between two numbers may be rounded to either.
        assert np.abs(own.astype(int) - expected.astype(int)).max() <= 1
        assert (own != expected).sum() <= max(0.02 * own.size, 3)


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


@TYPES
@pytest.mark.parametrize("channels_last", [0, 1])
def test_pools(channels_last, dtype):
    x = [data(dtype, 2, 6, 7, 5), np.float32(0.03), dtype(9), np.float32(0.0271), dtype(5)]
    check("QLinearGlobalAveragePool", x, channels_last=channels_last)
    check("QLinearAveragePool", x, channels_last=channels_last, kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1])
    check("QLinearAveragePool", x, channels_last=channels_last, kernel_shape=[2, 2], ceil_mode=1, strides=[2, 2])


@TYPES
def test_where_and_what_has_no_scale(dtype):
    check("QLinearWhere", [RNG.random((3, 4)) < 0.5, data(dtype, 3, 4), np.float32(0.02), dtype(3), data(dtype, 4), np.float32(0.05),
                           dtype(7), np.float32(0.03), dtype(1)], kind=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
    with pytest.raises(graven.Error, match="input #1 is absent"):
        check_own("QLinearReduceMean", [data(dtype, 2, 3, 4), None, dtype(3), np.float32(0.03), dtype(1)])


def test_mean_of_axes():
    """ONNX Runtime has no kernel of it."""
    x = data(np.uint8, 2, 3, 4)
    own = check_own("QLinearReduceMean", [x, np.float32(0.02), np.uint8(3), np.float32(0.03), np.uint8(1)], axes=[1], keepdims=0)
    mean = (x.astype(np.float32) - 3).mean(1) * np.float32(0.02)
    np.testing.assert_array_equal(own, np.clip(np.round(mean / np.float32(0.03)) + 1, 0, 255).astype(np.uint8))


def check_own(op, arguments, **attributes):
    names = [f"x{i}" if value is not None else "" for i, value in enumerate(arguments)]
    x = arguments[0]
    constants = [numpy_helper.from_array(np.asarray(value), name) for name, value in zip(names[1:], arguments[1:]) if name]
    kind = helper.np_dtype_to_tensor_dtype(x.dtype)
    graph = helper.make_graph([helper.make_node(op, names, ["y"], domain="com.microsoft", **attributes)], "g",
                              [helper.make_tensor_value_info("x0", kind, x.shape)],
                              [helper.make_tensor_value_info("y", kind, None)], constants)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)])
    return graven.compile(proto.SerializeToString(), threads=1)(x)


FLOAT = TensorProto.FLOAT


def test_products():
    a, b, scale = data(np.uint8, 2, 3, 8), data(np.int8, 8, 5), np.full(5, 0.02, np.float32) * np.arange(1, 6, dtype=np.float32)
    check("MatMulIntegerToFloat", [a, b, np.float32(0.1), np.float32(0.02), np.uint8(120)], FLOAT, 1e-6)
    check("MatMulIntegerToFloat", [a, b, np.float32(0.1), scale, np.uint8(120), np.zeros(5, np.int8), np.ones(5, np.float32)], FLOAT, 1e-6)
    x = RNG.standard_normal((2, 3, 8), np.float32)
    check("DynamicQuantizeMatMul", [x, b, np.float32(0.02)], FLOAT, 1e-5)
    check("DynamicQuantizeMatMul", [x, b, scale, np.arange(5, dtype=np.int8), np.ones(5, np.float32)], FLOAT, 1e-5)


@pytest.mark.parametrize("flags", [{}, {"transB": 1}, {"transA": 1, "alpha": 0.5}])
def test_gemm(flags):
    a, b = data(np.uint8, 3, 8), data(np.int8, 8, 5)
    a, b = (a.T.copy() if "transA" in flags else a), (b.T.copy() if "transB" in flags else b)
    parts = [a, np.float32(0.05), np.uint8(100), b, np.float32(0.02), np.int8(3)]
    check("QGemm", parts, FLOAT, 1e-6, **flags)
    check("QGemm", [*parts, RNG.integers(-500, 500, 5).astype(np.int32), np.float32(0.5), np.uint8(128)], **flags)


def test_attention_of_codes():
    x, weights = data(np.uint8, 2, 4, 8), data(np.int8, 8, 24)
    bias, marks = RNG.standard_normal(24).astype(np.float32), np.array([[1, 1, 1, 0], [1, 1, 1, 1]], np.int32)
    parts = [x, weights, bias, np.float32(0.01), np.float32(0.02)]
    check("QAttention", [*parts, None, np.uint8(120), np.int8(0)], FLOAT, 1e-5, num_heads=2)
    check("QAttention", [*parts, marks, np.uint8(120), np.int8(0)], FLOAT, 1e-5, num_heads=2)
    check("QAttention", [*parts, None, np.uint8(120), np.int8(0)], FLOAT, 1e-5, num_heads=2, unidirectional=1)


@pytest.mark.parametrize("direction", ["forward", "bidirectional"])
def test_lstm_of_codes(direction):
    """ONNX Runtime quantizes x and h at each step as well."""
    d = 1 if direction == "forward" else 2
    x, w, r = RNG.standard_normal((5, 2, 6), np.float32), data(np.int8, d, 6, 16), data(np.int8, d, 4, 16)
    scale, zero = np.full(d, 0.004, np.float32), np.zeros(d, np.int8)
    check("DynamicQuantizeLSTM", [x, w, r, RNG.standard_normal((d, 32), np.float32), None, None, None, None, scale, zero, scale, zero],
          FLOAT, 0.02, ("y", "h", "c"), hidden_size=4, direction=direction)


@pytest.mark.parametrize("bits, zeros", [(4, True), (4, False), (8, True), (8, False)])
def test_rows_of_blocks(bits, zeros):
    codes = data(np.uint8, 20, 64 * bits // 8)
    scales = RNG.random((20, 4), np.float32)
    points = data(np.uint8, 20, 4 * bits // 8) if zeros else None
    indices = RNG.integers(0, 20, (2, 3))
    check("GatherBlockQuantized", [codes, indices, scales, *([points] if zeros else [])], FLOAT, 1e-6, bits=bits, block_size=16,
          gather_axis=0, quantize_axis=1)


@TYPES
def test_convolution_of_channels_last(dtype):
    x, w = data(dtype, 1, 7, 6, 4), data(np.int8, 5, 4, 3, 3)
    check("QLinearConv", [x, np.float32(0.02), dtype(4), w, np.float32(0.01), np.int8(0), np.float32(0.1), dtype(7)], channels_last=1,
          kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 1])


@TYPES
def test_greatest_of_channels_last(dtype):
    check("NhwcMaxPool", [data(dtype, 2, 6, 7, 5)], kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1])


@pytest.mark.parametrize("dtype", [np.uint16, np.int16])
def test_sixteen_bits(dtype):
    x = RNG.standard_normal((3, 4), np.float32)
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    check("QuantizeLinear", [x, np.float32(0.001), dtype(100)], kind)
    check("DequantizeLinear", [data(dtype, 3, 4), np.float32(0.001), dtype(100)], FLOAT, 1e-6)
