#!/usr/bin/env python3
"""C and C++ look as clang-format 22 prints them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import os
import re
import subprocess

from common import Finding, run_lint

CLANG_FORMAT = os.path.join(os.environ.get("GRAVEN_LLVM", "/usr/lib/llvm-22"), "bin/clang-format")
DIAGNOSTIC = re.compile(r"^(.*?):(\d+):\d+: (?:error|warning):")


def lint(tree):
    # The inputs of lit tests carry RUN lines and stay as their authors wrote them.
    files = [name for name in tree.matching(".h", ".c", ".cpp")
             if not name.startswith("test/") or name.startswith(("test/unit/", "test/lib/"))]
    if not files:
        return
    result = subprocess.run([CLANG_FORMAT, "--dry-run", "--Werror", "--style=file", *files], cwd=tree.root,
                            capture_output=True, text=True)
    first = {}
    for line in result.stderr.splitlines():
        if match := DIAGNOSTIC.match(line):
            first.setdefault(match[1], int(match[2]))
    for name, line in first.items():
        yield Finding(name, line, "not as clang-format prints it: clang-format-22 -i it")
    if result.returncode != 0 and not first:
        yield Finding(".clang-format", 1, f"clang-format failed: {result.stderr.strip()[:200]}")


if __name__ == "__main__":
    run_lint(lint, __doc__)
