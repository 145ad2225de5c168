"""Arrays in the memory of a GPU: where they are, how results are made beside them, and on which stream models run.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import _core
from ._specs import DTYPES, dtype_name

# An address, an element type, and extents.
Place = tuple[int, str, tuple[int, ...]]

# DLPack's number of CUDA, and what the array interface calls the default stream and the one of each thread.
_CUDA = 2
_NAMED_STREAMS = {1: 0, 2: 2}


def is_on_device(value: Any) -> bool:
    """Whether the array is in the memory of a GPU."""
    if hasattr(value, "__cuda_array_interface__"):
        return True
    device = getattr(value, "__dlpack_device__", None)
    return device is not None and device()[0] == _CUDA


def place(value: Any) -> Place:
    """Where an array is, of a GPU or of the host. Raises TypeError for what is no array, or not contiguous."""
    if _is_torch(value):
        if not value.is_contiguous():
            raise TypeError("expected a contiguous tensor; contiguous() makes one")
        return value.data_ptr(), _own_dtype(str(value.dtype).removeprefix("torch."), value.dtype), tuple(value.shape)
    interface = getattr(value, "__cuda_array_interface__", None) or getattr(value, "__array_interface__", None)
    if interface is not None:
        return _of_interface(interface)
    if hasattr(value, "__dlpack__"):
        return _core.dlpack_place(value)
    raise TypeError(f"expected an array, got {type(value).__name__}")


def queue(model: _core.Model, inputs: Sequence[Any], outputs: Sequence[Any], stream: int | None = None) -> None:
    """Queues a run on a stream, see Model.queue."""
    if stream is None:
        stream = _stream_of([*inputs, *outputs])
    model._queue([place(value) for value in inputs], [place(value) for value in outputs], stream)  # pylint: disable=protected-access


def run(model: _core.Model, inputs: Sequence[Any]) -> list[Any]:
    """The outputs, made by the library of the first input that is on a GPU, on its device."""
    first = next(value for value in inputs if is_on_device(value))
    places = [place(value) for value in inputs]
    shapes = model._output_shapes(places)  # pylint: disable=protected-access; its other half
    outputs = [_empty_like(first, spec.dtype, shape) for spec, shape in zip(model.outputs, shapes)]
    queue(model, inputs, outputs)
    return outputs


def _is_torch(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _own_dtype(name: str | None, given: Any) -> str:
    if name not in DTYPES:
        raise TypeError(f"no model takes elements of type '{given}'")
    return DTYPES[name]


def _of_interface(interface: dict) -> Place:
    dtype, shape, strides = np.dtype(interface["typestr"]), tuple(interface["shape"]), interface.get("strides")
    # Of another byte order the name is the same.
    own = _own_dtype(dtype.name if dtype.isnative else None, interface["typestr"])
    expected = dtype.itemsize
    for extent, stride in zip(reversed(shape), reversed(strides or ())):
        if extent > 1 and stride != expected:
            raise TypeError("expected a contiguous array")
        expected *= extent
    return interface["data"][0], own, shape


def _stream_of(values: Sequence[Any]) -> int:
    """The stream that the arrays' library works on now; the default one where nobody says."""
    for value in values:
        if _is_torch(value) and value.is_cuda:
            return sys.modules["torch"].cuda.current_stream(value.device).cuda_stream
        stream = (getattr(value, "__cuda_array_interface__", None) or {}).get("stream")
        if stream is not None:
            return _NAMED_STREAMS.get(stream, stream)
        if type(value).__module__.partition(".")[0] == "cupy":
            return sys.modules["cupy"].cuda.get_current_stream().ptr
    return 0


def _empty_like(array: Any, dtype: str, shape: tuple[int, ...]) -> Any:
    name = dtype_name(dtype)
    if _is_torch(array):
        torch = sys.modules["torch"]
        return torch.empty(shape, dtype=getattr(torch, name), device=array.device)
    library = sys.modules.get(type(array).__module__.partition(".")[0])
    if library is None or not hasattr(library, "empty"):
        raise TypeError(f"no array can be made beside one of type {type(array).__name__}; give the outputs to queue()")
    return library.empty(shape, dtype=name)
