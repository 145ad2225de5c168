"""torchvision's functions of boxes in scripted models.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import subprocess

import pytest
import torch

ops = pytest.importorskip("torchvision.ops")
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")


class Batched(torch.nn.Module):
    def forward(self, boxes: torch.Tensor, scores: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        return ops.batched_nms(boxes, scores, classes, 0.5)


@pytest.mark.parametrize("number", [10, 2000])
def test_batched_nms_is_taken_whole(graven, tmp_path, number):
    """By the number of boxes its source moves the classes apart or loops over those that occur; neither is walked."""
    torch.jit.script(Batched()).save(tmp_path / "m.pt")
    run = subprocess.run([graven, "import", tmp_path / "m.pt", "--input", f"boxes:f32[{number},4]",
                          "--input", f"scores:f32[{number}]", "--input", f"classes:i64[{number}]"],
                         capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("graven.nms") == 1 and " group " in run.stdout
    assert "graven.loop" not in run.stdout and "graven.nonzero" not in run.stdout
