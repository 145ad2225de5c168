"""Sequences and optionals of ONNX: lists and None where a model is called, nothing of them in the code.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import graven

A, B = np.float32([1, 2, 3]), np.float32([[4, 5]])
FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64
TENSORS = helper.make_sequence_type_proto(helper.make_tensor_type_proto(FLOAT, None))


def value(name, kind=TENSORS):
    return helper.make_value_info(name, kind)


def tensor(name, shape=(), kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, inputs, outputs, initializers=()):
    graph = helper.make_graph(nodes, "g", inputs, outputs, initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)]).SerializeToString()


def same(own, other):
    assert len(own) == len(other)
    for x, y in zip(own, other):
        np.testing.assert_array_equal(x, y)


def split(sizes):
    sizes = helper.make_tensor("sizes", INT, [len(sizes)], sizes)
    return model([helper.make_node("SplitToSequence", ["x", "sizes"], ["y"])], [tensor("x", (3,))], [value("y")], [sizes])


def test_an_output_is_a_list():
    own = graven.compile(split([1, 2]), threads=1)
    assert isinstance(own, graven.Model) and own.output_names == ("y.0", "y.1")
    same(own(A), [A[:1], A[1:]])
    same(own.run(A)[0], [A[:1], A[1:]])


def test_a_list_of_one_stays_a_list():
    assert isinstance(graven.compile(split([3]), threads=1)(A), list)


def test_an_artifact_knows_its_lists(tmp_path):
    graven.compile(split([2, 1]), threads=1).save(tmp_path / "m.so")
    same(graven.load(tmp_path / "m.so")(A), [A[:2], A[2:]])


INSERT = model([helper.make_node("SequenceInsert", ["x", "a", "at"], ["y"])],
               [value("x"), tensor("a", (3,)), tensor("at", (), INT)], [value("y")])


@pytest.mark.parametrize("place, expected", [(0, [A, B, B]), (1, [B, A, B]), (2, [B, B, A]), (-1, [B, A, B])])
def test_a_list_of_any_length_and_a_place(place, expected):
    own = graven.compile(INSERT, threads=1)
    assert isinstance(own, graven.SpecializingModel)
    same(own([B, B], A, np.int64(place)), expected)
    same(own(x=[], a=A, at=np.int64(0)), [A])
    assert len(own.models) == 2


def test_a_place_out_of_range():
    with pytest.raises(graven.Error, match="position 3 is out of range for a sequence of 2"):
        graven.compile(INSERT, threads=1)([B, B], A, np.int64(3))


def test_a_model_of_given_lengths():
    first = model([helper.make_node("SequenceLength", ["x"], ["y"])], [value("x")], [tensor("y", (), INT)])
    with pytest.raises(graven.Error, match="is a sequence: give the number of its tensors with --input x:seq"):
        graven.load(first).inputs  # noqa: B018  it is what raises
    own = graven.compile(first, inputs=["x:seq[2]", "x.0:f32[3]", "x.1:f32[1,2]"], threads=1)
    assert isinstance(own, graven.Model) and own([A, B]) == 2
    with pytest.raises(TypeError, match=r"compiled for x:seq\[2\], got x:seq\[1\]"):
        own([A])


@pytest.mark.parametrize("form, why", [
    ("seq[?]", "expected seq"), ("seq[2,3]", "expected seq"), ("none[1]", "expected seq"), ("none[]", "is no optional"),
    ("seq[99999]", "at most 4096"),
])
def test_what_is_said_of_a_list_is_checked(form, why):
    with pytest.raises(graven.Error, match=why):
        graven.compile(INSERT, inputs=[f"x:{form}"], threads=1)


def test_nothing_and_something():
    kind = helper.make_optional_type_proto(helper.make_tensor_type_proto(FLOAT, [3]))
    nodes = [helper.make_node("OptionalHasElement", ["x"], ["has"]), helper.make_node("Identity", ["x"], ["y"])]
    own = graven.compile(model(nodes, [value("x", kind)], [tensor("has", (), TensorProto.BOOL), value("y", kind)]), threads=1)
    has, nothing = own(None)
    assert not has and nothing is None
    has, something = own(A)
    assert has
    same([something], [A])


def branch(nodes, name):
    return helper.make_graph(nodes, name, [], [onnx.ValueInfoProto(name=name)])


@pytest.mark.parametrize("shorter", [False, True])
def test_branches_that_give_lists(shorter):
    """One Graph where they are of one length; else the condition decides which one it is."""
    first = branch([helper.make_node("SequenceConstruct", ["a", "b"], ["first"])], "first")
    second = branch([helper.make_node("SequenceConstruct", ["b"] if shorter else ["b", "a"], ["second"])], "second")
    node = helper.make_node("If", ["c"], ["y"], then_branch=first, else_branch=second)
    own = graven.compile(model([node], [tensor("c", (), TensorProto.BOOL), tensor("a", (3,)), tensor("b", (3,))],
                               [value("y")]), threads=1)
    assert isinstance(own, graven.SpecializingModel if shorter else graven.Model)
    same(own(np.bool_(True), A, -A), [A, -A])
    same(own(np.bool_(False), A, -A), [-A] if shorter else [-A, A])


def test_a_loop_whose_extents_follow_from_the_iteration():
    """Each iteration takes one element more of x."""
    nodes = [helper.make_node("Add", ["i", "one"], ["end"]), helper.make_node("Slice", ["x", "zero", "end"], ["part"]),
             helper.make_node("ReduceSum", ["part"], ["sum"], keepdims=0), helper.make_node("Identity", ["c"], ["more"])]
    body = helper.make_graph(nodes, "body", [tensor("i", (), INT), tensor("c", (), TensorProto.BOOL)],
                             [tensor("more", (), TensorProto.BOOL), tensor("sum")])
    proto = model([helper.make_node("Loop", ["n", ""], ["y"], body=body)], [tensor("n", (), INT), tensor("x", (3,))],
                  [tensor("y", ("k",))], [helper.make_tensor("one", INT, [1], [1]), helper.make_tensor("zero", INT, [1], [0])])
    own = graven.compile(proto, threads=1)
    for n in (1, 3):
        np.testing.assert_array_equal(own(np.int64(n), A), np.cumsum(A)[:n])
    with pytest.raises(graven.Error, match="more than 10000 iterations"):
        own(np.int64(10**15), A)


def test_a_sequence_is_no_tensor():
    proto = model([helper.make_node("SequenceEmpty", [], ["s"]), helper.make_node("Relu", ["s"], ["y"])], [], [tensor("y")])
    with pytest.raises(graven.Error, match="GRV0202.*Relu: input #0 is a sequence, expected a tensor"):
        graven.compile(proto)


def test_a_sequence_is_no_position():
    nodes = [helper.make_node("SequenceEmpty", [], ["s"]), helper.make_node("SequenceAt", ["x", "s"], ["y"])]
    with pytest.raises(graven.Error, match="GRV0"):
        graven.compile(model(nodes, [value("x")], [tensor("y")]))([A])


@pytest.mark.parametrize("outputs", [["c", "s"], ["c", "x", "s"], ["s", "x"]])
def test_a_loop_that_makes_sequences_of_tensors(outputs):
    nodes = [helper.make_node("SequenceEmpty", [], ["s"]), helper.make_node("Identity", ["x"], ["own"])]
    body = helper.make_graph(nodes, "body", [tensor("i", (), INT), tensor("c", (), TensorProto.BOOL), tensor("x", (3,))],
                             [onnx.ValueInfoProto(name=name) for name in outputs])
    node = helper.make_node("Loop", ["n", "", "a"], ["y", "z"][:len(outputs) - 1], body=body)
    with pytest.raises(graven.Error, match="GRV0107"):
        graven.compile(model([node], [tensor("n", (), INT), tensor("a", (3,))], [onnx.ValueInfoProto(name="y")]))
