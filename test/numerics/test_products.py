"""Products of whole models against PyTorch: rows that nobody reads, odd numbers of columns, one row, recurrent state.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import pytest
import torch

import graven as package
from saving import saved

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore::FutureWarning",
                                        "ignore::UserWarning")


class Block(torch.nn.Module):
    """A block of a transformer, with projections of its own for queries, keys and values."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.before, self.behind = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width)
        self.q, self.k, self.v, self.out = (torch.nn.Linear(width, width) for _ in range(4))
        self.up, self.down = torch.nn.Linear(width, 4 * width), torch.nn.Linear(4 * width, width)

    def forward(self, x):
        batch, tokens, width = x.shape
        h = self.before(x)
        q, k, v = (p(h).view(batch, tokens, self.heads, width // self.heads).transpose(1, 2)
                   for p in (self.q, self.k, self.v))
        a = torch.nn.functional.scaled_dot_product_attention(q, k, v)
        x = x + self.out(a.transpose(1, 2).reshape(batch, tokens, width))
        return x + self.down(torch.nn.functional.gelu(self.up(self.behind(x))))


class Classifier(torch.nn.Module):
    """Reads one token of the last block."""

    def __init__(self, token):
        super().__init__()
        self.token = token
        self.blocks = torch.nn.Sequential(Block(32, 4), Block(32, 4))
        self.norm, self.head = torch.nn.LayerNorm(32), torch.nn.Linear(32, 7)

    def forward(self, x):
        return self.head(self.norm(self.blocks(x))[:, self.token])


def check(module, *inputs):
    """Native code against PyTorch, and the same bits for any number of threads."""
    module = module.eval()
    with torch.no_grad():
        expected = module(*inputs)
    expected = [t.numpy() for t in ([expected] if isinstance(expected, torch.Tensor) else expected)]
    specifications = [f"{i}:f32[{','.join(map(str, x.shape))}]" for i, x in enumerate(inputs)]
    results = []
    for threads in (1, 2, 4):
        compiled = package.compile(saved(module, inputs), inputs=specifications, threads=threads)
        got = compiled(*(x.numpy() for x in inputs))
        results.append(got if isinstance(got, (tuple, list)) else (got,))
    for got, wanted in zip(results[0], expected):
        assert got.shape == wanted.shape
        assert np.abs(got - wanted).max() <= 1e-5 * np.abs(wanted).max()
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other))


@pytest.mark.parametrize("token", [0, -1])
@pytest.mark.parametrize("batch", [1, 3])
def test_one_token(token, batch):
    torch.manual_seed(0)
    check(Classifier(token), torch.randn(batch, 9, 32))


@pytest.mark.parametrize("rows, columns", [(64, 515), (65, 257), (130, 1001)])
def test_columns_of_strassen(rows, columns):
    torch.manual_seed(1)
    check(torch.nn.Sequential(torch.nn.Linear(256, columns), torch.nn.ReLU()), torch.randn(rows, 256))


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize("columns", [10, 64, 1001])
def test_few_rows(rows, columns):
    torch.manual_seed(2)
    check(torch.nn.Linear(777, columns), torch.randn(rows, 777))


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("depth, columns", [(768, 67), (4096, 24)])
def test_panels_read_at_several_places(rows, depth, columns):
    torch.manual_seed(3)
    check(torch.nn.Sequential(torch.nn.Linear(depth, columns), torch.nn.ReLU()), torch.randn(rows, depth))


class SqueezeExcite(torch.nn.Module):
    """Convolutions of one pixel, one of them with a residual, between two of a whole image."""

    def __init__(self, channels, squeezed):
        super().__init__()
        self.first, self.last = (torch.nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))
        self.reduce = torch.nn.Conv2d(channels, squeezed, 1)
        self.mix = torch.nn.Conv2d(squeezed, squeezed, 1, bias=False)
        self.expand = torch.nn.Conv2d(squeezed, channels, 1)

    def forward(self, x):
        x = self.first(x)
        s = torch.relu(self.reduce(torch.nn.functional.adaptive_avg_pool2d(x, 1)))
        s = torch.relu(self.mix(s) + s)
        return self.last(x * torch.nn.functional.hardsigmoid(self.expand(s)))


@pytest.mark.parametrize("channels, squeezed", [(24, 8), (40, 24)])
@pytest.mark.parametrize("batch", [1, 3])
def test_convolutions_of_one_pixel(channels, squeezed, batch):
    torch.manual_seed(4)
    check(SqueezeExcite(channels, squeezed), torch.randn(batch, channels, 9, 9))


class Recurrent(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        y, state = self.network(x)
        return (y, *state) if isinstance(state, tuple) else (y, state)


@pytest.mark.parametrize("network", [torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN])
@pytest.mark.parametrize("hidden, batch", [(1, 1), (33, 1), (100, 5), (400, 2)])
def test_recurrent_extents(network, hidden, batch):
    torch.manual_seed(3)
    check(Recurrent(network(12, hidden, bidirectional=hidden == 33)), torch.randn(6, batch, 12))


class SqueezeExcitation(torch.nn.Module):
    """Channels, fewer than their last block holds, times a factor that depends on all pixels."""

    def __init__(self, channels):
        super().__init__()
        self.before = torch.nn.Conv2d(3, channels, 3, padding=1)
        self.down, self.up = torch.nn.Conv2d(channels, 8, 1), torch.nn.Conv2d(8, channels, 1)
        self.behind = torch.nn.Conv2d(channels, 40, 1)

    def forward(self, x):
        y = torch.nn.functional.silu(self.before(x))
        factor = torch.sigmoid(self.up(torch.relu(self.down(y.mean((2, 3), keepdim=True)))))
        return self.behind(y * factor)


@pytest.mark.parametrize("batch", [1, 2])
def test_squeeze_excitation(batch):
    check(SqueezeExcitation(24), torch.randn(batch, 3, 33, 31))


def test_one_panel_for_several_threads():
    """Few output channels by Winograd's way: threads share a panel."""
    check(torch.nn.Sequential(torch.nn.Conv2d(32, 32, 3, padding=1), torch.nn.ReLU(),
                              torch.nn.Conv2d(32, 16, 3, padding=1)), torch.randn(1, 32, 62, 57))


class Normalised(torch.nn.Module):
    """Rows of zeros, projected and brought to length 1, as in attention by cosines over padded windows."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(384, 1152, bias=False)

    def forward(self, x):
        y = self.linear(torch.nn.functional.pad(x, (0, 0, 0, 48))).reshape(64, 3, 12, 32)
        return torch.nn.functional.normalize(y, dim=-1)


@pytest.mark.filterwarnings("ignore")
def test_rows_of_zeros_stay_zeros():
    torch.manual_seed(0)
    module, x = Normalised().eval(), torch.rand(16, 384)
    got = package.compile(saved(module, (x,)), threads=1)(x.numpy())
    assert (got[16:] == 0).all()
    assert np.abs(got - module(x).detach().numpy()).max() <= 1e-5
