#!/usr/bin/env python3
"""A file that is about one thing is at most 400 lines long, 800 where it cannot be split; a test at most 400.
Committed files are at most 1 MB.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
from common import Finding, run_lint

SOURCES = (".h", ".c", ".cpp", ".td", ".py", ".cmake", "CMakeLists.txt")
MOST_LINES = 800
MOST_LINES_OF_TEST = 400
MOST_BYTES = 1_000_000


def lint(tree):
    for name in tree.matching(skip=()):
        if (size := (tree.root / name).stat().st_size) > MOST_BYTES:
            yield Finding(name, 1, f"{size} bytes, at most {MOST_BYTES} are committed")
    for name in tree.matching(*SOURCES, ".mlir", ".test"):
        most = MOST_LINES_OF_TEST if name.startswith("test/") else MOST_LINES
        if (count := len(tree.lines(name))) > most:
            yield Finding(name, most + 1, f"{count} lines, at most {most}: split it by what it is about")


if __name__ == "__main__":
    run_lint(lint, __doc__)
