#!/usr/bin/env python3
"""clang-tidy on the sources that changed since the branch left origin/main (the last commit where there is none).

The smallest changes come first and MOST_FILES bound the time; .clang-tidy says which checks.

environment: GRAVEN_BUILD, the build folder whose compile_commands.json is used (default: build)

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import os
import re
import subprocess

from common import Finding, run_lint

CLANG_TIDY = os.path.join(os.environ.get("GRAVEN_LLVM", "/usr/lib/llvm-22"), "bin/clang-tidy")
DIAGNOSTIC = re.compile(r"^(.*?):(\d+):\d+: (?:error|warning): (.*)$")
MOST_FILES = 8


def git(tree, *arguments):
    result = subprocess.run(["git", "-C", tree.root, *arguments], capture_output=True, text=True)
    return result.stdout.strip() if result.returncode == 0 else ""


def base_commit(tree):
    head = git(tree, "rev-parse", "HEAD")
    base = git(tree, "merge-base", "HEAD", "origin/main")
    return base if base and base != head else git(tree, "rev-parse", "HEAD~1")


def changed_sources(tree):
    """C++ sources that differ from the base, those with the fewest changed lines first."""
    base = base_commit(tree)
    if not base:
        return []
    changed = []
    for row in git(tree, "diff", "--numstat", "--diff-filter=d", base).splitlines():
        added, deleted, name = row.split("\t")
        if name.endswith(".cpp"):
            changed.append((int(added) + int(deleted), name))
    return [name for _, name in sorted(changed)]


def lint(tree):
    build = tree.root / os.environ.get("GRAVEN_BUILD", "build")
    commands = build / "compile_commands.json"
    compiled = {os.path.realpath(entry["file"]) for entry in json.loads(commands.read_text())}
    files = [name for name in changed_sources(tree) if os.path.realpath(tree.root / name) in compiled][:MOST_FILES]
    if not files:
        return
    result = subprocess.run([CLANG_TIDY, "--quiet", "-p", build, *files], cwd=tree.root, capture_output=True, text=True)
    seen = set()
    for line in result.stdout.splitlines():
        if (match := DIAGNOSTIC.match(line)) and line not in seen:
            seen.add(line)
            # What TableGen and protoc wrote is not ours to mend.
            if not (tree.root / match[1]).resolve().is_relative_to(build.resolve()):
                yield Finding(os.path.relpath(tree.root / match[1], tree.root), int(match[2]), match[3])
    if result.returncode != 0 and not seen:
        yield Finding(".clang-tidy", 1, f"clang-tidy failed: {result.stderr.strip()[:400]}")


if __name__ == "__main__":
    run_lint(lint, __doc__)
