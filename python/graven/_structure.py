"""Sequences and optionals, which compiled code has not: lists and None at the border, tensors behind it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

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


class Structure:
    """What a model's inputs and outputs are, as its artifact says it; see docs/artifact.md."""

    def __init__(self, text: str) -> None:
        known = json.loads(text)
        self._inputs, self._outputs = known.get("inputs"), known["outputs"]

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

    def run(self, code: Callable[..., list[Any]], args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
        """Runs the code, which takes and gives tensors."""
        flat, named = self.flatten(args, kwargs)
        return self.group(code(*flat, **named))
