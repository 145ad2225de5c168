"""What the new-*.py commands share: careful edits of the tree, all of them or none.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLANG_FORMAT = os.path.join(os.environ.get("GRAVEN_LLVM", "/usr/lib/llvm-22"), "bin/clang-format")
LICENSE = "// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"


class Problem(Exception):
    """What the user asked for cannot be done; the message says why."""


def banner(name, purpose, language="C++"):
    """The first line of a source file, 80 columns wide where the purpose leaves room."""
    start, end = f"//===- {name} - {purpose} ", f"*- {language} -*-===//"
    return f"{start}{'-' * max(1, 80 - len(start) - len(end))}{end}"


def words(camel):
    """FuseConvBN -> ['fuse', 'conv', 'bn']"""
    return [word.lower() for word in re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z][a-z0-9]*|[A-Z]+", camel)]


def camel(snake):
    """max_pool -> MaxPool"""
    return "".join(part.capitalize() for part in snake.split("_"))


class Edits:
    """New contents of files, written together by apply(), so that a problem leaves the tree as it was."""

    def __init__(self, root):
        self.root = root
        self.contents = {}

    def exists(self, path):
        return path in self.contents or (self.root / path).exists()

    def read(self, path):
        if path not in self.contents:
            if not (self.root / path).exists():
                raise Problem(f"{path} does not exist")
            self.contents[path] = (self.root / path).read_text()
        return self.contents[path]

    def create(self, path, content):
        if self.exists(path):
            raise Problem(f"{path} exists already")
        self.contents[path] = content

    def replace(self, path, start, end, text):
        content = self.read(path)
        self.contents[path] = content[:start] + text + content[end:]

    def insert_before(self, path, anchor, text):
        """Inserts `text` before the last line that the regular expression `anchor` matches at its start."""
        content = self.read(path)
        matches = list(re.finditer(anchor, content, re.MULTILINE))
        if not matches:
            raise Problem(f"{path} has no line like '{anchor}' to insert before")
        self.replace(path, matches[-1].start(), matches[-1].start(), text)

    def add_source(self, cmake, source):
        """Adds a source to the first graven_library of a CMakeLists.txt, one a line, in alphabetical place."""
        content = self.read(cmake)
        match = re.search(r"graven_library\(\w+((?:\s+\S+\.cpp)+)", content)
        if not match:
            raise Problem(f"{cmake} has no graven_library with sources")
        sources = match[1].split()
        if source not in sources:
            lines = [f"\n  {name}" for name in sorted([*sources, source], key=str.lower)]
            rest = re.sub(r"^[ \t]+(?=\S)", "\n  ", content[match.end():])
            self.contents[cmake] = content[:match.start(1)] + "".join(lines) + rest

    def apply(self):
        """Writes the files, C++ as clang-format prints it."""
        for path, content in sorted(self.contents.items()):
            target = self.root / path
            is_new = not target.exists()
            if not is_new and target.read_text() == content:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
            if path.endswith((".cpp", ".h")):
                subprocess.run([CLANG_FORMAT, "-i", "--style=file", target], check=True)
            print(f"{'created' if is_new else 'edited '} {path}")


def run(scaffold, parser, hints):
    """Runs scaffold(edits, arguments) for the command line, then says what to do next."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--root", type=pathlib.Path, default=ROOT, help="the checkout to edit")
    arguments = parser.parse_args()
    edits = Edits(arguments.root.resolve())
    try:
        scaffold(edits, arguments)
    except Problem as problem:
        print(f"{parser.prog}: {problem}", file=sys.stderr)
        sys.exit(2)
    edits.apply()
    print(hints)
