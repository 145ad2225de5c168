"""A model exported to TorchScript and to ONNX gives one optimized graph, up to names, and the same bits.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import subprocess

import numpy
import pytest
import torch
from torch import nn

from graphs import normalized

pytestmark = [pytest.mark.filterwarnings("ignore::FutureWarning"),
              pytest.mark.filterwarnings("ignore::DeprecationWarning")]


class Residual(nn.Module):
    """Two convolutions with batch norms, and a third on the way around them."""

    def __init__(self, inside, outside, stride):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside),
                                  nn.ReLU(inplace=True), nn.Conv2d(outside, outside, 3, 1, 1, bias=False),
                                  nn.BatchNorm2d(outside))
        self.around = nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))

    def forward(self, x):
        return torch.relu(self.body(x) + self.around(x))


def residual_net():
    """Like a ResNet, with statistics as training leaves them."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 16, 7, 2, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True),
                          nn.MaxPool2d(3, 2, 1), Residual(16, 16, 1), Residual(16, 32, 2), nn.AdaptiveAvgPool2d(1),
                          nn.Flatten(), nn.Linear(32, 10))
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 2)
            nn.init.normal_(layer.bias)
            nn.init.normal_(layer.running_mean)
            nn.init.uniform_(layer.running_var, 0.5, 2)
    return model.eval()


@pytest.fixture(scope="module")
def pair(graven, tmp_path_factory):
    folder = tmp_path_factory.mktemp("same")
    model, x = residual_net(), torch.randn(1, 3, 64, 64)
    torch.jit.trace(model, x).save(str(folder / "m.pt"))
    torch.onnx.export(model, (x,), str(folder / "m.onnx"), dynamo=False, input_names=["x"], output_names=["y"])
    numpy.save(folder / "x.npy", x.numpy())

    def run(*arguments):
        return subprocess.run([graven, *arguments], check=True, capture_output=True, text=True).stdout

    return folder, run


def test_graphs_are_equal_up_to_names(pair):
    folder, run = pair
    graphs = [run("compile", folder / name, "--input", "0:f32[1,3,64,64]", "--to", "graph", "-o", "-")
              for name in ("m.pt", "m.onnx")]
    assert "graven.batch_norm" not in graphs[0] and "graven.graph @prepare" in graphs[0]
    first, second = map(normalized, graphs)
    assert len(first) > 10
    assert first == second


def test_results_agree(pair):
    folder, run = pair
    results = []
    for name in ("m.pt", "m.onnx"):
        run("run", folder / name, "--input", f"0=@{folder / 'x.npy'}", "--save-outputs", folder / f"{name}.out")
        results.append(numpy.load(folder / f"{name}.out/0.npy"))
    with torch.no_grad():
        expected = residual_net()(torch.from_numpy(numpy.load(folder / "x.npy"))).numpy()
    for result in results:
        assert numpy.abs(result - expected).max() <= 1e-4 * numpy.abs(expected).max()
    # The exporter folds in its own arithmetic, so that the weights differ in their last bit.
    assert numpy.abs(results[0] - results[1]).max() <= 1e-6 * numpy.abs(expected).max()
