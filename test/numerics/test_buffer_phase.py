"""Random programs on tensors through the buffer phase, run, and compared with numpy.

Each program mixes elementwise ops (some in place), transposes, concatenations, padding, slices, reshapes, gathers,
loops and branches, and returns several of its values; so it meets every decision about where a value is computed.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import ctypes
import os
import pathlib
import random
import re
import subprocess

import numpy
import pytest

LLVM = pathlib.Path(os.environ.get("GRAVEN_LLVM", "/usr/lib/llvm-22")) / "bin"
PHASE = [
    "--canonicalize", "--cse", "--graven-reuse-operands", "--graven-bufferize", "--canonicalize", "--cse",
    "--graven-plan-arena", "--graven-verify-buffer-phase",
]
TO_LLVM = [
    "--convert-linalg-to-loops", "--expand-strided-metadata", "--lower-affine", "--convert-scf-to-cf",
    "--convert-arith-to-llvm", "--finalize-memref-to-llvm", "--convert-func-to-llvm=use-bare-ptr-memref-call-conv=1",
    "--convert-cf-to-llvm", "--convert-index-to-llvm", "--reconcile-unrealized-casts",
]
SHAPE = (4, 8)


def tensor(shape):
    return "tensor<" + "x".join(map(str, shape)) + "xf32>"


def axes(names):
    return ", ".join(names)


class Program:
    """A random function, its text, and the values numpy gives."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        numbers = numpy.random.default_rng(seed)
        self.lines = []
        self.names = 0
        self.values = []
        self.inputs = []
        for i in range(self.random.randint(1, 3)):
            self.inputs.append(numbers.standard_normal(SHAPE).astype(numpy.float32))
            self.values.append((f"%in{i}", self.inputs[-1]))
        steps = [self.binary, self.binary, self.unary, self.transpose, self.concat, self.pad, self.slice,
                 self.reshape, self.insert, self.gather, self.loop, self.branch]
        for _ in range(self.random.randint(3, 14)):
            self.random.choice(steps)(*self.random.choice(self.values[-6:]))
        self.outputs = [self.values[-1]] + self.random.choices(self.values, k=self.random.randint(0, 2))

    def new(self):
        self.names += 1
        return f"%v{self.names}"

    def emit(self, name, text, value):
        self.lines.append(f"{name} = {text}")
        self.values.append((name, numpy.ascontiguousarray(value)))

    def empty(self, shape):
        name = self.new()
        self.lines.append(f"{name} = tensor.empty() : {tensor(shape)}")
        return name

    def same_shape(self, value):
        return self.random.choice([other for other in self.values if other[1].shape == value.shape])

    def matrices(self, fits):
        return [other for other in self.values if other[1].ndim == 2 and fits(other[1].shape)]

    @staticmethod
    def generic(inputs, out, shape, body, permute=False):
        dims = [f"d{i}" for i in range(len(shape))]
        out_map = f"affine_map<({axes(dims)}) -> ({axes(dims)})>"
        in_map = f"affine_map<({axes(dims)}) -> ({axes(reversed(dims))})>" if permute else out_map
        in_shape = tuple(reversed(shape)) if permute else shape
        maps = axes([in_map] * len(inputs) + [out_map])
        kinds = axes(['"parallel"'] * len(shape))
        arguments = axes([f"%a{i}: f32" for i in range(len(inputs))] + ["%o: f32"])
        ins = f"ins({axes(inputs)} : {axes([tensor(in_shape)] * len(inputs))})" if inputs else ""
        return (f"linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}} {ins} "
                f"outs({out} : {tensor(shape)}) {{\n^bb0({arguments}):\n{body}\nlinalg.yield %t : f32\n"
                f"}} -> {tensor(shape)}")

    def binary(self, name, value):
        other, number = self.same_shape(value)
        in_place = self.random.random() < 0.3
        out = self.same_shape(value)[0] if in_place else self.empty(value.shape)
        self.emit(self.new(), self.generic([name, other], out, value.shape, "%t = arith.subf %a0, %a1 : f32"),
                  value - number)

    def unary(self, name, value):
        self.emit(self.new(),
                  self.generic([name], self.empty(value.shape), value.shape, "%t = arith.addf %a0, %half : f32"),
                  value + numpy.float32(0.5))

    def transpose(self, name, value):
        if value.ndim == 2:
            shape = value.shape[::-1]
            self.emit(self.new(),
                      self.generic([name], self.empty(shape), shape, "%t = arith.negf %a0 : f32", permute=True),
                      -value.T)

    def insert_slice(self, name, source, dest, dest_shape, offsets):
        sizes = axes(map(str, source[1].shape))
        return (f"{name} = tensor.insert_slice {source[0]} into {dest}[{axes(map(str, offsets))}][{sizes}][1, 1] : "
                f"{tensor(source[1].shape)} into {tensor(dest_shape)}")

    def concat(self, _, value):
        if value.ndim != 2:
            return
        choices = self.matrices(lambda shape: shape[1] == value.shape[1])
        parts = self.random.choices(choices, k=self.random.randint(2, 3))
        whole = numpy.concatenate([part[1] for part in parts])
        if whole.shape[0] > 64:
            return
        row, placed = 0, []
        for part in parts:
            placed.append((part, row))
            row += part[1].shape[0]
        self.random.shuffle(placed)
        dest = self.empty(whole.shape)
        for part, row in placed:
            name = self.new()
            self.lines.append(self.insert_slice(name, part, dest, whole.shape, (row, 0)))
            dest = name
        self.values.append((dest, whole))

    def pad(self, name, value):
        if value.ndim != 2 or max(value.shape) > 40:
            return
        amounts = [(self.random.randint(0, 2), self.random.randint(0, 2)) for _ in range(2)]
        padded = numpy.pad(value, amounts, constant_values=numpy.float32(0.5))
        filled, result = self.new(), self.new()
        out = self.empty(padded.shape)
        self.lines.append(f"{filled} = linalg.fill ins(%half : f32) outs({out} : {tensor(padded.shape)}) -> "
                          f"{tensor(padded.shape)}")
        offsets = [low for low, _ in amounts]
        self.lines.append(self.insert_slice(result, (name, value), filled, padded.shape, offsets))
        self.values.append((result, padded))

    def slice(self, name, value):
        if value.ndim == 2 and value.shape[0] > 1:
            first = self.random.randint(0, value.shape[0] - 1)
            rows = self.random.randint(1, value.shape[0] - first)
            shape = (rows, value.shape[1])
            self.emit(self.new(), f"tensor.extract_slice {name}[{first}, 0][{rows}, {shape[1]}][1, 1] : "
                      f"{tensor(value.shape)} to {tensor(shape)}", value[first:first + rows])

    def reshape(self, name, value):
        if value.ndim == 2:
            flat = value.reshape(-1)
            self.emit(self.new(), f"tensor.collapse_shape {name} [[0, 1]] : {tensor(value.shape)} into "
                      f"{tensor(flat.shape)}", flat)
        elif value.shape[0] % 4 == 0:
            square = value.reshape(4, -1)
            self.emit(self.new(), f"tensor.expand_shape {name} [[0, 1]] output_shape [4, {square.shape[1]}] : "
                      f"{tensor(value.shape)} into {tensor(square.shape)}", square)

    def insert(self, name, value):
        if value.ndim != 2:
            return
        source = self.random.choice(
            self.matrices(lambda shape: shape[0] <= value.shape[0] and shape[1] <= value.shape[1]))
        at = [self.random.randint(0, whole - part) for whole, part in zip(value.shape, source[1].shape)]
        changed = value.copy()
        changed[at[0]:at[0] + source[1].shape[0], at[1]:at[1] + source[1].shape[1]] = source[1]
        result = self.new()
        self.lines.append(self.insert_slice(result, source, name, value.shape, at))
        self.values.append((result, changed))

    def gather(self, name, value):
        if value.ndim == 1:
            body = (f"%i = linalg.index 0 : index\n%n = arith.constant {value.shape[0] - 1} : index\n"
                    f"%j = arith.subi %n, %i : index\n%t = tensor.extract {name}[%j] : {tensor(value.shape)}")
            self.emit(self.new(), self.generic([], self.empty(value.shape), value.shape, body), value[::-1])

    def loop(self, name, value):
        """Two carried values and their difference, yielded in one of four ways, the swap among them."""
        other, number = self.same_shape(value)
        result, index, out, made = self.new(), self.new(), self.new(), self.new()
        kind = tensor(value.shape)
        x, y = result + "x", result + "y"
        body = (f"{out} = tensor.empty() : {kind}\n{made} = " +
                self.generic([x, y], out, value.shape, "%t = arith.subf %a0, %a1 : f32"))
        mode = self.random.randint(0, 3)
        yielded = [(made, x), (y, made), (y, x), (made, y)][mode]
        self.lines.append(f"{result}:2 = scf.for {index} = %c0 to %c3 step %c1 iter_args({x} = {name}, {y} = {other}) "
                          f"-> ({kind}, {kind}) {{\n{body}\nscf.yield {axes(yielded)} : {kind}, {kind}\n}}")
        a, b = value, number
        for _ in range(3):
            difference = a - b
            a, b = [(difference, a), (b, difference), (b, a), (difference, b)][mode]
        self.values += [(result + "#0", a), (result + "#1", b)]

    def branch(self, name, value):
        other, number = self.same_shape(value)
        taken = self.random.random() < 0.5
        out, made = self.new(), self.new()
        kind = tensor(value.shape)
        body = self.generic([name, other], out, value.shape, "%t = arith.addf %a0, %a1 : f32")
        self.emit(self.new(), f"scf.if {'%yes' if taken else '%no'} -> {kind} {{\n{out} = tensor.empty() : {kind}\n"
                  f"{made} = {body}\nscf.yield {made} : {kind}\n}} else {{\nscf.yield {name} : {kind}\n}}",
                  value + number if taken else value)

    def text(self):
        arguments = axes([f"%in{i}: {tensor(SHAPE)}" for i in range(len(self.inputs))] + ["%flags: tensor<2xi1>"])
        kinds = axes(tensor(value.shape) for _, value in self.outputs)
        start = ["%c0 = arith.constant 0 : index", "%c1 = arith.constant 1 : index",
                 "%c3 = arith.constant 3 : index", "%half = arith.constant 0.5 : f32",
                 "%no = tensor.extract %flags[%c0] : tensor<2xi1>", "%yes = tensor.extract %flags[%c1] : tensor<2xi1>"]
        end = f"return {axes(name for name, _ in self.outputs)} : {kinds}"
        return "\n".join([f"func.func @f({arguments}) -> ({kinds}) {{"] + start + self.lines + [end, "}", ""])


def compile_program(build, folder, text):
    """The shared object, and the arena's size that the phase says."""
    source, buffers, ir, library = (folder / name for name in ("p.mlir", "b.mlir", "p.ll", "p.so"))
    source.write_text(text)
    subprocess.run([build / "bin" / "graven-opt", source, *PHASE, "-o", buffers], check=True)
    lowered = subprocess.run([LLVM / "mlir-opt", buffers, *TO_LLVM], check=True, capture_output=True).stdout
    subprocess.run([LLVM / "mlir-translate", "--mlir-to-llvmir", "-o", ir], input=lowered, check=True)
    subprocess.run([LLVM / "clang", "-w", "-O1", "-shared", "-fPIC", ir, "-o", library], check=True)
    size = int(re.search(r"graven\.workspace_size = (\d+)", buffers.read_text()).group(1))
    return ctypes.CDLL(str(library)), size


@pytest.mark.parametrize("seed", range(25))
def test_random_program(build, tmp_path, seed):
    program = Program(seed)
    library, size = compile_program(build, tmp_path, program.text())
    inputs = [value.copy() for value in program.inputs]
    flags = numpy.array([0, 1], numpy.uint8)
    outputs = [numpy.full(value.shape, numpy.nan, numpy.float32) for _, value in program.outputs]
    # A NaN in every float of the arena shows what is read before it is written.
    arena = numpy.full(size + 64, 0xff, numpy.uint8)
    arena = arena[-arena.ctypes.data % 64:][:size]
    library.f(*[array.ctypes.data_as(ctypes.c_void_p) for array in [*inputs, flags, *outputs, arena]], None)
    for got, given in zip(inputs, program.inputs):
        numpy.testing.assert_array_equal(got, given)
    for got, (_, expected) in zip(outputs, program.outputs):
        numpy.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)
