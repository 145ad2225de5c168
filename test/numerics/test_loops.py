"""TorchScript with loops on data: compiled and run, for none, one and many iterations, they give what PyTorch gives.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import pytest

torch = pytest.importorskip("torch")
nn = torch.nn
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
              pytest.mark.filterwarnings("ignore:.*(attribute 'scale'|the model raises)")]


class While(nn.Module):
    def forward(self, x, k):
        i = 0
        while bool(x.sum() < 100) and i < int(k[0]):
            x = x * 2 + 1
            i += 1
        return x, i


class Counted(nn.Module):
    def forward(self, x, k):
        acc = torch.zeros_like(x)
        for i in range(1, int(k[0]), 2):
            acc = acc + x * i
        return acc


class Jumps(nn.Module):
    """break, continue and return, which PyTorch writes as flags."""

    def forward(self, x, k):
        n = int(k[0])
        for i in range(10):
            x = x * 1.5
            if bool(x.sum() > 50):
                break
            if bool(x.max() < 2.0):
                continue
            if i > n:
                return x * 3, i
            x = x + 1
        while True:
            x = x + 1
            n += 1
            if bool(x.sum() > 300):
                return x * 10, n
            if n > 9:
                break
        return x, -1


class Writes(nn.Module):
    """In place: into slices at the number of the iteration, and into what was made before the loop."""

    def forward(self, x, k):
        rows, columns = torch.zeros(8, 4), torch.zeros(4, 8)
        h, total = torch.zeros(4), torch.zeros(4)
        for i in range(int(k[0])):
            h = torch.tanh(h + x[i])
            rows[i] = h
            columns[:, -1 - i] = h * 2
            rows[i, 1] += 1
            total += x[i]
        total += 1
        return rows, columns, h, total


class Swaps(nn.Module):
    def forward(self, x, k):
        a, b, pair, n = x[0], x[1], (x[2], x[3]), 0
        while n < int(k[0]):
            a, b = b, a + b
            pair = (pair[1], pair[0] * 2)
            n += 1
        return a, b, pair[0], pair[1], n


class Nests(nn.Module):
    def forward(self, x, k):
        t = x.sum()
        for i in range(int(k[0])):
            for j in range(i):
                t = t + j * 0.5
            if bool(t > 20):
                t = t - 10
            for row in x:
                if bool(row.sum() > t):
                    t = t + row.max()
        return t


class Containers(nn.Module):
    """Lists, dicts and attributes whose items the body changes."""

    def __init__(self):
        super().__init__()
        self.scale = 1.0

    def forward(self, x, k):
        states, named = [x[0], x[1]], {"n": x[2]}
        for i in range(int(k[0])):
            states[0] = torch.tanh(states[0] + states[1])
            states[1] = states[0] * 0.5
            named["n"] = named["n"] + states[1]
            self.scale = self.scale * 1.25
        return states[0] * self.scale, states[1], named["n"]


class Long(nn.Module):
    """Too long to be unrolled."""

    def forward(self, x, k):
        for i in range(20000):
            x = x + (i % 2) - (i % 3) * 0.5
        return x + int(k[0])


class Numbers(nn.Module):
    """Arithmetic on numbers that only running tells."""

    def forward(self, x, k):
        n, f = int(k[0]), float(x.sum())
        a = n // 3 - (-n) // 3 + n % 4 - abs(-n)
        b = n / 4 + f
        c = max(n, 3) + min(n, 2)
        if n > 2 and f < 100.:
            a += 1
        if not (n == 3):
            b *= 2
        return torch.tensor(a), x * b + c, torch.tensor(b), torch.tensor([n, 7]), x[n]


class Cell(nn.Module):
    """A scripted gate within a traced cell, in a loop over as many rows as data says."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def gate(self, x):
        if x.sum() > 0:
            return x
        return -x

    def forward(self, x, k):
        h, y = torch.zeros(4), torch.zeros(4)
        for i in range(int(k[0])):
            h = torch.tanh(self.gate(self.linear(x[i])) + h)
            y, h = h, h
            if bool(h.max() > 5):
                raise ValueError("too large")
        return y, h


class Corpus(nn.Module):
    """An int input; the writes in place of one branch reach what the other replaces."""

    def forward(self, x, n: int):
        acc, i = torch.zeros_like(x), 0
        for k in range(n):
            if k % 2 == 0:
                acc = acc + x * k
            elif k > 7:
                break
            else:
                if bool(acc.sum() > 100):
                    continue
                acc -= x
        while i < n and float(acc.mean()) < 10.0:
            acc = acc * 2 + 1
            i += 1
        return acc


PROGRAMS = [While, Counted, Jumps, Writes, Swaps, Nests, Containers, Long, Numbers, Cell]


def check(scripted, compiled, arguments):
    copies = [a.clone() if isinstance(a, torch.Tensor) else a for a in arguments]
    with torch.no_grad():
        expected = scripted(*copies)
    outputs = compiled(*[np.asarray(a) for a in arguments])
    expected = expected if isinstance(expected, tuple) else (expected,)
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    for output, wanted in zip(outputs, expected, strict=True):
        wanted = torch.as_tensor(wanted).numpy()
        assert output.dtype == wanted.dtype
        np.testing.assert_allclose(output, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_matches_pytorch(program, tmp_path):
    import graven as package
    torch.manual_seed(0)
    torch.jit.script(program().eval()).save(tmp_path / "m.pt")
    compiled = package.compile(tmp_path / "m.pt", threads=1, inputs={"x": "f32[8,4]", "k": "i64[1]"})
    for count in [0, 1, 2, 7]:
        for x in [torch.rand(8, 4), -torch.rand(8, 4), torch.rand(8, 4) * 20]:
            fresh = torch.jit.load(str(tmp_path / "m.pt"))
            check(fresh, compiled, (x, torch.tensor([count])))


def test_number_inputs(tmp_path):
    import graven as package
    scripted = torch.jit.script(Corpus().eval())
    scripted.save(tmp_path / "m.pt")
    compiled = package.compile(tmp_path / "m.pt", threads=1, inputs={"x": "f32[3,4]"})
    for count in [0, 1, 3, 9, 12]:
        for x in [torch.rand(3, 4), -torch.rand(3, 4), torch.rand(3, 4) * 20]:
            check(scripted, compiled, (x, count))


class Grows(nn.Module):
    def forward(self, x, k):
        for i in range(int(k[0])):
            x = torch.cat([x, x])
        return x


class Appends(nn.Module):
    def forward(self, x, k):
        items = [x]
        for i in range(int(k[0])):
            items.append(x)
        return torch.stack(items)


class Sizes(nn.Module):
    def forward(self, x, k):
        return torch.zeros(int(k[0])) + x.sum()


REFUSED = [(Grows, "'x.*' is tensor<8x4xf32> before an iteration and tensor<16x4xf32> behind it"),
           (Appends, "a list has 1 items before an iteration and 2 behind it"),
           (Sizes, "is not a list of known ints")]


@pytest.mark.parametrize("program, message", REFUSED, ids=lambda p: getattr(p, "__name__", ""))
def test_refuses(program, message, tmp_path):
    import graven as package
    torch.jit.script(program().eval()).save(tmp_path / "m.pt")
    with pytest.raises(package.Error, match=message) as error:
        package.compile(tmp_path / "m.pt", inputs={"x": "f32[8,4]", "k": "i64[1]"})
    assert "GRV0204" in str(error.value)
