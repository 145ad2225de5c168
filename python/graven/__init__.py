"""Graven compiles trained models (TorchScript .pt, ONNX) to native code and runs them on NumPy arrays.

    import graven
    model = graven.compile("resnet50.pt")              # or graven.load("resnet50.so")
    y = model(x)                                       # x: float32 array of shape (1, 3, 224, 224)

No PyTorch takes part. A model file is data and never executed; an artifact (.so) is native code: load only what you
would execute.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
from __future__ import annotations

import os
import pathlib
import warnings

from . import _core
from ._core import Model, Stats, TensorSpec
from ._errors import CompileWarning, Diagnostic, Error
from ._specs import Dims, Inputs, default_threads, dim_specs, input_specs

__all__ = ["CompileWarning", "Diagnostic", "Error", "Model", "Stats", "TensorSpec", "compile", "load"]

# Where people see the functions and the classes.
for _class in (Model, Stats, TensorSpec):
    _class.__module__ = __name__
del _class


def compile(model: str | bytes | os.PathLike[str], *, threads: int | None = None, inputs: Inputs = None,
            dims: Dims = None, target_cpu: str = "native", opt_level: int = 2, numerics: str = "default",
            precision: str = "f32",
            name: str | None = None) -> Model:
    """Compiles a model for this machine, in this process, and returns it ready to run.

    model       path of a .pt, .onnx, .mlir or TorchScript source file, or the bytes of one. The content decides, not
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
    target_cpu  "native", "x86-64", "x86-64-v2", "-v3", "-v4" or a CPU that LLVM knows.
    opt_level   0 to 3.
    numerics    how much rounding may differ from plain sums: "strict" not at all, "default" within the accuracy policy,
                "fast" unmeasured.
    precision   what matrix products and convolutions multiply: "f32" the model's own types, "bf16" f32 rounded to bf16,
                with sums in f32. Inputs and outputs keep their types.
    name        prefix of the artifact's C symbols, for save(); from the path when None.

    Raises graven.Error, which holds all diagnostics (every unsupported operation with its places, for one), each with
    its code and location. Warnings are issued as graven.CompileWarning. The GIL is released meanwhile, and several
    threads may compile at a time.
    """
    if opt_level not in (0, 1, 2, 3):
        raise ValueError(f"opt_level must be 0, 1, 2 or 3, got {opt_level!r}")
    if numerics not in ("strict", "default", "fast"):
        raise ValueError(f"numerics must be 'strict', 'default' or 'fast', got {numerics!r}")
    if precision not in ("f32", "bf16"):
        raise ValueError(f"precision must be 'f32' or 'bf16', got {precision!r}")
    if isinstance(model, (bytearray, memoryview)):
        model = bytes(model)
    if isinstance(model, bytes):
        path, data = "<bytes>", model
    else:
        path, data = os.fsdecode(os.fspath(model)), None
    if name is None:
        name = "model" if data is not None else pathlib.Path(path).stem
    compiled, messages = _core.compile(path, data, name, input_specs(inputs), target_cpu, opt_level, numerics, precision,
                                       default_threads() if threads is None else threads, dim_specs(dims))
    for message in messages:
        warnings.warn(message, CompileWarning, stacklevel=2)
    return compiled


def load(path: str | os.PathLike[str], *, threads: int | None = None) -> Model:
    """Loads an artifact that `graven compile` or Model.save wrote.

    path     a .so file. It is native code, and loading it may execute it.
    threads  as for compile.

    Raises graven.Error: GRV0501 when it is no artifact, or one of another ABI version.
    """
    return _core.load(os.fsdecode(os.fspath(path)), default_threads() if threads is None else threads)
