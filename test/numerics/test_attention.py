"""Attention as native code against PyTorch: masks, causality, shared key heads, odd extents, long sequences, threads.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import graven as package
from saving import saved

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore::FutureWarning",
                                        "ignore::UserWarning")


def compiled(module, inputs, **options):
    names = {torch.float32: "f32", torch.bool: "i1"}
    specifications = [f"{i}:{names[x.dtype]}[{','.join(map(str, x.shape))}]" for i, x in enumerate(inputs)]
    return package.compile(saved(module, tuple(inputs)), inputs=specifications, **options)


def check(module, *inputs):
    module.eval()
    expected = module.double()(*[x.double() if x.is_floating_point() else x for x in inputs]).detach().numpy()
    model = compiled(module.float(), inputs)
    got = model(*[x.numpy() for x in inputs])
    assert np.abs(got - expected).max() <= 3e-6 * np.abs(expected).max()
    return model


class Sdpa(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.options = options

    def forward(self, q, k, v, mask=None):
        return functional.scaled_dot_product_attention(q, k, v, mask, **self.options)


class Projected(nn.Module):
    """Heads of separate projections; scores, mask and softmax spelled out."""

    def __init__(self, width=48, heads=4, key_heads=4, causal=False, fill=-math.inf):
        super().__init__()
        self.heads, self.key_heads, self.causal, self.fill = heads, key_heads, causal, fill
        size = width // heads
        self.q, self.k, self.v = (nn.Linear(width, n * size) for n in (heads, key_heads, key_heads))
        self.out = nn.Linear(width, width)

    def forward(self, x):
        b, s, c = x.shape
        q = self.q(x).view(b, s, self.heads, -1).transpose(1, 2)
        k, v = (f(x).view(b, s, self.key_heads, -1).transpose(1, 2) for f in (self.k, self.v))
        k, v = (t.repeat_interleave(self.heads // self.key_heads, 1) for t in (k, v))
        scores = q @ k.transpose(-2, -1) / math.sqrt(c // self.heads)
        if self.causal:
            scores = scores.masked_fill(~torch.ones(s, s, dtype=torch.bool).tril(), self.fill)
        return self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(b, s, c))


def parts(batch=1, heads=2, rows=7, keys=7, depth=8, columns=None, key_heads=None, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(batch, h, s, d, generator=generator)
            for h, s, d in ((heads, rows, depth), (key_heads or heads, keys, depth),
                            (key_heads or heads, keys, columns or depth))]


@pytest.mark.parametrize("rows, keys, depth, columns", [(1, 1, 1, 1), (5, 3, 7, 9), (197, 197, 64, 64), (1, 70, 40, 33),
                                                        (64, 33, 24, 16)])
def test_extents(rows, keys, depth, columns):
    check(Sdpa(), *parts(2, 3, rows, keys, depth, columns))


@pytest.mark.parametrize("rows, causal", [(1025, False), (1100, True)])
def test_more_keys_than_one_block(rows, causal):
    check(Sdpa(is_causal=causal), *parts(1, 2, rows, rows, 16))


@pytest.mark.parametrize("shape", [(1, 1, 1, 9), (2, 1, 1, 9), (2, 3, 5, 9), (5, 9), (1, 1, 5, 1)])
def test_masks(shape):
    generator = torch.Generator().manual_seed(1)
    mask = torch.randn(*shape, generator=generator)
    check(Sdpa(), *parts(2, 3, 5, 9), mask)
    keep = mask > -0.5
    keep[..., 0] = True
    check(Sdpa(), *parts(2, 3, 5, 9), keep)


def test_rows_without_keys_are_what_pytorch_says():
    keep = torch.ones(1, 1, 5, 9, dtype=torch.bool)
    keep[..., 2, :] = False
    inputs = [*parts(1, 1, 5, 9), keep]
    expected = Sdpa()(*inputs).numpy()
    got = compiled(Sdpa(), inputs)(*[x.numpy() for x in inputs])
    assert np.allclose(got, expected, atol=1e-5, equal_nan=True)


def test_masked_values_take_no_part():
    q, k, v = parts(1, 1, 4, 6)
    keep = torch.tensor([True] * 4 + [False] * 2).reshape(1, 1, 1, 6)
    model = compiled(Sdpa(), [q, k, v, keep])
    first = model(*[x.numpy() for x in (q, k, v, keep)])
    v[:, :, 4:] = 1e30
    assert np.array_equal(first, model(*[x.numpy() for x in (q, k, v, keep)]))


def test_shared_key_heads():
    check(Sdpa(enable_gqa=True), *parts(2, 6, 9, 9, key_heads=2))
    check(Projected(key_heads=2, causal=True), torch.randn(2, 13, 48))
    check(Projected(key_heads=1), torch.randn(1, 13, 48))


@pytest.mark.parametrize("causal, fill", [(False, 0), (True, -math.inf), (True, torch.finfo(torch.float32).min),
                                          (True, -1e9)])
def test_spelled_out(causal, fill):
    check(Projected(causal=causal, fill=fill), torch.randn(2, 21, 48))


def test_capped_scores_of_repeated_keys():
    class Capped(nn.Module):
        def forward(self, q, k, v):
            k, v = (t[:, :, None].expand(1, 2, 3, 9, 8).reshape(1, 6, 9, 8) for t in (k, v))
            scores = torch.tanh(q @ k.transpose(-2, -1) * 0.5 / 4) * 4
            return (scores + torch.full((7, 9), -math.inf).triu(3)).softmax(-1) @ v

    check(Capped(), *parts(1, 6, 7, 9, key_heads=2))


@pytest.mark.parametrize("batch_first", [True, False])
def test_multihead_attention(batch_first):
    class Self(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.MultiheadAttention(48, 4, batch_first=batch_first)

        def forward(self, x):
            return self.inner(x, x, x, need_weights=False)[0]

    check(Self(), torch.randn(3, 19, 48))


def test_results_do_not_depend_on_threads():
    for rows, causal in ((70, True), (1100, False)):
        inputs = parts(1, 3, rows, rows, 16)
        arrays = [x.numpy() for x in inputs]
        results = [compiled(Sdpa(is_causal=causal), inputs, threads=threads)(*arrays) for threads in (1, 2, 4)]
        assert all(np.array_equal(results[0], other) for other in results[1:])
