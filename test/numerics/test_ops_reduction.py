"""Reductions, scans, pools, resize and normalisations of the reference evaluator against PyTorch.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import itertools

import pytest
import torch
import torch.nn.functional as F
from op_cases import Case, check, in_double, randint, randn

CLOSE = "rtol 1.0e-6 atol 1.0e-7"


def listed(values):
    return "[" + ", ".join(map(str, values)) + "]"


def reduced(function, x, axes, keep):
    for axis in sorted(axes, reverse=True):
        x = function(x, axis, keep)
    return x


def test_reduce(build, tmp_path):
    floats = {"sum": torch.sum, "prod": torch.prod, "max": torch.amax, "min": torch.amin, "mean": torch.mean}
    cases = []
    x = randn(3, 4, 5)
    special = torch.tensor([[1.0, torch.nan, 2.0], [torch.inf, 1.0, -torch.inf], [torch.inf, 0.0, 1.0]])
    for (kind, function), axes, keep in itertools.product(floats.items(), ([0], [1, 2], [0, 1, 2], []), (False, True)):
        tail = " keep" if keep else ""
        for dtype in (torch.float32, torch.float16):
            y = in_double(lambda x: reduced(function, x, axes, keep), x.to(dtype), dtype=dtype)
            cases.append(Case(f"reduce {kind} %0 axes {listed(axes)}{tail}", [x.to(dtype)], [y], "ulp 1 atol 1.0e-6"))
    for kind, function in floats.items():
        cases.append(Case(f"reduce {kind} %0 axes [1]", [special], [in_double(lambda x: function(x, 1), special)]))
    ints = randint(-9, 9, (3, 4), torch.int32)
    cases += [Case(f"reduce {kind} %0 axes [1]", [ints], [floats[kind](ints, 1).to(torch.int32)])
              for kind in ("sum", "prod", "max", "min")]
    cases += [Case("reduce mean %0 axes [1]", [ints], [torch.div(ints.sum(1), 4, rounding_mode="trunc").int()]),
              Case("reduce and %0 axes [0]", [ints > 0], [(ints > 0).all(0)]),
              Case("reduce or %0 axes [0]", [ints > 5], [(ints > 5).any(0)]),
              Case("reduce max %0 axes [0]", [ints > 5], [(ints > 5).any(0)])]
    # Of ints, too, whose sum and number are past the greatest of their type.
    for dtype, extent in ((torch.uint8, 112), (torch.int8, 300), (torch.int32, 70)):
        limits = torch.iinfo(dtype)
        past = randint(limits.max // 2, limits.max, (extent, 3), dtype)
        mean = torch.div(past.to(torch.int64).sum(0), extent, rounding_mode="trunc").to(dtype)
        cases.append(Case("reduce mean %0 axes [0]", [past], [mean]))
    # f16 sums past its greatest number are divided before they are rounded.
    many = torch.full((3000,), 30.0, dtype=torch.float16)
    cases.append(Case("reduce mean %0 axes [0]", [many], [torch.tensor(30.0, dtype=torch.float16)]))
    empty = torch.zeros(2, 0)
    cases += [Case(f"reduce {kind} %0 axes [1]", [empty], [torch.full((2,), value)]) for kind, value in
              {"sum": 0.0, "prod": 1.0, "max": -torch.inf, "min": torch.inf, "mean": torch.nan}.items()]
    check(build, tmp_path, cases)


def test_arg_reduce_and_topk(build, tmp_path):
    x, ties = randn(3, 5, 4), torch.tensor([[1.0, 3, 3, 0], [torch.nan, 5, torch.nan, 1], [-0.0, 0.0, -1, -1]])
    cases = []
    for axis in range(3):
        cases += [Case(f"arg_reduce max %0 axis {axis}", [x], [x.argmax(axis)]),
                  Case(f"arg_reduce min %0 axis {axis} keep", [x], [x.argmin(axis, keepdim=True)])]
        for k, largest in itertools.product((0, 1, 3), (True, False)):
            y, order = torch.topk(x, k, axis, largest)
            cases.append(Case(f"topk %0 k {k} axis {axis} largest {str(largest).lower()}", [x], [y, order], "exact"))
    cases += [Case("arg_reduce max %0 axis 1", [ties], [torch.tensor([1, 0, 0])]),
              Case("arg_reduce max %0 axis 1 last_index", [ties], [torch.tensor([2, 2, 1])]),
              Case("arg_reduce min %0 axis 1", [ties], [torch.tensor([3, 0, 2])])]
    for descending in (True, False):
        y, order = torch.sort(ties, dim=1, descending=descending, stable=True)
        cases.append(Case(f"topk %0 k 4 axis 1 largest {str(descending).lower()}", [ties], [y, order], "exact"))
    check(build, tmp_path, cases)


def test_arg_reduce_of_long_rows(build, tmp_path):
    ties = torch.round(randn(4, 300) * 20)
    ties[0, 77], ties[0, 170], ties[1, 299], ties[2, 131] = torch.nan, torch.nan, torch.nan, torch.inf
    ties[3] = -torch.inf
    kinds = [ties, torch.round(randn(2, 128)), ties[:, :129].to(torch.float16), ties.double(),
             randint(-99, 99, (2, 150), torch.int8), randint(0, 3, (3, 2, 200), torch.int32),
             randint(0, 255, (2, 161), torch.uint8), torch.zeros(200)]
    cases = []
    for x in kinds:
        axis = x.dim() - 1
        flipped, last = x.flip(axis), x.shape[axis] - 1
        for kind, function in {"max": torch.argmax, "min": torch.argmin}.items():
            # PyTorch takes the first of equal elements on the CPU.
            cases += [Case(f"arg_reduce {kind} %0 axis {axis}", [x], [function(x, axis)], "exact"),
                      Case(f"arg_reduce {kind} %0 axis {axis} last_index", [x], [last - function(flipped, axis)], "exact")]
    check(build, tmp_path, cases)


def test_reduce_of_long_rows(build, tmp_path):
    cases = []
    for shape, axes in (((37, 300), [0]), ((16, 1000), [0]), ((2, 70, 257), [0, 1]), ((3, 40, 512), [1])):
        x = randn(*shape)
        x[0, 1, ...] = torch.inf
        for kind, function in {"sum": torch.sum, "max": torch.amax, "mean": torch.mean}.items():
            y = in_double(lambda x: reduced(function, x, axes, False), x)
            cases.append(Case(f"reduce {kind} %0 axes {listed(axes)}", [x], [y], "rtol 1.0e-5 atol 1.0e-5"))
        whole = randint(-9, 9, shape, torch.int32)
        cases.append(Case(f"reduce sum %0 axes {listed(axes)}", [whole],
                          [reduced(torch.sum, whole, axes, False).to(torch.int32)], "exact"))
    check(build, tmp_path, cases)


def test_large_windows(build, tmp_path):
    x = randn(2, 3, 20, 17)
    x[0, 0, 5, 6], x[0, 1] = torch.nan, -torch.inf
    cases = [Case(pool_text("max_pool", kernel, stride, dilation, pad, 2, ceil), [x],
                  [F.max_pool2d(x, kernel, stride, pad, dilation, ceil)], "exact")
             for kernel, stride, dilation, pad, ceil in ((5, 1, 1, 2, False), (13, 1, 1, 6, False), (4, 2, 1, 1, True),
                                                         (5, 3, 2, 2, False), (7, 2, 1, 3, True))]
    check(build, tmp_path, cases)


def test_long_sorts(build, tmp_path):
    ties = torch.round(randn(3, 300) * 20)
    ties[0, 7], ties[0, 9], ties[1, 5], ties[2, 11] = torch.nan, torch.nan, -torch.inf, torch.inf
    columns = randn(130, 5)
    kinds = [(ties, 1), (columns, 0), (randint(-99, 99, (2, 70), torch.int8), 1),
             (randint(-2**31, 2**31 - 1, (2, 70), torch.int32), 1), (randint(0, 255, (2, 70), torch.uint8), 1),
             (ties.to(torch.float16), 1), (ties.to(torch.bfloat16), 1), (ties.double(), 1)]
    cases = []
    for (x, axis), largest in itertools.product(kinds, (True, False)):
        y, order = torch.sort(x, dim=axis, descending=largest, stable=True)
        for k in (1, 17, 65, x.shape[axis]):
            cases.append(Case(f"topk %0 k {k} axis {axis} largest {str(largest).lower()}", [x],
                              [y.narrow(axis, 0, k), order.narrow(axis, 0, k)], "exact"))
    check(build, tmp_path, cases)


def test_cum_reduce(build, tmp_path):
    x, ints = randn(3, 4), randint(-9, 9, (3, 4), torch.int32)
    kinds = {"sum": torch.cumsum, "prod": torch.cumprod, "max": lambda x, axis: torch.cummax(x, axis)[0],
             "min": lambda x, axis: torch.cummin(x, axis)[0]}
    first = {"sum": 0.0, "prod": 1.0, "max": -torch.inf, "min": torch.inf}
    cases = []
    for (kind, function), axis in itertools.product(kinds.items(), (0, 1)):
        y = in_double(lambda x: function(x, axis), x)
        shifted = torch.cat([torch.full_like(y.narrow(axis, 0, 1), first[kind]),
                             y.narrow(axis, 0, y.shape[axis] - 1)], axis)
        back = in_double(lambda x: function(x.flip(axis), axis).flip(axis), x)
        text = f"cum_reduce {kind} %0 axis {axis}"
        cases += [Case(text, [x], [y], CLOSE), Case(f"{text} exclusive", [x], [shifted], CLOSE),
                  Case(f"{text} reverse", [x], [back], CLOSE),
                  Case(text, [ints], [function(ints, axis).to(torch.int32)])]
    check(build, tmp_path, cases)


def pool_text(op, kernel, stride, dilation, pad, rank, ceil):
    return (f"{op} %0 kernel {listed([kernel] * rank)} strides {listed([stride] * rank)} "
            f"dilations {listed([dilation] * rank)} pads {listed([pad] * 2 * rank)}{' ceil_mode' if ceil else ''}")


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_pools(build, tmp_path, rank):
    highest, mean = ((F.max_pool1d, F.avg_pool1d), (F.max_pool2d, F.avg_pool2d), (F.max_pool3d, F.avg_pool3d))[rank - 1]
    x = randn(2, 3, *(9, 8, 7)[:rank])
    x[0, 0].view(-1)[4] = torch.nan
    cases = []
    for kernel, stride, pad, ceil in itertools.product((2, 3), (1, 2, 3), (0, 1), (False, True)):
        for dilation in (1, 2):
            y = highest(x, kernel, stride, pad, dilation, ceil)
            cases.append(Case(pool_text("max_pool", kernel, stride, dilation, pad, rank, ceil), [x], [y], "exact"))
        for count in (False, True):
            y = in_double(lambda x: mean(x, kernel, stride, pad, ceil, count), x)
            cases.append(Case(pool_text("avg_pool", kernel, stride, 1, pad, rank, ceil)
                              + (" count_include_pad" if count else ""), [x], [y], CLOSE))
    if rank == 2:
        y = in_double(lambda x: F.avg_pool2d(x, 3, 2, 1, divisor_override=5), x)
        cases.append(Case(pool_text("avg_pool", 3, 2, 1, 1, 2, False) + " divisor 5", [x], [y], CLOSE))
    ints = randint(-9, 9, (1, 2) + (6,) * rank, torch.int32)
    cases.append(Case(pool_text("max_pool", 2, 2, 1, 0, rank, False), [ints],
                      [highest(ints.double(), 2, 2).to(torch.int32)]))
    check(build, tmp_path, cases)


def test_resize(build, tmp_path):
    cases = []
    x = randn(1, 2, 5, 7)

    def add(mode, coordinate, size, y, tail="", scales=None):
        given = f" scales {listed(scales)}" if scales else ""
        cases.append(Case(f"resize {mode} %0 axes [2, 3] sizes {listed(size)}{given} coordinate {coordinate}{tail}", [x],
                          [y], "rtol 1.0e-5 atol 1.0e-5"))
    for size in ((5, 7), (10, 14), (3, 4), (8, 3), (1, 1), (11, 29)):
        add("nearest", "asymmetric", size, F.interpolate(x, size, mode="nearest"), " nearest floor")
        add("nearest", "half_pixel", size, F.interpolate(x, size, mode="nearest-exact"), " nearest round_prefer_ceil")
        for mode, torchs in (("linear", "bilinear"), ("cubic", "bicubic")):
            add(mode, "half_pixel", size, F.interpolate(x, size, mode=torchs))
            add(mode, "align_corners", size, F.interpolate(x, size, mode=torchs, align_corners=True))
    for scale in (2.0, 1.7, 0.6):
        y = F.interpolate(x, scale_factor=scale, mode="bilinear", recompute_scale_factor=False)
        add("linear", "half_pixel", y.shape[2:], y, scales=[scale, scale])
        y = F.interpolate(x, scale_factor=scale, mode="nearest", recompute_scale_factor=False)
        add("nearest", "asymmetric", y.shape[2:], y, " nearest floor", [scale, scale])
    wide = x.double()
    cases.append(Case("resize cubic %0 axes [2, 3] sizes [7, 9] coordinate half_pixel", [wide],
                      [F.interpolate(wide, (7, 9), mode="bicubic")], "rtol 1.0e-10 atol 1.0e-10"))
    check(build, tmp_path, cases)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
def test_norms(build, tmp_path, dtype):
    x = randn(2, 6, 4, 5, dtype=dtype)
    c = [randn(6, dtype=dtype, seed=seed) for seed in range(3)] + [randn(6, dtype=dtype, seed=3).abs()]
    row = [randn(4, 5, dtype=dtype, seed=seed) for seed in range(2)]

    def expected(function, *tensors):
        return [in_double(function, x, *tensors, dtype=dtype)]
    close = "ulp 1 rtol 1.0e-6 atol 1.0e-6"
    cases = [
        Case("batch_norm %0 scale %1 bias %2 mean %3 variance %4 epsilon 1.0e-5", [x, *c],
             expected(lambda x, s, b, m, v: F.batch_norm(x, m, v, s, b), *c), close),
        Case("layer_norm %0 scale %1 bias %2 axis 2 epsilon 1.0e-5", [x, *row],
             expected(lambda x, s, b: F.layer_norm(x, (4, 5), s, b), *row), close),
        Case("layer_norm %0 bias %1 axis 2 epsilon 1.0e-5", [x, row[0]],
             expected(lambda x, b: F.layer_norm(x, (4, 5), None, b), row[0]), close),
        Case("layer_norm %0 axis 3 epsilon 1.0e-5", [x], expected(lambda x: F.layer_norm(x, (5,))), close),
        Case("rms_norm %0 scale %1 axis 2 epsilon 1.0e-5", [x, row[0]],
             expected(lambda x, s: F.rms_norm(x, (4, 5), s, 1e-5), row[0]), close),
        Case("rms_norm %0 axis 3 epsilon 1.0e-5", [x], expected(lambda x: F.rms_norm(x, (5,), None, 1e-5)), close),
        Case("group_norm %0 scale %1 bias %2 groups 3 epsilon 1.0e-5", [x, c[0], c[1]],
             expected(lambda x, s, b: F.group_norm(x, 3, s, b), c[0], c[1]), close),
        Case("group_norm %0 groups 6 epsilon 1.0e-5", [x], expected(lambda x: F.instance_norm(x)), close),
    ]
    rows = torch.tensor([[1.0, 2, 3], [-torch.inf] * 3, [torch.inf, 1, 2], [torch.nan, 1, 2], [-torch.inf, 1, 500]],
                        dtype=dtype)
    for name, function in {"softmax": torch.softmax, "log_softmax": torch.log_softmax}.items():
        for axis in range(4):
            cases.append(Case(f"{name} %0 axis {axis}", [x], expected(lambda x: function(x, axis)), close, True))
        cases.append(Case(f"{name} %0 axis 1", [rows], [in_double(lambda x: function(x, 1), rows, dtype=dtype)], close,
                          True))
    check(build, tmp_path, cases)
