"""Numbers at the ends of their types, indices beyond tensors and counts that tempt to quadratic algorithms: rows 26 and 35 of
reliability.md (section 2). Results are defined, or the run is refused; nothing is read beside a tensor.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import resource
import subprocess

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import graven

make = helper.make_node
KINDS = {np.dtype(dtype): helper.np_dtype_to_tensor_dtype(np.dtype(dtype)) for dtype in (
    np.int8, np.int32, np.int64, np.uint8, np.uint32, np.uint64, np.float32)}


def model(nodes, inputs, weights=()):
    infos = [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs]
    graph = helper.make_graph(nodes, "g", infos, [onnx.ValueInfoProto(name="y")],
                              [numpy_helper.from_array(np.asarray(array), name) for name, array in weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10).SerializeToString()


def run(node, *arrays, weights=()):
    names = [name for name in node.input if name not in dict(weights)]
    inputs = [(name, KINDS[array.dtype], array.shape) for name, array in zip(names, arrays, strict=True)]
    return graven.compile(model([node], inputs, weights), threads=1)(*arrays)


ROWS, ONES = np.arange(12, dtype=np.float32).reshape(4, 3), np.ones((2, 3), np.float32)
INDEXED = {
    "Gather": lambda i: run(make("Gather", ["x", "i"], ["y"]), ROWS, i),
    "GatherElements": lambda i: run(make("GatherElements", ["x", "i"], ["y"]), ROWS, i[None]),
    "GatherND": lambda i: run(make("GatherND", ["x", "i"], ["y"]), ROWS, i[:, None]),
    "ScatterND": lambda i: run(make("ScatterND", ["x", "i", "u"], ["y"]), ROWS, i[:, None], ONES),
    "ScatterElements": lambda i: run(make("ScatterElements", ["x", "i", "u"], ["y"]), ROWS, i[None], ONES[:1, :2]),
}


@pytest.mark.parametrize("op", INDEXED)
def test_indices_beyond_the_tensor(op):
    for index in (4, -5, 1 << 31, 1 << 62, -1 << 63):
        with pytest.raises(graven.Error, match=r"GRV0402\].*index out of range"):
            INDEXED[op](np.array([0, index]))
    INDEXED[op](np.array([0, -4]))  # the first element from behind


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64])
def test_quotients_without_a_value(dtype):
    """What C leaves undefined has values: quotients by 0 are -1 as on RISC-V, the rest is the dividend; the least by -1 wraps."""
    least = np.iinfo(dtype).min
    a, b = np.array([least, least, 7, -7, 0], dtype), np.array([-1, 0, 0, 2, 0], dtype)
    np.testing.assert_array_equal(run(make("Div", ["a", "b"], ["y"]), a, b), [least, -1, -1, -3, -1])
    np.testing.assert_array_equal(run(make("Mod", ["a", "b"], ["y"]), a, b), [0, least, 7, 1, 0])
    np.testing.assert_array_equal(run(make("Mod", ["a", "b"], ["y"], fmod=1), a, b), [0, least, 7, -1, 0])
    np.testing.assert_array_equal(run(make("Abs", ["a"], ["y"]), a), [least, least, 7, 7, 0])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint32, np.uint64])
def test_shifts_by_the_width_and_more(dtype):
    width, most = np.iinfo(dtype).bits, int(np.iinfo(dtype).max)
    counts = [0, 1, width - 1, width, width + 7]
    a, b = np.full(5, most, dtype), np.array(counts, dtype)
    np.testing.assert_array_equal(run(make("BitShift", ["a", "b"], ["y"], direction="LEFT"), a, b),
                                  np.array([(most << n) & most for n in counts], dtype))
    np.testing.assert_array_equal(run(make("BitShift", ["a", "b"], ["y"], direction="RIGHT"), a, b),
                                  np.array([most >> n for n in counts], dtype))


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64, np.uint8])
def test_casts_of_floats_without_a_value(dtype):
    x, info = np.array([1e30, -1e30, np.nan, np.inf, -np.inf], np.float32), np.iinfo(dtype)
    np.testing.assert_array_equal(run(make("Cast", ["x"], ["y"], to=KINDS[np.dtype(dtype)]), x),
                                  np.array([info.max, info.min, 0, info.max, info.min], dtype))


def test_more_elements_than_32_bits_count():
    """The pages of zeros are one; only the last are written."""
    x = np.zeros((1 << 31) + 64, np.uint8)
    x[(1 << 31) + 5], x[-1] = 7, 9
    ends = [("s", np.array([(1 << 31) + 2])), ("e", np.array([(1 << 31) + 8]))]
    np.testing.assert_array_equal(run(make("Slice", ["x", "s", "e"], ["y"]), x, weights=ends), [0, 0, 0, 7, 0, 0])
    np.testing.assert_array_equal(run(make("Gather", ["x", "i"], ["y"]), x, np.array([(1 << 31) + 5, -1])), [7, 9])
    assert run(make("ArgMax", ["x"], ["y"], axis=0, keepdims=0), x) == (1 << 31) + 63


def wide_concat(count):
    return model([make("Concat", ["x"] * count, ["y"], axis=0)], [("x", TensorProto.FLOAT, (1, 2))])


def unused_constants(count):
    return model([make("Relu", ["x"], ["y"])], [("x", TensorProto.FLOAT, (1, 2))],
                 [(f"u{i}", np.float32(i)) for i in range(count)])


def chain(count):
    """Numbers that all differ, so that nothing is merged."""
    names = ["x", *(f"v{i}" for i in range(count - 1)), "y"]
    nodes = [make(("Sin", "Tanh", "Neg", "Abs")[i % 4], [names[i]], [names[i + 1]]) for i in range(count)]
    return model(nodes, [("x", TensorProto.FLOAT, (1, 2))])


def sum_of_one(count):
    """A nest that could grow without end: each Node adds the input once more."""
    names = ["x", *(f"v{i}" for i in range(count - 1)), "y"]
    nodes = [make(("Add", "Max")[i % 2], [names[i], "x"], [names[i + 1]]) for i in range(count)]
    return model(nodes, [("x", TensorProto.FLOAT, (1, 2))])


def many_inputs(count):
    """Each kernel takes some of them; the main function has them all."""
    names = [f"x{i}" for i in range(count)]
    return model([make("Sum", names, ["y"])], [(name, TensorProto.FLOAT, (4,)) for name in names])


@pytest.mark.parametrize("made, few, output", [
    (wide_concat, 2000, ["--to=kernel", "-o", "m.mlir"]), (unused_constants, 20000, ["--to=kernel", "-o", "m.mlir"]),
    (chain, 2000, ["--to=kernel", "-o", "m.mlir"]), (sum_of_one, 2000, ["--to=kernel", "-o", "m.mlir"]),
    (many_inputs, 750, ["--no-cache", "-o", "m.so"])])
def test_time_is_not_quadratic(tmp_path, build, made, few, output):
    """Eight times as much takes less than 24 times as long, which is 8 times for what is linear and 64 for a square."""
    def seconds(count):
        (tmp_path / "m.onnx").write_bytes(made(count))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([build / "bin/graven", "compile", "m.onnx", *output], cwd=tmp_path, check=True, timeout=120)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert seconds(8 * few) < 24 * max(seconds(few), 0.05)


def test_thousands_of_inputs_are_added(tmp_path, build):
    """Past the number from which the main function's code is selected in another way."""
    (tmp_path / "m.onnx").write_bytes(many_inputs(1500))
    assert subprocess.run([build / "bin/graven", "verify", "m.onnx"], cwd=tmp_path, check=False, timeout=120).returncode == 0
