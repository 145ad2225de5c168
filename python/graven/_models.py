"""Models that are compiled when they are called.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from ._core import Model, Stats, TensorSpec
from ._errors import Error
from ._specs import numpy_dtype, specification
from ._structure import Forms, Numbers, flatten, is_form, is_text

if TYPE_CHECKING:
    from ._graph import Graph

# Inputs of more elements than this are no axes, sizes or flags: nothing is compiled for their values.
MOST_KNOWN = 1024


class SpecializingModel:
    """A model that compiles for the types and shapes it is called with, once for each combination.

    Made by graven.compile and Graph.compile where types and shapes are not known before, or where the Graph depends on
    the elements of inputs (axes, sizes, flags): it is compiled for their values, too, as long as they are at most 1024.
    Calls are as those of Model. An output whose extents depend on an input's has those of that call. Threads may share
    it.

    A sequence of ONNX is a list, an optional that holds nothing None: it is compiled for how many tensors there are.
    """

    def __init__(self, compile_for: Callable[[_core.Options, int], Model], options: _core.Options) -> None:
        self._compile_for, self._options = compile_for, options
        self._models: dict[tuple, Model] = {}
        self._others: dict[Forms, SpecializingModel] = {}  # for calls with sequences
        self._names: tuple[str, ...] = ()
        self._needed: dict[int, str] = {}  # inputs whose values the Graph depends on: positions and names
        self._strings = Numbers()  # of inputs for whose values models are compiled
        self._lock = threading.Lock()

    @property
    def models(self) -> tuple[Model, ...]:
        """The models compiled so far, in the order of the calls that needed them."""
        return tuple(model for own in (self, *self._others.values()) for model in own._models.values())

    def specialize(self, *args: Any, **kwargs: Any) -> Model:
        """The model for arguments of these types and shapes; compiles it where there is none yet.

        Inputs for whose values it is compiled are no inputs of it.
        """
        forms, tensors, named = flatten(args, kwargs)
        other = self._of(forms)
        with other._lock:
            return other._find(tuple(tensors), named)

    def _of(self, forms: Forms) -> SpecializingModel:
        """The one for calls whose arguments are in these sequences; it is called with their tensors."""
        if not forms:
            return self
        with self._lock:
            if forms not in self._others:
                options = self._with([*self._options.inputs, *forms])
                self._others[forms] = SpecializingModel(self._compile_for, options)
            return self._others[forms]

    def _with(self, inputs: list[str], values: Sequence[tuple[str, np.ndarray]] = ()) -> _core.Options:
        old = self._options
        return _core.Options(old.name, inputs, old.dims, old.target, old.cpu, old.level, old.numerics, old.precision, old.threads,
                             list(values), self._strings.texts if values else [])

    def _find(self, args: tuple, kwargs: dict[str, Any]) -> Model:
        while True:
            others, named = self._without_needed(args, kwargs)
            specs = self._specs(others, named)
            values = {self._needed[i]: value for i, value in enumerate(args) if i in self._needed}
            values |= {name: value for name, value in kwargs.items() if name in self._needed.values()}
            values = {name: self._strings.read(name, value) if is_text(value) else np.asarray(value, order="C")
                      for name, value in values.items()}
            key = self._key(specs), tuple(sorted((name, specification(value), value.tobytes())
                                                 for name, value in values.items()))
            if key in self._models:
                return self._models[key]
            try:
                model = self._compile(args, kwargs, values)
            except Error as error:
                self._learn(error, args, kwargs)
                continue
            self._names = self._names or model.input_names
            self._models[self._key(specs), key[1]] = model
            return model

    def _specs(self, args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, str]:
        try:
            return {name: specification(value) for name, value in [*((str(i), a) for i, a in enumerate(args)),
                                                                   *kwargs.items()]}
        except TypeError as error:
            raise TypeError(f"{error}: only arrays say what to compile for") from None

    def _without_needed(self, args: tuple, kwargs: dict[str, Any]) -> tuple[list, dict[str, Any]]:
        """The arguments that the compiled models take."""
        return ([value for i, value in enumerate(args) if i not in self._needed],
                {name: value for name, value in kwargs.items() if name not in self._needed.values()})

    def _key(self, specs: dict[str, str]) -> tuple:
        """The same for arguments by position and by name, once the names are known."""
        names = {str(i): name for i, name in enumerate(self._names)}
        return tuple(sorted((names.get(name, name), spec) for name, spec in specs.items()))

    def _compile(self, args: tuple, kwargs: dict[str, Any], values: dict[str, np.ndarray]) -> Model:
        specs = self._specs(args, kwargs)
        for position, name in self._needed.items():
            specs.pop(str(position), None)
            specs.pop(name, None)
        own = [spec for spec in self._options.inputs if spec.rpartition(":")[0] not in specs or is_form(spec)]
        options = self._with([*own, *(f"{name}:{spec}" for name, spec in specs.items())], list(values.items()))
        return self._compile_for(options, 7)

    def _learn(self, error: Error, args: tuple, kwargs: dict[str, Any]) -> None:
        """Takes from an error which inputs' values the Graph depends on; raises it where that does not help."""
        needed = {position: name for name, position in error.needed}
        values = [args[i] if i < len(args) else kwargs.get(name) for i, name in needed.items()]
        if not needed.keys() - self._needed.keys() or any(
                value is None or np.size(value) > MOST_KNOWN for value in values):
            raise error
        self._needed |= needed
        self._names = ()
        self._models.clear()

    def __call__(self, *args: Any, **kwargs: Any) -> np.ndarray | list[np.ndarray]:
        """Runs the model for these arguments, compiled before if there is none for them.

        Raises graven.Error when the model cannot be compiled for them, as graven.compile does.
        """
        results = self.run(*args, **kwargs)
        return results[0] if len(results) == 1 else results

    def run(self, *args: Any, **kwargs: Any) -> list[Any]:
        """As a call, with a list of the outputs, also of one."""
        forms, tensors, named = flatten(args, kwargs)
        return self._of(forms)._run(tuple(tensors), named)

    def _run(self, args: tuple, kwargs: dict[str, Any]) -> list[Any]:
        with self._lock:
            model = self._find(args, kwargs)
        others, named = self._without_needed(args, kwargs)
        return model.run(*others, **named)

    def save(self, path: str) -> None:
        """Writes the artifact, when there is just one; Graph.save writes those of given shapes."""
        if len(self.models) != 1:
            raise Error(f"there are {len(self.models)} models, expected one: save one of .models, or a Graph with inputs")
        self.models[0].save(path)

    def __repr__(self) -> str:
        return f"<graven.SpecializingModel '{self._options.name}', compiled for {len(self.models)} shapes>"


class StatefulModel:
    """A model that keeps the buffers it writes from one run to the next, as a module of PyTorch does.

    Made by graven.compile(..., state="internal"). Calls are as those of Model, without the buffers. A run that fails
    leaves the buffers as they were. Threads may share it; runs take turns. save() writes the model with its buffers as
    inputs NAME and outputs NAME.next.
    """

    def __init__(self, model: Model, graph: Graph) -> None:
        if not isinstance(model, Model):
            raise ValueError("state='internal' needs the types and shapes of all inputs")
        own = {spec.name for spec in graph.inputs}
        params = graph.params
        # What is written and never read begins with anything.
        self._initial = {spec.name: params[spec.name].numpy() if spec.name in params
                         else np.zeros(spec.shape, numpy_dtype(spec.dtype))
                         for spec in model.inputs if spec.name not in own}
        self._model, self._lock = model, threading.Lock()
        self._places = [model.output_names.index(f"{name}.next") for name in self._initial]
        self.reset()

    def reset(self) -> None:
        """The buffers are what the file holds again."""
        self.state = self._initial

    @property
    def state(self) -> dict[str, np.ndarray]:
        """The buffers by name, copied. Setting gives some or all of them other values."""
        with self._lock:
            return {name: np.array(value) for name, value in self._state.items()}

    @state.setter
    def state(self, values: Mapping[str, Any]) -> None:
        if unknown := sorted(set(values) - set(self._initial)):
            raise ValueError(f"no buffers of this model: {', '.join(unknown)}")
        new = {name: np.array(value) for name, value in values.items()}
        for name, value in new.items():
            if (value.shape, value.dtype) != (self._initial[name].shape, self._initial[name].dtype):
                raise ValueError(f"'{name}' is {self._initial[name].dtype} of shape {self._initial[name].shape}, "
                                 f"got {value.dtype} of shape {value.shape}")
        with self._lock:
            self._state = getattr(self, "_state", {}) | new

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """A TensorSpec for each input that a call gives."""
        return tuple(spec for spec in self._model.inputs if spec.name not in self._initial)

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """A TensorSpec for each array that a call returns."""
        return tuple(spec for i, spec in enumerate(self._model.outputs) if i not in self._places)

    @property
    def stats(self) -> Stats:
        """Times and sizes, as a Model has them."""
        return self._model.stats

    def __call__(self, *args: Any, **kwargs: Any) -> np.ndarray | list[np.ndarray]:
        """Runs the model, and keeps what it wrote."""
        own = self.run(*args, **kwargs)
        return own[0] if len(own) == 1 else own

    def run(self, *args: Any, **kwargs: Any) -> list[Any]:
        """As a call, with a list of the outputs, also of one."""
        with self._lock:
            results = self._model.run(*args, **kwargs, **self._state)
            self._state = {name: results[place] for name, place in zip(self._initial, self._places)}
        return [result for i, result in enumerate(results) if i not in self._places]

    def save(self, path: str) -> None:
        """Writes the artifact, whose buffers are inputs and outputs."""
        self._model.save(path)

    def __repr__(self) -> str:
        return f"<graven.StatefulModel '{self._model.name}', keeps {', '.join(self._initial) or 'nothing'}>"
