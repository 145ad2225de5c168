"""Bad ONNX files: each is refused with its code and a message that says what is wrong; nothing crashes.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import importlib.util
import os
import pathlib

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from onnx_driver import Driver

FLOAT = TensorProto.FLOAT
PADDLE = pathlib.Path(importlib.util.find_spec("rapidocr_onnxruntime").origin).parent / "models"


@pytest.fixture
def driver(build, tmp_path):
    made = Driver(build / "bin" / "evaluate-onnx", tmp_path)
    yield made
    made.close()


def value(name, shape=(2, 3), kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, inputs=None, outputs=None, initializers=(), opset=17, functions=(), domains=()):
    graph = helper.make_graph(nodes, "g", inputs or [value("x")], outputs or [value("y")], list(initializers))
    imports = [helper.make_opsetid("", opset)] + [helper.make_opsetid(name, 1) for name in domains]
    return helper.make_model(graph, opset_imports=imports, functions=list(functions), ir_version=9)


def relu(x="x", y="y", **more):
    return helper.make_node("Relu", [x], [y], **more)


def weight(name="w", shape=(2, 3)):
    return numpy_helper.from_array(np.ones(shape, np.float32), name)


def with_weight(tensor):
    return model([helper.make_node("Add", ["x", tensor.name], ["y"])], initializers=[tensor])


def check_refused(driver, made, code, *words):
    data = made if isinstance(made, bytes) else made.SerializeToString()
    answer = driver.import_bytes(data)
    assert answer.startswith("error") and f"[{code}]" in answer, answer
    for word in words:
        assert word in answer, answer


def test_good_model(driver):
    assert driver.import_bytes(model([relu()]).SerializeToString()) == "ok"


def test_empty_file(driver):
    check_refused(driver, b"", "GRV0104", "no graph")


def test_wrong_type_of_file(driver):
    check_refused(driver, b"PK\x03\x04 this is no protobuf at all", "GRV0104")


def test_every_truncation_is_refused_or_read(driver):
    data = with_weight(weight(shape=(10, 30))).SerializeToString()
    answers = [driver.import_bytes(data[:n]) for n in range(0, len(data), 7)]
    assert all("[GRV" in answer for answer in answers), answers


def test_lying_length(driver):
    # Field 7 (graph) claims 2^40 bytes.
    check_refused(driver, bytes([0x3A, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0x0A]), "GRV0104", "claims")


def test_deep_nesting(driver):
    deep = b""
    for _ in range(200):
        body = b"\x32" + varint(len(deep)) + deep          # AttributeProto.g
        node = b"\x2a" + varint(len(body)) + body          # NodeProto.attribute
        deep = b"\x0a" + varint(len(node)) + node          # GraphProto.node
    check_refused(driver, b"\x3a" + varint(len(deep)) + deep, "GRV0104", "nested")


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def test_short_raw_data(driver):
    tensor = weight(shape=(20, 30))
    tensor.raw_data = tensor.raw_data[:-4]
    check_refused(driver, with_weight(tensor), "GRV0105", "2400", "2396")


def test_raw_and_typed_data(driver):
    tensor = weight()
    tensor.float_data.extend([1] * 6)
    check_refused(driver, with_weight(tensor), "GRV0105", "2 places")


def test_typed_data_of_wrong_length(driver):
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[2, 3], float_data=[1, 2])
    check_refused(driver, with_weight(tensor), "GRV0105", "6 elements, got 2")


@pytest.mark.parametrize("dims", [[-2, 3], [1 << 40, 1 << 40], [1] * 17])
def test_bad_shape_of_tensor(driver, dims):
    check_refused(driver, with_weight(TensorProto(name="w", data_type=FLOAT, dims=dims, raw_data=b"")), "GRV0105")


def test_strings(driver):
    tensor = TensorProto(name="w", data_type=TensorProto.STRING, dims=[1], string_data=[b"a"])
    check_refused(driver, with_weight(tensor), "GRV0202", "strings")


def test_bad_tensor_in_attribute(driver):
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[2, 3], raw_data=b"1234")
    nodes = [helper.make_node("Constant", [], ["w"], value=tensor), helper.make_node("Add", ["x", "w"], ["y"])]
    check_refused(driver, model(nodes), "GRV0105")


def external(location, offset=None, length=None):
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[2, 3], data_location=TensorProto.EXTERNAL)
    for key, text in (("location", location), ("offset", offset), ("length", length)):
        if text is not None:
            tensor.external_data.add(key=key, value=str(text))
    return with_weight(tensor).SerializeToString()


def ask_external(driver, data):
    (driver.folder / "model.onnx").write_bytes(data)
    return driver.ask(driver.folder)


def test_external_data_is_read(driver):
    (driver.folder / "w.bin").write_bytes(bytes(40))
    assert ask_external(driver, external("w.bin", 16, 24)) == "ok"
    (driver.folder / "sub").mkdir()
    (driver.folder / "sub" / "w.bin").write_bytes(bytes(24))
    assert ask_external(driver, external("sub/w.bin")) == "ok"


@pytest.mark.parametrize("location", ["../w.bin", "/etc/hostname", "a/../../w.bin", "", ".", "a//w.bin", "a\\w.bin",
                                      "C:w.bin", "missing.bin", "sub"])
def test_external_data_elsewhere(driver, location):
    (driver.folder / "sub").mkdir(exist_ok=True)
    assert "[GRV0106]" in ask_external(driver, external(location))


def test_external_data_behind_links(driver, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "w.bin").write_bytes(bytes(24))
    (driver.folder / "link.bin").symlink_to(outside / "w.bin")
    (driver.folder / "folder").symlink_to(outside)
    os.link(outside / "w.bin", driver.folder / "hard.bin")
    os.mkfifo(driver.folder / "fifo")
    for location in ("link.bin", "folder/w.bin", "hard.bin", "fifo"):
        answer = ask_external(driver, external(location))
        assert "[GRV0106]" in answer, answer


@pytest.mark.parametrize("offset, length", [(20, None), (-1, None), (0, 23), (1 << 62, 24), ("x", None),
                                            (18446744073709551615, 24)])
def test_external_data_out_of_bounds(driver, offset, length):
    (driver.folder / "w.bin").write_bytes(bytes(40))
    assert "[GRV0106]" in ask_external(driver, external("w.bin", offset, length))


def test_undefined_value(driver):
    check_refused(driver, model([relu("nowhere")]), "GRV0107", "nothing defines")


def test_cycle(driver):
    nodes = [helper.make_node("Add", ["x", "b"], ["a"]), relu("a", "b"), relu("b")]
    check_refused(driver, model(nodes), "GRV0107", "cycle")


def test_value_defined_twice(driver):
    check_refused(driver, model([relu(y="a"), relu(y="a"), relu("a")]), "GRV0107", "defined already")


def test_output_that_nothing_defines(driver):
    check_refused(driver, model([relu(y="a")]), "GRV0107")


def test_two_outputs_of_one_name(driver):
    """One that is listed twice is given twice; the parts of a sequence have names of their own."""
    twice = model([relu()], outputs=[value("y"), value("y_1"), value("y")])
    twice.graph.node.append(relu(y="y_1"))
    assert driver.import_bytes(twice.SerializeToString()) == "ok"
    parts = model([helper.make_node("SequenceConstruct", ["x", "x"], ["y"]), relu(y="y.1")],
                  outputs=[helper.make_tensor_sequence_value_info("y", FLOAT, (2, 3)), value("y.1")])
    check_refused(driver, parts, "GRV0107", "two outputs are called 'y.1'")


def test_wrong_declared_output_type(driver):
    check_refused(driver, model([relu()], outputs=[value("y", kind=TensorProto.INT64)]), "GRV0107", "INT64")


def test_unsupported_ops_are_reported_by_name_and_place(driver):
    nodes = [helper.make_node("ImageDecoder", ["x"], ["a"], name="first"),
             helper.make_node("ImageDecoder", ["a"], ["b"], name="second"),
             helper.make_node("Foo", ["b"], ["y"], domain="my.domain")]
    check_refused(driver, model(nodes, domains=["my.domain"]), "GRV0201", "'ImageDecoder'", "2 times", "'first'", "'second'")


@pytest.mark.parametrize("opset", [0, 29, 1000])
def test_unsupported_opset(driver, opset):
    check_refused(driver, model([relu()], opset=opset), "GRV0203", str(opset))


def test_recursive_function(driver):
    call = helper.make_node("F", ["a"], ["b"], domain="my.domain")
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("my.domain", 1)]
    function = helper.make_function("my.domain", "F", ["a"], ["b"], [call], imports)
    made = model([helper.make_node("F", ["x"], ["y"], domain="my.domain")], functions=[function], domains=["my.domain"])
    check_refused(driver, made, "GRV0107", "nested deeper")


def test_functions_that_multiply(driver):
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("d", 1)]
    functions = [helper.make_function("d", "F0", ["a"], ["b"], [relu("a", "b")], imports)]
    for i in range(1, 30):
        nodes = [helper.make_node(f"F{i - 1}", ["a"], ["t"], domain="d"),
                 helper.make_node(f"F{i - 1}", ["t"], ["b"], domain="d")]
        functions.append(helper.make_function("d", f"F{i}", ["a"], ["b"], nodes, imports))
    made = model([helper.make_node("F29", ["x"], ["y"], domain="d")], functions=functions, domains=["d"])
    check_refused(driver, made, "GRV0202", "nodes")


def test_shapes_that_do_not_fit(driver):
    check_refused(driver, with_weight(weight(shape=(2, 4))), "GRV0107", "Add", "extent 4")


def test_element_types_that_do_not_fit(driver):
    tensor = numpy_helper.from_array(np.ones((2, 3), np.int64), "w")
    check_refused(driver, with_weight(tensor), "GRV0107")


def test_weights_of_more_axes_than_the_input(driver):
    made = model([helper.make_node("Conv", ["x", "w"], ["y"])], initializers=[weight(shape=(1, 3, 1, 1))])
    check_refused(driver, made, "GRV0107", "rank")


def test_attribute_of_the_wrong_kind(driver):
    check_refused(driver, model([helper.make_node("Softmax", ["x"], ["y"], axis=1.5)]), "GRV0107", "'axis'")


@pytest.mark.parametrize("axis", [2, -3, 1 << 62])
def test_axis_out_of_range(driver, axis):
    check_refused(driver, model([helper.make_node("Softmax", ["x"], ["y"], axis=axis)]), "GRV0107", "out of range")


def test_missing_input_of_a_node(driver):
    check_refused(driver, model([helper.make_node("Add", ["x"], ["y"])]), "GRV0107", "has 1 inputs, expected 2")
    check_refused(driver, model([helper.make_node("Add", ["x", ""], ["y"])]), "GRV0107", "absent")


def test_unknown_extent(driver):
    nodes = [helper.make_node("Shape", ["x"], ["s"]), helper.make_node("ConstantOfShape", ["s"], ["y"])]
    made = model(nodes, inputs=[value("x", ("n", 3))], outputs=[value("y", None)])
    check_refused(driver, made, "GRV0207", "'x'", "--input")


def test_unknown_extent_behind_known_ones(driver):
    scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "s")
    made = model([helper.make_node("Resize", ["x", "", "s"], ["y"], mode="cubic", coordinate_transformation_mode="asymmetric")],
                 inputs=[value("x", (1, 3, 8, "w"))], outputs=[value("y", None)], initializers=[scales])
    answer = driver.import_bytes(made.SerializeToString())
    assert answer == "ok" or "[GRV0207]" in answer and "unknown extents of input 'x'" in answer, answer
    made = onnx.load(PADDLE / "ch_PP-OCRv4_det_infer.onnx")
    check_refused(driver, made, "GRV0207", "p2o.Resize.0", "unknown extents of input 'x'")


def test_huge_constant(driver):
    shape = numpy_helper.from_array(np.array([1 << 40, 1 << 40], np.int64), "w")
    made = model([helper.make_node("ConstantOfShape", ["w"], ["y"])], initializers=[shape], outputs=[value("y", None)])
    check_refused(driver, made, "GRV0107", "too big")


def test_input_without_a_shape(driver):
    check_refused(driver, model([relu()], inputs=[value("x", None)]), "GRV0301", "--input")
