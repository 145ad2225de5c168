#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which ONNX ops are supported, in which versions and for which element types, as the node tests show it.

usage: onnx_table.py [--update]      prints docs/generated/onnx.md, or writes it

The cases of the onnx package that are not in expected/onnx-nodes.txt pass (test_node_conformance.py sees to that), so that
nothing has to run.
"""
import argparse
import collections
import pathlib
import warnings

import onnx
from onnx import TensorProto, defs
from onnx.backend.test.case.node import collect_testcases

import onnx_nodes

DOC = onnx_nodes.ROOT / "docs" / "generated" / "onnx.md"
NAMES = {"FLOAT": "f32", "DOUBLE": "f64", "FLOAT16": "f16", "BFLOAT16": "bf16", "BOOL": "bool", "STRING": "string",
         **{f"INT{n}": f"i{n}" for n in (2, 4, 8, 16, 32, 64)}, **{f"UINT{n}": f"u{n}" for n in (2, 4, 8, 16, 32, 64)}}
HEAD = """# ONNX ops

Made by `test/conformance/onnx_table.py --update` of the node tests of onnx {version} and of
`test/conformance/expected/onnx-nodes.txt`: {passed} of {total} cases pass, {passed23} of {total23} of opsets up to 23. Others
are refused with a coded error.

*version* is that of the op's schema. *types* are those of first inputs (of results, where there are none) in cases that pass, *not* those of cases that do not.
Cases of functions that are expanded into other ops are counted above, not below.

| op | version | types | not | cases |
|---|---|---|---|---|
"""


def type_of(value_info):
    kind = value_info.type.WhichOneof("value")
    if kind != "tensor_type":
        return kind.removesuffix("_type") if kind else "?"
    name = TensorProto.DataType.Name(value_info.type.tensor_type.elem_type)
    return NAMES.get(name, name.lower().replace("float", "f"))


def version_of(node, model):
    for entry in model.opset_import:
        if entry.domain in ((node.domain,) if node.domain else ("", "ai.onnx")):
            return defs.get_schema(node.op_type, entry.version, node.domain).since_version
    return 0


def table():
    expected = onnx_nodes.read_expected()
    rows, counts = collections.defaultdict(list), collections.Counter()
    for case in collect_testcases():
        passes = case.name not in expected
        for title in ["total", *(["total23"] if onnx_nodes.opset_of(case.model) <= 23 else [])]:
            counts[title] += 1
            counts[title.replace("total", "passed")] += passes
        graph = case.model.graph
        if len(graph.node) != 1 or case.model.functions:
            continue
        node = graph.node[0]
        first = [*graph.input, *graph.output][0]
        name = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
        rows[name, version_of(node, case.model)].append((type_of(first), passes))
    lines = []
    for (name, version), cases in sorted(rows.items()):
        good = sorted({kind for kind, passes in cases if passes})
        bad = sorted({kind for kind, passes in cases if not passes})
        passed = sum(passes for _, passes in cases)
        lines.append(f"| {name} | {version} | {' '.join(good)} | {' '.join(bad)} | {passed} of {len(cases)} |")
    return HEAD.format(version=onnx.__version__, **counts) + "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    if options.update:
        DOC.write_text(table())
    else:
        print(table(), end="")


if __name__ == "__main__":
    main()
