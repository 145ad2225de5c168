"""Whole models through native code, against PyTorch and ONNX Runtime.

The traced models are compiled as users compile them. From TorchScript's scripts and from ONNX the graph differs, not
the kernels, so these are compiled without optimization, which takes a tenth of the time.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import importlib.util
import logging
import pathlib

import numpy as np
import onnxruntime
import pytest
import torch

import graven as package
import models
from saving import saved

pytestmark = [pytest.mark.filterwarnings(f"ignore::{category}") for category in
              ("DeprecationWarning", "FutureWarning", "UserWarning", "torch.jit.TracerWarning")]
# Found without importing the package, which would load OpenCV.
RAPIDOCR = pathlib.Path(importlib.util.find_spec("rapidocr_onnxruntime").origin).parent / "models"


def torchscript(name, how):
    model, inputs, _ = models.get(name)
    return saved(model, inputs if how == "trace" else None)


def onnx(name):
    model, inputs, _ = models.get(name)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with torch.no_grad():
        program = torch.onnx.export(model, inputs, dynamo=True, opset_version=18, verbose=False)
    return program.model_proto.SerializeToString()


def assert_close(got, expected, floor=0.0):
    assert got.shape == expected.shape and got.dtype == expected.dtype
    assert np.isfinite(got).all()
    assert np.abs(got - expected).max() <= max(1e-4 * np.abs(expected).max(), floor)


def run(name, data, **options):
    _, inputs, _ = models.get(name)
    arrays = [tensor.numpy() for tensor in inputs]
    model = package.compile(data, threads=2, inputs=arrays, **options)
    return model(*arrays)


@pytest.mark.parametrize("name", models.MODELS)
def test_traced(name):
    assert_close(run(name, torchscript(name, "trace")), models.get(name)[2])


@pytest.mark.parametrize("name", [name for name, case in models.MODELS.items() if case.scripts])
def test_scripted(name):
    assert_close(run(name, torchscript(name, "script"), opt_level=0), models.get(name)[2])


@pytest.mark.parametrize("name", models.MODELS)
def test_onnx(name):
    assert_close(run(name, onnx(name), opt_level=0), models.get(name)[2])


def test_formats_give_the_same_bits():
    """From .pt and from ONNX, optimized: one graph up to names, so one result."""
    np.testing.assert_array_equal(run("squeezenet", torchscript("squeezenet", "trace")),
                                  run("squeezenet", onnx("squeezenet")))


@pytest.mark.parametrize("name, shape", [
    ("ch_PP-OCRv4_det_infer", (1, 3, 96, 64)),
    ("ch_PP-OCRv4_rec_infer", (1, 3, 48, 96)),
    ("ch_ppocr_mobile_v2.0_cls_infer", (1, 3, 48, 192)),
])
def test_rapidocr(name, shape):
    path = RAPIDOCR / f"{name}.onnx"
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    expected, = session.run(None, {session.get_inputs()[0].name: x})
    # The detector's probabilities of noise are near 0, where ONNX Runtime's sigmoid has steps of 2^-23.
    assert_close(package.compile(path, inputs=[x], threads=2)(x), expected, floor=2 ** -22)
