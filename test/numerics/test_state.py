"""What a model writes beyond a run: with --state explicit it goes in and out of the model, run after run as in PyTorch.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import subprocess

import numpy as np
import pytest

import graven as package

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


@pytest.mark.parametrize("way", ["script", "export"])
def test_a_model_that_keeps_its_state(tmp_path, way):
    path = tmp_path / "m"
    write(way, path)
    compiled = package.compile(path, state="internal", threads=1, opt_level=0, inputs={0: "f32[3,4]"})
    assert [spec.name for spec in compiled.inputs] == ["x"] and len(compiled.outputs) == 1
    inputs = [torch.rand(3, 4) for _ in range(3)]
    model = Counter().eval()
    first = [compiled(x) for x in inputs]
    for got, x in zip(first, inputs):
        np.testing.assert_allclose(got, model(x).numpy(), rtol=1e-5)
    kept = compiled.state
    assert kept["count"] == 3
    with pytest.raises(package.Error):
        compiled(torch.rand(2, 4))
    np.testing.assert_array_equal(compiled.state["mean"], kept["mean"])
    compiled.reset()
    np.testing.assert_array_equal(compiled(inputs[0]), first[0])
    compiled.state = {"count": np.float32(2), "mean": kept["mean"] * 0}
    assert compiled.state["count"] == 2
    with pytest.raises(ValueError, match="no buffers of this model: nobody"):
        compiled.state = {"nobody": 1}
    with pytest.raises(ValueError, match="'mean' is float32 of shape"):
        compiled.state = {"mean": np.zeros(5, np.float32)}


def test_state_and_weights_of_python(tmp_path):
    write("script", tmp_path / "m.pt")
    explicit = package.compile(tmp_path / "m.pt", state="explicit", threads=1, opt_level=0, inputs={0: "f32[3,4]"})
    assert set(explicit.input_names[1:]) == {"count", "mean"}
    assert set(explicit.output_names[1:]) == {"count.next", "mean.next"}
    other = Counter()
    other.offset += 1
    torch.save(other.state_dict(), tmp_path / "other.pth")
    x = torch.rand(3, 4)
    compiled = package.load(tmp_path / "m.pt", weights=tmp_path / "other.pth", inputs={0: "f32[3,4]"}).compile(opt_level=0)
    with pytest.warns(package.CompileWarning, match="writes its buffer"):
        direct = package.compile(tmp_path / "m.pt", weights=tmp_path / "other.pth", inputs={0: "f32[3,4]"}, opt_level=0)
    expected = other.eval()(x).numpy()
    np.testing.assert_allclose(compiled(x), expected, rtol=1e-5)
    np.testing.assert_allclose(direct(x), expected, rtol=1e-5)
    torch.save({"offset": torch.ones(9)}, tmp_path / "wrong.pth")
    with pytest.raises(package.Error) as error:
        package.compile(tmp_path / "m.pt", weights=tmp_path / "wrong.pth", inputs={0: "f32[3,4]"})
    assert error.value.code == "GRV0306"
    with pytest.raises(ValueError, match="state must be"):
        package.compile(tmp_path / "m.pt", state="kept")
    with pytest.raises(ValueError, match="not bytes"):
        package.compile((tmp_path / "m.pt").read_bytes(), weights=tmp_path / "other.pth")
