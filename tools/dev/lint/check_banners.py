#!/usr/bin/env python3
"""Each source file begins by saying what it is: a banner that names it, the license, what it is for.

C, C++ and TableGen:  //===- Name.cpp - one line purpose ---*- C++ -*-===//
                      // SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
Python:               a docstring or the banner.   Scripts and Python name the license within the first 20 lines.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import ast
import posixpath
import re

from common import Finding, run_lint

SPDX = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"
# A test's input is what it tests; lit tests in TorchScript or C are inputs too.
SKIPPED = ("third_party/", "docs/generated/", "test/frontends/", "test/tools/", "test/compiler/")


def c_findings(tree, name):
    lines = tree.lines(name)
    base = posixpath.basename(name)
    first = lines[0] if lines else ""
    if not re.match(rf"(//|/\*)===- {re.escape(base)} - \S.*===", first):
        yield Finding(name, 1, f"the banner is '//===- {base} - purpose ---*- C++ -*-===//', got '{first[:60]}'")
    if not any(SPDX in line for line in lines[:6]):
        yield Finding(name, 2, f"the license is missing: // {SPDX}")


def script_findings(tree, name):
    text = tree.text(name)
    if name.endswith(".py") and not posixpath.basename(name).startswith("lit.") \
            and ast.get_docstring(ast.parse(text)) is None and "===- " not in text[:200]:
        yield Finding(name, 1, "a docstring that says what the file is for is missing")
    if not any(SPDX in line for line in text.splitlines()[:20]):
        yield Finding(name, 1, f"the license is missing within the first 20 lines: {SPDX}")


def lint(tree):
    for name in tree.matching(".h", ".c", ".cpp", ".td", skip=SKIPPED):
        yield from c_findings(tree, name)
    scripts = [name for name in tree.matching(under="tools/dev/") if "." not in posixpath.basename(name)]
    for name in [*tree.matching(".py", ".sh", skip=SKIPPED), *scripts]:
        if tree.text(name).strip():
            yield from script_findings(tree, name)


if __name__ == "__main__":
    run_lint(lint, __doc__)
