"""The elementwise ops of the reference evaluator against PyTorch.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from op_cases import Case, check, in_double, randint, randn

INF, NAN = math.inf, math.nan
SPECIAL = torch.tensor([0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2.5, 3, -3, 6, 1e-3, -1e-3, 1e-40, 20, -20, 88, -88, 104,
                        -104, 1e10, -1e10, 3e38, -3e38, INF, -INF, NAN])
UNARY = {
    "neg": torch.neg, "abs": torch.abs, "ceil": torch.ceil, "floor": torch.floor, "round": torch.round,
    "exp": torch.exp, "expm1": torch.expm1, "log": torch.log, "log1p": torch.log1p, "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt, "sin": torch.sin, "cos": torch.cos, "tan": torch.tan, "asin": torch.asin,
    "acos": torch.acos, "atan": torch.atan, "sinh": torch.sinh, "cosh": torch.cosh, "tanh": torch.tanh,
    "asinh": torch.asinh, "acosh": torch.acosh, "atanh": torch.atanh, "sigmoid": torch.sigmoid, "erf": torch.erf,
    "relu": torch.relu, "silu": F.silu, "hard_swish": F.hardswish, "hard_sigmoid": F.hardsigmoid,
    "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)), "gelu": F.gelu, "elu": F.elu,
}
# PyTorch's formulas cancel in the left tail.
TAIL = {"gelu": "ulp 1 atol 1.0e-15", "sigmoid": "ulp 1 atol 1.0e-40", "silu": "ulp 1 atol 1.0e-36"}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16], ids=str)
def test_unary(build, tmp_path, dtype):
    x = torch.cat([SPECIAL, randn(60) * 3]).to(dtype)
    check(build, tmp_path, [
        Case(f"{name} %0", [x], [in_double(function, x, dtype=dtype)],
             "rtol 1.0e-9 atol 1.0e-15" if dtype == torch.float64 else TAIL.get(name, ""), same_type=True)
        for name, function in UNARY.items()])


def test_unary_variants(build, tmp_path):
    x = torch.cat([SPECIAL, randn(40) * 3])
    ints = torch.tensor([-128, -127, -1, 0, 1, 127], dtype=torch.int8)
    bytes_ = torch.tensor([0, 1, 255], dtype=torch.uint8)
    sign = torch.where(x.isnan() | (x == 0), x, torch.sign(x))

    def same(op, x, y, tolerance=""):
        return Case(op, [x], [y], tolerance, same_type=True)
    check(build, tmp_path, [
        same("gelu %0 form tanh", x,
             in_double(lambda x: F.gelu(x, approximate="tanh"), x), "ulp 1 atol 1.0e-15"),
        same("elu %0 {alpha = 1.6732632423543772 : f64, scale = 1.0507009873554805 : f64}", x, in_double(F.selu, x)),
        same("elu %0 {alpha = 2.0 : f64, input_scale = 0.5 : f64}", x, in_double(lambda x: F.celu(x, 2.0), x)),
        same("hard_sigmoid %0 {alpha = 0.2 : f64}", x, in_double(lambda x: (x * 0.2 + 0.5).clamp(0, 1), x)),
        same("sign %0", x, sign, "exact"),
        same("sign %0", ints, torch.sign(ints)), same("neg %0", ints, -ints), same("neg %0", bytes_, -bytes_),
        same("abs %0", ints, ints.abs()), same("relu %0", ints, torch.relu(ints)), same("not %0", ints, ~ints),
        same("not %0", bytes_, ~bytes_), same("not %0", x > 0, ~(x > 0)),
    ])


SHAPES = [((5,), (5,)), ((3, 4), (1, 4)), ((2, 1, 3), (2, 5, 1)), ((), (2, 3)), ((2, 3), ()), ((), ()), ((0, 3), (1, 3))]


def test_binary_floats(build, tmp_path):
    functions = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "rem": torch.fmod,
                 "pow": torch.pow, "max": torch.maximum, "min": torch.minimum, "atan2": torch.atan2}
    cases = []
    for (name, function), (left, right) in itertools.product(functions.items(), SHAPES):
        for dtype in (torch.float32, torch.float16, torch.bfloat16):
            a, b = randn(*left, dtype=dtype), randn(*right, dtype=dtype, seed=1)
            cases.append(Case(f"{name} %0, %1", [a, b], [in_double(function, a, b, dtype=dtype)]))
    a, b = SPECIAL[:, None], SPECIAL[None, :]
    for name, function in functions.items():
        # PyTorch's max(-0, +0) is its first operand; `close` does not tell zeros apart.
        cases.append(Case(f"{name} %0, %1", [a, b], [in_double(function, a, b)]))
    check(build, tmp_path, cases)


@pytest.mark.parametrize("dtype", [torch.int8, torch.int32, torch.int64, torch.uint8], ids=str)
def test_binary_ints(build, tmp_path, dtype):
    low = 0 if dtype == torch.uint8 else -128
    a, b = randint(low, 128, (7, 1), dtype), randint(low, 128, (1, 9), dtype, seed=1)
    b[b == 0] = 3
    count = randint(0, 8, (1, 9), dtype, seed=2)
    bits = [Case(f"{name} %0, %1", [a, b], [function(a, b)]) for name, function in
            {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "rem": torch.fmod, "max": torch.maximum,
             "min": torch.minimum, "and": torch.bitwise_and, "or": torch.bitwise_or, "xor": torch.bitwise_xor}.items()]
    check(build, tmp_path, bits + [
        Case("div %0, %1", [a, b], [torch.div(a, b, rounding_mode="trunc")]),
        Case("pow %0, %1", [a, count], [torch.pow(a, count)]),
        Case("shl %0, %1", [a, count], [torch.bitwise_left_shift(a, count)]),
        Case("shr %0, %1", [a, count], [torch.bitwise_right_shift(a, count)]),
    ])


def test_compare_select_clamp(build, tmp_path):
    a, b = SPECIAL[:, None].contiguous(), SPECIAL[None, :].contiguous()
    ints = randint(-3, 3, (6, 1)), randint(-3, 3, (1, 5), seed=1)
    cases = [Case(f"compare {name} %0, %1", list(pair), [getattr(torch, name)(*pair)])
             for name in ("eq", "ne", "lt", "le", "gt", "ge") for pair in ((a, b), ints, (a > 0, b > 0))]
    x, lo, hi = randn(4, 5), randn(1, 5), randn(4, 1)
    scalar = torch.tensor(0.25)
    cases += [
        Case("select %0, %1, %2", [a > 0, a, b], [torch.where(a > 0, a, b)], "exact"),
        Case("select %0, %1, %2", [torch.tensor(True), x, lo], [x], "exact"),
        Case("clamp %0 lo %1 hi %2", [x, lo, hi], [torch.clamp(x, lo, hi)], "exact"),
        Case("clamp %0 lo %1", [SPECIAL, scalar], [torch.clamp(SPECIAL, min=scalar)], "exact"),
        Case("clamp %0 hi %1", [SPECIAL, scalar], [torch.clamp(SPECIAL, max=scalar)], "exact"),
        Case("leaky_relu %0, %1", [SPECIAL, torch.tensor(0.01)], [in_double(
            lambda x: F.leaky_relu(x, float(torch.tensor(0.01))), SPECIAL)]),
        Case("leaky_relu %0, %1", [x, lo], [in_double(lambda x, s: torch.where(x < 0, x * s, x), x, lo)]),
    ]
    check(build, tmp_path, cases)


def test_cast(build, tmp_path):
    floats = torch.tensor([0.0, -0.0, 0.4, -0.6, 1.5, -2.5, 100.7, -100.2, 127.0, -128.0])
    big = torch.tensor([2**53 + 1, 2**62 + 2**38 + 1, -2**63, 2**24 + 1, 16777219], dtype=torch.int64)
    wide = torch.tensor([300, -300, 65537, -1, 0, 2])
    cases = []

    def add(x, dtype, expected=None):
        short = {torch.float16: "f16", torch.bfloat16: "bf16", torch.float32: "f32", torch.float64: "f64",
                 torch.bool: "i1", torch.int8: "i8", torch.int32: "i32", torch.int64: "i64", torch.uint8: "ui8"}[dtype]
        cases.append(Case(f"cast %0 {{to = {short}}}", [x], [x.to(dtype) if expected is None else expected], "exact"))
    for dtype in (torch.float16, torch.bfloat16, torch.float64, torch.bool, torch.int8, torch.int32, torch.int64):
        add(floats, dtype)
    for dtype in (torch.float32, torch.float64, torch.int32, torch.bool):
        add(big, dtype)
    for dtype in (torch.int8, torch.uint8, torch.bool, torch.float16):
        add(wide, dtype)
    add(SPECIAL.double(), torch.float32)
    add(torch.tensor([300.0, -5.0, NAN, INF, 254.9]), torch.uint8, torch.tensor([255, 0, 0, 255, 254], dtype=torch.uint8))
    add(torch.tensor([3e9, -3e9, NAN, -INF]), torch.int32,
        torch.tensor([2**31 - 1, -2**31, 0, -2**31], dtype=torch.int32))
    add(torch.tensor([1e30, -1e30]), torch.int64, torch.tensor([2**63 - 1, -2**63]))
    add(torch.tensor([NAN, 0.0, 0.1]), torch.bool, torch.tensor([True, False, True]))
    check(build, tmp_path, cases)


def test_bitcast(build, tmp_path):
    x = SPECIAL
    check(build, tmp_path, [Case("bitcast %0 {to = i32}", [x], [x.view(torch.int32)]),
                            Case("bitcast %0 {to = f32}", [x.view(torch.int32)], [x], "exact")])
