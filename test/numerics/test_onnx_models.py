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
