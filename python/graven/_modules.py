"""Graphs of PyTorch's modules: graven.trace, script and export. PyTorch is imported when one of them is called.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
from __future__ import annotations

import contextlib
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
    args, named = _tensors_of(module, args if isinstance(args, tuple) else (args,), kwargs or {})
    with torch.no_grad(), warnings.catch_warnings(), _unchanged_buffers(module):
        warnings.simplefilter("ignore", DeprecationWarning)
        traced = torch.jit.trace(module, args, example_kwarg_inputs=named, check_trace=False, strict=False)
    # The file of a function says nothing of its inputs.
    inputs = list(args) if not isinstance(module, torch.nn.Module) and args else None
    return _saved(traced, module, inputs, name)


def _tensors_of(module: Any, args: tuple, kwargs: Mapping[str, Any]) -> tuple[tuple | None, dict[str, Any] | None]:
    """The arguments as torch.jit.trace takes them: in a tuple or by name, but not both, and nothing that is None."""
    called = getattr(module, "forward", module)
    for argument in (*args, *kwargs.values()):
        if isinstance(argument, (bool, int, float, complex, str)):
            raise TypeError(f"a trace has tensors alone, got the argument {argument!r}; torch.export keeps such arguments")
    if not kwargs and not any(argument is None for argument in args):
        return args or None, None
    bound = inspect.signature(called).bind(*args, **kwargs)
    parameters = bound.signature.parameters
    for name in [name for name, argument in bound.arguments.items() if argument is None]:
        if parameters[name].default is not None:
            raise TypeError(f"the argument {name!r} is None, which a trace has not, and None is not its default")
        del bound.arguments[name]
    kinds = {parameters[name].kind for name in bound.arguments}
    if kinds & {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}:
        raise TypeError("a trace has arguments in their order or by their names: forward takes some in one way alone")
    return None, dict(bound.arguments)


@contextlib.contextmanager
def _unchanged_buffers(module: Any) -> Iterator[None]:
    """What the module writes to its buffers while it is traced is taken back: the file begins with what there was."""
    buffers = [(buffer, buffer.detach().clone(), buffer._version)  # pylint: disable=protected-access; counts writes
               for buffer in getattr(module, "buffers", lambda: ())()]
    yield
    for buffer, before, version in buffers:
        if buffer._version != version:  # pylint: disable=protected-access
            buffer.copy_(before)


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
    return Graph(f"<{name}>", buffer.getvalue(), name, None, dims, hints=_hints(program), aliases=aliases,
                 places=_places(program))


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


def _places(program: torch.export.ExportedProgram) -> dict[tuple[int, int], str]:
    """The symbols that extents of input tensors are, by the input's number and the axis."""
    values = {node.name: node.meta.get("val") for node in program.graph.find_nodes(op="placeholder")}
    tensors = [value for name in program.graph_signature.user_inputs if hasattr(value := values.get(name), "shape")]
    return {(i, axis): str(extent.node.expr) for i, tensor in enumerate(tensors) for axis, extent in enumerate(tensor.shape)
            if not isinstance(extent, int) and extent.node.expr.is_symbol}


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
