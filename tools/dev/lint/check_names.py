#!/usr/bin/env python3
"""Names agree: a pass's definition, flag, file and lit test; an op's definition and mnemonic.

Of `def FuseConvBN : Pass<"graven-fuse-conv-bn">` in passes/graph/Passes.td: passes/graph/FuseConvBN.cpp and
test/passes/graph/fuse-conv-bn.mlir, which runs the flag. A pass that rewrites (it has statistics) shows
before ==> after in its description.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import posixpath
import re

from common import Finding, line_of, run_lint

PASS = re.compile(r'^def\s+(\w+)\s*:\s*(?:Interface)?Pass<\s*"([^"]*)"', re.MULTILINE)
OP = re.compile(r'^def\s+(\w+?)_(\w+)Op\s*:\s*\w+<\s*"([\w.]+)"', re.MULTILINE)


def definitions(pattern, text):
    """Matches of `pattern`, each with the text from it to the next definition."""
    starts = [match.start() for match in re.finditer(r"^(?:def|defm|class|let)\b", text, re.MULTILINE)]
    for match in pattern.finditer(text):
        end = min((start for start in starts if start > match.start()), default=len(text))
        yield match, text[match.start():end]


def short_name(definition, flag):
    """The flag as the test is named: without the project's name unless the definition has it (GravenToKernel)."""
    return flag if definition.startswith("Graven") else flag.removeprefix("graven-")


def pass_findings(tree, name):
    text = tree.text(name)
    folder = posixpath.dirname(name)
    for match, body in definitions(PASS, text):
        definition, flag = match.groups()
        line = line_of(text, match.start())
        short = short_name(definition, flag)
        if not flag.startswith("graven-") or short.replace("-", "") != definition.lower():
            yield Finding(name, line, f"pass {definition} has the flag '{flag}', which does not say its name")
        if not tree.exists(f"{folder}/{definition}.cpp"):
            yield Finding(name, line, f"pass {definition} has no {folder}/{definition}.cpp")
        test = f"test/{folder}/{short}.mlir"
        if not tree.exists(test):
            yield Finding(name, line, f"pass {definition} has no {test}")
        elif flag not in tree.text(test):
            yield Finding(test, 1, f"the test of pass {definition} does not run '{flag}'")
        for part in ("summary", "description"):
            if not re.search(rf"\blet {part}\b", body):
                yield Finding(name, line, f"pass {definition} has no {part}")
        if re.search(r"\blet statistics\b", body) and "==>" not in body:
            yield Finding(name, line, f"the description of pass {definition} does not show before ==> after")


def op_findings(tree, name):
    text = tree.text(name)
    for match in OP.finditer(text):
        _, definition, mnemonic = match.groups()
        if definition.lower() != re.sub(r"[_.]", "", mnemonic):
            yield Finding(name, line_of(text, match.start()),
                          f"op {definition}Op has the mnemonic '{mnemonic}', which does not say its name")


def test_findings(tree, folders):
    """A test beside the passes' tests whose name begins with no pass's flag."""
    for folder, flags in folders.items():
        for name in tree.matching(".mlir", under=f"test/{folder}/"):
            directory, base = posixpath.split(name)
            if directory == f"test/{folder}" and not any(
                    base == f"{flag}.mlir" or base.startswith(f"{flag}-") for flag in flags):
                yield Finding(name, 1, f"the name of this test begins with no pass of {folder}/Passes.td")


def lint(tree):
    folders = {}
    for name in tree.matching(".td", under="passes/"):
        if name.endswith("Passes.td"):
            yield from pass_findings(tree, name)
            flags = folders.setdefault(posixpath.dirname(name), [])
            flags.extend(short_name(*match.groups()) for match in PASS.finditer(tree.text(name)))
    yield from test_findings(tree, folders)
    for name in tree.matching(".td", under="dialects/"):
        yield from op_findings(tree, name)


if __name__ == "__main__":
    run_lint(lint, __doc__)
