#!/usr/bin/env python3
"""No unfinished work named in the sources: what is not supported is a located, coded error with a test.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import re

from common import Finding, run_lint

WORDS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK|not (?:yet )?imple" r"mented|unimple" r"mented|for n" r"ow)\b")
# One word in two literals, so that this file does not find itself.


def lint(tree):
    for name in tree.matching(".h", ".c", ".cpp", ".td", ".py", ".sh", ".cmake", "CMakeLists.txt", ".mlir", ".md"):
        for number, line in enumerate(tree.lines(name), 1):
            if match := WORDS.search(line):
                yield Finding(name, number, f"unfinished work: '{match[0]}'")


if __name__ == "__main__":
    run_lint(lint, __doc__)
