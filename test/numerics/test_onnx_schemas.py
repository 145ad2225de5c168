"""frontends/onnx/Schemas.inc is what the onnx package says, and what a model must keep to is what onnx.checker asks for.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import pathlib
import subprocess
import sys

import onnx
import pytest
from onnx.backend.test.case.node import collect_testcases

from onnx_driver import Driver

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_table_is_of_the_package():
    done = subprocess.run([sys.executable, ROOT / "tools/dev/onnx-schemas.py", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def driver(build, tmp_path):
    made = Driver(build / "bin" / "evaluate-onnx", tmp_path)
    yield made
    made.close()


def required(schema):
    return [name for name, attribute in schema.attributes.items() if attribute.required]


def broken(model, schema):
    """The model with its first node changed in each way that the schema forbids, with the word that the message must have."""
    def changed(word, change):
        made = onnx.ModelProto()
        made.CopyFrom(model)
        change(made.graph.node[0])
        return word, made

    def drop(node, name):
        kept = [attribute for attribute in node.attribute if attribute.name != name]
        del node.attribute[:]
        node.attribute.extend(kept)

    for name in required(schema):
        yield changed(f"lacks the attribute '{name}'", lambda node, name=name: drop(node, name))
    for name in (attribute.name for attribute in model.graph.node[0].attribute):
        def retyped(node, name=name):
            drop(node, name)
            node.attribute.add(name=name, type=onnx.AttributeProto.TYPE_PROTOS)

        yield changed(f"attribute '{name}' is ", retyped)
    yield changed("'graven_unknown'", lambda node: node.attribute.append(onnx.helper.make_attribute("graven_unknown", 1)))
    if schema.max_input < 1000:
        more = schema.max_input + 1 - len(model.graph.node[0].input)
        yield changed(f"has {schema.max_input + 1} inputs", lambda node: node.input.extend(list(node.input[:1]) * more))
    if schema.max_output < 1000:
        more = schema.max_output + 1 - len(model.graph.node[0].output)
        yield changed(f"has {schema.max_output + 1} outputs",
                      lambda node: node.output.extend([f"more{i}" for i in range(more)]))


def test_every_op_is_checked(driver):
    """One node test of each op of ai.onnx, changed in every way that its schema forbids."""
    seen, wrong = set(), []
    for case in collect_testcases():
        node = case.model.graph.node[0] if len(case.model.graph.node) == 1 else None
        if node is None or node.domain or node.op_type in seen or case.model.functions or not node.input:
            continue
        version = next(entry.version for entry in case.model.opset_import if not entry.domain)
        if driver.import_bytes(case.model.SerializeToString()) != "ok":
            continue
        seen.add(node.op_type)
        for word, made in broken(case.model, onnx.defs.get_schema(node.op_type, version)):
            answer = driver.import_bytes(made.SerializeToString())
            if "[GRV0107]" not in answer or word not in answer:
                wrong.append((case.name, word, answer))
    assert len(seen) > 140 and not wrong, wrong[:10]
