"""graven.Graph: a model before it is compiled.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
from __future__ import annotations

import dataclasses
import os
import pathlib
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from . import _core
from ._core import Model, TensorSpec
from ._errors import CompileWarning, Error
from ._models import SpecializingModel, StatefulModel
from ._specs import (Dims, Inputs, Weights, checked_state, default_threads, dim_specs, input_specs, numpy_dtype,
                     weights_path)

# Kinds of files that are code, which save() compiles for.
CODE = (".so", ".o", ".a", ".s", ".ll")


@dataclasses.dataclass(frozen=True)
class Param:
    """A Parameter or buffer of a Graph."""

    name: str  # "conv1.weight"
    dtype: str  # "f32"
    shape: tuple[int, ...]
    is_buffer: bool  # whether it is no Parameter but a buffer
    requires_grad: bool
    _graph: _core.Graph = dataclasses.field(repr=False, compare=False)

    def numpy(self) -> np.ndarray:
        """The elements as a read-only array over the model file's own bytes, which are not copied.

        The array keeps what it shows. bf16 is as Model has it: ml_dtypes.bfloat16, else the bits as uint16. Raises
        graven.Error when the file does not hold the bytes.
        """
        data, strides, big_endian = self._graph.data(self.name)
        dtype = numpy_dtype(self.dtype)
        if big_endian:
            dtype = dtype.newbyteorder(">")
        elements = data[:data.size // dtype.itemsize * dtype.itemsize].view(dtype)
        if strides is None:
            array = elements[:int(np.prod(self.shape, dtype=np.int64))].reshape(self.shape)
        else:
            array = np.lib.stride_tricks.as_strided(elements, self.shape, [s * dtype.itemsize for s in strides],
                                                    writeable=False)
        return array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise ValueError(f"'{self.name}' is {self.dtype}, and of another type only as a copy")
            return array.astype(dtype)
        return array.copy() if copy else array


@dataclasses.dataclass(frozen=True)
class GraphStats:
    """What a Graph consists of."""

    nodes: dict[str, int]  # how many Nodes there are of each kind: {"conv": 20, "relu": 17}
    parameters: int  # elements of all Parameters and buffers
    parameter_bytes: int
    macs: int | None  # multiplications of conv, conv_transpose, matmul and attention; None where extents are not known


class Graph:
    """A model as Nodes that can be printed, rewritten and compiled; made by graven.load, trace, script and export.

    Types and shapes of a scripted module's inputs may not be known yet. Then there are no Nodes to show, and what needs
    them raises graven.Error (GRV0301); compile() makes a model that is compiled when it is called. with_inputs() says
    them.

    str(graph) is graph.graph.
    """

    def __init__(self, path: str, data: bytes | None, name: str, inputs: Inputs = None, dims: Dims = None, *,
                 constants: Mapping[str, Any] | None = None, hints: Mapping[str, int] | None = None,
                 aliases: Mapping[str, str] | None = None, places: Mapping[tuple[int, int], str] | None = None,
                 weights: Weights = None, state: str = "initial") -> None:
        self._path, self._data, self.name = path, data, name
        self._weights, self._state = weights_path(weights, data), checked_state(state)
        # Inputs that are Parameters; the extents to show symbols with, and other names of symbols; what symbols are the
        # extents of, as (input, axis).
        self._places = dict(places or {})
        self._constants, self._hints, self._aliases = dict(constants or {}), dict(hints or {}), dict(aliases or {})
        self._inputs, self._dims = input_specs(inputs), self._dim_specs(dims)
        self._passes: list[str] = []
        self._core = self._read(self._inputs, self._dims)

    def _read(self, inputs: list[str], dims: list[str]) -> _core.Graph:
        return _core.Graph(self._path, self._data, inputs, dims, list(self._constants.items()), self._hints,
                           self._weights, "initial" if self._state == "initial" else "explicit")

    def _dim_specs(self, dims: Dims) -> list[str]:
        return dim_specs(dims and {self._aliases.get(name, name): value for name, value in dims.items()})

    @property
    def is_known(self) -> bool:
        """Whether there are Nodes: whether types and shapes of all inputs are known."""
        return self._core.is_known

    @property
    def graph(self) -> str:
        """The Graph as torch.jit prints one, a line for each Node: `%4 : Float(1, 64) = graven::relu(%3)`."""
        return self._core.graph

    @property
    def code(self) -> str:
        """The Graph as torch.jit prints code, in the syntax of Python: `_4 = graven.relu(_3)`."""
        return self._core.code

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """A TensorSpec for each input."""
        return self._core.inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """A TensorSpec for each output."""
        return self._core.outputs

    @property
    def params(self) -> dict[str, Param]:
        """The Parameters and buffers by their names; Param.numpy() gives the elements without a copy."""
        return {name: Param(name, dtype, tuple(shape), is_buffer, requires_grad, self._core)
                for name, dtype, shape, is_buffer, requires_grad in self._core.params}

    def stats(self) -> GraphStats:
        """Counts of Nodes, of elements of Parameters, and of multiplications."""
        return GraphStats(*self._core.stats())

    def run_passes(self, pipeline: str) -> Graph:
        """Runs passes on the Graph, in place, and returns it.

        pipeline  as graven-opt's --pass-pipeline has it: "graven-fuse-conv-bn,graven-dce". docs/generated has the
                  passes. `builtin.module(...)` around it may be left out.

        Raises graven.Error when it is no pipeline or a pass fails; then the Graph is as it was. What is compiled later,
        at whatever sizes, has the same passes run on it before the compiler's own.
        """
        self._core.run_passes(pipeline)
        self._passes.append(pipeline)
        return self

    def _of_state(self, state: str) -> Graph:
        other = Graph.__new__(Graph)
        other.__dict__.update(self.__dict__, _state=state)
        return other.with_inputs()

    def with_inputs(self, inputs: Inputs = None, dims: Dims = None) -> Graph:
        """The same model with types and shapes of inputs, and what extents may be, as graven.compile takes them."""
        other = Graph.__new__(Graph)
        other.__dict__.update(self.__dict__, _inputs=self._merged(self._inputs, input_specs(inputs)),
                              _dims=self._merged(self._dims, self._dim_specs(dims), "="), _passes=[])
        other._core = other._read(other._inputs, other._dims)  # pylint: disable=attribute-defined-outside-init; a copy
        for pipeline in self._passes:
            other.run_passes(pipeline)
        return other

    @staticmethod
    def _merged(old: list[str], new: list[str], separator: str = ":") -> list[str]:
        """The specifications; a new one takes the place of an old one of that name."""
        named = {spec.rpartition(separator)[0]: spec for spec in old}
        return list((named | {spec.rpartition(separator)[0]: spec for spec in new}).values())

    def compile(self, *, target: str = "cpu", threads: int | None = 1, inputs: Inputs = None, dims: Dims = None,
                precision: str = "f32", target_cpu: str = "native", opt_level: int = 2, numerics: str = "default",
                name: str | None = None) -> Model | SpecializingModel | StatefulModel:
        """Compiles for this machine, in this process, and returns a model to call with arrays.

        target   "cpu", or "cuda", or "cuda:sm_80,sm_90" with the GPUs to make code for; with ",cpu" after either the CPU
                 takes over where there is no such GPU. A model for GPUs is called with
                 arrays of the host, which are copied, or of a GPU (PyTorch's, CuPy's, any with the array interface or
                 DLPack): then results are there, too, and the run is queued on the library's current stream.
        threads  how many a run uses; None means one for each CPU this process may use.
        inputs   types and shapes, as for graven.compile: {"x": "f32[1,3,224,224]"}. Those of the trace or the file
                 where this says nothing.
        dims     what dynamic extents may be: {"batch": "1..64"}.

        The rest is as for graven.compile. Where shapes are not known (a scripted module without `inputs`), or where
        dynamic extents of which `dims` says nothing cannot share code, the result is a SpecializingModel: it compiles
        when it is called, once for each combination of types and shapes.
        """
        if self._state == "internal":
            return StatefulModel(self._of_state("explicit").compile(
                target=target, threads=threads, inputs=inputs, dims=dims, precision=precision, target_cpu=target_cpu,
                opt_level=opt_level, numerics=numerics, name=name), self._of_state("initial").with_inputs(inputs, dims))
        options = self._options(inputs, dims, name, target, target_cpu, opt_level, numerics, precision,
                                default_threads() if threads is None else threads)
        if not self._core.is_known and inputs is None:
            return SpecializingModel(self._compile, options)
        try:
            return self._compile(options)
        except Error as error:
            missing = {"GRV0301"} if inputs is None else set()
            if dims is None and not self._dims:
                missing.add("GRV0207")
            if not {d.code for d in error.diagnostics} <= missing and not error.needed:
                raise
        return SpecializingModel(self._compile, options)

    def _options(self, inputs: Inputs, dims: Dims, name: str | None, target: str, target_cpu: str, opt_level: int,
                 numerics: str, precision: str, threads: int) -> _core.Options:
        return make_options(name or self.name, self._merged(self._inputs, input_specs(inputs)),
                            self._merged(self._dims, self._dim_specs(dims), "="), target, target_cpu, opt_level, numerics,
                            precision, threads)

    def _compile(self, options: _core.Options, stacklevel: int = 4) -> Model:
        model, messages = self._core.compile(options)
        warn(messages, stacklevel)
        return model

    def save(self, path: str | os.PathLike[str], *, target: str = "cpu", threads: int = 1, inputs: Inputs = None, dims: Dims = None,
             precision: str = "f32", target_cpu: str = "native", opt_level: int = 2, numerics: str = "default",
             name: str | None = None) -> None:
        """Writes the Graph to a file; the extension says what becomes of it. Whole or not at all.

        .mlir            its text, and its Parameters beside it as .safetensors. graven.load reads them again.
        .onnx            ONNX, as export_onnx() writes it by default.
        .so .o .a .s .ll native code, compiled with these options as by compile(). C symbols are called after the
                         file's stem where `name` is None.
        """
        path = os.fsdecode(os.fspath(path))
        extension = pathlib.Path(path).suffix
        if extension == ".mlir":
            graph = self if inputs is None and dims is None else self.with_inputs(inputs, dims)
            graph._core.write_text(path)  # pylint: disable=protected-access; a Graph
            return
        if extension == ".onnx":
            graph = self if inputs is None and dims is None else self.with_inputs(inputs, dims)
            graph.export_onnx(path)
            return
        if extension not in CODE:
            raise ValueError(f"'{path}' must end in .mlir .onnx {' '.join(CODE)}")
        options = self._options(inputs, dims, name or pathlib.Path(path).stem, target, target_cpu, opt_level,
                                numerics, precision, threads)
        warn(self._core.write(path, options), 3)

    def export_onnx(self, path: str | os.PathLike[str], *, opset_version: int = 17, do_constant_folding: bool = True,
                    input_names: Sequence[str] | None = None, output_names: Sequence[str] | None = None,
                    dynamic_axes: Mapping[str, Mapping[int, str] | Sequence[int]] | None = None,
                    inputs: Inputs = None, keep_initializers_as_inputs: bool = False, export_params: bool = True,
                    external_data: bool | None = None) -> None:
        """Writes the Graph as ONNX, with the meanings that the arguments have for torch.onnx.export. Whole or not at all.

        opset_version        version of the operators, 9 to 28
        do_constant_folding  computes what depends on constants alone
        input_names          names of the inputs, in their order, instead of the Graph's; fewer name the first ones
        output_names         the same of the outputs
        dynamic_axes         extents that are dynamic, and their names: {"x": {0: "batch"}}, or {"x": [0]} for names that
                             are made up. Of an input, also one that a trace has as a number; equal names are equal
                             extents. Those of the Graph itself, and what follows from them, are dynamic anyway.
        inputs               types and shapes of the inputs, as with_inputs() takes them
        keep_initializers_as_inputs  lists weights as inputs, too, so that a caller may give others
        export_params        False: weights are inputs and have no values in the file
        external_data        whether weights lie in a file beside it, PATH.data; None: from 2 GB on

        Raises graven.Error, which lists every Node that ONNX or the opset cannot express.
        """
        axes = [(name, axis, text) for name, given in (dynamic_axes or {}).items()
                for axis, text in (given if isinstance(given, Mapping)
                                   else {axis: f"{name}_dim_{axis}" for axis in given}).items()]
        named = {(name, axis) for name, axis, _ in axes}
        for (position, axis), symbol in self._places.items():
            name = [*(input_names or ()), *(spec.name for spec in self.inputs[len(input_names or ()):])][position]
            called = [alias for alias, own in self._aliases.items() if own == symbol]
            is_fixed = any(spec.partition("=")[0] == symbol and ".." not in spec for spec in self._dims)
            if called and not is_fixed and (name, axis) not in named:
                axes.append((name, axis, called[0]))
        for what, names in (("input_names", input_names), ("output_names", output_names)):
            if isinstance(names, str):
                raise TypeError(f"{what} is a list of names, got the one string {names!r}")
        role = "inputs" if not export_params else "defaults" if keep_initializers_as_inputs else "initializers"
        place = "auto" if external_data is None else "always" if external_data else "never"
        graph = self if inputs is None else self.with_inputs(inputs)
        graph._core.write_onnx(os.fsdecode(os.fspath(path)), opset_version,  # pylint: disable=protected-access; a Graph
                               do_constant_folding, list(input_names or ()), list(output_names or ()), axes, place, role)

    def __str__(self) -> str:
        return self.graph

    def __repr__(self) -> str:
        if not self.is_known:
            return f"<graven.Graph '{self.name}', inputs not known>"
        return f"<graven.Graph '{self.name}' ({', '.join(map(str, self.inputs))})>"


def warn(messages: list[str], stacklevel: int) -> None:
    for message in messages:
        warnings.warn(message, CompileWarning, stacklevel=stacklevel)


def make_options(name: str, inputs: list[str], dims: list[str], target: str, target_cpu: str, opt_level: int,
                 numerics: str, precision: str, threads: int) -> _core.Options:
    """The options, checked."""
    if target not in ("cpu", "cuda", "cuda,cpu") and not target.startswith("cuda:"):
        raise ValueError(f"target must be 'cpu', 'cuda', 'cuda:sm_80,sm_90' or 'cuda,cpu', got {target!r}")
    if opt_level not in (0, 1, 2, 3):
        raise ValueError(f"opt_level must be 0, 1, 2 or 3, got {opt_level!r}")
    if numerics not in ("strict", "default", "fast"):
        raise ValueError(f"numerics must be 'strict', 'default' or 'fast', got {numerics!r}")
    if precision not in ("f32", "bf16"):
        raise ValueError(f"precision must be 'f32' or 'bf16', got {precision!r}")
    return _core.Options(name, inputs, dims, target, target_cpu, opt_level, numerics, precision, threads)
