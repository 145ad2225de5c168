"""Cases of single ATen operators: a function of tensors is traced, compiled and compared with PyTorch in f64.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import torch
import torch.utils._pytree as pytree

import graven as package
from saving import saved


class Calling(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *tensors):
        results = [y for y in pytree.tree_leaves(self.function(*tensors)) if torch.is_tensor(y)]
        return tuple(results) if len(results) > 1 else results[0]


def wide(tensor):
    return tensor.double() if tensor.is_floating_point() else tensor


def compiled(function, inputs):
    return package.compile(saved(Calling(function), tuple(inputs)), threads=1)


def check(function, inputs, tolerance=1e-5):
    """Types, shapes and NaNs are PyTorch's; floats are within `tolerance` of the greatest in f64, the rest is equal."""
    own = pytree.tree_leaves(Calling(function)(*[x.clone() for x in inputs]))
    reference = pytree.tree_leaves(Calling(function)(*[wide(x.clone()) for x in inputs]))
    model = compiled(function, inputs)
    results = model(*[x.numpy() for x in inputs])
    results = list(results) if isinstance(results, (list, tuple)) else [results]
    assert len(results) == len(own)
    for got, same, exact in zip(results, own, reference):
        got = np.asarray(got)
        assert got.shape == tuple(same.shape)
        assert got.dtype == same.numpy().dtype
        if not same.is_floating_point():
            np.testing.assert_array_equal(got, same.numpy())
            continue
        exact = exact.double().numpy()
        np.testing.assert_array_equal(np.isnan(got), np.isnan(exact))
        np.testing.assert_array_equal(got[np.isinf(exact)], exact[np.isinf(exact)].astype(got.dtype))
        finite = np.isfinite(exact)
        if finite.any():
            assert np.abs(got[finite] - exact[finite]).max() <= tolerance * max(np.abs(exact[finite]).max(), 1e-30)
