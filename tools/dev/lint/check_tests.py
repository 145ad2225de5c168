#!/usr/bin/env python3
"""Each test asserts something, and none is switched off without a reason.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import ast
import posixpath
import re

from common import Finding, line_of, run_lint

LIT_FOLDERS = ("test/dialects/", "test/passes/", "test/compiler/", "test/frontends/", "test/runtime/", "test/tools/",
               "test/examples/", "test/lib/")
# What makes a lit test fail: FileCheck, expected diagnostics, check.* ops, or a comparison.
LIT_ASSERTION = re.compile(
    r"FileCheck|expected-(?:error|note|warning|remark)|check\.expect|\bdiff\b|\bcmp\b|%exits\b|\bnot |"
    r"graven check\b|--expect\b")
GTEST = re.compile(r"^TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\s*\)", re.MULTILINE)
GTEST_ASSERTION = re.compile(r"\b(?:EXPECT|ASSERT)_\w+|\b(?:FAIL|ADD_FAILURE)\(|\b(?:expect|check|verify)[A-Z]\w*(?:<[^<>()]*>)?\(|\bSUCCEED\(")
PYTHON_ASSERTION = re.compile(r"(?:^|_)(?:assert|check|expect|verify|raises|compare)", re.IGNORECASE)


def lit_findings(tree, name):
    text = tree.text(name)
    commands = "\n".join(line for line in text.splitlines() if "RUN:" in line)
    if not commands:
        yield Finding(name, 1, "this test has no RUN line")
    elif not LIT_ASSERTION.search(text):
        yield Finding(name, 1, "this test asserts nothing")
    if match := re.search(r"^.*\bXFAIL:.*$", text, re.MULTILINE):
        yield Finding(name, line_of(text, match.start()), "a test that is expected to fail; test what does happen")


def gtest_findings(tree, name):
    text = tree.text(name)
    matches = list(GTEST.finditer(text))
    ends = [match.start() for match in matches[1:]] + [len(text)]
    for match, end in zip(matches, ends):
        line = line_of(text, match.start())
        if not GTEST_ASSERTION.search(text[match.start():end]):
            yield Finding(name, line, f"test {match[1]}.{match[2]} asserts nothing")
        if match[2].startswith("DISABLED_"):
            yield Finding(name, line, f"test {match[1]}.{match[2]} is switched off")


def called_name(node):
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def asserts(function, asserting):
    """Whether the function asserts, itself or by calling one of the functions named in `asserting`."""
    return any(isinstance(node, ast.Assert) or isinstance(node, ast.Call) and (
        PYTHON_ASSERTION.search(called_name(node.func)) or called_name(node.func) in asserting)
               for node in ast.walk(function))


def asserting_functions(functions):
    """Names of the functions that assert, however deep."""
    found = set()
    while more := {function.name for function in functions
                   if function.name not in found and asserts(function, found)}:
        found |= more
    return found


def pytest_findings(tree, name):
    functions = [node for node in ast.walk(ast.parse(tree.text(name))) if isinstance(node, ast.FunctionDef)]
    asserting = asserting_functions(functions)
    for node in functions:
        if not node.name.startswith("test"):
            continue
        if node.name not in asserting:
            yield Finding(name, node.lineno, f"{node.name} asserts nothing")
        for mark in node.decorator_list:
            call = mark if isinstance(mark, ast.Call) else None
            if called_name(call.func if call else mark) in ("skip", "xfail") and not (call and call.keywords):
                yield Finding(name, node.lineno, f"{node.name} is switched off without a reason")


def lint(tree):
    for name in tree.matching(".mlir", ".test", ".py", ".c", ".textproto", under="test/"):
        if name.startswith(LIT_FOLDERS) and "/Inputs/" not in name and posixpath.basename(name) != "lit.local.cfg.py":
            yield from lit_findings(tree, name)
    for name in tree.matching("Test.cpp", under="test/unit/"):
        yield from gtest_findings(tree, name)
    for name in tree.matching(".py", under="test/"):
        if posixpath.basename(name).startswith("test_"):
            yield from pytest_findings(tree, name)


if __name__ == "__main__":
    run_lint(lint, __doc__)
