#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes frontends/onnx/Schemas.inc: what the onnx package's schemas say of the inputs, outputs and attributes of ops.

usage: onnx-schemas.py [--check]
  --check  writes nothing, and fails where the file is not what would be written

A line is for the versions of an op from `since` to the next line of that op: how many inputs and outputs it has (-1: any number),
and its attributes with a letter for their kind (kindOf in Schemas.cpp) and a ! if they are required. Run by the interpreter
of the tests, with the onnx that tools/dev/requirements-test.txt names.
"""
import argparse
import itertools
import pathlib
import sys

from onnx import defs

FILE = pathlib.Path(__file__).resolve().parents[2] / "frontends/onnx/Schemas.inc"
KINDS = {"FLOAT": "f", "INT": "i", "STRING": "s", "TENSOR": "t", "GRAPH": "g", "SPARSE_TENSOR": "z", "TYPE_PROTO": "p",
         "FLOATS": "F", "INTS": "I", "STRINGS": "S", "TENSORS": "T", "GRAPHS": "G"}


def count(number):
    return -1 if number >= 2**31 - 1 else number


def signature(schema):
    attributes = " ".join(f"{name}:{KINDS[a.type.name]}{'!' if a.required else ''}"
                          for name, a in sorted(schema.attributes.items()))
    return (schema.min_input, count(schema.max_input), schema.min_output, count(schema.max_output), attributes)


def rows():
    def key(schema):
        return f"{schema.domain}/{schema.name}" if schema.domain else schema.name

    known = [s for s in defs.get_all_schemas_with_history() if not s.deprecated]
    for name, versions in itertools.groupby(sorted(known, key=lambda s: (key(s).encode(), s.since_version)), key):
        for same, group in itertools.groupby(versions, signature):
            yield name, next(group).since_version, *same


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    text = "// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception\n// Made by tools/dev/onnx-schemas.py.\n"
    for name, since, *counts, attributes in rows():
        text += f'{{"{name}", {since}, {", ".join(map(str, counts))}, "{attributes}"}},\n'
    if not check:
        FILE.write_text(text, encoding="utf-8")
    elif FILE.read_text(encoding="utf-8") != text:
        print(f"{FILE.name} is out of date: run tools/dev/onnx-schemas.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
