"""Models saved in training mode: batch normalisation by the statistics of the batch, with a warning; dropout, whose
result is random, is refused.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import subprocess

import numpy as np
import pytest

torch = pytest.importorskip("torch")

nn = torch.nn
pytestmark = [pytest.mark.filterwarnings("ignore::FutureWarning"),
              pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.filterwarnings("ignore::UserWarning")]


class Normalising(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, momentum=0.3)

    def forward(self, x):
        y = self.norm(self.conv(x))
        return y, self.norm.running_mean + 0, self.norm.running_var + 0


class Dropping(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        return self.drop(x)


def save(model, x, how, folder):
    path = folder / ("m.pt2" if "export" in how else "m.pt")
    if how == "script":
        torch.jit.save(torch.jit.script(model), path)
    elif how == "trace":
        torch.jit.save(torch.jit.trace(model, x, check_trace=False), path)
    else:
        program = torch.export.export(model, (x,))
        torch.export.save(program.run_decompositions() if how == "export decomposed" else program, path)
    return path


WAYS = ["script", "trace", "export", "export decomposed"]


@pytest.mark.parametrize("how", WAYS)
def test_statistics_of_the_batch(build, how, tmp_path):
    torch.manual_seed(0)
    model, x = Normalising().train(), torch.randn(3, 3, 6, 5)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    path = save(model, x, how, tmp_path)
    model.load_state_dict(state)  # a trace runs the model
    saved = how == "trace"  # with the statistics after that run
    np.save(tmp_path / "x.npy", x.numpy())
    done = subprocess.run([build / "bin/graven", "run", path, "--input", "x:f32[3,3,6,5]", "--input",
                           f"x=@{tmp_path / 'x.npy'}", "--save-outputs", tmp_path / "out"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "batch" in done.stderr and "call eval() before saving" in done.stderr
    with torch.no_grad():
        if saved:
            model(x)
        expected = [y.numpy() for y in model(x)]
    for i, want in enumerate(expected):
        np.testing.assert_allclose(np.load(tmp_path / "out" / f"{i}.npy"), want, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("how", WAYS)
def test_dropout_is_refused(build, how, tmp_path):
    x = torch.randn(3, 4)
    path = save(Dropping().train(), x, how, tmp_path)
    done = subprocess.run([build / "bin/graven", "import", path, "--input", "x:f32[3,4]"], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "[GRV0206]" in done.stderr or "native_dropout" in done.stderr


def test_one_value_per_channel_has_no_variance(build, tmp_path):
    program = torch.export.export(nn.BatchNorm1d(4).train(), (torch.randn(3, 4),),
                                  dynamic_shapes={"input": {0: torch.export.Dim("batch")}})
    torch.export.save(program, tmp_path / "m.pt2")
    done = subprocess.run([build / "bin/graven", "import", tmp_path / "m.pt2", "--input", "input:f32[1,4]"],
                          capture_output=True, text=True)
    assert done.returncode == 2
    assert "more than one value per channel" in done.stderr or "exported for" in done.stderr
