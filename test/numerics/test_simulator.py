"""The simulator of GPUs: right kernels give NumPy's results whatever the order of threads and whenever copies are done, and
mistakes that are planted into them are found each time.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import itertools
import json
import re
import subprocess

import numpy
import pytest
import torch

import simulated_kernels as kernels
from saving import saved

HOWS = [f"seed={seed},copies={copies}" for seed, copies in itertools.product((0, 1, 2), ("early", "late"))]


def simulate(graven, folder, text, inputs, how):
    """The exit code, what was said, and the first output."""
    (folder / "kernel.mlir").write_text(text)
    given = []
    for i, array in enumerate(inputs):
        numpy.save(folder / f"in{i}.npy", array)
        given += ["--input", f"{i}=@{folder / f'in{i}.npy'}"]
    run = subprocess.run([graven.parent / "graven-simulate", folder / "kernel.mlir", f"--simulate={how}", *given,
                          f"--save-outputs={folder / 'out'}"], capture_output=True, text=True, timeout=300, check=False)
    return run.returncode, run.stdout + run.stderr, numpy.load(folder / "out/0.npy") if run.returncode == 0 else None


def gemm_case(m, n, k):
    random = numpy.random.default_rng(m * n + k)
    a, b = (random.standard_normal(shape).astype(numpy.float16) for shape in ((m, k), (n, k)))
    return kernels.gemm(m, n, k), [a, b], a.astype(numpy.float32) @ b.astype(numpy.float32).T


def rows_case(count, length):
    x = numpy.random.default_rng(length).standard_normal((count, length)).astype(numpy.float32) + 2
    swapped = numpy.zeros((count, length + length % 2), numpy.float32)
    swapped[:, :length] = x
    swapped = swapped.reshape(count, -1, 2)[:, :, ::-1].reshape(count, -1)[:, :length]
    return kernels.rows(count, length), [x], swapped / x.sum(1, keepdims=True)


CASES = {
    "gemm 64x32x256": lambda: gemm_case(64, 32, 256),
    "gemm 45x19x200": lambda: gemm_case(45, 19, 200),
    "gemm 1x1x8": lambda: gemm_case(1, 1, 8),
    "gemm 33x9x72": lambda: gemm_case(33, 9, 72),
    "rows 3x128": lambda: rows_case(3, 128),
    "rows 5x100": lambda: rows_case(5, 100),
    "rows 2x1": lambda: rows_case(2, 1),
}


@pytest.mark.parametrize("case", CASES)
def test_right_kernels(graven, tmp_path, case):
    text, inputs, expected = CASES[case]()
    for how in HOWS:
        code, said, result = simulate(graven, tmp_path, text, inputs, how)
        assert code == 0, said
        numpy.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-4)
        [(cycles, best)] = re.findall(r"(\d+) cycles of its banks, (\d+) at best", said)
        assert cycles == best


# What is replaced in a kernel, and what the simulator says of it.
MISTAKES = {
    "barrier of the pipeline removed": ("gemm 64x32x256", [("        nvvm.barrier\n", "")],
                                        "nothing orders the two"),
    "wait for one group too few": ("gemm 64x32x256", [("cp.async.wait.group 1", "cp.async.wait.group 2")],
                                   "an asynchronous copy of thread .* writes that has not been waited for"),
    "copy into the stage that is read": ("gemm 64x32x256", [("%nextBuffer = arith.remui %next, %c3",
                                                            "%nextBuffer = arith.remui %step, %c3")],
                                         "an asynchronous copy|nothing orders the two"),
    "no zeros behind the last column": ("gemm 45x19x200", [("%p1a0in = arith.andi %p1a0inK, %p1a0inR",
                                                           "%p1a0in = arith.andi %p1a0inR, %p1a0inR"),
                                                          ("%na0in = arith.andi %na0inK, %na0inR",
                                                           "%na0in = arith.andi %na0inR, %na0inR"),
                                                          ("%na1in = arith.andi %na1inK, %na1inR",
                                                           "%na1in = arith.andi %na1inR, %na1inR")],
                                        "of a buffer, outside of it"),
    "a row too many": ("gemm 45x19x200", [("%na1inR = arith.cmpi ult", "%na1inR = arith.cmpi ule"),
                                         ("%p0a1inR = arith.cmpi ult", "%p0a1inR = arith.cmpi ule")],
                       "of a buffer, outside of it"),
    "a stage too few of shared memory": ("gemm 64x32x256", [("arith.constant 15360 : i32", "arith.constant 10240 : i32")],
                                         "of an array in shared memory, outside of it"),
    "half a chunk off": ("gemm 64x32x256", [("%aLine = arith.shli %aRow, %c7 : i32",
                                             "%aLine8 = arith.shli %aRow, %c7 : i32\n"
                                             "      %aLine = arith.addi %aLine8, %c8 : i32")],
                         "no multiple of 16"),
    "sync of the warp removed": ("rows 5x100", [("      nvvm.bar.warp.sync %mask : i32\n", "")],
                                 "nothing orders the two|which nothing has written"),
    "barrier of the sums removed": ("rows 5x100", [("      nvvm.barrier\n", "")],
                                    "nothing orders the two|which nothing has written"),
    "mask of a shuffle": ("rows 5x100", [("%s16 = nvvm.shfl.sync bfly %mask", "%s16 = nvvm.shfl.sync bfly %c31")],
                          "the mask leaves out the lane itself"),
    "lanes that do not take part": ("rows 5x100", [("%s16 = nvvm.shfl.sync bfly %mask, %v, %d16, %c31 : f32 -> f32",
                                                    "%lower = arith.constant 0xffff : i32\n"
                                                    "      %half = arith.constant 16 : i32\n"
                                                    "      %isLower = arith.cmpi ult, %lane, %half : i32\n"
                                                    "      %s16 = scf.if %isLower -> f32 {\n"
                                                    "        %got = nvvm.shfl.sync bfly %lower, %v, %d16, %c31 : f32 -> f32\n"
                                                    "        scf.yield %got : f32\n"
                                                    "      } else {\n"
                                                    "        scf.yield %v : f32\n"
                                                    "      }")],
                                    "it reads lane .*, which does not take part"),
    "a sum too many": ("rows 5x100", [("scf.for %i = %c0 to %c4", "scf.for %i = %c0 to %five"),
                                      ("%c64 = arith.constant 64 : i32",
                                       "%c64 = arith.constant 64 : i32\n      %five = arith.constant 5 : i32")],
                       "which nothing has written"),
    "barrier for half of the threads": ("rows 5x100", [("      nvvm.barrier\n",
                                                        "      %some = arith.cmpi ult, %tid, %c64 : i32\n"
                                                        "      scf.if %some {\n        nvvm.barrier\n      }\n")],
                                        "waits for ever: thread .* has ended"),
    "two barriers for the lanes of a warp": ("rows 5x100", [("      nvvm.barrier\n",
                                                             "      %some = arith.cmpi ult, %lane, %c4 : i32\n"
                                                             "      scf.if %some {\n        nvvm.barrier\n      } else {\n"
                                                             "        llvm.store %zero, %mine : f32, !llvm.ptr<3>\n"
                                                             "        nvvm.barrier\n      }\n")],
                                             "waits for it at another operation"),
    "an element too many": ("rows 5x100", [("%in = arith.cmpi ult, %tid, %length", "%in = arith.cmpi ule, %tid, %length")],
                            "of a buffer, outside of it"),
    "everybody stores the sum": ("rows 5x100", [("%first = arith.cmpi eq, %lane, %c0", "%first = arith.cmpi uge, %lane, %c0")],
                                 "nothing orders the two"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_planted_mistakes(graven, tmp_path, mistake):
    case, changes, message = MISTAKES[mistake]
    text, inputs, _ = CASES[case]()
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    for how in HOWS:
        code, said, _ = simulate(graven, tmp_path, text, inputs, how)
        assert code == 1 and re.search(message, said), (how, said)
        assert "kernel.mlir" in said and "GRV" in said


def test_conflicts_of_banks_are_counted(graven, tmp_path):
    """Without the swizzle the product is right, and its matrices take eight times as long to read."""
    text, inputs, expected = gemm_case(64, 32, 256)
    text = re.sub(r"(%\w+swizzled) = arith.xori (%\w+chunk), %\w+low", r"\1 = arith.addi \2, %c0", text)
    text = re.sub(r"(%[ab]s\d) = arith.xori (%[ab]c\d), %[ab]Low", r"\1 = arith.addi \2, %c0", text)
    code, said, result = simulate(graven, tmp_path, text, inputs, "seed=1")
    assert code == 0, said
    numpy.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-4)
    [(cycles, best)] = re.findall(r"(\d+) cycles of its banks, (\d+) at best", said)
    assert int(cycles) == 8 * int(best)


def numbers_of(element, shape):
    """Numbers that the type has, and their bits in registers."""
    random = numpy.random.default_rng(shape[1])
    if element in ("s8", "u8"):
        bytes_ = random.integers(-128, 128, shape) if element == "s8" else random.integers(0, 256, shape)
        stored = bytes_.astype(numpy.int8 if element == "s8" else numpy.uint8)
        return stored.astype(numpy.int64), stored.view(numpy.int32)
    values = random.standard_normal(shape).astype(numpy.float32)
    if element == "f16":
        return values.astype(numpy.float16).astype(numpy.float64), values.astype(numpy.float16).view(numpy.int32)
    if element == "tf32":
        # The lower bits are there, and not looked at.
        return (values.view(numpy.uint32) & 0xFFFFE000).view(numpy.float32).astype(numpy.float64), values.view(numpy.int32)
    upper = (values.view(numpy.uint32) >> 16).astype(numpy.uint16)
    return (upper.astype(numpy.uint32) << 16).view(numpy.float32).astype(numpy.float64), upper.view(numpy.int32)


@pytest.mark.parametrize("name", kernels.PRODUCTS)
def test_products(graven, tmp_path, name):
    element, _, depth, sums = kernels.PRODUCTS[name]
    (a, a_bits), (b, b_bits) = numbers_of(element, (16, depth)), numbers_of(element, (8, depth))
    dtype = {"f32": numpy.float32, "f16": numpy.float16, "i32": numpy.int32}[sums]
    c = (numpy.arange(128).reshape(16, 8) - 50).astype(dtype)
    code, said, result = simulate(graven, tmp_path, kernels.product(name), [a_bits, b_bits, c], "seed=1")
    assert code == 0, said
    numpy.testing.assert_array_equal(result, (a @ b.T + c).astype(dtype))


@pytest.mark.parametrize("is_transposed", [False, True])
def test_matrices_of_shared_memory(graven, tmp_path, is_transposed):
    x = numpy.random.default_rng(0).standard_normal((16, 16)).astype(numpy.float16)
    expected = x.reshape(2, 8, 2, 8).transpose(0, 3, 2, 1).reshape(16, 16) if is_transposed else x
    code, said, result = simulate(graven, tmp_path, kernels.transposes(is_transposed), [x], "seed=2")
    assert code == 0, said
    numpy.testing.assert_array_equal(result, expected)


class Rows(torch.nn.Module):
    """Kernels in which threads shuffle, wait for each other, and share tiles, beside one in which none needs another."""

    def __init__(self):
        super().__init__()
        self.norm = torch.nn.LayerNorm(300)

    def forward(self, x):
        return torch.softmax(x, -1), self.norm(x), x.sum(0), x.transpose(0, 1).contiguous(), x + 1


@pytest.mark.parametrize("how", ["", *(f"={how}" for how in HOWS)])
def test_models_are_simulated_in_each_order(graven, tmp_path, how):
    torch.manual_seed(0)
    model, x = Rows().eval(), torch.randn(37, 300)
    (tmp_path / "m.pt").write_bytes(saved(model, (x,)))
    numpy.save(tmp_path / "x.npy", x.numpy())
    run = subprocess.run([graven, "run", tmp_path / "m.pt", "--target", "cuda", f"--simulate{how}", "--threads", "2", "--json",
                          "--input", f"0=@{tmp_path / 'x.npy'}", "--save-outputs", tmp_path / "out"],
                         capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    for i, expected in enumerate(model(x)):
        numpy.testing.assert_allclose(numpy.load(tmp_path / f"out/{i}.npy"), expected.detach().numpy(), rtol=1e-4, atol=1e-5)
    simulation = json.loads(run.stdout)["simulation"]
    assert simulation["findings"] == 0
    together = simulation["kernels"]
    assert len(together) >= 3 and all(kernel["blocks"] > 0 for kernel in together)
    assert any(kernel["shared_bytes"] > 0 for kernel in together)
    assert all(kernel["shared_cycles"] == kernel["ideal_shared_cycles"] for kernel in together)


@pytest.mark.parametrize("flags, message", [
    (["--target", "cuda", "--simulate=sed=4"], "--simulate: expected seed=NUMBER or copies=early|late, got 'sed=4'"),
    (["--simulate"], "--simulate is for --target cuda"),
])
def test_flags(graven, tmp_path, flags, message):
    (tmp_path / "m.pt").write_bytes(saved(torch.nn.ReLU(), (torch.randn(3),)))
    numpy.save(tmp_path / "x.npy", numpy.zeros(3, numpy.float32))
    run = subprocess.run([graven, "run", tmp_path / "m.pt", *flags, "--input", f"0=@{tmp_path / 'x.npy'}"],
                         capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 3 and message in run.stderr
