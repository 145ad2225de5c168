"""Programs that people bring from PyTorch, small: as a trace, as a script, and as a torch.export program.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import io

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils import _pytree as pytree

import graven as package

pytestmark = [pytest.mark.filterwarnings(f"ignore::{category}") for category in
              ("DeprecationWarning", "FutureWarning", "UserWarning", "torch.jit.TracerWarning")]
WAYS = ("trace", "script", "export")


class Gate(nn.Module):
    """Decides by data: a trace keeps the way that its example went."""

    def forward(self, x):
        if x.sum() > 0:
            return x
        return -x


class Cell(nn.Module):
    """tanh(W x + h), by way of a gate."""

    def __init__(self, gate):
        super().__init__()
        self.gate = gate
        self.linear = nn.Linear(4, 4)

    def forward(self, x, h):
        new = torch.tanh(self.gate(self.linear(x)) + h)
        return new, new


class Convolutions(nn.Module):
    """n convolutions in a loop of Python."""

    def __init__(self, n):
        super().__init__()
        self.layers = nn.ModuleList([nn.Conv2d(3 if i == 0 else 4, 4, 3, padding=1) for i in range(n)])

    def forward(self, x):
        for layer in self.layers:
            x = torch.relu(layer(x))
        return x


class Repeated(nn.Module):
    """One convolution, n times."""

    def __init__(self, n):
        super().__init__()
        self.n = n
        self.layer = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        for i in range(self.n):
            x = torch.tanh(self.layer(x)) + i
        return x


class Buffers(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.5, 0.4, 0.3]))
        self.register_buffer("steps", torch.arange(3), persistent=False)
        self.register_buffer("nothing", None)

    def forward(self, x):
        return (x - self.mean.view(1, 3, 1, 1)) * (self.steps + 1).view(3, 1, 1)


class Scatter(nn.Module):
    def forward(self, labels, x):
        hot = F.one_hot(labels, 5)
        row = torch.zeros(3, 5).scatter_(1, labels.unsqueeze(1), 1.0)
        return hot, row, x.scatter_add(1, labels.unsqueeze(1), torch.ones(3, 1)), x.gather(1, labels.unsqueeze(1))


class Squeezes(nn.Module):
    def forward(self, x):
        y = x.unsqueeze(0).unsqueeze(-1)
        return y, y.squeeze(), y.squeeze(0), y.squeeze(2), x[:, None].squeeze(1).unsqueeze(-2)


class PointNet(nn.Module):
    """Points by shared layers, moved by a transform that is predicted, and their maximum (Qi et al., 2017)."""

    def __init__(self):
        super().__init__()
        self.turn = nn.Sequential(nn.Conv1d(3, 16, 1), nn.BatchNorm1d(16), nn.ReLU(), nn.Conv1d(16, 32, 1))
        self.turn_head = nn.Linear(32, 9)
        self.points = nn.Sequential(nn.Conv1d(3, 16, 1), nn.BatchNorm1d(16), nn.ReLU(), nn.Conv1d(16, 64, 1))
        self.head = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 10))

    def forward(self, x):
        turn = self.turn_head(torch.max(self.turn(x), 2)[0]).view(-1, 3, 3) + torch.eye(3).unsqueeze(0)
        x = torch.bmm(x.transpose(2, 1), turn).transpose(2, 1)
        return F.log_softmax(self.head(torch.max(self.points(x), 2, keepdim=True)[0].view(-1, 64)), dim=1)


class UNet(nn.Module):
    """With skips by name, of odd extents that are padded to fit."""

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, padding=1)
        self.inner = nn.Conv2d(8, 16, 3, padding=1)
        self.up = nn.ConvTranspose2d(16, 8, 2, 2)
        self.out = nn.Conv2d(16, 2, 1)

    def forward(self, x):
        skip = torch.relu(self.down(x))
        y = self.up(torch.relu(self.inner(F.max_pool2d(skip, 2))))
        dy, dx = skip.size(2) - y.size(2), skip.size(3) - y.size(3)
        y = F.pad(y, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return self.out(torch.cat([skip, y], dim=1))


class Student(nn.Module):
    """Logits, and hidden features flattened for a loss to the teacher's."""

    def __init__(self, width, pool):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.pool = nn.AvgPool1d(pool)
        self.classifier = nn.Sequential(nn.Linear(width * 16, 20), nn.ReLU(), nn.Dropout(0.1), nn.Linear(20, 10))

    def forward(self, x):
        hidden = torch.flatten(self.features(x), 1)
        return self.classifier(hidden), self.pool(hidden)


class Distillation(nn.Module):
    """Teacher and student side by side, with the losses between them."""

    def __init__(self):
        super().__init__()
        self.teacher, self.student = Student(16, 2), Student(8, 1)

    def forward(self, x, labels):
        with torch.no_grad():
            soft, hidden = self.teacher(x)
        logits, own = self.student(x)
        distance = F.kl_div(F.log_softmax(logits / 2, -1), F.softmax(soft / 2, -1), reduction="batchmean") * 4
        return logits, own, distance, F.mse_loss(own, hidden) + F.cross_entropy(logits, labels)


class Features(nn.Module):
    """Layers of a VGG up to an inner one, and what others on the way give."""

    def __init__(self, until, also):
        super().__init__()
        plan, layers, width = [8, 8, 0, 16, 16, 0], [], 3
        for out in plan:
            layers += [nn.MaxPool2d(2)] if out == 0 else [nn.Conv2d(width, out, 3, padding=1), nn.ReLU(inplace=True)]
            width = out or width
        self.layers = nn.Sequential(*layers)[:until]
        self.also = also

    def forward(self, x):
        taken = []
        for i, layer in enumerate(self.layers):
            x = layer(x)
            if i in self.also:
                taken.append(x.mean((2, 3)))
        return x, taken


class Half(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 4)

    def forward(self, x):
        return self.head(F.relu(self.norm(self.conv(x))).mean((2, 3)))


def image(size=8, batch=1):
    return torch.rand(batch, 3, size, size)


PROGRAMS = {
    "cell-traced-gate": (lambda: Cell(torch.jit.script(Gate())), lambda: (torch.rand(3, 4), torch.rand(3, 4)), ("trace",)),
    "cell": (lambda: Cell(Gate()), lambda: (torch.rand(3, 4), torch.rand(3, 4)), ("script",)),
    "plain-cell": (lambda: Cell(nn.Identity()), lambda: (torch.rand(3, 4), torch.rand(3, 4)), WAYS),
    "convolutions": (lambda: Convolutions(4), lambda: (image(),), WAYS),
    "repeated": (lambda: Repeated(5), lambda: (image(),), WAYS),
    "buffers": (Buffers, lambda: (image(),), WAYS),
    "scatter": (Scatter, lambda: (torch.tensor([4, 0, 2]), torch.rand(3, 5)), WAYS),
    "squeezes": (Squeezes, lambda: (torch.rand(3, 1, 4),), WAYS),
    "pointnet": (PointNet, lambda: (torch.rand(2, 3, 17),), WAYS),
    "unet": (UNet, lambda: (torch.rand(1, 3, 9, 11),), WAYS),
    "mlp": (lambda: nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)), lambda: (torch.rand(5, 784),), WAYS),
    "distillation": (Distillation, lambda: (image(batch=2), torch.tensor([3, 9])), WAYS),
    "features": (lambda: Features(8, (1, 3)), lambda: (image(),), WAYS),
    "half": (lambda: Half().half(), lambda: (image().half(),), WAYS),
    "half-cell": (lambda: Cell(nn.Identity()).half(), lambda: (torch.rand(3, 4).half(), torch.rand(3, 4).half()), WAYS),
}


def bytes_of(model, inputs, way):
    buffer = io.BytesIO()
    with torch.no_grad():
        if way == "trace":
            torch.jit.save(torch.jit.trace(model, inputs, check_trace=False), buffer)
        elif way == "script":
            torch.jit.save(torch.jit.script(model), buffer)
        else:
            torch.export.save(torch.export.export(model, inputs), buffer)
    return buffer.getvalue()


def assert_same(got, expected):
    got, expected = got if isinstance(got, list) else [got], pytree.tree_leaves(expected)
    assert len(got) == len(expected)
    for array, tensor in zip(got, expected):
        want = tensor.numpy()
        assert array.dtype == want.dtype and array.shape == want.shape
        tolerance = {np.dtype(np.float16): 4e-3, np.dtype(np.float32): 1e-5}.get(want.dtype, 0)
        difference = np.abs(array.astype(np.float64) - want).max()
        assert difference <= max(tolerance * np.abs(want.astype(np.float64)).max(), 1e-6)  # losses cancel


@pytest.mark.parametrize("name, way", [(name, way) for name, (_, _, ways) in PROGRAMS.items() for way in ways])
def test_program(name, way):
    torch.manual_seed(0)
    make, inputs, _ = PROGRAMS[name]
    model, inputs = make().eval(), inputs()
    compiled = package.compile(bytes_of(model, inputs, way), threads=1, opt_level=1,
                               inputs=list(inputs) if way == "script" else None)
    for sign in (1, -1):  # both ways through a gate
        given = [x * sign if x.dtype.is_floating_point else x for x in inputs]
        with torch.no_grad():
            assert_same(compiled(*given), model(*given))


@pytest.mark.parametrize("n", [0, 1, 6])
def test_known_trip_counts_of_scripts(n):
    """The number of iterations is an attribute of the module, which the file holds."""
    torch.manual_seed(0)
    model, x = Repeated(n).eval(), image()
    compiled = package.compile(bytes_of(model, (x,), "script"), threads=1, opt_level=1, inputs=[x])
    with torch.no_grad():
        assert_same(compiled(x), model(x))
