"""Small ONNX files that ask for much: what does not fit is refused when it is run, and what has no end is not run to compile it.
A compile takes seconds and little memory whatever the file asks for.

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


def value(name, shape=(2, 3), kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def ints(name, *values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


def scalar(name, number, dtype=np.int64):
    return numpy_helper.from_array(np.array(number, dtype), name)


def model(nodes, inputs, weights, output=None):
    graph = helper.make_graph(nodes, "g", inputs, [output or value("y", None)], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def filled(*shape, then=("Identity", {})):
    """A constant of a shape, and an op that reads it."""
    op, attributes = then
    return model([make("ConstantOfShape", ["s"], ["c"]), make(op, ["c"], ["y"], **attributes)], [], [ints("s", *shape)])


FITS_WHEN_COMPILED = {
    "ConstantOfShape": lambda: filled(1 << 20, 1 << 20),
    "ConstantOfShape that is read": lambda: filled(1 << 18, 1 << 18, then=("ReduceSum", {"keepdims": 0})),
    "Expand": lambda: model([make("Expand", ["x", "s"], ["y"])], [value("x", (1, 1))], [ints("s", 1 << 20, 1 << 16)]),
    "Tile": lambda: model([make("Tile", ["x", "s"], ["y"])], [value("x")], [ints("s", 1 << 20, 1 << 16)]),
    "Pad": lambda: model([make("Pad", ["x", "s"], ["y"])], [value("x")], [ints("s", 0, 0, 1 << 40, 1 << 10)]),
    "Einsum": lambda: model([make("Einsum", ["a", "b"], ["y"], equation="i,j->ij")],
                            [value("a", (1 << 20,)), value("b", (1 << 20,))], []),
    "MaxPool": lambda: model([make("MaxPool", ["x"], ["y"], kernel_shape=[2, 2])], [value("x", (1, 3, 32, 1 << 40))], []),
    "LpPool": lambda: model([make("LpPool", ["x"], ["y"], kernel_shape=[2, 2], pads=[1, 1, 1, 1])],
                            [value("x", (1, 3, 32, 1 << 40))], []),
}
REFUSED = {
    "Range": ("GRV0202", lambda: model([make("Range", ["a", "b", "c"], ["y"])], [], [
        scalar("a", 0), scalar("b", 1 << 40), scalar("c", 1)], value("y", None, INT64))),
    "Range without end": ("GRV0202", lambda: model([make("Range", ["a", "b", "a"], ["y"])], [], [
        scalar("a", 0), scalar("b", 5)], value("y", None, INT64))),
    "Tile that overflows": ("GRV0107", lambda: model([make("Tile", ["x", "s"], ["y"])], [value("x")], [ints("s", 1 << 62, 2)])),
    "Pad that overflows": ("GRV0107", lambda: model([make("Pad", ["x", "s"], ["y"])], [value("x")], [ints("s", *[1 << 62] * 4)])),
    "Reshape that overflows": ("GRV0107", lambda: model(
        [make("Reshape", ["x", "s"], ["y"])], [value("x")], [ints("s", 1 << 33, 1 << 33)])),
    "Resize": ("GRV0107", lambda: model([make("Resize", ["x", "", "s"], ["y"])], [value("x", (1, 1, 4, 4))], [
        numpy_helper.from_array(np.array([1, 1, 1e9, 1e9], np.float32), "s")])),
    "OneHot": ("GRV0107", lambda: model([make("OneHot", ["i", "d", "v"], ["y"])], [value("i", (2,), INT64)], [
        scalar("d", 1 << 40), numpy_helper.from_array(np.array([0, 1], np.float32), "v")])),
    "HannWindow": ("GRV0107", lambda: model([make("HannWindow", ["l"], ["y"])], [], [scalar("l", 1 << 40)])),
    "RandomNormal": ("GRV0202", lambda: model([make("RandomNormal", [], ["y"], shape=[1 << 20, 1 << 20])], [], [])),
    "CenterCropPad": ("GRV0107", lambda: model([make("CenterCropPad", ["x", "s"], ["y"])], [value("x")], [
        ints("s", 1 << 50, 1 << 20)])),
}


def run(graven, folder, *arguments, seconds=30):
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))

    return subprocess.run([graven, *arguments], cwd=folder, capture_output=True, text=True, timeout=seconds, preexec_fn=limit,
                          check=False)


@pytest.mark.parametrize("case", FITS_WHEN_COMPILED)
def test_compiles_and_is_refused_when_run(graven, tmp_path, case):
    onnx.save(FITS_WHEN_COMPILED[case](), tmp_path / "m.onnx")
    for command in (["import", "m.onnx", "-o", "m.mlir"], ["export", "m.onnx", "-o", "e.onnx"],
                    ["simplify", "m.onnx", "s.onnx", "--no-check"], ["compile", "m.onnx", "-o", "m.so"]):
        done = run(graven, tmp_path, *command)
        assert done.returncode == 0, (command, done)
    assert all((tmp_path / name).stat().st_size < 1 << 20 for name in ("m.so", "e.onnx", "s.onnx"))
    if case == "ConstantOfShape":
        done = run(graven, tmp_path, "run", "m.so")
        assert done.returncode == 2 and "[GRV0502]" in done.stderr and "out of memory" in done.stderr, done


@pytest.mark.parametrize("case", REFUSED)
def test_refused_when_read(graven, tmp_path, case):
    code, maker = REFUSED[case]
    onnx.save(maker(), tmp_path / "m.onnx")
    for command in (["import", "m.onnx", "-o", "m.mlir"], ["simplify", "m.onnx", "s.onnx"], ["compile", "m.onnx", "-o", "m.so"]):
        done = run(graven, tmp_path, *command)
        assert done.returncode == 2 and f"[{code}]" in done.stderr, (command, done)


def looped(trip, condition):
    """Doubles a constant as often as the model says."""
    body = helper.make_graph([make("Identity", ["ci"], ["co"]), make("Add", ["v", "v"], ["vo"])], "b",
                             [value("i", (), INT64), value("ci", (), BOOL), value("v", (1,))],
                             [value("co", (), BOOL), value("vo", (1,))])
    weights = [numpy_helper.from_array(np.ones(1, np.float32), "v0"), scalar("m", 0 if trip is None else trip),
               scalar("c", True, np.bool_)]
    return model([make("Loop", ["" if trip is None else "m", "c" if condition else "", "v0"], ["y"], body=body)], [],
                 weights, value("y", (1,)))


@pytest.mark.parametrize("trip, condition", [(1 << 62, True), (None, True), (None, False), (1 << 41, False)])
def test_loop_without_end(graven, tmp_path, trip, condition):
    onnx.save(looped(trip, condition), tmp_path / "m.onnx")
    for command in (["import", "m.onnx", "-o", "m.mlir"], ["compile", "m.onnx", "-o", "m.so"], ["diff", "m.onnx", "m.onnx"],
                    ["simplify", "m.onnx", "s.onnx", "--no-check"], ["export", "m.onnx", "-o", "e.onnx"]):
        assert run(graven, tmp_path, *command).returncode == 0, command
    done = run(graven, tmp_path, "simplify", "m.onnx", "checked.onnx")
    assert done.returncode == 2 and "Loop_0" in done.stderr and "[GRV0202]" in done.stderr, done
    assert not (tmp_path / "checked.onnx").exists()


@pytest.mark.parametrize("trip, wanted", [(-3, 1), (0, 1), (5, 32)])
def test_loop_over_weights_is_run(graven, tmp_path, trip, wanted):
    onnx.save(looped(trip, True), tmp_path / "m.onnx")
    assert run(graven, tmp_path, "run", "m.onnx", "--save-outputs", "out").returncode == 0
    assert np.load(tmp_path / "out" / "0.npy").tolist() == [wanted]
    assert run(graven, tmp_path, "simplify", "m.onnx", "s.onnx").returncode == 0


@pytest.mark.parametrize("number", [0, 1])
def test_artifact_does_not_hold_what_is_filled(graven, tmp_path, number):
    """64 MB of one number are no part of a file."""
    made = filled(4096, 4096)
    if number:
        made.graph.node[0].attribute.append(helper.make_attribute(
            "value", numpy_helper.from_array(np.array([number], np.float32), "v")))
    onnx.save(made, tmp_path / "m.onnx")
    assert run(graven, tmp_path, "compile", "m.onnx", "-o", "m.so").returncode == 0
    assert (tmp_path / "m.so").stat().st_size < 1 << 20
    assert run(graven, tmp_path, "run", "m.so", "--save-outputs", "out").returncode == 0
    assert (np.load(tmp_path / "out" / "0.npy") == number).all()
