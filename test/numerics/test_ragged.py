"""Packed sequences, nested tensors and the products of mixtures of experts, against PyTorch.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import rnn

import graven as package
from saving import saved

pytestmark = [pytest.mark.filterwarnings(f"ignore::{category}") for category in
              ("DeprecationWarning", "FutureWarning", "UserWarning", "torch.jit.TracerWarning")]


def flat(value):
    return [value] if isinstance(value, torch.Tensor) else [t for part in value for t in flat(part)]


def compiled(module, example, scripted):
    module.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = saved(module, None if scripted else example)
        return package.compile(data, threads=1, opt_level=1, inputs=[x.numpy() for x in example])


def check(model, module, inputs):
    with torch.no_grad():
        expected = flat(module(*inputs))
    got = model(*[x.numpy() for x in inputs])
    got = list(got) if isinstance(got, (list, tuple)) else [got]
    assert len(got) == len(expected)
    for a, b in zip(got, expected):
        assert a.shape == tuple(b.shape)
        assert np.abs(a - b.numpy()).max() <= 1e-5 * max(np.abs(b.numpy()).max(), 1e-6)


class Tagger(nn.Module):
    """All that people do with packed sequences: sorted or not, with states, at the length of the input or not."""

    def __init__(self, network, is_sorted: bool = False, total: int = -1):
        super().__init__()
        self.network = network
        self.is_sorted = is_sorted
        self.total = total

    def forward(self, x, lengths):
        packed = rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=self.is_sorted)
        y, state = self.network(packed)
        total = self.total
        if total < 0:
            padded, back = rnn.pad_packed_sequence(y, batch_first=True)
        else:
            padded, back = rnn.pad_packed_sequence(y, batch_first=True, padding_value=-1.0, total_length=total)
        return padded, back, state


NETWORKS = {
    "lstm": lambda: nn.LSTM(4, 3, 2, batch_first=True, bidirectional=True),
    "gru": lambda: nn.GRU(4, 3, batch_first=True, bidirectional=True),
    "rnn": lambda: nn.RNN(4, 3, batch_first=True),
}


@pytest.mark.parametrize("scripted", [False, True])
@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_packed(name, scripted):
    torch.manual_seed(0)
    module = Tagger(NETWORKS[name]())
    x = torch.rand(3, 6, 4)
    model = compiled(module, (x, torch.tensor([6, 2, 4])), scripted)
    for lengths in ([6, 2, 4], [1, 3, 2], [5, 5, 5], [1, 1, 1]):
        check(model, module, (x, torch.tensor(lengths)))


def test_packed_to_a_stated_length():
    torch.manual_seed(0)
    module = Tagger(NETWORKS["rnn"](), is_sorted=True, total=8)
    x = torch.rand(3, 6, 4)
    model = compiled(module, (x, torch.tensor([6, 5, 4])), scripted=False)
    for lengths in ([6, 5, 4], [3, 3, 1]):
        check(model, module, (x, torch.tensor(lengths)))


class SumOfPacked(nn.Module):
    def forward(self, x, lengths):
        return rnn.pack_padded_sequence(x, lengths, enforce_sorted=True).data.sum(0)


def test_other_operators_of_packed_sequences_are_refused():
    with pytest.raises(package.Error, match="aten::sum: packed sequences and nested tensors are not supported here"):
        compiled(SumOfPacked(), (torch.rand(3, 2, 4), torch.tensor([3, 2])), scripted=False)


class Padded(nn.Module):
    def __init__(self, **options):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, **options)
        self.encoder = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(8))
        self.embed = nn.Embedding(9, 8)

    def forward(self, ids):
        return self.encoder(self.embed(ids), src_key_padding_mask=ids == 0)


@pytest.mark.parametrize("scripted", [False, True])
def test_nested(scripted):
    torch.manual_seed(0)
    module = Padded(activation="gelu", norm_first=False)
    ids = torch.tensor([[1, 2, 3, 4, 5], [1, 2, 0, 0, 0], [5, 4, 3, 2, 0]])
    model = compiled(module, (ids,), scripted)
    check(model, module, (ids,))
    check(model, module, (torch.tensor([[1, 0, 0, 0, 0], [1, 2, 3, 0, 0], [7, 7, 7, 7, 0]]),))
    if scripted:  # it finds out that the mask is not aligned, which a trace does not
        check(model, module, (torch.tensor([[0, 1, 2, 3, 4], [1, 0, 3, 0, 5], [1, 2, 3, 4, 5]]),))


class Experts(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(3, 16, 8))

    def forward(self, x, ends):
        return torch.nn.functional.grouped_mm(x, self.weight, offs=ends)


@pytest.mark.parametrize("rows", [2, 9])
def test_grouped_products(rows):
    torch.manual_seed(0)
    module, x = Experts().eval(), torch.rand(rows, 16)
    ends = torch.tensor([1, 1, rows], dtype=torch.int32)
    model = compiled(module, (x, ends), scripted=False)
    for groups in ([1, 1, rows], [0, rows, rows], [rows, rows, rows]):
        check(model, module, (x, torch.tensor(groups, dtype=torch.int32)))
