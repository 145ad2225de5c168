#!/usr/bin/env python3
"""Compiles a plugin that this build's graven-opt can load (--load-pass-plugin, --load-dialect-plugin).

usage: tools/dev/build-plugin.py MyPass.cpp [More.cpp ...] -o MyPass.so

The sources may stand anywhere and include what Graven's own do, as in "passes/graph/GraphUtils.h". They are compiled with
the flags that passes/graph was compiled with; a plugin fits the build it was made for, and no other.
environment: GRAVEN_BUILD, the build folder (default: build)

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = (ROOT / os.environ.get("GRAVEN_BUILD", "build")).resolve()
# A source of passes whose flags are taken.
MODEL = ROOT / "passes/graph/FuseConvBN.cpp"


def flags():
    """The command that compiles MODEL, without its input and output."""
    try:
        commands = json.loads((BUILD / "compile_commands.json").read_text())
    except OSError as error:
        raise SystemExit(f"build-plugin.py: {BUILD} is no build of Graven, see tools/dev/build: {error}")
    entry = next(entry for entry in commands if pathlib.Path(entry["file"]) == MODEL)
    words = shlex.split(entry["command"])
    words = words[next(i for i, word in enumerate(words) if "clang" in pathlib.Path(word).name):]
    kept, skip = [], False
    for word in words:
        if skip or word in ("-o", "-c"):
            skip = word == "-o"
        elif word != str(MODEL):
            kept.append(word)
    return kept


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", help="C++ sources")
    parser.add_argument("-o", dest="output", required=True, help="the plugin, as in MyPass.so")
    arguments = parser.parse_args()
    # What is left undefined is in the program that loads the plugin, and in its libMLIR.
    command = [*flags(), "-shared", "-fuse-ld=lld", *arguments.sources, "-o", arguments.output]
    sys.exit(subprocess.run(command).returncode)


if __name__ == "__main__":
    main()
