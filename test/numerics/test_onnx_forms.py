"""Forms of ONNX nodes that the node tests of the onnx package do not have, against NumPy and the onnx reference.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

import graven

RNG = np.random.default_rng(0)


def model(nodes, inputs, outputs=("y",), initializers=(), opset=21, domain=""):
    infos = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
             for name, x in inputs.items()]
    results = [onnx.ValueInfoProto(name=name) for name in outputs]
    graph = helper.make_graph(nodes, "g", infos, results, initializers)
    imports = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return helper.make_model(graph, opset_imports=imports)


def run(proto, *arrays):
    return graven.compile(proto.SerializeToString(), threads=1)(*arrays)


@pytest.mark.parametrize("equation, shapes", [
    ("ii", [(3, 3)]), ("ii->i", [(3, 3)]), ("bii", [(2, 3, 3)]), ("bii->ib", [(2, 3, 3)]), ("iji->j", [(3, 2, 3)]),
    ("iij,jk->ik", [(3, 3, 2), (2, 4)]), ("iii->i", [(3, 3, 3)]), ("ij,ij", [(2, 3), (2, 3)]),
    # Three and more operands; the first is linear attention.
    ("bld,blde,bl->ble", [(2, 3, 4), (2, 3, 4, 5), (2, 3)]), ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]),
    ("ij,jk,ki", [(2, 3), (3, 4), (4, 2)]), ("i,i,i->i", [(3,), (3,), (3,)]), ("i,i,i,i->", [(3,), (3,), (3,), (3,)]),
    ("a,b,c->cab", [(2,), (3,), (4,)]), ("ij,k,jl->li", [(2, 3), (4,), (3, 5)]),
    ("...i,...ij,j...->...", [(2, 3), (2, 3, 4), (4, 2)]), ("iij,jk,kk->ik", [(3, 3, 2), (2, 4), (4, 4)]),
])
def test_einsum_of_labels(equation, shapes):
    arrays = [RNG.standard_normal(shape).astype(np.float32) for shape in shapes]
    inputs = {f"x{i}": x for i, x in enumerate(arrays)}
    node = helper.make_node("Einsum", list(inputs), ["y"], equation=equation)
    np.testing.assert_allclose(run(model([node], inputs), *arrays), np.einsum(equation, *arrays), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("attributes", [
    {"mode": "linear", "antialias": 1}, {"mode": "cubic", "antialias": 1, "exclude_outside": 1},
    {"mode": "cubic", "exclude_outside": 1, "cubic_coeff_a": -0.5},
    {"mode": "linear", "antialias": 1, "coordinate_transformation_mode": "align_corners"},
    {"mode": "cubic", "antialias": 1, "coordinate_transformation_mode": "asymmetric"},
])
@pytest.mark.parametrize("sizes", [(3, 5), (9, 4), (13, 17)])
def test_resize_as_a_product(attributes, sizes):
    x = RNG.standard_normal((1, 2, 7, 10)).astype(np.float32)
    node = helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], axes=[2, 3], **attributes)
    proto = model([node], {"x": x}, initializers=[helper.make_tensor("sizes", TensorProto.INT64, [2], sizes)])
    (expected,) = ReferenceEvaluator(proto).run(None, {"x": x})
    np.testing.assert_allclose(run(proto, x), expected, rtol=1e-4, atol=1e-5)


def packed(values):
    nibbles = [value & 15 for value in values] + [0] * (len(values) % 2)
    return bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2]))


@pytest.mark.parametrize("kind, values", [(TensorProto.INT4, [-8, -1, 0, 7, 3]), (TensorProto.UINT4, [0, 15, 8, 1, 2])])
def test_packed_weights(kind, values):
    weights = helper.make_tensor("w", kind, [5], packed(values), raw=True)
    scale = helper.make_tensor("s", TensorProto.FLOAT, [], [0.5])
    x = RNG.standard_normal(5).astype(np.float32)
    nodes = [helper.make_node("DequantizeLinear", ["w", "s"], ["d"]), helper.make_node("Add", ["x", "d"], ["y"])]
    proto = model(nodes, {"x": x}, initializers=[weights, scale])
    np.testing.assert_array_equal(run(proto, x), x + 0.5 * np.array(values, np.float32))


def test_every_code_of_an_f8_comes_back():
    for kind in (TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT8E4M3FNUZ, TensorProto.FLOAT8E5M2,
                 TensorProto.FLOAT8E5M2FNUZ):
        x = np.arange(256, dtype=np.uint8).view(helper.tensor_dtype_to_np_dtype(kind))
        nodes = [helper.make_node("Cast", ["x"], ["wide"], to=TensorProto.FLOAT),
                 helper.make_node("Cast", ["wide"], ["y"], to=kind, saturate=0)]
        y = run(model(nodes, {"x": x}, ["wide", "y"]), x)
        np.testing.assert_array_equal(y[0], x.astype(np.float32))
        numbers = ~np.isnan(x.astype(np.float32))
        np.testing.assert_array_equal(y[1].view(np.uint8)[numbers], x.view(np.uint8)[numbers])
        assert np.isnan(y[1].astype(np.float32)[~numbers]).all()


@pytest.mark.parametrize("saturate", [0, 1])
def test_roundings_to_f8_are_those_of_ml_dtypes(saturate):
    x = np.concatenate([RNG.standard_normal(500) * 10.0 ** RNG.integers(-7, 6, 500), [0, -0.0, 448, 464, 465, 57344, 61440]])
    x = x.astype(np.float32)
    for kind in (TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT8E5M2, TensorProto.FLOAT8E4M3FNUZ):
        dtype = helper.tensor_dtype_to_np_dtype(kind)
        node = helper.make_node("Cast", ["x"], ["y"], to=kind, saturate=saturate)
        expected = onnx.numpy_helper.saturate_cast(x, dtype) if saturate else x.astype(dtype)
        got = run(model([node], {"x": x}), x).astype(np.float32)
        np.testing.assert_array_equal(got, expected.astype(np.float32))


def test_arithmetic_on_codes_is_refused():
    x = np.zeros(3, helper.tensor_dtype_to_np_dtype(TensorProto.FLOAT8E5M2))
    with pytest.raises(graven.Error, match=r"GRV0202.*Neg: input #0 of 'f8E5M2' is not supported"):
        run(model([helper.make_node("Neg", ["x"], ["y"])], {"x": x}), x)


def test_scaler():
    x = RNG.standard_normal((4, 3)).astype(np.float32)
    node = helper.make_node("Scaler", ["x"], ["y"], domain="ai.onnx.ml", offset=[1.0, 2.0, 3.0], scale=[0.5, 2.0, 1.0])
    expected = (x - np.array([1, 2, 3], np.float32)) * np.array([0.5, 2, 1], np.float32)
    np.testing.assert_allclose(run(model([node], {"x": x}, domain="ai.onnx.ml"), x), expected, rtol=1e-6)


def test_an_irfft_of_odd_length():
    x = RNG.standard_normal((2, 9)).astype(np.float32)
    spectrum = np.fft.rfft(x, axis=1)
    pairs = np.stack([spectrum.real, spectrum.imag], -1).astype(np.float32)
    node = helper.make_node("DFT", ["x", "n"], ["y"], inverse=1, onesided=1)
    proto = model([node], {"x": pairs}, initializers=[helper.make_tensor("n", TensorProto.INT64, [], [9])])
    np.testing.assert_allclose(run(proto, pairs)[..., 0], x, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (2, 3, 5, 5), (4, 0, 0), (0, 3, 3), (17, 17)])
def test_determinants(shape):
    x = RNG.standard_normal(shape)
    own = run(model([helper.make_node("Det", ["x"], ["y"])], {"x": x}), x)
    np.testing.assert_allclose(own, np.linalg.det(x), rtol=1e-9)


def test_determinants_of_what_needs_pivots():
    x = np.float32([[[0, 1, 2], [3, 0, 1], [0, 0, 5]], [[0, 0, 1], [0, 0, 1], [1, 2, 3]], [[1, 2, 3], [2, 4, 6], [1, 1, 1]]])
    own = run(model([helper.make_node("Det", ["x"], ["y"])], {"x": x}), x)
    np.testing.assert_allclose(own, np.linalg.det(x.astype(np.float64)), atol=1e-5)
