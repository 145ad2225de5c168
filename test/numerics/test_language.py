"""What scripts compute besides tensors: strings, containers, formats. They choose among layers, and must choose right.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
from typing import Dict, List, Tuple

import numpy as np
import pytest
import torch
from torch import nn

import graven as package
from saving import saved

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


class Strings(nn.Module):
    def __init__(self):
        super().__init__()
        self.config = {"act": "relu", "k": "2"}
        self.stages: List[Tuple[str, int]] = [("conv", 1), ("pool", 2)]

    def forward(self, x: torch.Tensor, act: str = "gelu_tanh"):
        parts = act.split("_")
        if parts[0].startswith("ge") and "tanh" in parts:
            x = nn.functional.gelu(x, approximate="tanh")
        if self.config["act"].upper() == "RELU":
            x = x.relu()
        for name, k in self.stages:
            if name == "pool":
                x = x * k
            elif name[:2] == "co" and name.find("v") == 3:
                x = x + len(name)
        text = "-".join([self.config["k"], "b"]).replace("b", "3")
        return x * int(self.config["k"]) + float(text.strip().split("-")[1]) + ord("a") - (1 if "x".isdigit() else 0)


class Methods(nn.Module):
    """Each method as a number."""

    def forward(self, x: torch.Tensor):
        text = "  a,b,,cab "
        counts: List[int] = []
        counts.append(len(text.strip()) + 10 * len(text.lstrip()) + 100 * len(text.rstrip()))
        counts.append(text.count("a") + 10 * text.count("zz") + 100 * "aaaa".count("aa"))
        counts.append(text.find("b") + 10 * text.rfind("b") + 100 * text.find("q") + 1000 * text.find("a", 3))
        counts.append(len(text.split(",")) + 10 * len(text.split()) + 100 * len("a b  c".split(" ")))
        counts.append(len("a\nb\n".splitlines()) + 10 * len("x,y,z".split(",", 1)[1]))
        counts.append(int("AB".lower() == "ab") + 10 * int("aB".capitalize() == "Ab") + 100 * int("ab".endswith("b")))
        counts.append(int("12".isdigit()) + 10 * int("".isdigit()) + 100 * int("a1".isalnum()) + 1000 * int("a1".isalpha()))
        counts.append(int("A1".isupper()) + 10 * int("1".isupper()) + 100 * int("a".islower()) + 1000 * int(" \t".isspace()))
        counts.append(len("aXbXc".replace("X", "--", 1)) + 10 * "abcb".index("b") + 100 * "abcb".rindex("b"))
        return x + torch.tensor(counts)


class Formats(nn.Module):
    """Keys that are written: the right one must be found."""

    def forward(self, x: torch.Tensor):
        table: Dict[str, float] = {"n=3": 1.0, "2.500000": 2.0, "a-None-[1, 2]": 4.0, "50%": 8.0, "True 1.5": 16.0}
        some: List[int] = [1, 2]
        keys = ["n=%d" % 3, "%f" % 2.5, "{}-{}-{}".format("a", None, some), "%d%%" % 50, f"{True} {1.5}"]
        total = 0.0
        for key in keys:
            total += table.get(key, 1000.0)
        return x + total


class Containers(nn.Module):
    def __init__(self):
        super().__init__()
        self.stack: List[torch.Tensor] = []
        self.table: Dict[int, float] = {1: 2.0, 3: 4.0}

    def forward(self, x: torch.Tensor):
        stack = torch.jit.annotate(List[torch.Tensor], [])
        stack.append(x)
        stack.extend([x * 2, x * 3])
        stack.insert(0, stack.pop())
        stack.reverse()
        numbers = [0] * 3 + list(range(4))
        numbers.remove(3)
        numbers[1] = 7
        table = self.table.copy()
        added = table.setdefault(7, 1.0) + table.setdefault(1, 9.0)
        key, value = table.popitem()
        table.update({9: 1.5})
        quotient, rest = divmod(-7, 2)
        n = numbers.index(7) + 10 * numbers.count(0) + 100 * len(numbers) + 1000 * int(3 in numbers)
        return torch.stack(stack), x + n, x + added + key * value + sum(table.values()), x + quotient * 10 + rest


class Slices(nn.Module):
    """What a slice takes, and from which end, as a number."""

    def forward(self, x: torch.Tensor):
        few: List[int] = [1, 2, 3, 4, 5]
        none: List[int] = []
        taken = [few[::-1], few[3:0:-2], few[-1:-9:-1], few[:-4:-1], few[9::-3], few[2::-1], few[0:9:2], few[-2:], few[4:1],
                 few[1:4:-1], few[::100], few[::-100], none[::-1], none[1:]]
        numbers: List[int] = []
        for part in taken:
            number = 0
            for digit in part:
                number = number * 10 + digit
            numbers.append(number)
        return x[0] + torch.tensor(numbers, dtype=torch.float64)


@pytest.mark.parametrize("make", [Strings, Methods, Formats, Containers, Slices])
def test_scripts_that_choose(make):
    model, x = make().eval(), torch.tensor([1.0, -2.0, 3.0] * 3)
    compiled = package.compile(saved(model), threads=1, opt_level=0, inputs={"x": x})
    got, expected = compiled(x), torch.jit.script(model)(x)
    for array, tensor in zip(got if isinstance(got, list) else [got], expected if isinstance(expected, tuple) else [expected]):
        np.testing.assert_allclose(array, tensor.numpy(), rtol=1e-6)


class Attention(nn.Module):
    """The layer as PyTorch's fast path computes it, with the weights it gives by default."""

    def __init__(self, average):
        super().__init__()
        self.layer = nn.MultiheadAttention(8, 2, batch_first=True)
        self.average = average

    def forward(self, x, padding):
        a, w = self.layer(x, x, x, key_padding_mask=padding, average_attn_weights=self.average)
        return a, w, self.layer(x, x, x)[0]


@pytest.mark.parametrize("average", [True, False])
def test_attention_weights_of_the_fast_path(average):
    torch.manual_seed(0)
    model, x = Attention(average).eval(), torch.rand(2, 5, 8)
    padding = torch.tensor([[False] * 5, [False] * 3 + [True] * 2])
    compiled = package.compile(saved(model, (x, padding)), threads=1, opt_level=1)
    with torch.no_grad():
        expected = model(x, padding)
    for array, tensor in zip(compiled(x, padding), expected):
        np.testing.assert_allclose(array, tensor.numpy(), rtol=1e-5, atol=1e-6)


class Weights(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.layer = nn.utils.parametrizations.weight_norm(nn.Linear(4, 3), dim=dim)

    def forward(self, x):
        return self.layer(x), torch.einsum("bii->bi", x.view(-1, 2, 2)), torch.einsum("ii", x[0].view(2, 2))


@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm_and_diagonals(dim):
    torch.manual_seed(0)
    model, x = Weights(dim).eval(), torch.rand(2, 4)
    compiled = package.compile(saved(model, (x,)), threads=1, opt_level=0)
    with torch.no_grad():
        expected = model(x)
    for array, tensor in zip(compiled(x), expected):
        np.testing.assert_allclose(array, tensor.numpy(), rtol=1e-5)
