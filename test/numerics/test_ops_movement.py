"""The movement and indexing ops of the reference evaluator against PyTorch and NumPy.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import itertools

import numpy
import torch
from op_cases import DTYPES, Case, check, randint, randn

X = randn(2, 3, 4)


def listed(values):
    return "[" + ", ".join(map(str, values)) + "]"


def test_reshape_transpose_reverse(build, tmp_path):
    cases = [Case(f"reshape %0 to {listed(shape)}", [X], [X.reshape(shape)], "exact")
             for shape in ([24], [6, -1], [2, 1, 3, 4], [-1, 1])]
    cases += [Case(f"transpose %0 by {listed(p)}", [X], [X.permute(p).contiguous()], "exact")
              for p in itertools.permutations(range(3))]
    cases += [Case(f"reverse %0 axes {listed(axes)}", [X], [X.flip(axes)], "exact")
              for axes in ([0], [1, 2], [0, 1, 2], [])]
    empty = torch.zeros(2, 0, 4)
    cases += [Case(f"reshape %0 to {listed([0, 5])}", [empty], [empty.reshape(0, 5)]),
              Case(f"reverse %0 axes {listed([1])}", [empty], [empty]),
              Case(f"transpose %0 by {listed([1, 0, 2])}", [empty], [empty.permute(1, 0, 2).contiguous()])]
    check(build, tmp_path, cases)


def test_broadcast_slice_insert(build, tmp_path):
    row = randn(1, 4)
    cases = [
        Case(f"broadcast %0 to [3, 4] axes {listed([0, 1])}", [row], [row.expand(3, 4)], "exact"),
        Case(f"broadcast %0 to [2, 3, 4] axes {listed([2])}", [row[0]], [row.expand(2, 3, 4)], "exact"),
        Case(f"broadcast %0 to [2, 2] axes {listed([])}", [torch.tensor(3.5)], [torch.full((2, 2), 3.5)], "exact"),
        Case(f"broadcast %0 to [0, 4] axes {listed([0, 1])}", [row], [row.expand(0, 4)]),
    ]
    y = randn(7, 6)
    end = 2**63 - 1
    for (s0, e0, t0), (s1, e1, t1) in itertools.product(
            [(0, end, 1), (1, 6, 2), (-3, end, 1), (-100, 100, 3), (5, 2, 1)], [(0, 6, 1), (-2, -1, 1), (1, end, 4)]):
        cases.append(Case(f"slice %0 {listed([s0, s1])} to {listed([e0, e1])} by {listed([t0, t1])}", [y],
                          [y[s0:e0:t0, s1:e1:t1].contiguous()], "exact"))
    for start, step, extent in ((0, 1, 7), (2, 2, 3), (6, 5, 1), (3, 1, 0)):
        patch, expected = randn(extent, 6, seed=5), y.clone()
        expected[start:start + extent * step:step] = patch
        cases.append(Case(f"insert_slice %1 into %0 {listed([start, 0])} by {listed([step, 1])}", [y, patch], [expected],
                          "exact"))
    check(build, tmp_path, cases)


def test_concat_pad(build, tmp_path):
    cases = []
    for axis in range(3):
        parts = [randn(*[n if i == axis else 3 for i in range(3)], seed=n) for n in (1, 0, 4)]
        cases.append(Case(f"concat %0, %1, %2 axis {axis}", parts, [torch.cat(parts, axis)], "exact"))
    y = randn(3, 4)
    for mode in ("constant", "reflect", "edge", "wrap"):
        for low, high in (((1, 2), (0, 1)), ((2, 3), (2, 3)), ((0, 0), (0, 0))):
            expected = torch.from_numpy(numpy.pad(y.numpy(), list(zip(low, high)), mode=mode))
            cases.append(Case(f"pad %0 low {listed(low)} high {listed(high)} mode {mode}", [y], [expected], "exact"))
    cases += [
        Case(f"pad %0 value %1 low {listed([1, 0])} high {listed([0, 2])}", [y, torch.tensor(-7.0)],
             [torch.nn.functional.pad(y, (0, 2, 1, 0), value=-7.0)], "exact"),
        Case(f"pad %0 low {listed([-1, 2])} high {listed([0, -1])}", [y],
             [torch.nn.functional.pad(y, (2, -1, -1, 0))], "exact"),
        Case(f"pad %0 low {listed([-1, 0])} high {listed([2, 0])} mode edge", [y],
             [torch.cat([y[1:], y[2:], y[2:]])], "exact"),
    ]
    # Of an empty tensor, and of what is cropped away whole, the value is left.
    empty = torch.zeros(5, 4, 0)
    cases += [Case(f"pad %0 low {listed([-1, 0, 1])} high {listed([2, -2, 0])}", [empty], [torch.zeros(6, 2, 1)], "exact"),
              Case(f"pad %0 low {listed([-1, 0, 0])} high {listed([0, 0, 0])}", [empty], [empty[1:]]),
              Case(f"pad %0 low {listed([-3, 1])} high {listed([2, 0])}", [y], [torch.zeros(2, 5)], "exact"),
              Case(f"slice %0 {listed([1, 2, 0])} to {listed([3, 4, 0])} by {listed([1, 1, 1])}", [empty], [empty[1:3, 2:4]]),
              Case(f"slice %0 {listed([3, 0])} to {listed([3, 4])} by {listed([1, 1])}", [y], [y[3:3]])]
    check(build, tmp_path, cases)


def test_gathers(build, tmp_path):
    cases = []
    for axis, dtype in itertools.product(range(3), (torch.int32, torch.int64)):
        indices = randint(-X.shape[axis], X.shape[axis], (2, 2), dtype, seed=axis)
        expected = torch.from_numpy(numpy.take(X.numpy(), indices.numpy(), axis=axis))
        cases.append(Case(f"gather %0[%1] axis {axis}", [X, indices], [expected], "exact"))
        shape = [2, 2, 3]
        shape[axis] = 5
        elements = randint(0, X.shape[axis], shape, dtype, seed=axis + 9)
        cases.append(Case(f"gather_elements %0[%1] axis {axis} nonneg", [X, elements],
                          [torch.gather(X, axis, elements.long())], "exact"))
    scalar = torch.tensor(-1)
    cases.append(Case("gather %0[%1] axis 1", [X, scalar], [X[:, -1]], "exact"))
    tuples = torch.tensor([[0, 1], [1, -1], [-2, 2]])
    cases.append(Case("gather_nd %0[%1]", [X, tuples], [X[tuples[:, 0], tuples[:, 1]]], "exact"))
    batched = torch.tensor([[[2], [0]], [[-1], [1]]])
    cases.append(Case("gather_nd %0[%1] batch_dims 1", [X, batched],
                      [torch.stack([X[b][batched[b, :, 0]] for b in range(2)])], "exact"))
    full = torch.tensor([[0, 1, 2], [1, 2, 3]])
    cases.append(Case("gather_nd %0[%1]", [X, full], [X[tuple(full.T)]], "exact"))
    cases.append(Case("gather_nd %0[%1]", [X, torch.zeros(2, 0, dtype=torch.int64)], [torch.stack([X, X])], "exact"))
    check(build, tmp_path, cases)


def test_scatter_nd(build, tmp_path):
    y = randn(4, 3)
    indices = torch.tensor([[1], [3], [1], [-4]])
    updates = randn(4, 3, seed=3)
    last, kinds = y.clone(), {}
    for i, row in zip(indices[:, 0], updates):
        last[i] = row
    for kind, combine in {"add": torch.add, "mul": torch.mul, "max": torch.maximum, "min": torch.minimum}.items():
        kinds[kind] = y.clone()
        for i, row in zip(indices[:, 0], updates):
            kinds[kind][i] = combine(kinds[kind][i], row)
    cases = [Case("scatter_nd %2 into %0[%1]", [y, indices, updates], [last], "exact")]
    cases += [Case(f"scatter_nd %2 into %0[%1] kind {kind}", [y, indices, updates], [expected])
              for kind, expected in kinds.items()]
    check(build, tmp_path, cases)


def test_nonzero(build, tmp_path):
    cases = []
    for dtype, shape in itertools.product(DTYPES, ([], [1], [7], [3, 5], [2, 3, 4], [0], [2, 0])):
        for low, high in ((0, 2), (0, 1), (1, 2)):
            x = randint(low, high, shape, torch.int64, seed=len(shape)).to(dtype)
            if dtype.is_floating_point and x.numel() > 4:
                x.view(-1)[3], x.view(-1)[1] = float("nan"), -0.0
            places = torch.nonzero(x)
            rows = torch.zeros(x.numel(), x.dim(), dtype=torch.int64)
            rows[:len(places)] = places
            cases.append(Case("nonzero %0", [x], [rows, torch.tensor(len(places))], "exact"))
    check(build, tmp_path, cases)


def test_iota(build, tmp_path):
    cases = [Case(f"iota [2, 3] axis {axis} of {short}", [],
                  [torch.arange((2, 3)[axis]).reshape((-1, 1) if axis == 0 else (1, -1)).expand(2, 3).to(dtype)], "exact")
             for axis in (0, 1) for short, dtype in (("i64", torch.int64), ("f32", torch.float32), ("ui8", torch.uint8))]
    check(build, tmp_path, cases + [Case("iota [0] axis 0 of i64", [], [torch.arange(0)])])
