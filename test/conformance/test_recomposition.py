"""Attention, norms and GELU are whole in transformers as exporters write them; recomposition.py has more of them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import pytest

import recomposition
from recomposition import MODELS, Result

pytestmark = [pytest.mark.filterwarnings(f"ignore::{category}") for category in
              ("DeprecationWarning", "FutureWarning", "UserWarning", "torch.jit.TracerWarning")]


@pytest.mark.parametrize("name, form", [
    ("bert-sdpa", "pt2-core"),
    ("bloom", "pt2"),
    ("gemma-eager", "onnx"),
    ("gpt2-scaled", "pt"),
    ("llama-masked-sdpa", "onnx-script"),
    ("mistral-eager", "onnx-script-14"),
    ("phi-sdpa", "pt"),
    ("swin-torchvision", "pt2"),
    ("swin-v2-torchvision", "pt"),
    ("t5-gated", "onnx-script-14"),
    ("vit-eager", "onnx"),
    ("whisper-eager", "pt2-core"),
])
def test_whole(name, form, graven, tmp_path):
    result = recomposition.measure(name, form, tmp_path, graven)
    assert result.exported and result.said == ""
    assert result.counts == MODELS[name].expected()
    assert result.passes(MODELS[name])


def test_parts_that_are_left_are_seen():
    lines = ["%1 = graven.softmax %0 axis 3", "%2 = graven.layer_norm %1 axis 2", "%3 = graven.erf %2", "%4 = graven.rsqrt %3"]
    counts = recomposition.census(lines)
    assert {kind: count for kind, count in counts.items() if count} == {"softmax": 1, "layer_norm": 1, "erf": 1, "rsqrt": 1}
    case = MODELS["vit-eager"]
    assert not Result(counts, 0).passes(case)
    assert Result(case.expected(), 0).passes(case)
    assert not Result(case.expected(), 1e-3).passes(case)
