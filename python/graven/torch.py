"""torch.compile(module, backend="graven"), and what became of its graphs.

    fast = torch.compile(module.eval(), backend="graven", options={"threads": 2})
    with torch.no_grad():
        y = fast(x)
    print(graven.torch.stats())

TorchDynamo hands over the graphs between graph breaks. Each is compiled when it is first called, for the sizes it is
called with, and once more for others. A graph that Graven cannot compile runs in PyTorch, and stats() says why.
This module imports PyTorch.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
from __future__ import annotations

import dataclasses
import io
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch._dynamo.utils import counters
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._pytree import tree_flatten, tree_unflatten

from ._core import Model
from ._errors import CompileWarning, Error
from ._graph import Graph

__all__ = ["CompileStats", "backend", "reset_stats", "stats"]

# Combinations of sizes for which one graph is compiled; for others it runs in PyTorch.
MOST_SIZES = 16


@dataclasses.dataclass(frozen=True)
class CompileStats:
    """What became of the graphs that torch.compile handed over."""

    compiled: int  # graphs, each counted for each combination of sizes
    fallbacks: dict[str, int]  # how many run in PyTorch instead, by reason
    graph_breaks: int  # how often TorchDynamo ended a graph early, for any backend


class _Count:
    """The counts behind stats()."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        self.compiled, self.fallbacks, self.breaks = 0, Counter(), _graph_breaks()


def _graph_breaks() -> int:
    return sum(counters["graph_break"].values())


_count = _Count()


def stats() -> CompileStats:
    """What became of the graphs since the start or reset_stats()."""
    with _count.lock:
        return CompileStats(_count.compiled, dict(_count.fallbacks), _graph_breaks() - _count.breaks)


def reset_stats() -> None:
    """Begins to count anew."""
    with _count.lock:
        _count.reset()


def backend(graph: torch.fx.GraphModule, example_inputs: Sequence[Any], *, options: Mapping[str, Any] | None = None,
            mode: str | None = None) -> Callable[..., Any]:
    """What torch.compile(module, backend="graven") calls for each graph; torch.compile(module, backend=backend) is the same.

    options  those of Graph.compile: threads (as many as PyTorch uses when not given), precision, target_cpu, opt_level,
             numerics.
    mode     PyTorch's modes mean nothing here; only None and "default" are taken.
    """
    known = {"threads", "precision", "target_cpu", "opt_level", "numerics"}
    options = dict(options or {})
    if unknown := options.keys() - known:
        raise ValueError(f"unknown option {', '.join(sorted(unknown))}, expected some of {', '.join(sorted(known))}")
    if mode not in (None, "default"):
        raise ValueError(f"mode must be None or 'default', got {mode!r}: say what you want by options")
    options.setdefault("threads", torch.get_num_threads())
    return _Compiled(graph, options)


class _Unsupported(Exception):
    """Why a graph runs in PyTorch."""


class _Program(torch.nn.Module):
    """A graph as a function of its tensors alone, that gives the chosen ones of its outputs."""

    def __init__(self, graph: torch.fx.GraphModule, args: Sequence[Any], outputs: Sequence[int]) -> None:
        super().__init__()
        self.graph, self.outputs = graph, outputs
        self.numbers = [None if isinstance(arg, torch.Tensor) else arg for arg in args]
        self.is_tensor = [isinstance(arg, torch.Tensor) for arg in args]

    def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        rest = iter(tensors)
        args = [next(rest) if is_tensor else number for is_tensor, number in zip(self.is_tensor, self.numbers)]
        outputs, _ = tree_flatten(self.graph(*args))
        return tuple(outputs[i] for i in self.outputs)


@dataclasses.dataclass
class _Layout:
    """How an output lies in memory: by itself, or as a view of an input or of another output."""

    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: torch.dtype
    offset: int = 0  # elements from where what it is a view of begins
    result: int | None = None  # which result of the Model it is
    of_input: int | None = None
    of_output: int | None = None


class _Variant:
    """A graph compiled for one combination of sizes."""

    def __init__(self, model: Model, inputs: list[int], outputs: list[Any], spec: Any) -> None:
        self.model, self.inputs, self.outputs, self.spec = model, inputs, outputs, spec

    def __call__(self, args: Sequence[Any]) -> Any:
        results = self.model(*[_in_memory(args[i]) for i in self.inputs])
        results = results if isinstance(results, list) else [results]
        outputs: list[Any] = []
        for layout in self.outputs:
            if not isinstance(layout, _Layout):
                outputs.append(layout)
            elif layout.result is not None:
                outputs.append(_tensor(results[layout.result], layout))
            else:
                base = outputs[layout.of_output] if layout.of_input is None else args[layout.of_input]
                outputs.append(base.as_strided(layout.shape, layout.stride, base.storage_offset() + layout.offset))
        return tree_unflatten(outputs, self.spec)


def _in_memory(tensor: torch.Tensor) -> torch.Tensor:
    """The elements as a Model reads them; the tensor itself where they lie so."""
    return tensor.detach().resolve_neg().contiguous()


def _tensor(array: Any, layout: _Layout) -> torch.Tensor:
    if layout.dtype == torch.bfloat16:
        tensor = torch.from_numpy(array.view("uint16")).view(torch.bfloat16)
    else:
        tensor = torch.from_numpy(array)
    if tensor.stride() == layout.stride or tensor.numel() <= 1:
        return tensor
    # Programs may rely on the strides that eager execution gives.
    return torch.empty_strided(layout.shape, layout.stride, dtype=layout.dtype).copy_(tensor)


class _Compiled:
    """One graph of TorchDynamo."""

    def __init__(self, graph: torch.fx.GraphModule, options: dict[str, Any]) -> None:
        self.graph, self.options = graph, options
        self.lock = threading.Lock()
        self.variants: dict[tuple, _Variant | None] = {}
        # Parameters and buffers: packed for the kernels, as long as nobody writes them.
        self.weights = [i for i, node in enumerate(graph.graph.find_nodes(op="placeholder")) if _is_weight(node)]
        self.written: tuple | None = None

    def __call__(self, *args: Any) -> Any:
        variant = self.find(args)
        return self.graph(*args) if variant is None else variant(args)

    def find(self, args: Sequence[Any]) -> _Variant | None:
        """The code for these arguments; None when the graph runs in PyTorch."""
        if torch.is_grad_enabled() and any(isinstance(arg, torch.Tensor) and arg.requires_grad for arg in args):
            return self.remember(("gradients",), "gradients are wanted: use torch.no_grad() or inference_mode()")
        with self.lock:
            if self.weights:
                written = tuple(_state(args[i]) for i in self.weights)
                if self.written not in (None, written):
                    # From here on they are inputs like others.
                    self.weights = []
                    self.variants.clear()
                self.written = written
            weights = set(self.weights)
            key = tuple(_key(arg) for i, arg in enumerate(args) if i not in weights)
            if key in self.variants:
                return self.variants[key]
            if len(self.variants) >= MOST_SIZES:
                return self.remember(key, f"more than {MOST_SIZES} combinations of sizes")
            try:
                variant = self.variants[key] = self.build(args)
            except _Unsupported as reason:
                return self.remember(key, str(reason))
            except Error as error:
                return self.remember(key, str(error).partition("\n")[0])
            except Exception as error:  # pylint: disable=broad-except; whatever torch.export raises, eager execution goes on
                return self.remember(key, f"torch.export: {type(error).__name__}: {str(error).partition(chr(10))[0]}")
            with _count.lock:
                _count.compiled += 1
            return variant

    def remember(self, key: tuple, reason: str) -> None:
        """Counts a graph that runs in PyTorch, once."""
        if key not in self.variants:
            self.variants[key] = None
            with _count.lock:
                _count.fallbacks[reason] += 1

    def build(self, args: Sequence[Any]) -> _Variant:
        outputs, spec = self.trace(args)
        wanted = [i for i, layout in enumerate(outputs) if isinstance(layout, _Layout) and layout.result is not None]
        if not wanted:
            raise _Unsupported("nothing to compute: all outputs are views of inputs")
        tensors = [i for i, arg in enumerate(args) if isinstance(arg, torch.Tensor)]
        program = _Program(self.graph, args, wanted)
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exported = torch.export.export(program, tuple(args[i].detach() for i in tensors), strict=False)
            # The file would have a copy of all weights as an example.
            exported.example_inputs = None
            buffer = io.BytesIO()
            torch.export.save(exported, buffer)
        weights = set(self.weights)
        constants = {str(position): _in_memory(args[i]) for position, i in enumerate(tensors) if i in weights}
        graph = Graph("<torch.compile>", buffer.getvalue(), "graph", constants=constants)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CompileWarning)
            model = graph.compile(**self.options)
        return _Variant(model, [i for i in tensors if i not in weights], outputs, spec)

    def trace(self, args: Sequence[Any]) -> tuple[list[Any], Any]:
        """How the outputs lie in memory, by a run without elements; what has other effects than these is refused."""
        mode = FakeTensorMode(allow_non_fake_inputs=True)
        inputs: list[Any] = []
        for arg in args:
            if isinstance(arg, torch.Tensor):
                if arg.device.type != "cpu" or arg.layout != torch.strided:
                    raise _Unsupported(f"a tensor of layout {arg.layout} on {arg.device}")
                inputs.append(mode.from_tensor(arg.detach()))
            else:
                inputs.append(arg)
        versions = [_version(arg) for arg in inputs]
        with mode, torch.no_grad():
            outputs, spec = tree_flatten(self.graph(*inputs))
        if [_version(arg) for arg in inputs] != versions:
            raise _Unsupported("it writes its inputs or buffers")
        return self.layouts(inputs, outputs), spec

    @staticmethod
    def layouts(inputs: Sequence[Any], outputs: Sequence[Any]) -> list[Any]:
        owners = {_storage(arg): i for i, arg in enumerate(inputs) if isinstance(arg, torch.Tensor)}
        bases: dict[int, int] = {}
        layouts: list[Any] = []
        results = 0
        for i, output in enumerate(outputs):
            if not isinstance(output, torch.Tensor):
                layouts.append(output)
                continue
            layout = _Layout(tuple(output.shape), output.stride(), output.dtype)
            layouts.append(layout)
            storage = _storage(output)
            base = inputs[owners[storage]] if storage in owners else outputs[bases.setdefault(storage, i)]
            if base is output:
                layout.result, results = results, results + 1
                continue
            if storage not in owners and not (base.is_contiguous() and
                                              base.untyped_storage().nbytes() == base.numel() * base.element_size()):
                raise _Unsupported("outputs share memory")
            if base.dtype != output.dtype:
                raise _Unsupported("an output is a view of another type")
            layout.offset = output.storage_offset() - base.storage_offset()
            layout.of_input, layout.of_output = owners.get(storage), bases.get(storage)
        return layouts


def _storage(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata  # pylint: disable=protected-access; what tells storages apart


def _version(value: Any) -> int | None:
    """How often a tensor was written."""
    if not isinstance(value, torch.Tensor) or value.is_inference():
        return None
    return value._version  # pylint: disable=protected-access; there is no other way to ask


def _state(tensor: torch.Tensor) -> tuple[int, int | None]:
    """Changes when somebody writes the tensor, other than through `.data` or in inference mode."""
    return tensor.data_ptr(), _version(tensor)


def _key(arg: Any) -> Any:
    if isinstance(arg, torch.Tensor):
        return arg.dtype, arg.shape, arg.stride()
    return arg


def _is_weight(node: torch.fx.Node) -> bool:
    """Whether TorchDynamo made the input of a Parameter or buffer of a module."""
    return bool(node.meta.get("tensor_dict", {}).get("_dynamo_static_input_type"))
