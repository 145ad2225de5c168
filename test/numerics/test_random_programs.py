"""Random small programs, traced by PyTorch: native code gives what PyTorch gives.

A program is a number: its ops, their operands and its outputs are drawn from a generator with that seed. All outputs
of a program are compared; its input may be one of them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import random
import subprocess
import warnings

import numpy
import pytest
import torch
import torch.nn.functional as F

UNARY = (torch.tanh, torch.relu, torch.sigmoid, F.gelu, torch.abs, F.silu, lambda x: x * 0.5 + 1)
BINARY = (torch.add, torch.mul, torch.sub, torch.maximum, torch.minimum)


def broadcasts(a, b):
    return a.dim() == b.dim() and all(m == n or 1 in (m, n) for m, n in zip(a.shape, b.shape))


def concatenates(a, b, axis):
    return a.dim() == b.dim() and all(i == axis or m == n for i, (m, n) in enumerate(zip(a.shape, b.shape)))


def weight(*shape):
    """A small weight that differs by input channel."""
    ramp = torch.arange(shape[1]).reshape(1, -1, *[1] * (len(shape) - 2))
    return torch.full(shape, 0.04) + ramp * 0.01


def movement(rng, x, pool, axis):
    kind = rng.randrange(9)
    extent = x.shape[axis]
    if kind == 0:
        order = list(range(x.dim()))
        rng.shuffle(order)
        return x.permute(order)
    if kind == 1:
        return x.reshape(x.shape[0], -1)
    if kind == 2:
        start = rng.randrange(extent)
        return x.narrow(axis, start, rng.randint(1, extent - start))
    if kind == 3:
        return x.flip(axis)
    if kind == 4:
        return torch.cat([x, rng.choice([y for y in pool if concatenates(x, y, axis)])], axis)
    if kind == 5:
        return F.pad(x, [rng.randrange(3) for _ in range(2 * min(x.dim(), 2))], value=rng.choice([0.0, -1.0]))
    if kind == 6 and x.dim() < 5:
        return x.unsqueeze(axis)
    if kind == 7:
        return x[tuple(slice(None, None, 2 if i == axis else 1) for i in range(x.dim()))]
    return x.index_select(axis, torch.tensor([rng.randrange(extent) for _ in range(rng.randint(1, 4))]))


def along(rng, x, axis):
    kind = rng.randrange(8)
    if kind == 0:
        return x.sum(axis, keepdim=rng.random() < 0.5)
    if kind == 1:
        return x.amax(axis, keepdim=rng.random() < 0.5)
    if kind == 2:
        return x.mean(axis)
    if kind == 3:
        return torch.softmax(x, axis)
    if kind == 4:
        return torch.cumsum(x * 0.1, axis)
    if kind == 5:
        return torch.sort(x, dim=axis)[0]
    if kind == 6:
        return F.layer_norm(x, x.shape[-1:], eps=0.1)
    return torch.split(x, max(1, (x.shape[axis] + 1) // 2), axis)[0]


def contraction(rng, x):
    kind = rng.randrange(4)
    if kind == 0 and x.dim() >= 2:
        return x @ x.transpose(-1, -2) * 0.1
    if kind == 1 and x.dim() in (3, 4):
        conv = F.conv1d if x.dim() == 3 else F.conv2d
        filters = weight(rng.choice([2, 5, 16]), x.shape[1], *[3] * (x.dim() - 2))
        return conv(x, filters, padding=1, stride=rng.choice([1, 2]))
    if kind == 2 and x.dim() in (3, 4) and min(x.shape[2:]) >= 2:
        return (F.max_pool1d if x.dim() == 3 else F.max_pool2d)(x, 2, ceil_mode=rng.random() < 0.5)
    return F.linear(x, weight(rng.choice([1, 3, 8, 17]), x.shape[-1]))


class Program(torch.nn.Module):
    def __init__(self, seed):
        super().__init__()
        self.seed = seed

    def inputs(self):
        rng = random.Random(self.seed)
        extents = [rng.choice([1, 2, 3, 5, 7, 8, 16, 17]) for _ in range(rng.randint(1, 4))]
        generator = torch.Generator().manual_seed(self.seed)
        return tuple(torch.randn([n if rng.random() < 0.75 else 1 for n in extents], generator=generator)
                     for _ in range(rng.randint(1, 3)))

    def forward(self, *inputs):
        rng = random.Random(self.seed + 1)
        pool, outputs = list(inputs), []
        for _ in range(rng.randint(6, 20)):
            x = rng.choice(pool[-6:])
            axis = rng.randrange(x.dim()) if x.dim() else 0
            kind = rng.randrange(5) if x.dim() else rng.randrange(2)
            y = (rng.choice(UNARY)(x) if kind == 0 else
                 rng.choice(BINARY)(x, rng.choice([p for p in pool if broadcasts(x, p)])) if kind == 1 else
                 movement(rng, x, pool, axis) if kind == 2 else
                 along(rng, x, axis) if kind == 3 else
                 contraction(rng, x))
            if y.numel() > 20000:
                continue
            pool.append(torch.tanh(y) if y.abs().max() > 100 else y)
            if rng.random() < 0.25:
                outputs.append(pool[-1])
        return (*outputs, pool[-1], *(pool[:1] if rng.random() < 0.3 else []))


def run(graven, folder, seed):
    """What is wrong with the native code of a program, or an empty string."""
    program = Program(seed).eval()
    inputs = program.inputs()
    folder.mkdir()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = program(*inputs)
        torch.jit.save(torch.jit.trace(program, inputs, check_trace=False), folder / "model.pt")
    command = [graven, "run", folder / "model.pt", "--save-outputs", folder / "out"]
    for index, tensor in enumerate(inputs):
        numpy.save(folder / f"{index}.npy", tensor.numpy())
        command += ["--input", f"{index}=@{folder / f'{index}.npy'}"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if result.returncode != 0:
        return f"seed {seed}: exit status {result.returncode}: {result.stderr}"
    for index, want in enumerate(expected):
        got = torch.from_numpy(numpy.load(folder / "out" / f"{index}.npy"))
        if got.shape != want.shape or not torch.allclose(got, want, rtol=1e-4, atol=1e-4 * max(1, want.abs().max())):
            return f"seed {seed}: output {index} differs: {got} expected {want}"
    return ""


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_native_equals_pytorch(graven, tmp_path, first):
    wrong = [message for seed in range(first, first + 10) if (message := run(graven, tmp_path / str(seed), seed))]
    assert not wrong, "\n".join(wrong)
