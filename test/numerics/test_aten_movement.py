"""ATen operators that move elements, index and select, compiled, against PyTorch.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import pytest
import torch

import graven as package
from aten_cases import check, compiled

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore::FutureWarning",
                                        "ignore::torch.jit.TracerWarning")


def real(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape) + len(shape)))


def ints(high, *shape):
    return torch.randint(0, high, shape, generator=torch.Generator().manual_seed(high))


INDEX = torch.tensor([[0, 2, 1], [2, 0, 0]])
MOVES = {
    "diagonal": (lambda x: (x.diagonal(), x.diagonal(1, 2, 0), x.diagonal(-2, 1, 2), x.diagonal(9, 0, 1)), real(3, 4, 5)),
    "diag": (lambda x: (torch.diag(x), torch.diag(x, 1), torch.diag(x, -2), torch.diag(x[0], -1)), real(4, 3)),
    "diag_embed": (lambda x: (torch.diag_embed(x), torch.diag_embed(x, 1, 0, 2), torch.diag_embed(x, -1)), real(2, 3)),
    "diagflat": (lambda x: torch.diagflat(x, 1), real(2, 2)),
    "diagonal_scatter": (lambda x, y: torch.diagonal_scatter(x, y, 1), real(4, 5), real(4)),
    "write_diagonal": (lambda x: written_diagonal(x), real(4, 4)),
    "trace": (lambda x: (torch.trace(x), torch.trace(x.long())), real(3, 5)),
    "block_diag": (lambda x, y: torch.block_diag(x, y, y[0], x[0, 0]), real(2, 3), real(3, 1)),
    "rot90": (lambda x: [torch.rot90(x, k, (0, 2)) for k in (-1, 0, 1, 2, 3)], real(2, 3, 4)),
    "sum_to_size": (lambda x: x.sum_to_size(3, 1), real(2, 3, 4)),
    "combinations": (lambda x: (torch.combinations(x, 2), torch.combinations(x, 3, True)), real(4)),
    "cartesian_prod": (lambda x, y: torch.cartesian_prod(x, y, x), real(2), real(3)),
    "vander": (lambda x: (torch.linalg.vander(x), torch.linalg.vander(x, N=5)), real(2, 3)),
    "as_strided": (lambda x: (x.as_strided((2, 3), (1, 2), 1), x.as_strided((), (), 3)), real(12)),
    "as_strided_scatter": (lambda x, y: torch.as_strided_scatter(x, y, (2, 2), (4, 1), 1), real(12), real(2, 2)),
    "splits": (lambda x: (torch.hsplit(x, 2), torch.vsplit(x, [1]), torch.dsplit(x, 3), x.unsafe_chunk(2, 2)),
               real(2, 4, 6)),
    "stacks": (lambda x, y: (torch.column_stack((x, y)), torch.dstack((x, x)), torch.atleast_3d(x)), real(3), real(3, 2)),
    "unfold": (lambda x: (x.unfold(1, 2, 1), x[0, 0].unfold(0, 1, 1)), real(2, 5)),
}
INDEXED = {
    "scatter": (lambda x, i, y: (x.scatter(0, i, y), x.scatter(1, i, 2.5), x.scatter(1, i, y, reduce="multiply")),
                real(3, 4), INDEX, real(2, 3)),
    "scatter_add": (lambda x, i, y: x.scatter_add(0, i, y), real(3, 4), INDEX, real(2, 3)),
    "index_add": (lambda x, i, y: x.index_add(1, i, y, alpha=2), real(3, 4), torch.tensor([3, 0, 3]), real(3, 3)),
    "index_copy": (lambda x, i, y: x.index_copy(0, i, y), real(3, 4), torch.tensor([2, 0]), real(2, 4)),
    "index_fill": (lambda x, i: x.index_fill(1, i, 7), real(3, 4), torch.tensor([-1, 0])),
    "take": (lambda x, i: x.take(i), real(3, 4), torch.tensor([[0, -1], [11, 5]])),
    "put": (lambda x, i, y: (x.put(i, y), x.put(i, y, accumulate=True)), real(3, 4), torch.tensor([1, -1]), real(2)),
    "masked_scatter": (lambda x, m, y: x.masked_scatter(m, y), real(3, 4), ints(2, 3, 4).bool(), real(12)),
    "histc": (lambda x: (torch.histc(x, 5), torch.histc(x, 4, -1, 1)), real(50)),
    "median": (lambda x: (x.median(), x.median(1), x.nanmedian(0, True)), real(5, 6)),
    "median_nan": (lambda x: (x.median(), x.median(1), x.nanmedian(1), x.nanmedian()),
                   torch.tensor([[3, float("nan"), 1, 2], [4, 3, 2, 1.0]])),
    "kthvalue": (lambda x: (x.kthvalue(2, 1), x.kthvalue(1, 0, True), x.msort()), real(3, 4)),
    "mode": (lambda x: (x.mode(1), x.mode(0, True)), ints(3, 5, 7)),
    "searchsorted": (lambda s, v: (torch.searchsorted(s, v), torch.searchsorted(s, v, right=True, out_int32=True)),
                     real(2, 6).sort().values, real(2, 3)),
    "bucketize": (lambda v, s: (torch.bucketize(v, s), torch.bucketize(v, s, right=True)), torch.tensor(
        [[-1, 0, 0.5], [1, 2, float("nan")]]), torch.tensor([0.0, 1.0, 2.0])),
    "nonzero_static": (lambda x: (torch.nonzero_static(x, size=3), torch.nonzero_static(x, size=9, fill_value=-2)),
                       ints(2, 2, 4)),
}


def written_diagonal(x):
    y = x.clone()
    y.diagonal().mul_(2)
    y.diagonal(1)[:] = 0
    return y


@pytest.mark.parametrize("name", MOVES | INDEXED)
def test_operator(name):
    function, *inputs = (MOVES | INDEXED)[name]
    check(function, inputs)


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.int64])
def test_scatter_reduce(reduce, include_self, dtype):
    x, y = (5 * real(3, 4)).to(dtype), (5 * real(2, 3)).to(dtype)
    check(lambda x, i, y: x.scatter_reduce(0, i, y, reduce, include_self=include_self), [x, INDEX, y])
    if reduce != "sum":
        y = (5 * real(4, 4)).to(dtype)
        check(lambda x, i, y: x.index_reduce(0, i, y, reduce, include_self=include_self),
              [x, torch.tensor([2, 0, 2, 2]), y])


# What PyTorch's strides make of a reshape decides whether a write is seen, and what as_strided reads.
@pytest.mark.parametrize("function", [
    lambda x: x.transpose(0, 1).as_strided((2, 2), (1, 3), 1),
    lambda x: x[1:, ::2].as_strided((2, 2), (4, 2)),
    lambda x: x[2].as_strided((3, 2), (1, 1), 2),
    lambda x: x.view(3, 2, 2).transpose(0, 1).reshape(2, 6).as_strided((5,), (1,)),
    lambda x: x.view(3, 2, 2).permute(1, 2, 0).reshape(4, 3).as_strided((2, 3), (2, 1)),
    lambda x: (x.view(3, 2, 2).permute(1, 2, 0).reshape(4, 3).zero_(), x + 1),
    lambda x: (x.view(3, 2, 2).transpose(0, 1).reshape(2, 6).zero_(), x + 1),
    lambda x: (x[:, 1:3].flatten().zero_(), x + 1),
    lambda x: (x[1:].flatten().zero_(), x + 1),
    lambda x: (x[:, None].expand(3, 2, 4).reshape(6, 4) + 1).sum(0),
    lambda x: (x[:, 1:2].contiguous().zero_(), x + 1),
    lambda x: (x[1:2].transpose(0, 1).contiguous().zero_(), x + 1),
])
def test_strides(function):
    check(lambda x: function(x * 2), [real(3, 4)])


@pytest.mark.parametrize("function, message", [
    (lambda x: torch.as_strided_scatter(x[1:], x[0, :2], (2,), (1,)), "strides of a view"),
    (lambda x: x.unfold(0, 2, 1).mul_(2).sum() + x.sum(), "shares? (its )?storage"),
    (lambda x: x.diagonal(0, 0, 1).abs().long().bincount(), "bincount"),
])
def test_refuses(function, message):
    with pytest.raises(package.Error, match=message):
        compiled(function, [real(3, 4)])
