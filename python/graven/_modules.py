"""Graphs of PyTorch's modules: graven.trace, script and export. PyTorch is imported when one of them is called.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
from __future__ import annotations

import inspect
import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._graph import Graph
from ._specs import Dims, Inputs

if TYPE_CHECKING:
    import torch


def trace(module: torch.nn.Module, args: Any, *, kwargs: Mapping[str, Any] | None = None, name: str | None = None) -> Graph:
    """The Graph of what a module does with these arguments, as torch.jit.trace records it.

    module  a module in eval mode, or a function of tensors.
    args    a tensor, or the tuple of forward's arguments; kwargs those that it takes by name. They give the types and
            shapes of the inputs.
    name    prefix of C symbols; of the module's class when None.

    Raises graven.Error when the module does what Graven cannot express; what PyTorch raises while it traces is not
    changed. Imports PyTorch.
    """
    import torch  # pylint: disable=import-outside-toplevel; only who has a module has PyTorch
    args = args if isinstance(args, tuple) else (args,)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        traced = torch.jit.trace(module, args or None, example_kwarg_inputs=dict(kwargs) if kwargs else None,
                                 check_trace=False, strict=False)
    # The file of a function says nothing of its inputs.
    inputs = list(args) if not isinstance(module, torch.nn.Module) and not kwargs else None
    return _saved(traced, module, inputs, name)


def script(module: torch.nn.Module, *, inputs: Inputs = None, name: str | None = None) -> Graph:
    """The Graph of a module as torch.jit.script compiles it, with its control flow.

    module  a module in eval mode, scripted or to be scripted.
    inputs  types and shapes of the inputs, as for graven.compile: {"x": "f32[1,3,8,8]"}. Without them there are no
            Nodes to show, and a compiled model compiles when it is called (see Graph).
    name    prefix of C symbols; of the module's class when None.

    Raises graven.Error when the module does what Graven cannot express. Imports PyTorch.
    """
    import torch  # pylint: disable=import-outside-toplevel; only who has a module has PyTorch
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        scripted = module if isinstance(module, torch.jit.ScriptModule) else torch.jit.script(module)
    return _saved(scripted, module, inputs, name)


def _saved(module: Any, original: Any, inputs: Inputs, name: str | None) -> Graph:
    import torch  # pylint: disable=import-outside-toplevel; only who has a module has PyTorch
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(module, buffer)
    name = name or name_of(original)
    return Graph(f"<{name}>", buffer.getvalue(), name, inputs)


def export(module: torch.nn.Module | torch.export.ExportedProgram, args: Any = (), *,
           kwargs: Mapping[str, Any] | None = None, dynamic_shapes: Any = None, dims: Dims = None,
           name: str | None = None) -> Graph:
    """The Graph of a module as torch.export exports it.

    module          a module in eval mode, or what torch.export.export made of one.
    args            a tensor, or the tuple of forward's arguments; kwargs those that it takes by name.
    dynamic_shapes  what extents are dynamic, as torch.export.export takes it. A Dim's range is that of the extent. The
                    Graph is shown with the extents of `args`, and compiled for all.
    dims            what dynamic extents may be, {"batch": "1..64"}, by the name of their Dim or of their symbol.
    name            prefix of C symbols; of the module's class when None.

    Raises graven.Error when the program does what Graven cannot express; what PyTorch raises while it exports is not
    changed. Imports PyTorch.
    """
    import torch  # pylint: disable=import-outside-toplevel; only who has a module has PyTorch
    args = args if isinstance(args, tuple) else (args,)
    program, name = module, name or name_of(module)
    aliases = {}
    if not isinstance(program, torch.export.ExportedProgram):
        with torch.no_grad():
            program = torch.export.export(module, args, dict(kwargs) if kwargs else None, dynamic_shapes=dynamic_shapes,
                                          strict=False)
        aliases = _dim_names(program, module, args, kwargs or {}, dynamic_shapes)
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    return Graph(f"<{name}>", buffer.getvalue(), name, None, dims, hints=_hints(program), aliases=aliases)


def name_of(module: Any) -> str:
    """What a model is called that has no file."""
    return getattr(module, "original_name", None) or getattr(module, "__name__", None) or type(module).__name__


def _shapes(program: torch.export.ExportedProgram) -> list[Sequence[Any]]:
    """The shapes of the program's own inputs, in their order; empty ones of what is no tensor."""
    names = program.graph_signature.user_inputs
    values = {node.name: node.meta.get("val") for node in program.graph.find_nodes(op="placeholder")}
    return [getattr(values.get(name), "shape", ()) for name in names]


def _hints(program: torch.export.ExportedProgram) -> dict[str, int]:
    """The extents with which a program was exported, by their symbols."""
    hints = {}
    for shape in _shapes(program):
        for extent in shape:
            symbol = None if isinstance(extent, int) else _symbol(extent.node.expr)
            if symbol is not None and extent.node.has_hint():
                offset = extent.node.expr.subs(symbol, 0)
                scale = extent.node.expr.subs(symbol, 1) - offset
                hints[str(symbol)] = int((extent.node.hint - offset) / scale)
    return hints


def _symbol(expression: Any) -> Any:
    """The one symbol of an extent such as 2 * s + 1."""
    symbols = getattr(expression, "free_symbols", ())
    return next(iter(symbols)) if len(symbols) == 1 else None


def _dim_names(program: torch.export.ExportedProgram, module: Any, args: tuple, kwargs: Mapping[str, Any],
               dynamic_shapes: Any) -> dict[str, str]:
    """The symbols of the program by the names of the Dims that asked for them."""
    if dynamic_shapes is None:
        return {}
    arguments = inspect.signature(module.forward).bind(*args, **kwargs).arguments
    if not isinstance(dynamic_shapes, Mapping):
        dynamic_shapes = dict(zip(arguments, dynamic_shapes))
    specs = list(_leaves(dict(arguments), dynamic_shapes))
    names = {}
    for shape, spec in zip(_shapes(program), specs):
        pairs = spec.items() if isinstance(spec, Mapping) else enumerate(spec or ())
        for axis, dim in pairs:
            expression = getattr(getattr(shape[axis], "node", None), "expr", None)
            named = getattr(dim, "root", dim)
            if hasattr(named, "__name__") and _symbol(expression) is not None:
                names[named.__name__] = str(_symbol(expression))
    return names


def _leaves(value: Any, spec: Any) -> Iterator[Any]:
    """What a structure of specifications says of each leaf of an equal structure."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, spec.get(key) if isinstance(spec, Mapping) else None)
    elif isinstance(value, (tuple, list)):
        for i, item in enumerate(value):
            yield from _leaves(item, spec[i] if isinstance(spec, (tuple, list)) else None)
    else:
        yield spec
