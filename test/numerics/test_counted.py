"""Results whose extents data decide, against PyTorch, over random masks with none and all of them true among them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import importlib.util
import io
import subprocess
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import graven as package
from saving import saved

warnings.filterwarnings("ignore", category=DeprecationWarning)
N = 12  # elements of a list


class Case(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *x):
        return self.function(*x)


def numbers(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-3, 4, (N,), generator=generator).float()


def mask(seed, shape=(N,)):
    """None, all, or some are true."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator) < (0, 1, 0.1, 0.5, 0.9)[seed % 5]


def plane(seed, shape=(4, 5)):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def put(x, where, values):
    y = x.clone()
    y[where] = values
    return y


def put_along(x, where, values):
    y = x.clone()
    y[:, where] = values
    return y


def put_rows(x, where):
    y = x.clone()
    y[where] = x[where] * 2 + 1
    return y


def twice(x):
    y = x[x > 0]
    return y, y[y > 1]


def pieces(x):
    """Rows of what is greater than zero one behind the other, and the numbers of the rows."""
    taken = [row[row > 0] for row in x]
    return torch.cat(taken), torch.cat([torch.full_like(row, i) for i, row in enumerate(taken)])


CASES = {
    "nonzero": (lambda x: torch.nonzero(x), lambda s: (plane(s).round(),)),
    "argwhere": (lambda x: torch.argwhere(x), lambda s: (mask(s, (2, 3, 4)),)),
    "columns": (lambda m: torch.where(m), lambda s: (mask(s, (4, 5)),)),
    "as_tuple": (lambda m: m.nonzero(as_tuple=True), lambda s: (mask(s),)),
    "scalar": (lambda x: torch.nonzero(x.sum() > 0), lambda s: (mask(s),)),
    "masked_select": (lambda x, m: torch.masked_select(x, m), lambda s: (plane(s), mask(s, (5,)))),
    "mask": (lambda x, m: x[m], lambda s: (plane(s), mask(s, (4, 5)))),
    "mask of rows": (lambda x, m: x[m], lambda s: (plane(s), mask(s, (4,)))),
    "mask of columns": (lambda x, m: x[:, m], lambda s: (plane(s), mask(s, (5,)))),
    "mask in the middle": (lambda x, m: x[:, m], lambda s: (plane(s, (2, 4, 5, 3)), mask(s, (4, 5)))),
    "mask and index": (lambda x, m: x[m, 1], lambda s: (plane(s), mask(s, (4,)))),
    "mask of a number": (lambda x, m: x[m.any()], lambda s: (plane(s), mask(s))),
    "same mask twice": (lambda x: x[x > 0] + (2 * x)[x > 0], lambda s: (plane(s),)),
    "what is taken of what was taken": (twice, lambda s: (plane(s),)),
    "pieces": (pieces, lambda s: (plane(s, (3, 6)),)),
    "more pieces than the stack has places for": (pieces, lambda s: (plane(s, (70, 3)),)),
    "put a list": (put, lambda s: (numbers(s), mask(s), torch.arange(float(mask(s).sum())))),
    "put what was taken": (put_rows, lambda s: (plane(s), mask(s, (4,)))),
    "put what was taken of a plane": (put_rows, lambda s: (plane(s, (3, 4, 2)), mask(s, (3, 4)))),
    "put elsewhere": (lambda x, m: (x[m] * 2, torch.zeros(4, 5).index_copy(0, torch.where(m)[0], x[m])),
                      lambda s: (plane(s), mask(s, (4,)))),
    "put a number": (lambda x, m: put(x, m, 7.0), lambda s: (plane(s), mask(s, (4, 5)))),
    "put a row": (lambda x, m, v: put(x, m, v), lambda s: (plane(s), mask(s, (4,)), plane(s, (5,)))),
    "put a column": (lambda x, m, v: put_along(x, m, v), lambda s: (plane(s), mask(s, (5,)), plane(s, (4, 1)))),
    "unique": (lambda x: torch.unique(x), lambda s: (numbers(s),)),
    "unique with all": (lambda x: torch.unique(x, return_inverse=True, return_counts=True), lambda s: (numbers(s),)),
    "unique of ints": (lambda x: torch.unique(x.long().reshape(3, 4), return_inverse=True), lambda s: (numbers(s),)),
    "unique rows": (lambda x: torch.unique(x.reshape(6, 2), dim=0, return_inverse=True, return_counts=True),
                    lambda s: (numbers(s).sign(),)),
    "unique columns": (lambda x: torch.unique(x.reshape(2, 6), dim=1), lambda s: (numbers(s).sign(),)),
    "runs": (lambda x: torch.unique_consecutive(x, return_inverse=True, return_counts=True),
             lambda s: (numbers(s).sign(),)),
    "runs of rows": (lambda x: torch.unique_consecutive(x.reshape(6, 2), dim=0), lambda s: (numbers(s).sign(),)),
    "repeats": (lambda x, r: x.repeat_interleave(r, output_size=N), lambda s: (plane(s, (3, 2))[:, 0], repeats(s))),
    "repeats of rows": (lambda x, r: x.repeat_interleave(r, dim=0, output_size=N),
                        lambda s: (plane(s, (3, 2)), repeats(s))),
    "places": (lambda r: torch.repeat_interleave(r, output_size=N), lambda s: (repeats(s),)),
    "counts of bytes": (lambda x: torch.bincount(x, minlength=3), lambda s: (numbers(s).abs().byte(),)),
    "counts below minlength": (lambda x: torch.bincount(x, minlength=4), lambda s: (numbers(s).abs().long(),)),
    "weights": (lambda x, w: torch.bincount(x, w, 4), lambda s: (numbers(s).abs().long(), numbers(s + 1))),
}


def repeats(seed):
    """Three counts whose sum is N."""
    generator = torch.Generator().manual_seed(seed)
    ends = torch.randint(0, N + 1, (2,), generator=generator).sort().values
    return torch.cat([ends[:1], ends.diff(), N - ends[1:]])


SCRIPTS = {
    "first": ("x[:n]", lambda s: (plane(s), number(s))),
    "from": ("x[n:]", lambda s: (plane(s), number(s))),
    "last": ("x[-n - 1:]", lambda s: (plane(s), number(s))),
    "between": ("x[:, n:m]", lambda s: (plane(s), number(s), number(s + 1))),
    "every other": ("x[n:m:2]", lambda s: (plane(s, (9, 2)), number(s), number(s + 1))),
    "narrow": ("x.narrow(0, 1, n)", lambda s: (plane(s, (9, 2)), number(s).abs())),
    "narrow from": ("x.narrow(0, n, 3)", lambda s: (plane(s, (9, 2)), number(s).abs())),
    "a range of": ("x[:n] + torch.arange(9)[:n, None]", lambda s: (plane(s, (9, 2)), number(s).abs())),
    "number of": ("x / max(n, 1)", lambda s: (plane(s), number(s))),
}


def number(seed):
    return torch.tensor((0, 5, 2, -1, 4, 7, -3)[seed % 7])


def script(expression, count, folder):
    """The scripted module of an expression in x and in numbers that are read from tensors."""
    names = ["n", "m"][:count]
    path = folder / "window.py"
    path.write_text("import torch\n\n\nclass Window(torch.nn.Module):\n    def forward(self, x, "
                    + ", ".join(f"{name}_" for name in names) + "):\n"
                    + "".join(f"        {name} = int({name}_.item())\n" for name in names)
                    + f"        return {expression}\n")
    spec = importlib.util.spec_from_file_location("window", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Window()


def leaves(value):
    if isinstance(value, torch.Tensor):
        return [value]
    return [leaf for item in value for leaf in leaves(item)]


def check(model, inputs, want):
    got = model(*[x.numpy() for x in inputs])
    got = got if isinstance(got, (tuple, list)) else (got,)
    assert len(got) == len(want)
    for value, expected in zip(got, want):
        expected = expected.numpy()
        assert value.dtype == expected.dtype
        np.testing.assert_array_equal(value, expected)


# Importing at fewer gives another Graph than at more, so these say what they take.
AT_LEAST = {"put elsewhere": 1}


@pytest.mark.parametrize("name", CASES)
def test_counted(name):
    function, make = CASES[name]
    seeds = range(6) if name != "put a list" else [3]
    with torch.no_grad():
        traced = torch.jit.trace(Case(function), make(3), check_trace=False)
        model = package.compile(saved(traced), name="m")
        for seed in seeds:
            inputs = make(seed)
            least = AT_LEAST.get(name, 0)
            if least and inputs[-1].sum() < least:
                with pytest.raises(package.Error, match=f"expected {least} to .* elements at test_counted.py:"):
                    model(*[x.numpy() for x in inputs])
            else:
                check(model, inputs, leaves(traced(*inputs)))


@pytest.mark.parametrize("name", SCRIPTS)
def test_windows(tmp_path, name):
    expression, make = SCRIPTS[name]
    module = script(expression, len(make(0)) - 1, tmp_path)
    model = package.compile(saved(module), inputs=[x.numpy() for x in make(0)])
    for seed in range(4):
        inputs = make(seed)
        check(model, inputs, [module(*inputs)])


def taken(x, n):
    count = n.item()
    torch._check(count >= 0)
    torch._check(count <= x.shape[0])
    return x[:count] * 2, x.narrow(0, 0, count), x / (count + 1)


def test_greatest_of_many(tmp_path):
    """More places than there are tables of what follows from a count."""
    module = script("x[x > n].topk(min(5, x[x > n].shape[0]))[0]", 1, tmp_path)
    x = torch.rand(1 << 22 | 5, generator=torch.Generator().manual_seed(1))
    model = package.compile(saved(module), inputs=[x.numpy(), torch.tensor(0).numpy()])
    for inputs in ((x, torch.tensor(0)), (x * 0 + (x > 1 - 2e-7), torch.tensor(0)), (x, torch.tensor(1))):
        check(model, inputs, [module(*inputs)])


EXPORTED = {
    **{name: CASES[name] for name in ("nonzero", "columns", "mask of columns", "unique with all", "repeats of rows")},
    "number": (lambda x: x * x.long().sum().item(), lambda s: (numbers(s),)),
    "extent as a number": (lambda x: x[1:] + torch.nonzero(x).shape[0], lambda s: (numbers(s),)),
    "taken": (taken, lambda s: (plane(s), number(s).abs().clamp(max=4))),
}


@pytest.mark.parametrize("name", EXPORTED)
def test_exported(name):
    function, make = EXPORTED[name]
    buffer = io.BytesIO()
    torch.export.save(torch.export.export(Case(function), make(3)), buffer)
    model = package.compile(buffer.getvalue())
    for seed in (0, 1, 4):
        inputs = make(seed)
        check(model, inputs, leaves(function(*inputs)))


THREADED = """graven.graph @forward(%x: tensor<300x257xf32>) -> (tensor<77100x2xi64>, tensor<i64>) {
  %r = graven.relu %x : tensor<300x257xf32>
  %places, %count = graven.nonzero %r : (tensor<300x257xf32>) -> (tensor<77100x2xi64>, tensor<i64>)
  graven.return %places, %count : tensor<77100x2xi64>, tensor<i64>
}
"""


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_find_the_same(graven, tmp_path, threads):
    x = plane(5, (300, 257)).numpy()
    np.save(tmp_path / "x.npy", x)
    (tmp_path / "m.mlir").write_text(THREADED)
    subprocess.run([str(graven), "run", "m.mlir", "--threads", str(threads), "--input", "0=@x.npy", "--save-outputs",
                    "out"], check=True, timeout=300, cwd=tmp_path)
    want = np.argwhere(x > 0)
    got, count = (np.load(tmp_path / "out" / f"{i}.npy") for i in range(2))
    assert count == len(want)
    np.testing.assert_array_equal(got[:count], want)
    assert not got[count:].any()


class Suppression(torch.nn.Module):
    """Branches beside an extent that data decide see nothing of it."""

    def forward(self, x):
        kept = torch.ones(x.size(0), dtype=torch.bool)
        for i in range(x.size(0)):
            if bool(kept[i]):
                near = (x - x[i]).abs().sum(1) < 1
                near[:i + 1] = False
                kept &= ~near
        total = x.sum()
        while bool(total.abs() > 1):
            total = total / 2
        return x[kept], kept, total


class Experts(torch.nn.Module):
    """Branches that take rows by a mask of their own."""

    def __init__(self):
        super().__init__()
        self.gate = torch.nn.Linear(3, 3)
        self.experts = torch.nn.ModuleList([torch.nn.Linear(3, 3) for _ in range(3)])

    def forward(self, x):
        weights, chosen = self.gate(x).softmax(-1).max(-1)
        y = torch.zeros_like(x)
        for i, expert in enumerate(self.experts):
            mine = chosen == i
            if bool(mine.any()):
                y[mine] = y[mine] + expert(x[mine]) * weights[mine].unsqueeze(1)
        return y


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("module", [Suppression, Experts], ids=lambda m: m.__name__)
def test_branches_beside_counts(module):
    torch.manual_seed(0)
    scripted = torch.jit.script(module().eval())
    model = package.compile(saved(scripted), inputs={"x": "f32[6,3]"}, threads=1)
    for scale in (0.0, 0.3, 1.0, 3.0):
        x = torch.randn(6, 3) * scale
        with torch.no_grad():
            expected = scripted(x)
        expected = expected if isinstance(expected, tuple) else (expected,)
        got = model(x.numpy())
        for a, b in zip(got if isinstance(got, list) else [got], expected, strict=True):
            np.testing.assert_allclose(a, b.numpy(), rtol=1e-5, atol=1e-6)


class Looks(nn.Module):
    """Both branches run, and one of them looks at what is not there."""

    def forward(self, x, mask, i: int):
        some = x[mask].sum()
        if i < x.size(0):
            some = some + x[i]
            x[i] = some
        else:
            some = some - torch.gather(x, 0, torch.tensor([i - x.size(0)]))[0]
        return some, x


def test_index_of_the_branch_that_is_not_taken():
    script, x, mask = torch.jit.script(Looks()), torch.randn(5), torch.tensor([True, False, True, True, False])
    model = package.compile(saved(script), inputs={"x": "f32[5]", "mask": "i1[5]", "i": "i64[]"})
    for i in (0, 4, 5, 9):
        check(model, [x, mask, torch.tensor(i)], script(x.clone(), mask, i))
    for i in (10, -6):
        with pytest.raises(package.Error, match="index out of range"):
            model(x.numpy(), mask.numpy(), np.array(i))
