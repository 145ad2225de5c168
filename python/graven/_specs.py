"""Arguments of graven.compile: input specifications, element types and the number of threads.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
from __future__ import annotations

import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, Union

import numpy as np

from ._structure import is_text

# A specification is "f32[1,3,8,8]", an array as an example, or a TensorSpec.
Inputs = Union[Mapping[Union[str, int], Any], Sequence[Any], None]

# What an extent may be: "1..64", "1,32,1..64", 8 or [16, 128].
Dims = Union[Mapping[str, Union[int, str, Sequence[int]]], None]

# The path of a file of weights.
Weights = Union[str, "os.PathLike[str]", None]

# How NumPy, ml_dtypes and PyTorch call the element types.
DTYPES = {
    "float16": "f16", "bfloat16": "bf16", "float32": "f32", "float64": "f64", "bool": "i1", "int8": "i8",
    "uint8": "u8", "int16": "i16", "uint16": "u16", "int32": "i32", "uint32": "u32", "int64": "i64", "uint64": "u64",
}


def dtype_name(dtype: str) -> str:
    """How NumPy, ml_dtypes and PyTorch call an element type."""
    return next(name for name, own in DTYPES.items() if own == dtype)


def numpy_dtype(dtype: str) -> np.dtype:
    """NumPy's type of an element type; of bf16 that of ml_dtypes, else uint16."""
    if dtype != "bf16":
        return np.dtype(dtype_name(dtype))
    try:
        import ml_dtypes  # pylint: disable=import-outside-toplevel; it may not be there
    except ImportError:
        return np.dtype("uint16")
    return np.dtype(ml_dtypes.bfloat16)


def specification(value: Any) -> str:
    """The part after the colon: of a text itself, of an array its type and shape."""
    if isinstance(value, str):
        return value
    if not hasattr(value, "dtype") or not hasattr(value, "shape"):
        raise TypeError(f"expected a specification such as 'f32[1,3,8,8]' or an array, got {type(value).__name__}")
    dtype = "str" if is_text(value) else str(value.dtype).removeprefix("torch.")
    if dtype not in DTYPES and dtype not in DTYPES.values() and dtype != "str":
        raise TypeError(f"no model takes elements of type {dtype}")
    return f"{DTYPES.get(dtype, dtype)}[{','.join(map(str, value.shape))}]"


def input_specs(inputs: Inputs) -> list[str]:
    """Specifications as the compiler reads them, "NAME:f32[1,3,8,8]"."""
    if inputs is None:
        return []
    if isinstance(inputs, Mapping):
        return [f"{name}:{specification(value)}" for name, value in inputs.items()]
    if isinstance(inputs, str) or not isinstance(inputs, Sequence):
        raise TypeError(f"inputs must be a mapping or a list, got {type(inputs).__name__}")
    return [value if isinstance(value, str) else f"{index}:{specification(value)}"
            for index, value in enumerate(inputs)]


def dim_specs(dims: Dims) -> list[str]:
    """Dimensions as the compiler reads them, "batch=1,32,1..64"."""
    if dims is None:
        return []
    if not isinstance(dims, Mapping):
        raise TypeError(f"dims must be a mapping, got {type(dims).__name__}")
    return [f"{name}={value if isinstance(value, (str, int)) else ','.join(map(str, value))}"
            for name, value in dims.items()]


def default_threads() -> int:
    """One for each CPU that this process may use: its affinity, and the quota of its control group."""
    count = len(os.sched_getaffinity(0))
    try:
        quota, period = pathlib.Path("/sys/fs/cgroup/cpu.max").read_text().split()
        count = min(count, round(int(quota) / int(period)))
    except (OSError, ValueError):
        pass  # no control group, or one without a quota ("max")
    return max(1, count)


def weights_path(weights: Weights, data: bytes | None) -> str:
    """The path of a file of weights, empty for none."""
    if weights is None:
        return ""
    if data is not None:
        raise ValueError("weights are for models that are files, not bytes")
    return os.fsdecode(os.fspath(weights))


def checked_state(state: str) -> str:
    """What becomes of what a model writes, checked."""
    if state not in ("initial", "explicit", "internal"):
        raise ValueError(f"state must be 'initial', 'explicit' or 'internal', got {state!r}")
    return state
