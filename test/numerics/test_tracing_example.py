"""Models written in C++ (examples/tracing) compute what PyTorch computes from the same weights.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import subprocess

import numpy
import pytest
import torch


@pytest.fixture(scope="module")
def folder(build, tmp_path_factory):
    path = tmp_path_factory.mktemp("tracing")
    done = subprocess.run([build / "examples/tracing/tracing", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "lenet: probabilities of 10 elements" in done.stdout
    return path


def load(folder, name):
    return torch.from_numpy(numpy.load(folder / f"{name}.npy"))


def weights(folder, model):
    names = [path.name[len(model) + 1:-4] for path in folder.glob(f"{model}.*.npy")]
    return {name: load(folder, f"{model}.{name}") for name in names if "put" not in name}


def assert_close(got, expected):
    assert numpy.abs(got.numpy() - expected.numpy()).max() <= 2e-6 * expected.abs().max()


class LeNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = torch.nn.Conv2d(6, 16, 5)
        self.fc1 = torch.nn.Linear(400, 120)
        self.fc2 = torch.nn.Linear(120, 84)
        self.fc3 = torch.nn.Linear(84, 10)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2).flatten(1)
        return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x))))).softmax(1)


def test_lenet_is_pytorchs(folder):
    model = LeNet()
    model.load_state_dict(weights(folder, "lenet"))
    with torch.no_grad():
        assert_close(load(folder, "lenet.output"), model(load(folder, "lenet.input0")))


def test_gru_cell_is_pytorchs(folder):
    cell = torch.nn.GRUCell(8, 16)
    cell.load_state_dict(weights(folder, "gru"))
    with torch.no_grad():
        h = load(folder, "gru.input1")
        for x in load(folder, "gru.input0"):
            h = cell(x, h)
        assert_close(load(folder, "gru.output"), h)


def test_saved_files_are_models(folder, graven):
    ones = numpy.ones((1, 1, 28, 28), numpy.float32)
    numpy.save(folder / "ones.npy", ones)
    outputs = []
    for name in ["lenet.mlir", "lenet.so"]:
        done = subprocess.run([graven, "run", folder / name, "--input", f"image=@{folder}/ones.npy", "--save-outputs",
                               folder / name.replace(".", "_")], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        outputs.append(numpy.load(folder / name.replace(".", "_") / "0.npy"))
    assert numpy.array_equal(*outputs)
    assert abs(outputs[0].sum() - 1) < 1e-6
