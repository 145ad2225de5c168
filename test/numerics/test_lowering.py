"""Native code of single ops: every case that the reference evaluator is held to, compiled and run.

The cases of one test of test_ops_*.py become one Graph, so that a compile covers dozens of them. The tolerance is
what the design allows native code: exact for integers and movement, otherwise close to the rounded result.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import itertools
import re
import subprocess

import numpy
import pytest
import test_ops_contraction
import test_ops_detection
import test_ops_elementwise
import test_ops_movement
import test_ops_reduction
import torch
from op_cases import tensor_type

RTOL = {torch.float16: 2e-3, torch.bfloat16: 1.6e-2, torch.float32: 1e-5, torch.float64: 1e-12}
UNIT = {torch.float16: 6e-8, torch.bfloat16: 1e-38, torch.float32: 1e-38, torch.float64: 1e-300}
LOCATED = re.compile(r"graph\.mlir:(\d+):\d+: error: (.*)")
MODULES = (test_ops_contraction, test_ops_detection, test_ops_elementwise, test_ops_movement, test_ops_reduction)


def parametrized():
    """Each test of the modules with each set of its parameters."""
    for module in MODULES:
        for name, function in vars(module).items():
            if not name.startswith("test_"):
                continue
            marks = [mark.args for mark in getattr(function, "pytestmark", ()) if mark.name == "parametrize"]
            for values in itertools.product(*(mark[1] for mark in marks)):
                arguments = dict(zip((mark[0] for mark in marks), values))
                label = "-".join([name.removeprefix("test_"), *(str(value).removeprefix("torch.") for value in values)])
                yield pytest.param(module, function, arguments, id=label)


class Batch:
    """Cases as one Graph @forward whose inputs are the distinct tensors of the cases."""

    def __init__(self, cases):
        self.cases, self.inputs, self.body, self.outputs = cases, {}, [], []
        for number, case in enumerate(cases):
            operands = [self.operand(tensor) for tensor in case.inputs]
            op = re.sub(r"%(\d+)", lambda match: operands[int(match[1])], case.op)
            types = ", ".join(map(tensor_type, case.inputs))
            results = ", ".join(map(tensor_type, case.expected))
            signature = tensor_type(case.inputs[0]) if case.same_type else f"({types}) -> ({results})"
            count = len(case.expected)
            self.body.append(f"  %r{number}{f':{count}' if count > 1 else ''} = graven.{op} : {signature}")
            for index, tensor in enumerate(case.expected):
                self.output(f"%r{number}#{index}" if count > 1 else f"%r{number}", tensor)

    def operand(self, tensor):
        """NumPy has no bf16: such a tensor goes in as f32 and is cast, which is exact."""
        if tensor.dtype == torch.bfloat16:
            wide = self.operand(tensor.float())
            name = f"{wide}_bf16"
            text = f"  {name} = graven.cast {wide} {{to = bf16}} : ({tensor_type(tensor.float())}) -> {tensor_type(tensor)}"
            if text not in self.body:
                self.body.append(text)
            return name
        data = tensor.contiguous().numpy()
        return f"%x{self.inputs.setdefault((tensor_type(tensor), data.tobytes()), (len(self.inputs), data))[0]}"

    def output(self, value, tensor):
        if tensor.dtype == torch.bfloat16:
            name, tensor, narrow = f"{value.replace('#', '_')}_f32", tensor.float(), tensor
            self.body.append(
                f"  {name} = graven.cast {value} {{to = f32}} : ({tensor_type(narrow)}) -> {tensor_type(tensor)}")
            value = name
        self.outputs.append((value, tensor_type(tensor)))

    def text(self):
        inputs = ", ".join(f"%x{index}: {key[0]}" for key, (index, _) in self.inputs.items())
        types = ", ".join(kind for _, kind in self.outputs)
        values = ", ".join(value for value, _ in self.outputs)
        return "\n".join([f"graven.graph @forward({inputs}) -> ({types}) {{", *self.body,
                          f"  graven.return {values} : {types}", "}", ""])

    def run(self, graven, folder):
        """The outputs; None and the message where the program fails."""
        folder.mkdir()
        (folder / "graph.mlir").write_text(self.text())
        command = [graven, "run", folder / "graph.mlir", "--save-outputs", folder / "out"]
        for index, data in self.inputs.values():
            numpy.save(folder / f"{index}.npy", data)
            command += ["--input", f"{index}=@{folder / f'{index}.npy'}"]
        run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if run.returncode != 0:
            return None, f"exit status {run.returncode}: {run.stderr}"
        return [numpy.load(folder / "out" / f"{index}.npy") for index in range(len(self.outputs))], ""


def describe(case):
    return f"{case.op} ({', '.join(map(tensor_type, case.inputs))})"


def difference(case, expected, got):
    """What is wrong with `got`, or an empty string."""
    if tuple(got.shape) != tuple(expected.shape):
        return f"shape {got.shape}, expected {tuple(expected.shape)}"
    got = torch.from_numpy(numpy.array(got))
    if not expected.dtype.is_floating_point:
        wrong = got != expected
    else:
        want, have = expected.double(), got.double()
        finite = want[want.isfinite()].abs()
        scale = 0.0 if case.tolerance == "exact" else RTOL[expected.dtype]
        # Sums cancel: their error is relative to the tensor, which for elementwise ops may hold much larger values.
        slack = scale * min(finite.max().item(), 10.0) + UNIT[expected.dtype] if finite.numel() else 0.0
        close = (want - have).abs() <= scale * want.abs() + slack
        wrong = ~torch.where(want.isnan(), have.isnan(), close | (want == have))
    if not wrong.any():
        return ""
    at = wrong.reshape(-1).nonzero()[0].item()
    return (f"{int(wrong.sum())} of {wrong.numel()} elements differ, the first at {at}: got "
            f"{got.reshape(-1)[at].item()!r}, expected {expected.reshape(-1)[at].item()!r}")


def failures(graven, folder, cases):
    """One line for each case that does not compile, does not run or gives another result."""
    batch = Batch(cases)
    outputs, message = batch.run(graven, folder)
    if outputs is None:
        lines = batch.text().splitlines()
        refused = {}
        for line, text in LOCATED.findall(message):
            named = re.match(r"  %r(\d+)", lines[int(line) - 1])
            if named:
                refused[int(named[1])] = text
        if not refused and len(cases) == 1:
            refused = {0: message[:600]}
        found = [f"{describe(cases[number])}: {text}" for number, text in refused.items()]
        rest = [case for number, case in enumerate(cases) if number not in refused]
        if refused:
            return found + (failures(graven, folder / "rest", rest) if rest else [])
        middle = len(cases) // 2
        return (failures(graven, folder / "a", cases[:middle]) + failures(graven, folder / "b", cases[middle:])
                or [f"{len(cases)} cases fail only together: {message[:600]}"])
    found, position = [], 0
    for case in cases:
        for expected in case.expected:
            wrong = difference(case, expected, outputs[position])
            position += 1
            if wrong:
                found.append(f"{describe(case)}: {wrong}")
    return found


@pytest.mark.parametrize("module, function, arguments", list(parametrized()))
def test_native(graven, tmp_path, monkeypatch, module, function, arguments):
    cases = []
    monkeypatch.setattr(module, "check", lambda _build, _folder, more: cases.extend(more))
    function(None, tmp_path, **arguments)
    assert cases
    found = failures(graven, tmp_path / "run", cases)
    assert not found, "\n".join(found)
