"""What a scripted forward takes beside tensors: states, tuples, lists and dicts of tensors, by the names of their parts.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
from typing import Dict, List, Optional, Tuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import graven as package
from saving import saved

pytestmark = [pytest.mark.filterwarnings(f"ignore::{category}") for category in ("DeprecationWarning", "UserWarning")]


class Step(nn.Module):
    """A recurrent layer whose state is given, or begins with zeros."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4)

    def forward(self, x, state: Optional[Tuple[Tensor, Tensor]] = None):
        y, state = self.lstm(x, state)
        return y, state


class Parts(nn.Module):
    def forward(self, pair: Tuple[Tensor, Tuple[Tensor, int]], many: List[Tensor], named: Dict[str, List[Tensor]],
                last: Optional[Tuple[Tensor, Optional[Tensor]]] = None):
        a, (b, n) = pair
        total = a + b * n
        for x in many:
            total = total + x
        for key, values in named.items():
            for value in values:
                total = total * value if key == "times" else total - value
        if last is not None:
            total = total + last[0]
            if last[1] is not None:
                total = total * 100
        return total


def test_a_state_that_may_be_left_out():
    torch.manual_seed(0)
    module, x, h = Step().eval(), torch.rand(5, 2, 3), torch.rand(1, 2, 4)
    data = saved(module)
    with torch.no_grad():
        alone, (y, state) = module(x)[0], module(x, (h, h * 2))
    model = package.compile(data, threads=1, opt_level=1, inputs={"x": "f32[5,2,3]"})
    assert np.abs(model(x.numpy())[0] - alone.numpy()).max() <= 1e-6
    model = package.compile(data, threads=1, opt_level=1,
                            inputs={"x": "f32[5,2,3]", "state.0": "f32[1,2,4]", "state.1": "f32[1,2,4]"})
    assert model.input_names == ("x", "state.0", "state.1")
    for a, b in zip(model(x.numpy(), h.numpy(), (h * 2).numpy()), (y, *state)):
        assert np.abs(a - b.numpy()).max() <= 1e-6


def test_containers_in_containers():
    names = ["pair.0", "pair.1.0", "many.0", "many.1", "named.times.0", "named.minus.0", "named.minus.1", "last.0"]
    values = {name: torch.rand(3) for name in names}
    model = package.compile(saved(Parts()), threads=1, opt_level=1, inputs={name: "f32[3]" for name in names})
    a, b, c, d, e, f, g, h = values.values()
    expected = Parts()((a, (b, 3)), [c, d], {"times": [e], "minus": [f, g]}, (h, None))
    got = model(**{name: value.numpy() for name, value in values.items()}, **{"pair.1.1": np.array(3)})
    assert np.abs(got - expected.numpy()).max() <= 1e-6


def test_tuples_that_are_not_given():
    with pytest.raises(package.Error, match=r"'pair' of type 'Tuple' needs its tensors: --input pair.0:f32\[...\]"):
        package.compile(saved(Parts()), threads=1, inputs={"many.0": "f32[3]", "named.a.0": "f32[3]"})
