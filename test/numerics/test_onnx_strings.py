"""Strings of ONNX: numbers in the code, str where a model is called.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import graven

STRING, INT, BOOL = TensorProto.STRING, TensorProto.INT64, TensorProto.BOOL


def texts(*values):
    return np.array(values, object)


def model(nodes, inputs, outputs, initializers=(), opset=21):
    infos = [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs]
    results = [onnx.ValueInfoProto(name=name) for name in outputs]
    graph = helper.make_graph(nodes, "g", infos, results, initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)]).SerializeToString()


KNOWN = helper.make_tensor("known", STRING, [2], [b"no", "naïve\n".encode()])
PICK = model([helper.make_node("Equal", ["x", "y"], ["same"]), helper.make_node("Where", ["same", "x", "known"], ["picked"]),
              helper.make_node("Concat", ["picked", "y"], ["all"], axis=0)],
             [("x", STRING, [2]), ("y", STRING, [2])], ["same", "all"], [KNOWN])


def test_one_code_for_all_strings(tmp_path):
    """What only compares and moves strings need not know them."""
    own = graven.compile(PICK, threads=1)
    assert isinstance(own, graven.Model)
    own.save(tmp_path / "m.so")
    for code in (own, graven.load(tmp_path / "m.so")):
        for x, y in ((texts("a", "b"), texts("a", "c")), (texts("", "no"), np.array(["no", "no"]))):
            same, everything = code(x, y)
            np.testing.assert_array_equal(same, x == y)
            np.testing.assert_array_equal(everything, [*np.where(x == y, x, ["no", "naïve\n"]), *y])


def test_only_strings_are_strings():
    own = graven.compile(PICK, threads=1)
    with pytest.raises(TypeError, match="input 'y': expected an array of strings, got int64"):
        own(texts("a", "b"), np.arange(2))


def test_what_looks_into_strings_is_compiled_for_them():
    node = helper.make_node("StringConcat", ["x", "known"], ["y"])
    own = graven.compile(model([node], [("x", STRING, [2])], ["y"], [KNOWN]), threads=1)
    assert isinstance(own, graven.SpecializingModel)
    for x in (texts("a", "b"), texts("a", "ab"), texts("a", "b")):
        np.testing.assert_array_equal(own(x), x + texts("no", "naïve\n"))
    assert len(own.models) == 2


@pytest.mark.parametrize("values, kind, expected", [
    (["1", " -7 "], INT, [1, -7]), (["0.5", "-INF"], TensorProto.FLOAT, [0.5, -np.inf]), (["NaN", "1e3"], TensorProto.DOUBLE, [np.nan, 1000]),
])
def test_numbers_of_strings(values, kind, expected):
    node = helper.make_node("Cast", ["x"], ["y"], to=kind)
    own = graven.compile(model([node], [("x", STRING, [2])], ["y"]), threads=1)(texts(*values))
    np.testing.assert_array_equal(own, np.array(expected, helper.tensor_dtype_to_np_dtype(kind)))


@pytest.mark.parametrize("text, kind", [("1.5", INT), ("x", TensorProto.FLOAT), ("256", TensorProto.UINT8), ("-1", TensorProto.UINT64),
                                        ("9223372036854775808", INT), ("", INT)])
def test_what_is_no_number(text, kind):
    node = helper.make_node("Cast", ["x"], ["y"], to=kind)
    with pytest.raises(graven.Error, match="is no element of"):
        graven.compile(model([node], [("x", STRING, [1])], ["y"]), threads=1)(texts(text))


def test_strings_of_numbers():
    node = helper.make_node("Cast", ["x"], ["y"], to=STRING)
    own = graven.compile(model([node], [("x", TensorProto.FLOAT, [3])], ["y"]), threads=1)
    np.testing.assert_array_equal(own(np.float32([0.1, -2, np.inf])), ["0.1", "-2", "INF"])


def test_arithmetic_on_strings_is_refused():
    with pytest.raises(graven.Error, match="GRV0202.*Add: input #0 of strings is not supported"):
        graven.compile(model([helper.make_node("Add", ["x", "x"], ["y"])], [("x", STRING, [1])], ["y"]))


def test_strings_and_numbers_are_not_mixed():
    with pytest.raises(graven.Error, match="strings are compared with numbers"):
        graven.compile(model([helper.make_node("Equal", ["x", "i"], ["y"])], [("x", STRING, [1]), ("i", INT, [1])], ["y"]))


@pytest.mark.parametrize("tensor, why", [
    (helper.make_tensor("t", STRING, [1], [b"\xff"]), "not UTF-8"),
    (onnx.TensorProto(name="t", data_type=STRING, dims=[3], string_data=[b"a"]), "needs 3 elements, got 1"),
    (onnx.TensorProto(name="t", data_type=STRING, dims=[2**40], string_data=[b"a"]), "elements, got 1"),
    (onnx.TensorProto(name="t", data_type=STRING, dims=[1], string_data=[b"a"], raw_data=b"a"), "in 2 places"),
])
def test_tensors_of_strings_are_checked(tensor, why):
    with pytest.raises(graven.Error, match=why):
        graven.compile(model([helper.make_node("Identity", ["t"], ["y"])], [], ["y"], [tensor]))


FULL = [("www\\.[\\w.-]+\\.\\bcom\\b", ["www.a.com", "www.acom", "www.a.com\n"]), ("a|bc", ["a", "bc", "ac", ""]),
        ("[^\\d_]{2,3}x?", ["ab", "abx", "a1", "abcx", "a_"]), (".*", ["", "ab", "a\nb"]), ("[a-c\\-^]+", ["a-^", "d", "b"]),
        ("\\s\\W\\D+", [" .a", " aa"]), ("(ab){2}", ["abab", "ab"]),
        ("a\\bb?", ["a", "ab"]), ("a|ab|abc", ["abc"]), ("(a|ab)(c|bcd)(d*)", ["abcd", "abcdd"])]


@pytest.mark.parametrize("pattern, strings", FULL)
def test_full_matches(pattern, strings):
    node = helper.make_node("RegexFullMatch", ["x"], ["y"], pattern=pattern)
    own = graven.compile(model([node], [("x", STRING, [len(strings)])], ["y"]), threads=1)(texts(*strings))
    np.testing.assert_array_equal(own, [re.fullmatch(pattern, text) is not None for text in strings])


@pytest.mark.parametrize("pattern", ["(?i)a", "a*?", "\\1", "\\pL", "((a{255}){255}){255}", "a{999}", "[[:alpha:]]", "é", "(", "a)",
                                     "[", "x" * 2000, "\\b.", "a\\b$"])
def test_patterns_that_are_refused(pattern):
    node = helper.make_node("RegexFullMatch", ["x"], ["y"], pattern=pattern)
    with pytest.raises(graven.Error, match="GRV0202"):
        graven.compile(model([node], [("x", STRING, [1])], ["y"]), threads=1)(texts("a"))


def test_letters_that_are_not_ascii():
    for op, attributes in (("RegexFullMatch", {"pattern": "."}), ("StringNormalizer", {"case_change_action": "LOWER"})):
        node = helper.make_node(op, ["x"], ["y"], **attributes)
        with pytest.raises(graven.Error, match="GRV0202"):
            graven.compile(model([node], [("x", STRING, [1])], ["y"]), threads=1)(texts("É"))


def answers(name, kind, *values):
    """A branch that gives a constant."""
    constant = helper.make_node("Constant", [], [name], value=helper.make_tensor("c", kind, [len(values)], values))
    return helper.make_graph([constant], name, [], [helper.make_tensor_value_info(name, kind, [len(values)])])


def test_branches_of_strings():
    choice = helper.make_node("If", ["c"], ["t"], then_branch=answers("then", STRING, b"yes", b"sure"),
                              else_branch=answers("else", STRING, b"no", b"never"))
    same = helper.make_node("Equal", ["t", "x"], ["same"])
    own = graven.compile(model([choice, same], [("c", BOOL, []), ("x", STRING, [2])], ["t", "same"]), threads=1)
    assert isinstance(own, graven.Model)
    for condition, expected in [(True, ["yes", "sure"]), (False, ["no", "never"])]:
        text, equal = own(np.array(condition), texts("yes", "never"))
        np.testing.assert_array_equal(text, expected)
        np.testing.assert_array_equal(equal, np.array(["yes", "never"]) == expected)


def test_branch_that_is_known():
    choice = helper.make_node("If", ["c"], ["t"], then_branch=answers("then", STRING, b"yes"), else_branch=answers("else", STRING, b"no"))
    known = helper.make_tensor("c", BOOL, [], [False])
    same = helper.make_node("Equal", ["t", "x"], ["same"])
    own = graven.compile(model([choice, same], [("x", STRING, [1])], ["t", "same"], [known]), threads=1)
    text, equal = own(texts("no"))
    assert text.tolist() == ["no"] and equal.tolist() == [True]


def test_branches_of_strings_and_numbers():
    choice = helper.make_node("If", ["c"], ["t"], then_branch=answers("then", STRING, b"yes"), else_branch=answers("else", INT, 1))
    with pytest.raises(graven.Error, match=r"GRV0107\].*output #0 of the branches is strings and of plain elements"):
        graven.compile(model([choice], [("c", BOOL, [])], ["t"]), threads=1)
