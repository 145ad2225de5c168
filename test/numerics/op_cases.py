"""Cases of single ops for the reference evaluator: a module of small Graphs with `check` ops, run in one process.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import dataclasses
import re
import subprocess

import torch

DTYPES = {
    torch.float16: "f16", torch.bfloat16: "bf16", torch.float32: "f32", torch.float64: "f64", torch.bool: "i1",
    torch.int8: "i8", torch.int16: "i16", torch.int32: "i32", torch.int64: "i64", torch.uint8: "ui8",
}
ERROR = re.compile(r":(\d+):\d+: error: (.*)")


def tensor_type(tensor):
    extents = "".join(f"{extent}x" for extent in tensor.shape)
    return f"tensor<{extents}{DTYPES[tensor.dtype]}>"


def nested(values):
    if isinstance(values, list):
        return "[" + ", ".join(map(nested, values)) + "]"
    return "true" if values else "false"


def constant(tensor):
    """The tensor as an elements attribute, bit for bit."""
    if tensor.numel() == 0:
        text = ""
    elif tensor.dtype == torch.bool:
        text = nested(tensor.tolist())
    else:
        data = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        text = f'"0x{data.hex().upper()}"'
    return f"dense<{text}> : {tensor_type(tensor)}"


@dataclasses.dataclass
class Case:
    """`op` names its operands %0, %1, ...; what follows the colon is made from the tensors."""
    op: str
    inputs: list
    expected: list
    tolerance: str = ""
    same_type: bool = False

    def text(self, name):
        lines = [f"graven.graph @{name}() {{"]
        for index, tensor in enumerate(self.inputs):
            lines.append(f"  %{index} = graven.constant {constant(tensor)}")
        types = ", ".join(map(tensor_type, self.inputs))
        results = ", ".join(map(tensor_type, self.expected))
        signature = tensor_type(self.inputs[0]) if self.same_type else f"({types}) -> ({results})"
        results_left = "%r" if len(self.expected) == 1 else f"%r:{len(self.expected)}"
        lines.append(f"  {results_left} = graven.{self.op} : {signature}")
        for index, tensor in enumerate(self.expected):
            value = "%r" if len(self.expected) == 1 else f"%r#{index}"
            exact = not tensor.dtype.is_floating_point or self.tolerance == "exact"
            lines.append(f"  check.expect_eq_const {value}, {constant(tensor)}" if exact else
                         f"  check.expect_close_const {value}, {constant(tensor)} {self.tolerance or 'ulp 1'}")
        return "\n".join(lines + ["  graven.return", "}"])


def check(build, folder, cases):
    """Runs all cases; fails with the op and message of each that differs."""
    texts = [case.text(f"case{index}") for index, case in enumerate(cases)]
    path = folder / "cases.mlir"
    path.write_text("\n".join(texts) + "\n")
    run = subprocess.run([build / "bin/graven-opt", path, "--graven-run-checks", "-o", "/dev/null"],
                         capture_output=True, text=True, timeout=300, check=False)
    owner = [case for case, text in zip(cases, texts) for _ in text.splitlines()]
    wrong = []
    for line in run.stderr.splitlines():
        found = ERROR.search(line)
        if found:
            case = owner[int(found[1]) - 1]
            shapes = ", ".join(map(tensor_type, case.inputs))
            wrong.append(f"{case.op} ({shapes}): {found[2]}")
    assert not wrong, "\n".join(wrong)
    assert run.returncode == 0, run.stderr[-2000:]


def randn(*shape, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed + 31 * len(shape) + sum(shape))
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def randint(low, high, shape, dtype=torch.int64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(low, high, shape, generator=generator).to(dtype)


def in_double(function, *tensors, dtype=torch.float32):
    """The function in f64, rounded to dtype: what an evaluator that rounds once gives."""
    return function(*(tensor.double() for tensor in tensors)).to(dtype)
