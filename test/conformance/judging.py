"""When a result of Graven counts as PyTorch's: the comparison of conformance tests.

The truth is the same operator on f64; what eager PyTorch gives in the tested type says how well that can be met.

- Shapes, dtypes and the number of results are equal. Integers and bools are equal.
- NaN and infinities stand in the same places, except where eager alone left the range that f64 stays in.
- Floats are within TOLERANCE of the greatest magnitude, or within four times eager's own error. Elements of which
  eager has no digit right (poles met by rounding) are left out.
- Places of elements (sort, median, ...) may be those of other elements of the same value.
- Random and uninitialised results are judged by shape and dtype.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import torch

TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5, torch.float16: 1e-3, torch.bfloat16: 8e-3}


def as_tensor(array):
    """A result of Graven as a tensor of PyTorch; NumPy's bfloat16 is another library's."""
    array = np.array(array)
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.uint16).copy()).view(torch.bfloat16)
    return torch.from_numpy(array)


def difference(got, eager, truth):
    """What is wrong with `got`, or None."""
    if got.shape != eager.shape:
        return f"shape {tuple(got.shape)}, expected {tuple(eager.shape)}"
    if got.dtype != eager.dtype:
        return f"dtype {got.dtype}, expected {eager.dtype}"
    if got.numel() == 0:
        return None
    if not eager.is_floating_point():
        if torch.equal(got, eager):
            return None
        places = (got != eager).nonzero()
        at = tuple(places[0].tolist())
        return f"{len(places)} of {got.numel()} differ, at {at}: {got[at].item()}, expected {eager[at].item()}"
    got, own, truth = got.double(), eager.double(), truth.double()
    judged = ~(~torch.isfinite(own) & torch.isfinite(truth))
    got, own, truth = got[judged], own[judged], truth[judged]
    if not torch.equal(torch.isnan(got), torch.isnan(own)):
        return f"NaN in other places: {torch.isnan(got).sum()}, expected {torch.isnan(own).sum()}"
    infinite = torch.isinf(own)
    if not torch.equal(got[infinite], own[infinite]):
        return "other infinities"
    finite = torch.isfinite(own) & torch.isfinite(truth)
    got, own, truth = got[finite], own[finite], truth[finite]
    if not len(own):
        return None
    error = (own - truth).abs()
    known = error <= 0.5 * truth.abs().clamp(min=1e-3 * truth.abs().max().item())
    got, own, truth, error = got[known], own[known], truth[known], error[known]
    if not len(own):
        return None
    most, off = truth.abs().max().item(), (got - truth).abs().max().item()
    # Nothing is right about a subnormal number, nor about what f64 rounded to 0.
    least = 8 * torch.finfo(eager.dtype).smallest_normal if most else 1e-15
    if off <= max(TOLERANCE[eager.dtype] * most, 4 * error.max().item(), least):
        return None
    return f"off by {off:.3g} of {most:.3g}, eager by {error.max().item():.3g}"


def same_elements(x, places, expected):
    """Whether both index tensors pick equal elements of x along some axis."""
    if places.shape != expected.shape or places.dtype != torch.int64 or x.dim() == 0:
        return False
    candidates = [(places.reshape(1), expected.reshape(1), x.reshape(-1), 0)] if places.dim() == 0 else []
    for axis in range(x.dim()):
        if places.dim() == x.dim():
            candidates.append((places, expected, x, axis))
        elif places.dim() == x.dim() - 1:
            candidates.append((places.unsqueeze(axis), expected.unsqueeze(axis), x, axis))
    for mine, theirs, values, axis in candidates:
        try:
            a, b = values.gather(axis, mine), values.gather(axis, theirs)
        except (RuntimeError, IndexError):
            continue
        if torch.equal(torch.nan_to_num(a), torch.nan_to_num(b)):
            return True
    return False
