"""What the lints share: the files of the tree, findings, and the command line.

A lint is a function from Tree to findings. It is run over the checkout that it stands in, or over --root FOLDER;
it prints one line for each finding and nothing else, and exits with 1 when there is one.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import argparse
import os
import pathlib
import subprocess
import sys
from typing import Callable, Iterable, Iterator, NamedTuple

TOP_FOLDERS = ("dialects", "passes", "compiler", "frontends", "runtime", "tools", "test", "python", "examples")


class Finding(NamedTuple):
    path: str
    line: int
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.message}"


class Tree:
    """The files of a checkout that git tracks or would track; every file where the folder is no git checkout."""

    def __init__(self, root: pathlib.Path):
        self.root = root.resolve()
        self.files = sorted(self._list())

    def _list(self) -> Iterator[str]:
        if (self.root / ".git").exists():
            listing = subprocess.run(
                ["git", "-C", self.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                check=True, capture_output=True, text=True).stdout
            # A file deleted but not yet committed is still listed.
            return (name for name in listing.split("\0") if name and (self.root / name).is_file())
        return (os.path.relpath(os.path.join(folder, name), self.root)
                for folder, _, names in os.walk(self.root) for name in names)

    def matching(self, *suffixes: str, under: str = "", skip: Iterable[str] = ("third_party/", "docs/generated/")):
        """Paths relative to the root that end in one of `suffixes` (all when there is none)."""
        return [name for name in self.files
                if name.startswith(under) and (not suffixes or name.endswith(suffixes))
                and not name.startswith(tuple(skip))]

    def exists(self, name: str) -> bool:
        return (self.root / name).exists()

    def text(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8", errors="replace")

    def lines(self, name: str) -> list[str]:
        return self.text(name).splitlines()


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def run_lint(lint: Callable[[Tree], Iterable[Finding] | None], description: str):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[3])
    findings = list(lint(Tree(parser.parse_args().root)) or ())
    for finding in findings:
        print(finding)
    sys.exit(1 if findings else 0)
