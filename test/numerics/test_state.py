"""What a model writes beyond a run: with --state explicit it goes in and out of the model, run after run as in PyTorch.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import subprocess

import numpy as np
import pytest

torch = pytest.importorskip("torch")
nn = torch.nn
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


class Counter(nn.Module):
    """A buffer that is read, one that is written in place, and one that is replaced where the writer can do so."""

    def __init__(self):
        super().__init__()
        self.register_buffer("offset", torch.ones(4))
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(4))

    def forward(self, x):
        self.count += 1
        self.mean = self.mean * 0.5 + x.mean(0)
        return x + self.offset * self.count + self.mean


def write(way, path):
    model = Counter().eval()
    if way == "script":
        torch.jit.script(model).save(path)
        return
    program = torch.export.export(model, (torch.rand(3, 4),))
    torch.export.save(program.run_decompositions() if way == "core" else program, path)


@pytest.mark.parametrize("way", ["script", "export", "core"])
def test_state_goes_in_and_out(build, tmp_path, way):
    path = tmp_path / ("m.pt" if way == "script" else "m.pt2")
    write(way, path)
    model, state = Counter().eval(), {"count": np.zeros((), np.float32), "mean": np.zeros(4, np.float32)}
    text = subprocess.run([build / "bin/graven", "import", path, "--state", "explicit", "--input", "0:f32[3,4]"],
                          check=True, capture_output=True, text=True).stdout
    order = sorted(state, key=lambda name: text.index(f'"{name}.next"'))
    for run in range(3):
        x = torch.rand(3, 4)
        np.save(tmp_path / "x.npy", x.numpy())
        command = [build / "bin/graven", "run", path, "--state", "explicit", "--input", f"x=@{tmp_path}/x.npy",
                   "--save-outputs", tmp_path / f"out{run}"]
        for name, value in state.items():
            np.save(tmp_path / f"{name}.npy", value)
            command += ["--input", f"{name}=@{tmp_path}/{name}.npy"]
        subprocess.run(command, check=True, capture_output=True)
        np.testing.assert_allclose(np.load(tmp_path / f"out{run}/0.npy"), model(x).numpy(), rtol=1e-5)
        state = {name: np.load(tmp_path / f"out{run}/{i + 1}.npy") for i, name in enumerate(order)}
    assert state["count"] == 3


def test_without_it_each_run_is_the_first(build, tmp_path):
    write("script", tmp_path / "m.pt")
    result = subprocess.run([build / "bin/graven", "import", tmp_path / "m.pt", "--input", "x:f32[3,4]"], check=True,
                            capture_output=True, text=True)
    assert "the model writes its buffer 'count', which the compiled model does not keep" in result.stderr
    assert "count.next" not in result.stdout
