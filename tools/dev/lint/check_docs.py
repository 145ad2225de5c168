#!/usr/bin/env python3
"""docs/generated is what the build makes of the TableGen files (target graven-doc); --update writes it.

environment: GRAVEN_BUILD, the build folder (default: build)

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import filecmp
import os
import shutil
import subprocess
import sys

from common import Finding, run_lint


# Pages that are made of test results, and compared by a test of those.
OTHERS = {"onnx.md"}


def generate(tree):
    """Folder of the freshly generated pages; none where the build has no target for them."""
    build = tree.root / os.environ.get("GRAVEN_BUILD", "build")
    if "graven-doc:" not in subprocess.run(["ninja", "-C", build, "-t", "targets"], check=True, capture_output=True,
                                           text=True).stdout:
        return None
    result = subprocess.run(["ninja", "-C", build, "graven-doc"], capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"check_docs.py: the pages cannot be generated:\n{result.stdout}{result.stderr}")
    return build / "docs/generated"


def lint(tree):
    fresh = generate(tree)
    if fresh is None:
        return
    committed = tree.root / "docs/generated"
    names = {path.name for path in fresh.glob("*.md")} | {path.name for path in committed.glob("*.md")}
    names -= OTHERS
    for name in sorted(names):
        if not (fresh / name).exists():
            yield Finding(f"docs/generated/{name}", 1, "nothing generates this page any more")
        elif not (committed / name).exists() or not filecmp.cmp(fresh / name, committed / name, shallow=False):
            yield Finding(f"docs/generated/{name}", 1, "out of date: tools/dev/lint/check_docs.py --update")


def update(tree):
    fresh = generate(tree)
    committed = tree.root / "docs/generated"
    kept = {name: (committed / name).read_bytes() for name in OTHERS if (committed / name).exists()}
    shutil.rmtree(committed, ignore_errors=True)
    shutil.copytree(fresh, committed)
    for name, data in kept.items():
        (committed / name).write_bytes(data)


if __name__ == "__main__":
    if "--update" in sys.argv:
        sys.argv.remove("--update")
        run_lint(update, __doc__)
    run_lint(lint, __doc__)
