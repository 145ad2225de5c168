#!/usr/bin/env python3
"""The one direction of dependency (includes and CMake LINK lists):
dialects <- passes <- compiler <- tools; frontends -> dialects; runtime -> nothing, not even LLVM.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import re

from common import TOP_FOLDERS, Finding, line_of, run_lint

# Test and tools may include anything, and everybody the C interface of compiled models.
MAY_USE = {
    "runtime": {"runtime"},
    "dialects": {"dialects"},
    "passes": {"passes", "dialects"},
    "frontends": {"frontends", "dialects", "runtime"},
    "compiler": {"compiler", "passes", "frontends", "dialects", "runtime"},
    "python": {"python", "compiler", "passes", "frontends", "dialects", "runtime"},
    # A program of a user, who has all of the libraries.
    "examples": {"examples", "compiler", "frontends", "runtime"},
}
INCLUDE = re.compile(r'^\s*#?\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
# Headers of libraries that a source may name in quotes; a folder of ours is written out from the root.
OUTSIDE = ("mlir/", "llvm/", "llvm-c/", "mlir-c/", "lld/", "gtest/", "gmock/", "onnx/")
COMPILER_LIBRARY = ("mlir/", "llvm/", "llvm-c/", "mlir-c/", "lld/", "clang/")
TARGET = re.compile(r"\b(?:graven_library|add_library|graven_executable)\(\s*(Graven\w+)([^)]*)\)")


def include_findings(tree, name, folder):
    text = tree.text(name)
    for match in INCLUDE.finditer(text):
        quoted, angled = match.groups()
        header = quoted or angled
        line = line_of(text, match.start(1) if quoted else match.start(2))
        if folder in ("runtime", "examples") and header.startswith(COMPILER_LIBRARY):
            yield Finding(name, line, f"{folder}/ depends on nothing, but this includes '{header}'")
        if not quoted:
            continue
        owner = header.split("/")[0]
        if owner in TOP_FOLDERS and "/" in header:
            if owner not in MAY_USE.get(folder, {owner}) and not header.startswith("runtime/include/"):
                yield Finding(name, line, f"{folder}/ must not depend on {owner}/, but this includes '{header}'")
        elif folder not in ("examples", "test") and not header.startswith(OUTSIDE):
            yield Finding(name, line, f"an include is the path from the root, got '{header}'")


def link_findings(tree):
    lists = {name: tree.text(name) for name in tree.matching("CMakeLists.txt")}
    owner = {match[1]: name.split("/")[0] for name, text in lists.items() for match in TARGET.finditer(text)}
    for name, text in lists.items():
        folder = name.split("/")[0]
        for match in TARGET.finditer(text):
            for word in re.findall(r"\bGraven\w+", match[2]):
                used = owner.get(word)
                if used and used not in MAY_USE.get(folder, {used}):
                    yield Finding(name, line_of(text, match.start()),
                                  f"{match[1]} of {folder}/ must not link {word} of {used}/")


def lint(tree):
    for name in tree.matching(".h", ".c", ".cpp", ".td"):
        folder = name.split("/")[0]
        if folder in TOP_FOLDERS:
            yield from include_findings(tree, name, folder)
    yield from link_findings(tree)


if __name__ == "__main__":
    run_lint(lint, __doc__)
