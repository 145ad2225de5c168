"""graven.export_onnx: any model as an ONNX file, with the arguments that torch.onnx.export has.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
from __future__ import annotations

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Union

from ._graph import Graph
from ._modules import export, script, trace
from ._specs import Inputs

DynamicAxes = Mapping[str, Union[Mapping[int, str], Sequence[int]]]


def export_onnx(model: Any, f: str | os.PathLike[str] | BinaryIO, args: Any = (), *,
                kwargs: Mapping[str, Any] | None = None, opset_version: int | None = None,
                input_names: Sequence[str] | None = None, output_names: Sequence[str] | None = None,
                dynamic_axes: DynamicAxes | None = None, dynamic_shapes: Any = None, do_constant_folding: bool = True,
                keep_initializers_as_inputs: bool = False, export_params: bool = True, external_data: bool | None = None,
                inputs: Inputs = None, dynamo: bool | None = None, verbose: bool = False) -> Graph:
    """Writes a model as ONNX, and returns the Graph that it was made of.

    model               a module of PyTorch, scripted or not, an ExportedProgram, a Graph, or what graven.load takes: the
                        path or the bytes of a .pt, .pt2, .onnx, .mlir or TorchScript source file.
    f                   path of the file, which appears whole or not at all, or an open binary file to write to.
    args, kwargs        what the module is called with: a tensor, or a tuple of forward's arguments. A last argument that is
                        a dict is a dict, and not kwargs.
    opset_version       version of the operators, 9 to 28; 17 when None.
    input_names, output_names, dynamic_axes, do_constant_folding  as Graph.export_onnx takes them.
    dynamic_shapes      what extents are dynamic, as torch.export.export takes it, or names in the place of its Dims; only
                        with a module.
    keep_initializers_as_inputs  lists weights as inputs, too, so that a caller may give others.
    export_params       False: weights are inputs and have no values in the file.
    external_data       whether weights lie in a file beside it, PATH.data; None: from 2 GB on.
    inputs              types and shapes of the inputs of a scripted module or of a file that does not say them.
    dynamo              a module goes through torch.export (True), or torch.jit.trace (False). None: through the latter
                        where dynamic_axes is given, else the former; functions always are traced. Scripted modules
                        stay as they are.
    verbose             prints the Graph.

    A module is exported as in eval mode, and keeps its mode and its buffers. Raises graven.Error, which lists every Node
    that ONNX or the opset cannot express, and what PyTorch raises when it traces or exports.
    """
    if dynamic_axes and (dynamic_shapes is not None or dynamo):
        raise ValueError("dynamic_axes is for files and traces: torch.export takes dynamic_shapes")
    if external_data and not _is_path(f):
        raise ValueError("external_data needs a path: a file object has no file beside it")
    graph = _graph_of(model, args, kwargs, dynamic_shapes, inputs, bool(dynamic_axes) if dynamo is None else not dynamo)
    if verbose:
        print(graph)
    options = {"opset_version": 17 if opset_version is None else opset_version, "input_names": input_names,
               "output_names": output_names, "dynamic_axes": dynamic_axes, "do_constant_folding": do_constant_folding,
               "keep_initializers_as_inputs": keep_initializers_as_inputs, "export_params": export_params}
    if _is_path(f):
        graph.export_onnx(f, external_data=external_data, **options)
        return graph
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.onnx"
        graph.export_onnx(path, external_data=False, **options)
        f.write(path.read_bytes())
    return graph


def _is_path(f: Any) -> bool:
    if isinstance(f, (str, os.PathLike)):
        return True
    if not hasattr(f, "write"):
        raise TypeError(f"f must be a path or a binary file, got {type(f).__name__}")
    return False


def _graph_of(model: Any, args: Any, kwargs: Mapping[str, Any] | None, dynamic_shapes: Any, inputs: Inputs,
              traces: bool) -> Graph:
    is_module = not isinstance(model, (str, bytes, bytearray, memoryview, os.PathLike, Graph))
    if not is_module:
        if kwargs or dynamic_shapes is not None or (not isinstance(args, tuple) or args):
            raise TypeError("args, kwargs and dynamic_shapes are for modules; inputs= says the shapes of a file's inputs")
        from . import load  # pylint: disable=import-outside-toplevel; which imports this
        graph = model if isinstance(model, Graph) else load(model)
        return graph if inputs is None else graph.with_inputs(inputs)
    import torch  # pylint: disable=import-outside-toplevel; only who has a module has PyTorch
    args = args if isinstance(args, tuple) else (args,)
    with _evaluating(model):
        if isinstance(model, torch.export.ExportedProgram):
            return export(model)
        if isinstance(model, torch.jit.ScriptModule):
            if inputs is None and kwargs:
                raise TypeError("a scripted module takes args or inputs=, not kwargs")
            return script(model, inputs=inputs if inputs is not None else list(args))
        is_function = not isinstance(model, torch.nn.Module)
        if (traces or is_function) and dynamic_shapes is None:
            return trace(model, args, kwargs=kwargs)
        return export(model, args, kwargs=kwargs, dynamic_shapes=_with_dims(dynamic_shapes))


def _with_dims(shapes: Any) -> Any:
    """Names of extents, which torch.onnx.export takes, as the Dims that torch.export wants."""
    import torch  # pylint: disable=import-outside-toplevel; as above
    dims: dict[str, Any] = {}

    def with_dims(shape: Any) -> Any:
        if isinstance(shape, str):
            return dims.setdefault(shape, torch.export.Dim(shape))
        if isinstance(shape, Mapping):
            return {key: with_dims(item) for key, item in shape.items()}
        return type(shape)(with_dims(item) for item in shape) if isinstance(shape, (tuple, list)) else shape

    return with_dims(shapes)


@contextlib.contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Each part of the module in eval mode for a while."""
    parts = [part for part in getattr(model, "modules", lambda: ())() if part.training]
    for part in parts:
        part.training = False
    try:
        yield
    finally:
        for part in parts:
            part.training = True
