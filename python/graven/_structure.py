"""Sequences, optionals and strings, which compiled code has not: lists, None and str at the border, tensors behind it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ._core import Model

# What an input is, for each by name or position: "0:seq[2]", "y:none[]".
Forms = tuple[str, ...]


def _is_sequence(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def is_form(spec: str) -> bool:
    """Whether a specification is one of those."""
    return spec.rpartition(":")[2].startswith(("seq[", "none["))


def flatten(args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Forms, list[Any], dict[str, Any]]:
    """What arguments are, and the tensors they consist of."""
    forms, flat, named = [], [], {}
    for name, value in [*enumerate(args), *kwargs.items()]:
        if _is_sequence(value):
            forms.append(f"{name}:seq[{len(value)}]")
        elif value is None:
            forms.append(f"{name}:none[]")
        tensors = value if _is_sequence(value) else [] if value is None else [value]
        if isinstance(name, int):
            flat += tensors
        elif _is_sequence(value):
            named |= {f"{name}.{i}": tensor for i, tensor in enumerate(tensors)}
        else:
            named |= {name: tensor for tensor in tensors}
    return tuple(forms), flat, named


def is_text(value: Any) -> bool:
    """Whether this is an array of strings."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "UO"


class Numbers:
    """Numbers of strings: of those that are known, and behind them of what is met."""

    def __init__(self, known: Sequence[str] = ()) -> None:
        self.texts = list(known)
        self._numbers = {text: i for i, text in enumerate(self.texts)}

    def copy(self) -> Numbers:
        return Numbers(self.texts)

    def read(self, name: str, value: Any) -> np.ndarray:
        """An array of strings as their numbers."""
        array = np.asarray(value)
        if array.dtype.kind not in "UO" or not all(isinstance(text, str) for text in array.flat):
            raise TypeError(f"input '{name}': expected an array of strings, got {array.dtype}")
        numbers = np.empty(array.shape, np.int64)
        for i, text in enumerate(array.flat):
            number = self._numbers.setdefault(str(text), len(self.texts))
            if number == len(self.texts):
                self.texts.append(str(text))
            numbers.flat[i] = number
        return numbers

    def write(self, numbers: np.ndarray) -> np.ndarray:
        """The strings of these numbers, as an array of objects."""
        array = np.empty(numbers.shape, object)
        for i, number in enumerate(numbers.flat):
            array.flat[i] = self.texts[number]
        return array


class Structure:
    """What a model's inputs and outputs are, as its artifact says it; see docs/artifact.md."""

    def __init__(self, text: str) -> None:
        known = json.loads(text)
        self._inputs, self._outputs = known.get("inputs"), known["outputs"]
        self._texts = set(known.get("string_inputs", ())), set(known.get("string_outputs", ()))
        self._numbers = Numbers(known.get("strings", ()))

    def flatten(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The tensors of a call. Raises TypeError where they are in other sequences than the model is compiled for."""
        forms, flat, named = flatten(args, kwargs)
        if forms and self._inputs is not None:
            names = {str(i): entry[0] for i, entry in enumerate(self._inputs)}
            own = {f"{entry[0]}:{'none[]' if entry[1] is None else f'seq[{entry[1]}]'}"
                   for entry in self._inputs if len(entry) > 1}
            given = {f"{names.get(name, name)}:{form}" for name, _, form in (form.rpartition(":") for form in forms)}
            if own != given:
                raise TypeError(f"the model is compiled for {', '.join(sorted(own)) or 'tensors'}, "
                                f"got {', '.join(sorted(given))}")
        return flat, named

    def group(self, tensors: Sequence[Any]) -> list[Any]:
        """The outputs as callers see them, of the tensors that the code gives."""
        rest = iter(tensors)
        return [next(rest) if len(entry) == 1 else None if entry[1] is None else [next(rest) for _ in range(entry[1])]
                for entry in self._outputs]

    def run(self, model: Model, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
        """Runs the code, which takes and gives tensors."""
        flat, named = self.flatten(args, kwargs)
        texts, results = self._texts, self._texts[1]
        # Strings of a call are forgotten after it.
        numbers = self._numbers.copy() if texts[0] else self._numbers
        flat = [numbers.read(name, value) if name in texts[0] else value
                for name, value in zip([*model.input_names, *[""] * len(flat)], flat)]
        named = {name: numbers.read(name, value) if name in texts[0] else value for name, value in named.items()}
        tensors = model._run_tensors(*flat, **named)  # pylint: disable=protected-access; its other half
        return self.group([numbers.write(value) if name in results else value
                           for name, value in zip(model.output_names, tensors)])
