"""PyTorch's type promotion: each binary operator on all pairs of element types, of tensors with axes, tensors without and
numbers, in one graph of some hundred results. Types are those of torch.result_type, values those of eager PyTorch.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import pytest
import torch

import graven as package
import saving

pytestmark = pytest.mark.filterwarnings("ignore")
DTYPES = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16,
          torch.float32, torch.float64]
NUMBERS = [True, 2, 2.5]
ARITHMETIC = ["add", "mul", "maximum", "minimum", "fmax", "remainder", "fmod", "pow"]
OTHERS = ["sub", "true_divide", "floor_divide", "atan2", "lt", "eq", "logical_xor", "bitwise_and", "hypot", "copysign"]


def pairs():
    """What the operators take: names of inputs (v0 has axes, s0 has none) or numbers."""
    vectors, scalars = [f"v{i}" for i in range(len(DTYPES))], [f"s{i}" for i in range(len(DTYPES))]
    tensors = [(a, b) for a in vectors + scalars for b in vectors + scalars]
    return tensors + [(a, n) for a in vectors + scalars for n in NUMBERS]


def inputs():
    values = {f"v{i}": torch.tensor([3, 1, 2]).to(dtype) for i, dtype in enumerate(DTYPES)}
    return values | {f"s{i}": torch.tensor(2).to(dtype) for i, dtype in enumerate(DTYPES)}


class Table(torch.nn.Module):
    def __init__(self, operator, table):
        super().__init__()
        self.operator, self.table = operator, table

    def forward(self, *tensors):
        named = dict(zip(inputs(), tensors))
        return tuple(self.operator(named[a], named[b] if isinstance(b, str) else b) for a, b in self.table)


def taken(operator, named):
    """The pairs that PyTorch takes, and its results. Bools as numbers it cannot trace everywhere."""
    table, results = [], []
    for a, b in pairs():
        if b is True and operator not in (torch.add, torch.sub, torch.mul):
            continue
        try:
            results.append(operator(named[a], named[b] if isinstance(b, str) else b))
            table.append((a, b))
        except (RuntimeError, TypeError):
            pass
    return table, results


def as_argument(tensor):
    return tensor if tensor.dtype == torch.bfloat16 else tensor.numpy()


@pytest.mark.parametrize("name", ARITHMETIC + OTHERS)
def test_pairs_of_types(name):
    operator, named = getattr(torch, name), inputs()
    table, expected = taken(operator, named)
    assert len(table) > 100
    data = saving.saved(Table(operator, table), tuple(named.values()))
    got = package.compile(data, threads=1, opt_level=0)(*map(as_argument, named.values()))
    wrong = []
    for (a, b), mine, theirs in zip(table, got, expected, strict=True):
        if name in ARITHMETIC:
            assert theirs.dtype == torch.result_type(named[a], named[b] if isinstance(b, str) else b)
        mine = np.asarray(mine)
        kind = str(theirs.dtype).removeprefix("torch.")
        what = f"{named[a].dtype} {list(named[a].shape)}, {named[b].dtype if isinstance(b, str) else b}"
        if str(mine.dtype) != kind or mine.shape != tuple(theirs.shape):
            wrong.append(f"{what}: {mine.dtype} {mine.shape}, expected {kind} {tuple(theirs.shape)}")
            continue
        eps = torch.finfo(theirs.dtype).eps if theirs.is_floating_point() else 0
        mine, theirs = mine.astype(np.float64), theirs.double().numpy()
        if not (np.abs(mine - theirs) <= 2 * eps * np.abs(theirs)).all():
            wrong.append(f"{what}: {mine}, expected {theirs}")
    assert not wrong, f"{len(wrong)} of {len(table)}\n" + "\n".join(wrong[:20])
