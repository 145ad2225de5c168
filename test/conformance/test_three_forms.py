"""Models as TorchScript, torch.export and ONNX become one graph; same_graph.py has more of them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import pytest

import same_graph

pytestmark = [pytest.mark.filterwarnings(f"ignore::{category}") for category in
              ("DeprecationWarning", "FutureWarning", "UserWarning", "torch.jit.TracerWarning")]


@pytest.mark.parametrize("name", ["mlp", "unet", "squeezenet", "alexnet", "lraspp"])
def test_three_forms_one_graph(name, graven, tmp_path):
    results = same_graph.measure(name, tmp_path, graven, same_graph.FORMS, True)
    assert all(not isinstance(result, str) for result in results.values()), results
    assert max(result[1] for result in results.values()) <= same_graph.TOLERANCE
    assert same_graph.summary(results) == "pt = pt2 = onnx"


def test_differences_are_seen():
    """The normal form forgets names, not what a graph computes."""
    results = {"pt": (["a", "b"], 0.0), "pt2": (["a", "c"], 0.0), "onnx": (["a", "b"], 0.0)}
    assert same_graph.summary(results) == "pt = onnx, pt2"
