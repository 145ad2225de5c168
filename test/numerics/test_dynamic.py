"""One artifact for a range of extents: batches and sequence lengths of small models against PyTorch, with one and two
threads, and what is refused.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from saving import exported

BATCHES = [*range(1, 10), 15, 16, 17, 21, 64]


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(20, 33), nn.Linear(33, 7)

    def forward(self, x):
        return self.b(torch.relu(self.a(x)))


class Images(nn.Module):
    def __init__(self):
        super().__init__()
        self.c, self.norm = nn.Conv2d(3, 24, 3, padding=1), nn.BatchNorm2d(24)
        self.d, self.f = nn.Conv2d(24, 32, 3, stride=2, padding=1), nn.Linear(32, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.norm(self.c(x))), 2)
        return self.f(torch.relu(self.d(x)).mean((2, 3)))


class Encoder(nn.Module):
    """A transformer layer; with `causal` as decoders have it."""

    def __init__(self, causal):
        super().__init__()
        self.causal = causal
        self.tokens, self.places = nn.Embedding(50, 32), nn.Embedding(64, 32)
        self.q, self.o, self.norm = nn.Linear(32, 96), nn.Linear(32, 32), nn.LayerNorm(32)
        self.up, self.down, self.head = nn.Linear(32, 64), nn.Linear(64, 32), nn.Linear(32, 5)

    def forward(self, ids, mask):
        batch, length = ids.shape
        x = self.tokens(ids) + self.places(torch.arange(length))[None]
        q, k, v = [t.view(batch, length, 4, 8).transpose(1, 2) for t in self.q(x).chunk(3, -1)]
        scores = q @ k.transpose(-1, -2) / 8**0.5 + (1 - mask[:, None, None, :]) * -10000.0
        if self.causal:
            scores = scores.masked_fill(torch.ones(length, length).triu(1).bool(), float("-inf"))
        x = self.norm(x + self.o((scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, length, 32)))
        x = self.norm(x + self.down(nn.functional.gelu(self.up(x))))
        return x, self.head(x[:, 0])


class Recurrent(nn.Module):
    def __init__(self, batch_first):
        super().__init__()
        self.lstm, self.head = nn.LSTM(16, 24, 2, batch_first=batch_first), nn.Linear(24, 5)
        self.batch_first = batch_first

    def forward(self, x):
        y, _ = self.lstm(x)
        return self.head(y[:, -1] if self.batch_first else y[-1])


class Centered(nn.Module):
    """Each sample depends on all of them."""

    def forward(self, x):
        return x - x.mean(0)


class Counted(nn.Module):
    """Each sample depends on how many there are."""

    def forward(self, x):
        return x / x.shape[0]


def dense(*shape):
    return lambda batch, length: (torch.randn([{"B": batch, "S": length}.get(extent, extent) for extent in shape]),)


def tokens(batch, length):
    mask = (torch.rand(batch, length) > 0.3).float()
    mask[:, 0] = 1
    return torch.randint(0, 50, (batch, length)), mask


BATCH, BOTH, TURNED = {0: "batch"}, {0: "batch", 1: "seq"}, {0: "seq", 1: "batch"}
CASES = {
    "classifier": (Classifier, dense("B", 20), {"x": BATCH}, {"batch": "1..64"}, BATCHES, [1]),
    "images": (Images, dense("B", 3, 32, 32), {"x": BATCH}, {"batch": "1..64"}, BATCHES, [1]),
    "unbounded": (Classifier, dense("B", 20), {"x": BATCH}, None, [1, 2, 65, 100, 1000], [1]),
    "encoder": (lambda: Encoder(False), tokens, {"ids": BOTH, "mask": BOTH}, {"batch": "1..", "seq": "1..9"}, BATCHES,
                range(1, 10)),
    "decoder": (lambda: Encoder(True), tokens, {"ids": BOTH, "mask": BOTH}, {"batch": "1..8", "seq": [1, 7, 33]}, [1, 2, 7],
                [1, 7, 33]),
    "lstm": (lambda: Recurrent(True), dense("B", "S", 16), {"x": BOTH}, {"batch": "1..", "seq": "1..4"}, BATCHES, range(1, 5)),
    "lstm_by_step": (lambda: Recurrent(False), dense("S", "B", 16), {"x": TURNED}, {"batch": "1..5", "seq": "1..3"},
                     range(1, 6), range(1, 4)),
    "centered": (Centered, dense("B", 5), {"x": BATCH}, {"batch": "1..5"}, range(1, 6), [1]),
    "counted": (Counted, dense("B", 5), {"x": BATCH}, {"batch": "1..5"}, range(1, 6), [1]),
}


def arrays(tensors):
    return [tensor.numpy() for tensor in tensors]


@pytest.fixture(scope="module", params=CASES)
def case(request):
    import graven

    make, inputs, axes, dims, batches, lengths = CASES[request.param]
    torch.manual_seed(0)
    model = make().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = graven.compile(exported(model, inputs(2, 6), axes), dims=dims, threads=1)
    return model, compiled, inputs, batches, lengths


def test_every_size_is_what_pytorch_gives(case):
    model, compiled, inputs, batches, lengths = case
    for batch in batches:
        for length in lengths:
            given = inputs(batch, length)
            with torch.no_grad():
                wanted = model(*given)
            wanted = arrays(wanted if isinstance(wanted, tuple) else (wanted,))
            answers = []
            for threads in (1, 2):
                compiled.threads = threads
                got = compiled(*arrays(given))
                answers.append(got if isinstance(got, (tuple, list)) else (got,))
            for one, two, right in zip(*answers, wanted, strict=True):
                assert one.shape == right.shape
                assert np.array_equal(one, two)
                assert np.abs(one - right).max() <= 2e-6 * max(1, np.abs(right).max())


def test_sizes_share_their_weights(tmp_path):
    import graven

    torch.manual_seed(0)
    model = exported(Encoder(False).eval(), tokens(2, 6), {"ids": BOTH, "mask": BOTH})
    one = graven.compile(model, dims={"batch": 4, "seq": 6}, threads=1)
    many = graven.compile(model, dims={"batch": "1..64", "seq": [3, 6]}, threads=1)
    assert many.stats.weights_bytes <= 1.2 * one.stats.weights_bytes
    many.save(tmp_path / "m.so")
    assert graven.load(tmp_path / "m.so", threads=1).inputs[0].shape == ("batch", "seq")


def test_refusals():
    import graven

    model = exported(Encoder(False).eval(), tokens(2, 6), {"ids": BOTH, "mask": BOTH})
    compiled = graven.compile(model, dims={"batch": "1..8", "seq": [4, 6]}, threads=1)
    for batch, length, words in ((9, 4, "expected batch from 1 to 8, got 9"), (0, 4, "expected batch from 1 to 8, got 0"),
                                 (2, 5, "has no code for batch = 2, seq = 5"), (2, 7, "expected seq from 4 to 6, got 7")):
        with pytest.raises(graven.Error, match=words):
            compiled(np.zeros((batch, length), np.int64), np.ones((batch, length), np.float32))
    with pytest.raises(graven.Error, match="expected extent batch = 2 on axis 0, got 3"):
        compiled(np.zeros((2, 4), np.int64), np.ones((3, 4), np.float32))
    with pytest.raises(graven.Error, match="'seq' of the inputs has a range of 1 and more"):
        graven.compile(model)
    for dims, words in (({"rows": "1..2"}, "no dynamic extent 'rows'; it has batch, seq"), ({"batch": "x"}, "got 'x'"),
                        ({"batch": "3..1"}, "range 3..1 is empty")):
        with pytest.raises(graven.Error, match=words):
            graven.compile(model, dims=dims)


@pytest.mark.filterwarnings("ignore")
def test_export_of_a_batch_that_was_not_one(tmp_path):
    """torch.export says of such a batch that it is 2 and more: batches are put together from 2, 3, 4 and 16."""
    torch.manual_seed(0)
    module = Classifier().eval()
    program = torch.export.export(module, (torch.rand(3, 20),), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},))
    torch.export.save(program, tmp_path / "m.pt2")
    import graven
    model = graven.compile(str(tmp_path / "m.pt2"), threads=1, opt_level=1)
    for batch in (2, 3, 5, 16, 17, 18, 19, 37):
        x = torch.rand(batch, 20)
        with torch.no_grad():
            expected = module(x).numpy()
        assert np.abs(model(x.numpy()) - expected).max() <= 1e-5 * np.abs(expected).max()
    with pytest.raises(graven.Error, match="of at least 2, got 1"):
        model(np.zeros((1, 20), np.float32))


class MoreThanEight(torch.nn.Module):
    def forward(self, x):
        return x * 2 if x.size(0) > 8 else x + 1


class One(torch.nn.Module):
    def forward(self, x):
        return x * 2 if x.size(0) == 1 else x + 1


class Twelve(torch.nn.Module):
    def forward(self, x):
        return x * 2 if x.shape == [12, 4] else x + 1


class AtMostSeven(torch.nn.Module):
    def forward(self, x):
        return x * min(x.size(0), 7)


class Even(torch.nn.Module):
    def forward(self, x):
        return x * 2 if x.size(0) % 2 == 0 else x + 1


class Ten(torch.nn.Module):
    def forward(self, x):
        return x[:10] * 2


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("program", [MoreThanEight, One, Twelve, AtMostSeven, Even, Ten], ids=lambda p: p.__name__)
@pytest.mark.parametrize("way", ["batch", "length"])
def test_programs_that_decide_by_an_extent(program, way, tmp_path):
    """No code for some extents is taken for others, where the program does something else."""
    import graven
    # Sums along the axis keep a run from being put together of smaller ones.
    module = program() if way == "batch" else torch.nn.Sequential(Accumulated(), program())
    scripted = torch.jit.script(module)
    scripted.save(tmp_path / "m.pt")
    name = "x" if way == "batch" else "input"
    model = graven.compile(tmp_path / "m.pt", threads=1, inputs={name: "f32[n,4]"}, dims={"n": "1..40"})
    for extent in (1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 16, 31, 37, 40):
        x = torch.rand(extent, 4)
        np.testing.assert_allclose(model(x.numpy()), scripted(x).numpy(), rtol=1e-5, atol=1e-5)


class Accumulated(torch.nn.Module):
    def forward(self, x):
        return x.cumsum(0)


class Chooses(torch.nn.Module):
    def forward(self, x):
        return torch.cond(x.shape[0] > 4, lambda y: y.sum(1), lambda y: y.mean(1), (x,))


@pytest.mark.filterwarnings("ignore")
def test_exports_that_decide_by_an_extent(tmp_path):
    import graven
    shapes = {"x": {0: torch.export.Dim("batch", min=2, max=16)}}
    program = torch.export.export(Chooses(), (torch.rand(3, 4),), dynamic_shapes=shapes)
    torch.export.save(program, tmp_path / "m.pt2")
    model = graven.compile(tmp_path / "m.pt2", threads=1)
    for batch in range(2, 17):
        x = torch.rand(batch, 4)
        np.testing.assert_allclose(model(x.numpy()), Chooses()(x).numpy(), rtol=1e-5)
