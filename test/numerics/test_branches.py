"""TorchScript with conditions on data: compiled and run, both ways, scripted programs give what PyTorch gives.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import pytest

torch = pytest.importorskip("torch")
nn = torch.nn
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
              pytest.mark.filterwarnings("ignore:.*(attribute 'scale'|the model raises)")]


class Gate(nn.Module):
    def forward(self, x):
        if x.sum() > 0:
            return x
        else:
            return -x


class Cell(nn.Module):
    """A scripted gate within a cell."""

    def __init__(self):
        super().__init__()
        self.gate, self.linear = Gate(), nn.Linear(4, 4)

    def forward(self, x, h):
        h = torch.tanh(self.gate(self.linear(x)) + h)
        return h, h


class Writes(nn.Module):
    """In one branch, through views; the number n depends on data."""

    def forward(self, x, h):
        y = x * 2
        z = y[0]
        n = 3
        if x[0, 0] > 0:
            y[1] += 1
            z.mul_(5)
            n = 4
            w = torch.relu(y)
        else:
            w = y + n
        return y, z + h[0], w * n


class Early(nn.Module):
    def forward(self, x, h):
        if x.sum() > 0:
            if x.max() > 2:
                return x * 3
            return x + 1
        t = (x, x * 2)
        if x.min() < -2:
            t = (x - 1, h)
        return t[0] + t[1]


class Weights(nn.Module):
    """Parameters that a branch reads first, and one that both read."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x, h):
        if x.sum() > 0:
            y = self.a(x)
        else:
            y = self.b(x)
            if float(x.mean()) < -2:
                y = torch.relu(y) + self.a(h)
        return y + self.a(x) * float(h.sum())


class Numbers(nn.Module):
    """Numbers that only running tells."""

    def forward(self, x, h):
        n = int(x.sum())
        f = x.mean().item()
        return x * n + h, h * f, x > n


class Containers(nn.Module):
    """Items of lists and dicts, and attributes, that a branch changes."""

    def __init__(self):
        super().__init__()
        self.scale = 1.0

    def forward(self, x, h):
        items = [x, h]
        named = {"a": x, "b": h}
        if x.sum() > 0:
            items[0] = items[0] * 2
            named["b"] = x
            self.scale = 3.0
        elif x.min() < -3:
            items.reverse()
        return items[0] - items[1] * self.scale, named["a"] + named["b"] * 2


class Raises(nn.Module):
    """Exceptions that the data tested with does not raise."""

    def forward(self, x, h):
        if h.min() < 0:
            raise ValueError("negative")
        assert bool(h.max() < 100), "large"
        if x.sum() > 0:
            if h.sum() > 1e9:
                raise ValueError("sum")
            return x + h
        return x - h


class Aliases(nn.Module):
    """A tensor that is one or another, and only one of them is read behind a write."""

    def forward(self, x, h):
        y, z = x * 2, h * 3
        w = y if bool(x.sum() > 0) else z
        w = w + 1
        w += y
        pair = (w, w)
        if x.min() < -3:
            pair = (h * 1, x * 1)
        return pair[0] + pair[1] + z


PROGRAMS = [Cell, Writes, Early, Weights, Numbers, Containers, Raises, Aliases]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_matches_pytorch(program, tmp_path):
    import graven as package
    torch.manual_seed(0)
    torch.jit.script(program().eval()).save(tmp_path / "m.pt")
    compiled = package.compile(tmp_path / "m.pt", threads=1, inputs={"x": "f32[3,4]", "h": "f32[3,4]"})
    h = torch.rand(3, 4)
    for x in [torch.rand(3, 4), torch.rand(3, 4) * 5, -torch.rand(3, 4), -torch.rand(3, 4) * 9]:
        with torch.no_grad():
            expected = torch.jit.load(str(tmp_path / "m.pt"))(x.clone(), h)
        outputs = compiled(x.numpy(), h.numpy())
        expected = expected if isinstance(expected, tuple) else (expected,)
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        for output, wanted in zip(outputs, expected, strict=True):
            assert output.dtype == wanted.numpy().dtype
            np.testing.assert_allclose(output, wanted.numpy(), rtol=1e-5, atol=1e-5)


class Appends(nn.Module):
    def forward(self, x):
        items = [x]
        if x.sum() > 0:
            items.append(x)
        return torch.cat(items)


class ChangesShape(nn.Module):
    def forward(self, x):
        if x.sum() > 0:
            x = x[:1]
        return x


class SharesOneOrAnother(nn.Module):
    def forward(self, x):
        y = x * 2
        z = y if bool(x.sum() > 0) else x * 3
        y.add_(1)
        return z


class AlwaysRaises(nn.Module):
    def forward(self, x):
        if x.sum() > 0:
            raise ValueError("positive")
        else:
            raise ValueError("negative")
        return x


REFUSED = [(Appends, "a list has 2 or 1 items, depending on data"),
           (ChangesShape, "is tensor<1x4xf32> or tensor<3x4xf32>, depending on data"),
           (SharesOneOrAnother, "a tensor is read that, depending on data, shares its storage with one that was written"),
           (AlwaysRaises, "negative")]


@pytest.mark.parametrize("program, message", REFUSED, ids=lambda p: getattr(p, "__name__", ""))
def test_refuses(program, message, tmp_path):
    import graven as package
    torch.jit.script(program().eval()).save(tmp_path / "m.pt")
    with pytest.raises(package.Error, match=r"GRV020[45]") as error:
        package.compile(tmp_path / "m.pt", inputs={"x": "f32[3,4]"})
    assert message in str(error.value)
