"""Matrix products, convolutions and attention of the reference evaluator against PyTorch.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import itertools

import pytest
import torch
import torch.nn.functional as F
from op_cases import Case, check, in_double, randint, randn

# PyTorch sums in another order, and sums cancel.
CLOSE = "rtol 1.0e-6 atol 1.0e-7"


def listed(values):
    return "[" + ", ".join(map(str, values)) + "]"


def test_matmul(build, tmp_path):
    cases = []
    for batch_a, batch_b, (m, k, n) in itertools.product([(), (2,), (2, 1)], [(), (2,), (2, 3)],
                                                         [(3, 4, 5), (1, 7, 1), (2, 0, 3)]):
        if len(batch_a) != len(batch_b):
            continue
        a, b = randn(*batch_a, m, k), randn(*batch_b, k, n, seed=1)
        y = in_double(torch.matmul, a, b)
        at, bt = a.mT.contiguous(), b.mT.contiguous()
        cases += [Case("matmul %0, %1", [a, b], [y], CLOSE), Case("matmul %0, %1 transpose_a", [at, b], [y], CLOSE),
                  Case("matmul %0, %1 transpose_b", [a, bt], [y], CLOSE),
                  Case("matmul %0, %1 transpose_a transpose_b", [at, bt], [y], CLOSE)]
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        a, b = randn(4, 6, dtype=dtype), randn(6, 5, dtype=dtype)
        cases.append(Case("matmul %0, %1", [a, b], [in_double(torch.matmul, a, b, dtype=dtype)], "ulp 1 rtol 1.0e-12"))
    for dtype in (torch.int8, torch.int32, torch.int64):
        a, b = randint(-128, 128, (4, 6), dtype), randint(-128, 128, (6, 5), dtype, seed=1)
        cases.append(Case("matmul %0, %1", [a, b], [torch.matmul(a, b)]))
    check(build, tmp_path, cases)


def conv_text(op, strides, dilations, pads, groups, bias, extra=""):
    return (f"{op} %0, %1{' bias %2' if bias else ''} strides {listed(strides)} dilations {listed(dilations)} "
            f"pads {listed(pads)}{extra} groups {groups}")


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_conv(build, tmp_path, rank):
    function = (F.conv1d, F.conv2d, F.conv3d)[rank - 1]
    cases = []
    kernels = {1: [(1,), (4,)], 2: [(1, 1), (3, 3), (2, 5)], 3: [(1, 2, 3)]}[rank]
    for kernel, stride, dilation, (low, high), (groups, bias) in itertools.product(
            kernels, (1, 2, 3), (1, 2), ((0, 0), (1, 1), (2, 0), (0, 3)), ((1, True), (2, False), (4, True))):
        x = randn(2, 4, *(9, 11, 8)[:rank])
        w, b = randn(8, 4 // groups, *kernel, seed=1), randn(8, seed=2)
        padded = F.pad(x, (low, high) * rank)
        y = in_double(lambda x, w, b: function(x, w, b if bias else None, stride, 0, dilation, groups), padded, w, b)
        pads = [low] * rank + [high] * rank
        cases.append(Case(conv_text("conv", [stride] * rank, [dilation] * rank, pads, groups, bias),
                          [x, w, b] if bias else [x, w], [y], CLOSE))
    check(build, tmp_path, cases)


def test_conv_of_several_planes(build, tmp_path):
    cases = []
    for kernel, stride, dilation, pads, groups in (
            ((3, 3, 3), 1, 1, (1, 1), 1), ((2, 1, 1), 2, 1, (0, 0), 1), ((3, 2, 3), 2, 1, (1, 2), 2),
            ((2, 3, 2), 1, 2, (2, 0), 1), ((3, 3, 3), 1, 1, (1, 1), 16), ((3, 1, 1), 1, 1, (1, 1), 4)):
        x, w, b = randn(2, 16, 6, 7, 8), randn(32, 16 // groups, *kernel, seed=1), randn(32, seed=2)
        padded = F.pad(x, pads * 3)
        y = in_double(lambda x, w, b: F.conv3d(x, w, b, stride, 0, dilation, groups), padded, w, b)
        cases.append(Case(conv_text("conv", [stride] * 3, [dilation] * 3, [pads[0]] * 3 + [pads[1]] * 3, groups, True),
                          [x, w, b], [y], CLOSE))
    check(build, tmp_path, cases)


def test_conv_groups_of_part_of_a_block(build, tmp_path):
    cases = []
    # Joined to whole blocks, to one group, and a depthwise one with a channel multiplier.
    for inputs, outputs, groups in ((32, 64, 8), (24, 36, 3), (6, 12, 6), (48, 48, 3)):
        x, w = randn(2, inputs, 6, 7), randn(outputs, inputs // groups, 3, 3, seed=1)
        y = in_double(lambda x, w: F.conv2d(x, w, None, 1, 1, 1, groups), x, w)
        cases.append(Case(conv_text("conv", [1, 1], [1, 1], [1] * 4, groups, False), [x, w], [y], CLOSE))
    check(build, tmp_path, cases)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_conv_transpose(build, tmp_path, rank):
    function = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[rank - 1]
    cases = []
    kernels = {1: [(1,), (4,)], 2: [(3, 3), (2, 4)], 3: [(1, 2, 3)]}[rank]
    for kernel, stride, dilation, pad, extra, (groups, bias) in itertools.product(
            kernels, (1, 2, 3), (1, 2), (0, 1), (0, 1), ((1, True), (2, False))):
        if extra >= max(stride, dilation) or (pad and min(kernel) == 1):
            continue
        x = randn(2, 4, *(4, 5, 3)[:rank])
        w, b = randn(4, 6 // groups, *kernel, seed=1), randn(6, seed=2)
        y = in_double(lambda x, w, b: function(x, w, b if bias else None, stride, pad, extra, groups, dilation), x, w, b)
        text = conv_text("conv_transpose", [stride] * rank, [dilation] * rank, [pad] * 2 * rank, groups, bias,
                         f" output_padding {listed([extra] * rank)}")
        cases.append(Case(text, [x, w, b] if bias else [x, w], [y], CLOSE))
    check(build, tmp_path, cases)


def test_attention(build, tmp_path):
    q, k, v = randn(2, 4, 5, 8), randn(2, 4, 7, 8, seed=1), randn(2, 4, 7, 6, seed=2)
    few = randn(2, 2, 7, 8, seed=3), randn(2, 2, 7, 6, seed=4)
    mask, allowed = randn(2, 1, 5, 7, seed=5), randint(0, 2, (1, 4, 1, 7), torch.bool, seed=6)
    allowed[..., 0] = True

    def expected(k, v, mask=None, **options):
        options = {"scale": 0.5, **options}
        mask = mask if mask is None or mask.dtype == torch.bool else mask.double()
        return in_double(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, mask, **options), q, k, v)
    text = "attention %0, %1, %2"
    masked_row = torch.zeros(1, 1, 5, 7)
    masked_row[:, :, 2] = -torch.inf
    zero = expected(k, v, masked_row)
    zero[:, :, 2] = 0
    nan = zero.clone()
    nan[:, :, 2] = torch.nan

    def capped(q, k, v):
        scores = 3 * torch.tanh(0.5 * q @ k.mT / 3)
        return torch.softmax(scores, -1) @ v
    check(build, tmp_path, [
        Case(f"{text} scale 0.5", [q, k, v], [expected(k, v)], CLOSE),
        Case(f"{text} scale 0.5 causal", [q, k, v], [expected(k, v, is_causal=True)], CLOSE),
        Case(f"{text} scale 0.5", [q, *few], [expected(*few, enable_gqa=True)], CLOSE),
        Case(f"{text} mask %3 scale 0.5", [q, k, v, mask], [expected(k, v, mask)], CLOSE),
        Case(f"{text} mask %3 scale 0.5", [q, k, v, allowed], [expected(k, v, allowed.expand(2, 4, 5, 7))], CLOSE),
        Case(f"{text} mask %3 scale 0.5", [q, k, v, masked_row], [zero], CLOSE),
        Case(f"{text} mask %3 scale 0.5 empty_row nan", [q, k, v, masked_row], [nan], CLOSE),
        Case(f"{text} scale 0.5 softcap 3.0", [q, k, v], [in_double(capped, q, k, v)], CLOSE),
    ])
