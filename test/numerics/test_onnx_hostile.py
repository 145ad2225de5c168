"""ONNX files that lie about their structure: each command refuses them at the place with its code, or takes what is valid;
within seconds, 3 GB, and without a signal.

What reliability.md (section 2) asks of ONNX files is tested here and in
    1-4, 6   test_onnx_errors.py (external_*), test_bad_input.py::test_external_data, here test_holders_of_external_data
    5, 28    test/unit/compiler/support (OutputFile), test_onnx_export.py
    8        test_onnx_errors.py::test_weights_of_more_axes_than_the_input, test_bad_shape_of_tensor; here REFUSED
    9        test_onnx_errors.py::test_deep_nesting, test_lying_length; test/fuzz
    10       test_onnx_errors.py (raw data, typed data, dims), test_bad_input.py::test_lying_tensor; here, the narrow types
    11, 14   test_onnx_huge.py
    12, 13   test_onnx_errors.py (cycle, twice, functions), here the same in sub-graphs and functions
    24, 27   here test_names_that_are_no_names; test/numerics/test_bad_input.py
    25       test/unit/compiler/targets/cpu/KernelObjectsTest.cpp: stackMemoryInLoopsIsAllocatedOnce, hugeStackFramesAreErrors
    26, 35   test_onnx_limits.py; 10^6 Nodes: test/bench/chains.py

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import resource
import subprocess

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
make = helper.make_node
OPSET_17 = [helper.make_opsetid("", 17)]


def value(name, shape=(2, 3), kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, inputs=None, outputs=None, weights=(), opset=17, functions=(), ir=9, sparse=()):
    graph = helper.make_graph(nodes, "g", [value("x")] if inputs is None else inputs,
                              [value("y")] if outputs is None else outputs, list(weights))
    graph.sparse_initializer.extend(sparse)
    domains = {node.domain for node in nodes if node.domain}
    imports = [helper.make_opsetid("", opset)] + [helper.make_opsetid(domain, 1) for domain in sorted(domains)]
    return helper.make_model(graph, opset_imports=imports, functions=list(functions), ir_version=ir)


def ints(name, *values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


def ones(name="w", shape=(2, 3), dtype=np.float32):
    return numpy_helper.from_array(np.ones(shape, dtype), name)


def with_attribute(node, name, **fields):
    attribute = node.attribute.add()
    attribute.name = name
    for field, given in fields.items():
        setattr(attribute, field, given)
    return model([node])


def narrow(kind, dims, raw):
    weight = TensorProto(name="w", data_type=kind, dims=dims, raw_data=raw)
    return model([make("Cast", ["w"], ["f"], to=FLOAT), make("Add", ["x", "f"], ["y"])], weights=[weight], opset=25, ir=13)


def branch(nodes, output):
    return helper.make_graph(nodes, "b", [], [value(output)])


def choice(then, otherwise, *before, after=(), outputs=None, kind=BOOL):
    nodes = [*before, make("If", ["c"], ["y"], then_branch=then, else_branch=otherwise), *after]
    return model(nodes, [value("x"), value("c", (), kind)], outputs)


def negated():
    return branch([make("Neg", ["x"], ["e"])], "e")


def function(nodes, name="A", attributes=()):
    return helper.make_function("d", name, ["a"], ["b"], nodes, OPSET_17 + [helper.make_opsetid("d", 1)], list(attributes))


def calling(*functions, **attributes):
    return model([make("A", ["x"], ["y"], domain="d", **attributes)], functions=functions)


def sparse(values, indices, dims):
    tensor = onnx.SparseTensorProto(values=numpy_helper.from_array(np.array(values, np.float32), "w"),
                                    indices=numpy_helper.from_array(np.array(indices, np.int64), "i"), dims=dims)
    return model([make("Add", ["x", "w"], ["y"])], sparse=[tensor])


def softmax_of_reference():
    node = make("Softmax", ["a"], ["b"])
    node.attribute.add(name="axis", ref_attr_name="of", type=onnx.AttributeProto.INT)
    return node


def two_values():
    node = make("Constant", [], ["c"], value_float=1.0)
    node.attribute.append(helper.make_attribute("value_int", 3))
    return model([node, make("Add", ["x", "c"], ["y"])])


def opset_twice():
    made = model([make("Relu", ["x"], ["y"])])
    made.opset_import.add(domain="", version=9)
    return made


def image(op="Conv", weights=None, **attributes):
    weights = [ones(shape=(1, 1, 2, 2))] if weights is None else weights
    return model([make(op, ["x"] + [w.name for w in weights], ["y"], **attributes)], [value("x", (1, 1, 4, 4))],
                 [value("y", None)], weights)


REFUSED = {
    # The schema of the op.
    "a required attribute lacks": ("GRV0107", "'axis'", lambda: model([make("Concat", ["x", "x"], ["y"])])),
    "an attribute twice": ("GRV0107", "twice", lambda: with_attribute(
        make("Softmax", ["x"], ["y"], axis=1), "axis", i=0, type=2)),
    "an attribute the op has not": ("GRV0107", "'frob'", lambda: model([make("Relu", ["x"], ["y"], frob=3)])),
    "an attribute of later versions": ("GRV0107", "'antialias'", lambda: image(op="Resize", weights=[], antialias=1)),
    "an attribute of another kind": ("GRV0107", "STRING, expected INT", lambda: model(
        [make("Concat", ["x"], ["y"], axis="1")])),
    "an attribute of no kind": ("GRV0107", "'axis'", lambda: with_attribute(make("Softmax", ["x"], ["y"]), "axis", i=1)),
    "a reference in no function": ("GRV0107", "in none", lambda: with_attribute(
        make("Softmax", ["x"], ["y"]), "axis", ref_attr_name="of", type=2)),
    "too many inputs": ("GRV0107", "3 inputs, expected 1", lambda: model([make("Relu", ["x"] * 3, ["y"])])),
    "too many outputs": ("GRV0107", "2 outputs", lambda: model([make("Relu", ["x"], ["y", "z"])])),
    "no inputs": ("GRV0107", "0 inputs", lambda: model([make("Relu", [], ["y"])])),
    "a constant of two values": ("GRV0107", "2 values", two_values),
    "a constant of none": ("GRV0107", "0 values", lambda: model([make("Constant", [], ["y"])], [])),
    # Types and tensors.
    "an unknown type": ("GRV0202", "99", lambda: narrow(99, [2, 3], bytes(6))),
    "a negative type": ("GRV0202", "-1", lambda: narrow(-1, [2, 3], bytes(6))),
    "an input of an unknown type": ("GRV0202", "99", lambda: model([make("Relu", ["x"], ["y"])], [value("x", kind=99)])),
    "a cast to an unknown type": ("GRV0202", "99", lambda: model([make("Cast", ["x"], ["y"], to=99)])),
    "too few bytes of i4": ("GRV0105", "3 bytes, got 2", lambda: narrow(TensorProto.INT4, [2, 3], bytes(2))),
    "too many bytes of i4": ("GRV0105", "3 bytes, got 6", lambda: narrow(TensorProto.INT4, [2, 3], bytes(6))),
    "too few bytes of i2": ("GRV0105", "2 bytes, got 1", lambda: narrow(TensorProto.INT2, [2, 3], bytes(1))),
    "too few bytes of f8": ("GRV0105", "6 bytes, got 5", lambda: narrow(TensorProto.FLOAT8E4M3FN, [2, 3], bytes(5))),
    "an unused weight without bytes": ("GRV0105", "got 0", lambda: model(
        [make("Relu", ["x"], ["y"])], weights=[TensorProto(name="w", data_type=FLOAT, dims=[1 << 30], raw_data=b"")])),
    "a zero point of another type": ("GRV0107", "zero point has type 'f32'", lambda: model(
        [make("DequantizeLinear", ["x", "s", "s"], ["y"])], [value("x", (5,), TensorProto.FLOAT8E5M2), value("s", ())],
        [value("y", (5,))], opset=19)),
    "a negative extent": ("GRV0107", "-2", lambda: model([make("Relu", ["x"], ["y"])], [value("x", (-2, 3))])),
    "300 axes": ("GRV0202", "300", lambda: model([make("Relu", ["x"], ["y"])], [value("x", (1,) * 300)])),
    "sparse indices beyond": ("GRV0105", "value 1", lambda: sparse([1, 2], [0, 6], [2, 3])),
    "negative sparse indices": ("GRV0105", "value 0", lambda: sparse([1, 2], [-1, 5], [2, 3])),
    "sparse indices twice": ("GRV0105", "value 1", lambda: sparse([1, 2], [5, 5], [2, 3])),
    "a sparse row beyond": ("GRV0105", "value 1", lambda: sparse([1, 2], [[0, 0], [1, 3]], [2, 3])),
    "a sparse bomb": ("GRV0105", "1073741824", lambda: sparse([1, 2], [0, 5], [1 << 33, 1 << 20])),
    # Names and scopes.
    "shadowing in a branch": ("GRV0107", "already", lambda: choice(
        branch([make("Relu", ["x"], ["a"])], "a"), negated(), make("Relu", ["x"], ["a"]))),
    "a name twice in a branch": ("GRV0107", "already", lambda: choice(
        branch([make("Relu", ["x"], ["a"]), make("Neg", ["x"], ["a"])], "a"), negated())),
    "a branch that reads what comes later": ("GRV0107", "later", lambda: choice(
        branch([make("Relu", ["z"], ["a"])], "a"), negated(), after=[make("Exp", ["y"], ["z"])])),
    "branches of other types": ("GRV0107", "branches", lambda: choice(
        helper.make_graph([make("Cast", ["x"], ["a"], to=INT64)], "b", [], [value("a", kind=INT64)]), negated())),
    "a condition that is no bool": ("GRV0107", "expected a bool", lambda: choice(negated(), negated(), kind=TensorProto.UINT16)),
    "a loop whose condition is no bool": ("GRV0107", "expected a bool", lambda: model(
        [make("Loop", ["", "c", "x"], ["y"], body=helper.make_graph(
            [make("Identity", ["go"], ["on"]), make("Neg", ["a"], ["b"])], "body",
            [value("i", (), INT64), value("go", (), BOOL), value("a")], [value("on", (), BOOL), value("b")]))],
        [value("x"), value("c", ())])),
    "no branch": ("GRV0107", "else_branch", lambda: model([make("If", ["x"], ["y"])])),
    "an input twice": ("GRV0107", "already", lambda: model([make("Relu", ["x"], ["y"])], [value("x"), value("x")])),
    "a weight twice": ("GRV0107", "already", lambda: model([make("Add", ["x", "w"], ["y"])], weights=[ones(), ones()])),
    "a weight that a node gives": ("GRV0107", "already", lambda: model(
        [make("Relu", ["x"], ["w"]), make("Relu", ["w"], ["y"])], weights=[ones()])),
    "an input that a node gives": ("GRV0107", "already", lambda: model([make("Relu", ["x"], ["x"])], outputs=[value("x")])),
    "an op set twice": ("GRV0107", "twice", opset_twice),
    # Functions.
    "functions that call each other": ("GRV0107", "nested deeper", lambda: calling(
        function([make("B", ["a"], ["b"], domain="d")]), function([make("A", ["a"], ["b"], domain="d")], "B"))),
    "a function twice": ("GRV0107", "twice", lambda: calling(*[function([make("Relu", ["a"], ["b"])])] * 2)),
    "a function without its output": ("GRV0107", "'b'", lambda: calling(function([make("Relu", ["a"], ["c"])]))),
    "a function that reads the graph": ("GRV0107", "'x'", lambda: calling(function([make("Add", ["a", "x"], ["b"])]))),
    "an attribute of a call of another kind": ("GRV0107", "'axis'", lambda: calling(
        function([softmax_of_reference()], attributes=["of"]), of="text")),
    # Attributes that are no sizes.
    "strides of 0": ("GRV0107", "stride 0", lambda: image(strides=[0, 1])),
    "a huge dilation": ("GRV0107", str(1 << 62), lambda: image(dilations=[1 << 62, 1])),
    "huge pads": ("GRV0107", str(1 << 62), lambda: image(pads=[1 << 62] * 4)),
    "no groups": ("GRV0107", "groups is 0", lambda: image(group=0)),
    "a negative window": ("GRV0107", "kernel -1", lambda: image(op="MaxPool", weights=[], kernel_shape=[-1, 2])),
    "a step of 0": ("GRV0107", "step is 0", lambda: model(
        [make("Slice", ["x", "a", "b", "a", "a"], ["y"])], weights=[ints("a", 0), ints("b", 2)])),
    "two extents -1": ("GRV0107", "two entries", lambda: model(
        [make("Reshape", ["x", "s"], ["y"])], weights=[ints("s", -1, -1)])),
    "columns of an image that overflows": ("GRV0107", "beyond", lambda: model(
        [make("Col2Im", ["x", "i", "b"], ["y"])], [value("x", (1, 4, 4))], [value("y", None)],
        [ints("i", 1 << 40, 1 << 40), ints("b", 2, 2)], opset=18)),
}

ACCEPTED = {
    "no nodes": lambda: model([], [], []),
    "an input is the output": lambda: model([], outputs=[value("x")]),
    "no outputs": lambda: model([make("Relu", ["x"], ["y"])], outputs=[]),
    "a weight is an output": lambda: model([make("Relu", ["x"], ["y"])], outputs=[value("w"), value("y")], weights=[ones()]),
    "an unused input": lambda: model([make("Relu", ["x"], ["y"])], [value("x"), value("u", (7,))]),
    "an unset attribute of a call": lambda: calling(function([softmax_of_reference()], attributes=["of"])),
    "an attribute that a runtime notes": lambda: model([make("Relu", ["x"], ["y"], __layer=3)]),
    "an unknown extent as -1": lambda: model([make("Relu", ["x"], ["y"])], [value("x", (-1, 3))], [value("y", None)]),
    "i4 of odd number": lambda: narrow(TensorProto.INT4, [3], b"\x21\xf3"),
    "an external file that is the model": lambda: model(
        [make("Add", ["x", "w"], ["y"])], weights=[TensorProto(
            name="w", data_type=FLOAT, dims=[2, 3], data_location=TensorProto.EXTERNAL,
            external_data=[onnx.StringStringEntryProto(key="location", value="m.onnx")])]),
    "a sparse weight": lambda: sparse([1, 2], [0, 5], [2, 3]),
}
COMMANDS = {"import": ["-o", "o.mlir"], "compile": ["-o", "o.so"], "simplify": ["s.onnx"], "export": ["-o", "e.onnx"],
            "diff": ["m.onnx"], "extract": ["--to", "y", "-o", "x.onnx"]}


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))


def run(graven, folder, made, command):
    (folder / "m.onnx").write_bytes(made if isinstance(made, bytes) else made.SerializeToString())
    done = subprocess.run([graven, command, "m.onnx", *COMMANDS[command]], cwd=folder, capture_output=True, text=True,
                          errors="replace", timeout=30, preexec_fn=limit, check=False)
    assert done.returncode in (0, 1, 2, 3), (command, done)
    return done


@pytest.mark.parametrize("case", REFUSED)
def test_refused(graven, tmp_path, case):
    code, word, maker = REFUSED[case]
    for command in COMMANDS:
        done = run(graven, tmp_path, maker(), command)
        if command == "extract":  # which looks at the nodes it copies alone
            assert done.returncode == 0 or "[GRV" in done.stderr, done
            continue
        assert done.returncode == 2 and f"[{code}]" in done.stderr and word in done.stderr, (command, done)
    assert not {"o.mlir", "o.so", "s.onnx", "e.onnx"} & {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepted(graven, tmp_path, case):
    for command in COMMANDS:
        made = ACCEPTED[case]()
        if command == "extract" and "y" not in {output.name for output in made.graph.output}:
            continue
        done = run(graven, tmp_path, made, command)
        assert done.returncode == 0, (command, done)
    for name in ("s.onnx", "e.onnx"):
        onnx.checker.check_model(tmp_path / name, full_check=True)


@pytest.mark.parametrize("name", ['x "q";$(touch pwned)\n', "../../etc/x", "a\0b", "-o", "", "x" * 65536, b"\xff\xfe\x80\xc3"])
@pytest.mark.parametrize("place", ["input", "weight", "between"])
def test_names_that_are_no_names(graven, tmp_path, name, place):
    own = "QQQQ" if isinstance(name, bytes) else name
    if place == "input":
        made = model([make("Relu", [own], ["y"])], [value(own)])
    elif place == "weight":
        made = model([make("Add", ["x", own], ["y"])], weights=[ones(own)])
    else:
        made = model([make("Relu", ["x"], [own]), make("Relu", [own], ["y"])])
    data = made.SerializeToString()
    if isinstance(name, bytes):
        data = data.replace(b"QQQQ", name)
    for command in COMMANDS:
        done = run(graven, tmp_path, data, command)
        # Nothing is called "": an input of that name is none.
        assert done.returncode == 0 if own else done.returncode == 0 or "[GRV" in done.stderr, (command, done)
    assert {path.name for path in tmp_path.iterdir()} <= {"m.onnx", "o.mlir", "o.safetensors", "o.so", "s.onnx", "e.onnx",
                                                          "x.onnx"}


@pytest.mark.parametrize("holder", ["initializer", "constant", "function", "branch", "sparse", "indices", "shape"])
@pytest.mark.parametrize("location", ["../secret.bin", "/etc/hostname", "link.bin"])
def test_holders_of_external_data(graven, tmp_path, holder, location):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(64))
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[2, 3], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    nodes = [make("Constant", [], ["w"], value=tensor), make("Add", ["a", "w"], ["b"])]
    if holder == "initializer":
        made = model([make("Add", ["x", "w"], ["y"])], weights=[tensor])
    elif holder == "constant":
        made = model([nodes[0], make("Add", ["x", "w"], ["y"])])
    elif holder == "function":
        made = calling(function(nodes))
    elif holder == "branch":
        made = choice(helper.make_graph([make("Add", ["x", "w"], ["a"])], "b", [], [value("a")], [tensor]), negated())
    elif holder == "shape":
        tensor.dims[:] = [1]
        made = model([make("ConstantOfShape", ["s"], ["c"], value=tensor), make("Add", ["x", "c"], ["y"])],
                     weights=[ints("s", 2, 3)])
    else:
        tensor.dims[:] = [2]
        other = ints("i", 0, 5) if holder == "sparse" else ones("w", (2,))
        tensor.data_type = FLOAT if holder == "sparse" else INT64
        parts = {"values": tensor, "indices": other} if holder == "sparse" else {"values": other, "indices": tensor}
        made = model([make("Add", ["x", "w"], ["y"])], sparse=[onnx.SparseTensorProto(dims=[2, 3], **parts)])
    for command in ("import", "compile", "simplify", "export", "diff"):
        done = run(graven, folder, made, command)
        assert done.returncode == 2 and "[GRV0106]" in done.stderr, (command, done)
