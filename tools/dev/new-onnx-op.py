#!/usr/bin/env python3
"""Adds an operator to the table of the ONNX importer: builder, entry and test.

usage: tools/dev/new-onnx-op.py Celu Activations [--inputs 1] [--since 12]

The new builder makes one Node, a negation of input 0, and the test looks for it; replace both by what the operator
means.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import argparse
import re

from scaffold import Problem, run, words

FOLDER = "frontends/onnx/ops"

BUILDER = '''LogicalResult build{name}(NodeBuilder &n) {{
  return n.finish(n.make<NegOp>(n.input(0)));
}}

'''

TEST = '''# RUN: protoc --encode=onnx.ModelProto --proto_path=%root/third_party onnx/onnx.proto <%s >%t.onnx
# RUN: graven import %t.onnx | FileCheck %s

# CHECK: graven.graph @forward(%[[X:.*]]: tensor<2x3xf32>
# CHECK: %[[Y:.*]] = graven.neg %[[X]] : tensor<2x3xf32>
# CHECK: graven.return %[[Y]]
ir_version: 10
opset_import {{ version: {opset} }}
graph {{
  name: "{name}"
  node {{ op_type: "{name}" name: "n" {inputs}output: "y" }}
{declared}  output {{ name: "y" type {{ tensor_type {{ elem_type: 1 shape {{ dim {{ dim_value: 2 }} dim {{ dim_value: 3 }} }} }} }} }}
}}
'''
DECLARED = ('  input {{ name: "x{i}" type {{ tensor_type {{ elem_type: 1 '
            'shape {{ dim {{ dim_value: 2 }} dim {{ dim_value: 3 }} }} }} }} }}\n')

HINTS = """next: build the Nodes that the operator means, and test each of its attributes and versions;
      tools/dev/build && tools/dev/test lint lit"""


def scaffold(edits, arguments):
    name = arguments.name
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name):
        raise Problem(f"an ONNX operator is named like MaxPool, got '{name}'")
    source = f"{FOLDER}/{arguments.family}.cpp"
    table = re.search(r"^void add\w+\(OpTable &(\w+)\) \{\n(.*?)^\}", edits.read(source), re.MULTILINE | re.DOTALL)
    builders = re.search(r"^\} // namespace$", edits.read(source), re.MULTILINE)
    if not table or not builders:
        raise Problem(f"{source} has no anonymous namespace of builders followed by a function add...(OpTable &)")
    for other in sorted((edits.root / FOLDER).glob("*.cpp")):
        if f'.add("{name}"' in other.read_text():
            raise Problem(f"{other.relative_to(edits.root)} has an entry for {name} already")

    since = f", {arguments.since}" if arguments.since > 1 else ""
    edits.replace(source, table.end() - 1, table.end() - 1,
                  f'  {table[1]}.add("{name}", {arguments.inputs}, build{name}{since});\n')
    edits.replace(source, builders.start(), builders.start(), BUILDER.format(name=name))
    edits.create(f"test/frontends/onnx/ops/{'-'.join(words(name))}.textproto", TEST.format(
        name=name, opset=max(arguments.since, 20),
        inputs="".join(f'input: "x{i}" ' for i in range(arguments.inputs)),
        declared="".join(DECLARED.format(i=i) for i in range(arguments.inputs))))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="the operator, as in MaxPool")
    parser.add_argument("family", help="the source that gets the builder, as in Pool of frontends/onnx/ops/Pool.cpp")
    parser.add_argument("--inputs", type=int, default=1, help="inputs that must be present (default: 1)")
    parser.add_argument("--since", type=int, default=1, help="the first opset for which the builder is right")
    run(scaffold, parser, HINTS)
