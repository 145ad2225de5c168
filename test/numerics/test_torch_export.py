"""Programs of torch.export, exported here: compiled and run, they give what PyTorch gives.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import subprocess
import typing
import zipfile

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from programs import Encoder, Mutating  # noqa: E402

nn = torch.nn
pytestmark = [pytest.mark.filterwarnings("ignore::FutureWarning"),
              pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.filterwarnings("ignore::UserWarning")]
tree = torch.utils._pytree


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2),
            nn.InstanceNorm2d(8, affine=True), nn.Hardswish(inplace=True), nn.AdaptiveAvgPool2d(2))
        self.head = nn.Linear(32, 5)

    def forward(self, x):
        return self.head(torch.flatten(self.features(x), 1))


class Numbers(nn.Module):
    """Numbers where a schema wants tensors, on either side."""

    def forward(self, x, i):
        return 1 - x, x + 2, i * 2.5, 2**x, i // 3, torch.where(i > 2, i, 0), x + i, i + True


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.gru = nn.LSTM(8, 6, 2, bidirectional=True), nn.GRU(12, 4, batch_first=True)

    def forward(self, x):
        return self.gru(self.lstm(x)[0])[0]


class Views(nn.Module):
    """Weights that are tied, strided, of 16 bits, and not persistent."""

    def __init__(self):
        super().__init__()
        whole = torch.arange(24.).reshape(4, 6)
        self.register_buffer("a", whole[1:, ::2])
        self.register_buffer("b", whole.t(), persistent=False)
        self.register_buffer("h", torch.ones(3).bfloat16())
        self.one, self.two = nn.Linear(3, 3), nn.Linear(3, 3)
        self.two.weight = self.one.weight
        self.c = torch.tensor([1., 2, 3])

    def forward(self, x):
        return self.two(self.one(x)) + self.a.sum() + self.b[0].sum() + self.h + self.c


class Result(typing.NamedTuple):
    logits: torch.Tensor
    parts: dict


tree._register_namedtuple(Result, serialized_type_name="test_torch_export.Result")


class Nested(nn.Module):
    def forward(self, x, xs: list[torch.Tensor], *, scale):
        return Result(x * 2, {"sum": x + xs[0], "list": [xs[1] * scale["s"], x.shape[0]]})


class Branch(nn.Module):
    def forward(self, x, y):
        return torch.cond(x.sum() > 0, lambda a, b: (a + b, a * 3), lambda a, b: (a - b, b.exp()), (x, y))


class While(nn.Module):
    def forward(self, i, x):
        loop = torch._higher_order_ops.while_loop
        return loop(lambda i, a: (i < 5) & (a.sum() < 100), lambda i, a: (i + 1, a * 2 + x), (i, x.exp()))


class Scan(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.Linear(4, 4)

    def forward(self, h, xs):
        from torch._higher_order_ops.scan import scan

        def step(h, x):
            h = torch.tanh(self.cell(h) + x)
            return h, h * 2
        return scan(step, h, xs)


class Map(nn.Module):
    def forward(self, xs, y):
        from torch._higher_order_ops.map import map
        return map(lambda x, y: (x * y).sum(0), xs, y)


CASES = {
    "convnet": (ConvNet, lambda: (torch.randn(2, 3, 12, 12),)),
    "attention": (Encoder, lambda: (torch.randint(0, 20, (2, 7)), torch.tensor([[1] * 7, [1] * 4 + [0] * 3]))),
    "numbers": (Numbers, lambda: (torch.randn(3, 4), torch.arange(4))),
    "recurrent": (Recurrent, lambda: (torch.randn(5, 2, 8),)),
    "views": (Views, lambda: (torch.randn(2, 3),)),
    "writing": (Mutating, lambda: (torch.randn(4, 3) * 5,)),
    "then": (Branch, lambda: (torch.ones(3), torch.full((3,), 0.5))),
    "else": (Branch, lambda: (-torch.ones(3), torch.full((3,), 0.5))),
    "while": (While, lambda: (torch.tensor(0), torch.rand(3))),
    "while-not": (While, lambda: (torch.tensor(9), torch.rand(3))),
    "scan": (Scan, lambda: (torch.randn(2, 4), torch.randn(6, 2, 4))),
    "map": (Map, lambda: (torch.randn(3, 4, 5), torch.randn(4, 5))),
}


def export(model, inputs, path, kwargs=None, decompose=False, **options):
    torch.manual_seed(0)
    program = torch.export.export(model, inputs, kwargs, **options)
    torch.export.save(program.run_decompositions() if decompose else program, path)
    return path


def arrays(value):
    return [np.asarray(t.detach() if torch.is_tensor(t) else t) for t in tree.tree_leaves(value)]


def check(outputs, expected):
    assert len(outputs) == len(expected)
    for output, wanted in zip(outputs, expected):
        assert output.dtype == wanted.dtype and output.shape == wanted.shape
        np.testing.assert_allclose(output, wanted, rtol=1e-5, atol=1e-5 * max(1.0, np.abs(wanted).max()))


def run(path, inputs, **options):
    import graven as package
    outputs = package.compile(path, threads=1, **options)(*inputs)
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


@pytest.mark.parametrize("decompose", [False, True], ids=["exported", "decomposed"])
@pytest.mark.parametrize("name", CASES)
def test_matches_pytorch(name, decompose, tmp_path):
    torch.manual_seed(0)
    make, inputs = CASES[name]
    model, inputs = make().eval(), inputs()
    path = export(model, inputs, tmp_path / "m.pt2", decompose=decompose)
    with torch.no_grad():
        expected = arrays(model(*[x.clone() for x in inputs]))
    check(run(path, [x.numpy() for x in inputs]), expected)


def test_names_what_is_nested(build, tmp_path):
    inputs = (torch.ones(2), [torch.ones(2), torch.ones(2)])
    scale = {"scale": {"s": torch.tensor(3.)}}
    path = export(Nested(), inputs, tmp_path / "m.pt2", kwargs=scale)
    text = subprocess.run([build / "bin/graven", "import", path], check=True, capture_output=True, text=True).stdout
    for name in ["x", "xs.0", "xs.1", "scale.s", "logits", "parts.sum", "parts.list.0", "parts.list.1"]:
        assert f'graven.name = "{name}"' in text


@pytest.mark.parametrize("size", [1, 3, 8])
def test_symbolic_extents(size, tmp_path):
    batch = torch.export.Dim("batch", min=1, max=16)
    path = export(ConvNet().eval(), (torch.randn(4, 3, 12, 12),), tmp_path / "m.pt2", dynamic_shapes={"x": {0: batch}})
    program = torch.export.load(path)
    symbol = next(iter(program.range_constraints))
    x = torch.randn(size, 3, 12, 12)
    check(run(path, [x.numpy()], dims={str(symbol): "1..16"}), arrays(program.module()(x)))


def refusal(build, path, *options):
    result = subprocess.run([build / "bin/graven", "import", path, *options], capture_output=True, text=True)
    assert result.returncode == 2, result.stderr
    return result.stderr


def test_refuses_sizes_outside_of_the_range(build, tmp_path):
    batch = torch.export.Dim("batch", min=2, max=16)
    path = export(ConvNet().eval(), (torch.randn(4, 3, 12, 12),), tmp_path / "m.pt2", dynamic_shapes={"x": {0: batch}})
    error = refusal(build, path)
    assert "[GRV0207] input 'x' has the extent" in error and "=2..16" in error
    assert "is 20, the program was exported for 2 to 16" in refusal(build, path, "--input", "x:f32[20,3,12,12]")
    assert "[GRV0304] --input says" in refusal(build, path, "--input", "x:f32[4,3,13,12]")
    assert "[GRV0302] --input names 'y'" in refusal(build, path, "--input", "y:f32[1]", "--input", "x:f32[4,3,12,12]")


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(()))

    def forward(self, x):
        self.count.add_(1)
        return x * self.count


class DataDependent(nn.Module):
    def forward(self, x):
        count = x.sum().int().item()
        torch._check(count >= 0)
        return torch.zeros(count)


def test_says_why_not(build, tmp_path):
    error = refusal(build, export(DataDependent(), (torch.ones(2, 3),), tmp_path / "d.pt2"))
    assert "[GRV0204]" in error and "test_torch_export.py:" in error


def test_warns_of_state(build, tmp_path):
    path = export(Counting(), (torch.ones(2),), tmp_path / "m.pt2")
    result = subprocess.run([build / "bin/graven", "import", path], check=True, capture_output=True, text=True)
    assert "warning" in result.stderr and "'count'" in result.stderr


def rewritten(source, target, record, change):
    """The archive with one record changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data) if name.endswith(record) else data)
    return target


def edit(source, target, change):
    def both(data):
        program = json.loads(data)
        change(program["graph_module"])
        return json.dumps(program).encode()
    return rewritten(source, target, "models/model.json", both)


def test_damaged_programs(build, tmp_path):
    path = export(Views(), (torch.randn(2, 3),), tmp_path / "m.pt2")
    target = tmp_path / "bad.pt2"

    def without(key):
        return lambda module: module["graph"]["nodes"][0].pop(key)

    def rename(module):
        module["graph"]["nodes"][0]["inputs"][0]["arg"] = {"as_tensor": {"name": "nowhere"}}

    def retype(module):
        module["graph"]["nodes"][0]["inputs"][0]["arg"] = {"as_float": "soon"}
    assert "[GRV0107]" in refusal(build, edit(path, target, without("target")))
    assert "the value 'nowhere' is not defined" in refusal(build, edit(path, target, rename))
    assert "[GRV0107]" in refusal(build, edit(path, target, retype))
    assert "[GRV0107]" in refusal(build, edit(path, target, lambda module: module.pop("signature")))
    assert "[GRV0105]" in refusal(build, rewritten(path, target, "weights/weight_0", lambda data: data[:4]))
    for length in range(0, path.stat().st_size, 997):
        target.write_bytes(path.read_bytes()[:length])
        assert "error:" in refusal(build, target)
