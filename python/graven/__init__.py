"""Graven compiles trained models (PyTorch, ONNX) to native code and runs them on NumPy arrays.

    import graven
    model = graven.compile("resnet50.pt")              # or graven.load("resnet50.so")
    y = model(x)                                       # x: float32 array of shape (1, 3, 224, 224)

    graph = graven.load("resnet50.pt")                 # or graven.trace(module, x), script(module), export(module, x)
    print(graph.run_passes("graven-fuse-conv-bn").code)
    model = graph.compile(threads=2)

    fast = torch.compile(module, backend="graven")     # see graven.torch

No PyTorch takes part, except where a module of PyTorch is given. A model file is data and never executed; an artifact
(.so) is native code: load only what you would execute.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
from __future__ import annotations

import importlib
import os
import pathlib
from typing import Any

from . import _core
from ._core import Model, Stats, TensorSpec
from ._errors import CompileWarning, Diagnostic, Error
from ._graph import Graph, GraphStats, Param, make_options, warn
from ._models import SpecializingModel, StatefulModel
from ._modules import export, script, trace
from ._onnx import export_onnx
from ._specs import (Dims, Inputs, Weights, checked_state, default_threads, dim_specs, input_specs, weights_path)

__all__ = ["CompileWarning", "Diagnostic", "Error", "Graph", "GraphStats", "Model", "Param", "SpecializingModel",
           "StatefulModel", "Stats", "TensorSpec", "compile", "export", "export_onnx", "load", "script", "trace"]
__version__ = _core.version

# Where people see the functions and the classes.
for _thing in (Graph, GraphStats, Model, Param, SpecializingModel, StatefulModel, Stats, TensorSpec, export, export_onnx, script,
               trace):
    _thing.__module__ = __name__
del _thing


def __getattr__(name: str) -> Any:
    # graven.torch imports PyTorch, so it is imported when it is asked for.
    if name == "torch":
        return importlib.import_module(".torch", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _source(model: str | bytes | os.PathLike[str], name: str | None) -> tuple[str, bytes | None, str]:
    """Path, bytes and name of a model that is one of the first two."""
    if isinstance(model, (bytes, bytearray, memoryview)):
        return "<bytes>", bytes(model), name or "model"
    path = os.fsdecode(os.fspath(model))
    return path, None, name or pathlib.Path(path).stem


def compile(model: str | bytes | os.PathLike[str], *, threads: int | None = None, inputs: Inputs = None,
            dims: Dims = None, target: str = "cpu", target_cpu: str = "native", opt_level: int = 2,
            numerics: str = "default", precision: str = "f32", name: str | None = None, weights: Weights = None,
            state: str = "initial") -> Model | SpecializingModel | StatefulModel:
    """Compiles a model for this machine, in this process, and returns it ready to run.

    model       path of a .pt, .pt2, .onnx, .mlir or TorchScript source file, or the bytes of one. The content decides, not
                the extension. Bytes have no folder, so an ONNX model with external data must be given as a path.
    threads     how many threads a run uses; None means one for each CPU this process may use. Results do not depend
                on it, bit for bit.
    inputs      types and shapes for inputs of which the file does not say them (scripted models, symbolic extents), or
                says others: {"x": "f32[1,3,8,8]"}, ["x:f32[1,3,8,8]"], an array in place of a specification as an
                example, or [array, ...] in the order of the inputs. A name may be an index.
                dtypes: f16 bf16 f32 f64 i1 i8 u8 i16 u16 i32 u32 i64 u64.
    dims        what the dynamic extents of the inputs (those that the file gives a name, or that `inputs` has as a
                name or "?") may be: {"batch": "1..64", "seq": [16, 128]}. A range "1..64" or "1.." means all of its
                values; a number or a list means these only; "1,32,1..64" all, with code of its own for 1 and 32.
                Extents that are not named may be anything from 1 on.
    target      "cpu", "cuda", "cuda:sm_80,sm_90" or "cuda,cpu", as for Graph.compile.
    target_cpu  "native", "x86-64", "x86-64-v2", "-v3", "-v4" or a CPU that LLVM knows.
    opt_level   0 to 3.
    numerics    how much rounding may differ from plain sums: "strict" not at all, "default" within the accuracy policy,
                "fast" unmeasured.
    precision   what matrix products and convolutions multiply: "f32" the model's own types, "bf16" f32 rounded to bf16,
                with sums in f32. Inputs and outputs keep their types.
    name        prefix of the artifact's C symbols, for save(); from the path when None.
    weights     path of a file of weights, or of another model, whose weights this one gets by name; all must fit.
                `model` must be a path.
    state       what becomes of buffers that the model writes: "initial" begins each run with what the file holds;
                "explicit" makes of each an input NAME and an output NAME.next; "internal" keeps them from run to run, in
                a StatefulModel.

    Where the Graph depends on the elements of inputs (axes or sizes that are no constants), the result is a
    SpecializingModel: it compiles when it is called, once for each of their values, and types and shapes of the others.

    Raises graven.Error, which holds all diagnostics (every unsupported operation with its places, for one), each with
    its code and location. Warnings are issued as graven.CompileWarning. The GIL is released meanwhile, and several
    threads may compile at a time.
    """
    path, data, name = _source(model, name)
    if checked_state(state) == "internal":
        return Graph(path, data, name, inputs, dims, weights=weights, state=state).compile(
            target=target, threads=threads, target_cpu=target_cpu, opt_level=opt_level, numerics=numerics, precision=precision)
    options = make_options(name, input_specs(inputs), dim_specs(dims), target, target_cpu, opt_level, numerics, precision,
                           default_threads() if threads is None else threads)
    other = weights_path(weights, data)

    def compile_for(own: _core.Options, stacklevel: int) -> Model:
        compiled, messages = _core.compile(path, data, own, other, state)
        warn(messages, stacklevel)
        return compiled

    try:
        return compile_for(options, 4)
    except Error as error:
        if not error.needed:
            raise
    return SpecializingModel(compile_for, options)


def load(path: str | bytes | os.PathLike[str], *, threads: int | None = None, inputs: Inputs = None, dims: Dims = None,
         name: str | None = None, weights: Weights = None, state: str = "initial") -> Graph | Model:
    """Loads a model file as a Graph, or an artifact, which `graven compile` or save() wrote, as a Model.

    path          of a .pt, .pt2, .onnx, .mlir, TorchScript source or .so file, or the bytes of one that is no .so. The
                  content decides, not the extension. An .so is native code, and loading it may execute it.
    threads       of an artifact: how many a run uses, as for compile.
    inputs, dims  of a model file: types and shapes of inputs, and what extents may be, as for compile.
    name          of a model file: prefix of C symbols; from the path when None.
    weights, state  of a model file, as for compile.

    Raises graven.Error: what is wrong with a model file, all of it; GRV0501 when native code is no artifact, or one of
    another ABI version.
    """
    path, data, name = _source(path, name)
    if data is not None or not _core.is_artifact(path):
        if threads is not None:
            raise ValueError("threads is for artifacts; give it to the Graph's compile()")
        return Graph(path, data, name, inputs, dims, weights=weights, state=state)
    if inputs is not None or dims is not None or weights is not None or state != "initial":
        raise ValueError("inputs, dims, weights and state are for model files; an artifact has its own")
    return _core.load(path, default_threads() if threads is None else threads)
