"""What goes wrong: graven.Error and the diagnostics it holds.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
from __future__ import annotations

from typing import NamedTuple


class Diagnostic(NamedTuple):
    """One message of the compiler."""

    severity: str  # "error", "warning" or "remark"
    code: str | None  # "GRV0201"; `graven explain GRV0201` says more
    message: str
    location: str | None  # "model.py:12", the name of an ONNX node
    notes: tuple[str, ...] = ()
    needed: tuple[tuple[str, int], ...] = ()  # inputs whose elements would have to be known: names and positions

    def __str__(self) -> str:
        head = f"{self.location}: " if self.location else ""
        code = f"[{self.code}] " if self.code else ""
        return "\n  ".join([f"{head}{code}{self.message}", *self.notes])


class Error(Exception):
    """A model, an input or an artifact is not as it must be. str() has a line for each diagnostic.

    code         the first code among the diagnostics, "GRV0201"; None when there is none
    diagnostics  all of them, in the order in which they were found
    """

    def __init__(self, message: str = "", diagnostics: tuple[Diagnostic, ...] = ()) -> None:
        super().__init__(message, diagnostics)
        self.message = message
        self.diagnostics = diagnostics

    @property
    def code(self) -> str | None:
        return next((diagnostic.code for diagnostic in self.diagnostics if diagnostic.code), None)

    @property
    def needed(self) -> tuple[tuple[str, int], ...]:
        """Inputs whose elements would have to be known, where that is all that is wrong: names and positions."""
        errors = [diagnostic for diagnostic in self.diagnostics if diagnostic.severity == "error"]
        if not all(diagnostic.needed for diagnostic in errors):
            return ()
        return tuple(entry for diagnostic in errors for entry in diagnostic.needed)

    def __str__(self) -> str:
        return self.message


class CompileWarning(UserWarning):
    """The model was compiled, and something about it should be known."""


def make_error(diagnostics: list[tuple]) -> Error:
    """The exception for what the extension reports."""
    found = tuple(Diagnostic(*entry) for entry in diagnostics)
    return Error("\n".join(map(str, found)), found)
