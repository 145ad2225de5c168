#!/usr/bin/env python3
"""Adds an ATen operator to the table that TorchScript and torch.export share: schema, builder, entry and test.

usage: tools/dev/new-aten-op.py "aten::logit(Tensor self, float? eps=None) -> Tensor" Pointwise

The schema is PyTorch's own text of it (torch._C._jit_get_schemas_for_operator). The new builder makes one Node, a
negation of the first tensor, and the test looks for it; replace both by what the operator means.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import argparse
import re

from scaffold import Problem, camel, run

FOLDER = "frontends/aten"

BUILDER = '''static mlir::Value {function}(Call &c) {{
  return c.unary<NegOp>(c.tensor("{first}"));
}}

'''

TEST = '''# RUN: graven import %s --input x:f32[2,3] | FileCheck %s

# CHECK: graven.graph @forward(%[[X:.*]]: tensor<2x3xf32>
# CHECK: %[[Y:.*]] = graven.neg %[[X]] : tensor<2x3xf32>
# CHECK: graven.return %[[Y]]
def forward(x: Tensor):
  return torch.{name}(x)
'''

HINTS = """next: build the Nodes that the operator means, and test each of its forms (defaults, optional arguments, dtypes);
      tools/dev/build && tools/dev/test lint lit"""


def scaffold(edits, arguments):
    match = re.fullmatch(r"aten::(\w+)(?:\.\w+)?\((.*)\) -> .+", arguments.schema)
    if not match:
        raise Problem(f"a schema is like 'aten::relu(Tensor self) -> Tensor', got '{arguments.schema}'")
    name, parameters = match.groups()
    first = re.search(r"\bTensor(?:\([^)]*\))? (\w+)", parameters)
    if not first:
        raise Problem(f"aten::{name} takes no tensor")
    source = f"{FOLDER}/{arguments.family}.cpp"
    table = re.search(rf"^void graven::aten::add{arguments.family}\(Table &(\w+)\) \{{\n(.*?)^\}}", edits.read(source),
                      re.MULTILINE | re.DOTALL)
    if not table:
        raise Problem(f"{source} has no function add{arguments.family}(Table &)")
    for other in sorted((edits.root / FOLDER).glob("*.cpp")):
        if re.search(rf'\.add\("(?:[^"]* )?{name}(?: [^"]*)?"', other.read_text()):
            raise Problem(f"{other.relative_to(edits.root)} has an entry for {name} already")

    function = "build" + camel(name.strip("_"))
    values = {"name": name, "function": function, "first": first[1]}
    edits.replace(source, table.end() - 1, table.end() - 1, f'  {table[1]}.add("{name}", {function});\n')
    edits.replace(source, table.start(), table.start(), BUILDER.format(**values))
    # The generator of Schemas.inc knows the name from now on; the next run of it puts the line in its place.
    edits.insert_before(f"{FOLDER}/gen_schemas.py", r'""".split\(\)', f"{name}\n")
    line = f'R"({arguments.schema})" "\\n"\n'
    if line not in edits.read(f"{FOLDER}/Schemas.inc"):
        edits.contents[f"{FOLDER}/Schemas.inc"] += line
    edits.create(f"test/frontends/torchscript/ops/{name.strip('_').replace('_', '-')}.py", TEST.format(**values))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("schema", help="PyTorch's schema of the operator")
    parser.add_argument("family", help="the source that gets the builder, as in Pointwise of frontends/aten/Pointwise.cpp")
    run(scaffold, parser, HINTS)
