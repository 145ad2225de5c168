"""The files of examples/digits belong together: both models and the recorded answers say the same.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json

import numpy
import onnxruntime
import pytest
import torch

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # of torch.jit


@pytest.fixture(scope="module")
def example(root):
    folder = root / "examples/digits"
    images = numpy.load(folder / "heldout_images.npy")
    labels = numpy.load(folder / "heldout_labels.npy")
    return folder, images, labels, json.loads((folder / "expected.json").read_text())


def torch_logits(folder, images):
    model = torch.jit.load(str(folder / "digits.pt"))
    with torch.no_grad():
        return torch.cat([model(torch.from_numpy(image[None])) for image in images]).numpy()


def test_expected_answers_are_pytorchs(example):
    folder, images, labels, expected = example
    predictions = torch_logits(folder, images).argmax(axis=1)
    assert predictions.tolist() == expected["predictions"]
    assert images.shape == (expected["images"], 1, 8, 8) and images.dtype == numpy.float32
    assert (predictions == labels).sum() == expected["correct"]
    assert expected["accuracy"] == expected["correct"] / expected["images"] > 0.98


def test_onnx_file_is_the_same_model(example):
    folder, images, _, _ = example
    session = onnxruntime.InferenceSession(folder / "digits.onnx", providers=["CPUExecutionProvider"])
    got = numpy.concatenate([session.run(None, {"x": image[None]})[0] for image in images])
    expected = torch_logits(folder, images)
    assert numpy.abs(got - expected).max() <= 1e-4 * numpy.abs(expected).max()


@pytest.mark.parametrize("name", ["digits.pt", "digits.onnx"])
def test_models_are_small(example, name):
    assert (example[0] / name).stat().st_size <= 300_000
