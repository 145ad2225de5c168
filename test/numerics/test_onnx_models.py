"""Real ONNX models, imported and run by the reference evaluator, against ONNX Runtime: the text detector, classifier
and recognizer that the rapidocr wheel carries, at sizes small enough for the evaluator.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import importlib.util
import pathlib

import graven
import numpy as np
import onnx
import onnxruntime
import pytest

from onnx_driver import Driver

# Found without importing the package, which would load OpenCV.
MODELS = pathlib.Path(importlib.util.find_spec("rapidocr_onnxruntime").origin).parent / "models"


@pytest.mark.parametrize("name, shape", [
    ("ch_PP-OCRv4_det_infer", (1, 3, 64, 64)),
    ("ch_PP-OCRv4_det_infer", (1, 3, 96, 32)),
    ("ch_PP-OCRv4_rec_infer", (1, 3, 48, 64)),
    ("ch_ppocr_mobile_v2.0_cls_infer", (1, 3, 48, 192)),
])
def test_rapidocr(build, tmp_path, name, shape):
    model = onnx.load(MODELS / f"{name}.onnx")
    for dim, extent in zip(model.graph.input[0].type.tensor_type.shape.dim, shape):
        dim.dim_value = extent
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    driver = Driver(build / "bin" / "evaluate-onnx", tmp_path)
    answer, outputs = driver.run(model, [x])
    driver.close()
    assert answer == "ok"
    session = onnxruntime.InferenceSession(MODELS / f"{name}.onnx", providers=["CPUExecutionProvider"])
    expected, = session.run(None, {session.get_inputs()[0].name: x})
    assert outputs[0].shape == expected.shape
    # The detector's probabilities of noise are near 0, where ONNX Runtime's sigmoid has steps of 2^-23.
    assert np.abs(outputs[0] - expected).max() <= max(1e-4 * np.abs(expected).max(), 2 ** -22)


@pytest.mark.parametrize("name, shapes", [
    ("ch_PP-OCRv4_det_infer", [(1, 3, 64, 96), (2, 3, 32, 32)]),
    ("ch_ppocr_mobile_v2.0_cls_infer", [(1, 3, 48, 192), (3, 3, 48, 96)]),
    ("ch_PP-OCRv4_rec_infer", [(1, 3, 48, 320), (2, 3, 48, 96)]),
])
def test_rapidocr_of_sizes_that_the_call_decides(name, shapes):
    """The files name their extents; nobody says what they may be."""
    model = graven.load(MODELS / f"{name}.onnx").compile(threads=1)
    session = onnxruntime.InferenceSession(MODELS / f"{name}.onnx", providers=["CPUExecutionProvider"])
    for shape in shapes:
        x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
        expected, = session.run(None, {session.get_inputs()[0].name: x})
        got = model(x)
        assert got.shape == expected.shape
        assert np.abs(got - expected).max() <= max(1e-4 * np.abs(expected).max(), 2 ** -22)


def test_extents_at_which_the_model_does_not_exist(tmp_path):
    """What is wrong at extents that nobody gave is not the model: they have to be given."""
    shape = onnx.numpy_helper.from_array(np.array([2, 20], np.int64), "s")
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Reshape", ["x", "s"], ["r"]), onnx.helper.make_node("Relu", ["r"], ["y"])], "g",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["h", "w"])], [onnx.ValueInfoProto(name="y")], [shape])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9), tmp_path / "m.onnx")
    with pytest.raises(graven.Error, match=r"GRV0207\].*shape holds 40 elements.*; read at h=1, w=1, of which nothing is known"):
        graven.compile(tmp_path / "m.onnx", threads=1)
    with pytest.raises(graven.Error, match=r"GRV0107\].*shape holds 40 elements"):
        graven.compile(tmp_path / "m.onnx", threads=1, inputs={"x": "f32[3,5]"})
    own = graven.load(tmp_path / "m.onnx").compile(threads=1)
    x = np.arange(-20, 20, dtype=np.float32)
    for form in ((4, 10), (40, 1)):
        np.testing.assert_array_equal(own(x.reshape(form)), np.maximum(x, 0).reshape(2, 20))
