"""Exported detection models: outputs with as many boxes as data give, in ONNX Runtime as in PyTorch.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import graven
from test_detection_models import MODELS, SIZE, scattered


@pytest.mark.parametrize("name", MODELS)
def test_model(name, tmp_path):
    torch.manual_seed(3)
    scripted = torch.jit.script(scattered(MODELS[name]()))
    x, path = torch.rand(3, SIZE, SIZE), tmp_path / "m.onnx"
    graven.script(scripted).export_onnx(path, inputs={"images.0": x.numpy()})
    onnx.checker.check_model(str(path), full_check=True)
    assert "NonMaxSuppression" in {node.op_type for node in onnx.load(path).graph.node}
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = []
    for image in (x, x * 0):
        with torch.no_grad():
            want = scripted([image])[1][0]
        outputs = session.run(None, {session.get_inputs()[0].name: image.numpy()})
        own = {info.name.rpartition(".")[2]: value for info, value in zip(session.get_outputs(), outputs, strict=True)}
        found.append(len(want["boxes"]))
        np.testing.assert_allclose(own["boxes"], want["boxes"].numpy(), atol=1e-4 * SIZE)
        for key in want.keys() - {"boxes"}:
            np.testing.assert_allclose(own[key], want[key].numpy(), rtol=1e-4)
    assert min(found) == 0 < max(found)
