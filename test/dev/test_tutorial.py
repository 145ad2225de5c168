"""What docs/writing-a-pass.md says is so: its files are written, its commands run and print what it shows.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import os
import pathlib
import re
import subprocess

LLVM = pathlib.Path(os.environ.get("GRAVEN_LLVM", "/usr/lib/llvm-22"))
BLOCK = re.compile(r"^```(\w*) ?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(text):
    """(kind, what, body) of each block of code that says what it is for."""
    return [(match[1], match[2], match[3]) for match in BLOCK.finditer(text)]


def run(command, folder, environment):
    result = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=environment,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    assert result.returncode == 0, f"{command}\n{result.stdout}"
    return result.stdout


def test_the_tutorial_on_passes(root, build, tmp_path):
    environment = {**os.environ, "GRAVEN": str(root), "GRAVEN_BUILD": str(build),
                   "PATH": os.pathsep.join([str(build / "bin"), str(LLVM / "bin"), os.environ["PATH"]])}
    printed, ran = "", 0
    for kind, what, body in blocks((root / "docs/writing-a-pass.md").read_text()):
        if what.startswith("file="):
            # Blocks of one file follow each other.
            with open(tmp_path / what.removeprefix("file="), "a") as file:
                file.write(body)
        elif what == "run":
            printed = run(body, tmp_path, environment)
            ran += 1
        elif what == "output":
            for line in body.splitlines():
                assert line in printed, f"the tutorial shows\n{line}\nbut what is printed is\n{printed}"
        else:
            raise AssertionError(f"a block of {kind} that is neither file=, run nor output")
    assert ran == 6
