"""Code for AArch64, made on any machine, runs under an emulator and gives what PyTorch gives: objects and archives linked by
a C programmer through the typed header, shared objects loaded by a program.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import subprocess

import numpy
import pytest

import models
from saving import saved

COMPILER = "aarch64-linux-gnu-gcc"
EMULATOR = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"]


def command(*arguments, status=0):
    run = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == status, run.stdout + run.stderr
    return run


class Foreign:
    """A model with its inputs and what PyTorch makes of them, compiled and run for another machine."""

    def __init__(self, graven, root, folder, name):
        self.graven, self.root, self.folder = graven, root, folder
        model, inputs, self.expected = models.get(name)
        (folder / "model.pt").write_bytes(saved(model, inputs))
        self.inputs = []
        for i, tensor in enumerate(inputs):
            self.inputs.append(folder / f"{i}.bin")
            tensor.numpy().tofile(self.inputs[-1])

    def compile(self, extension, cpu, *flags):
        output = self.folder / f"model{extension}"
        command(self.graven, "compile", self.folder / "model.pt", "-o", output, "--header", self.folder / "model.h",
                "--target-cpu", cpu, *flags)
        return output

    def host(self, *objects):
        """The host program, linked with the model or, without one, able to load it."""
        program = self.folder / "host"
        arguments = ", ".join(f"inputs[{i}]" for i in range(len(self.inputs)))
        typed = ['-DMODEL_HEADER="model.h"', f"-DMODEL_RUN=model_run({arguments}, output, NULL)"] if objects else []
        command(COMPILER, "-std=c11", "-O1", f"-DNUM_INPUTS={len(self.inputs)}", *typed, "-I", self.root, "-I", self.folder,
                self.root / "test/numerics/Inputs/foreign_host.c", *objects, "-o", program, "-lm", "-ldl", "-lpthread")
        return program

    def run(self, program, *more, cpu="max", status=0):
        output = self.folder / "output.bin"
        run = command(*EMULATOR, "-cpu", cpu, program, output, self.expected.nbytes, *self.inputs, *more, status=status)
        return numpy.fromfile(output, numpy.float32).reshape(self.expected.shape) if status == 0 else run.stderr

    def check(self, got):
        assert numpy.abs(got - self.expected).max() <= 1e-5 * numpy.abs(self.expected).max()


@pytest.fixture
def foreign(graven, root, tmp_path):
    return lambda name: Foreign(graven, root, tmp_path, name)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_large", "bert", "vit"])
def test_typed_entry(foreign, name):
    model = foreign(name)
    model.check(model.run(model.host(model.compile(".o", "neoverse-n1")), cpu="neoverse-n1"))


def test_archive(foreign):
    model = foreign("bert")
    model.check(model.run(model.host(model.compile(".a", "armv8-a")), cpu="cortex-a57"))


def test_loaded_with_threads(foreign):
    model = foreign("unet")
    program, library = model.host(), model.compile(".so", "cortex-a76")
    one = model.run(program, library, 1)
    model.check(one)
    numpy.testing.assert_array_equal(model.run(program, library, 3), one)


def test_a_cpu_without_the_features(foreign):
    model = foreign("bert")
    library = model.compile(".so", "neoverse-v2")
    error = model.run(model.host(), library, 1, cpu="cortex-a57", status=9)
    assert "was compiled for a cpu with fp16, which this cpu does not have" in error
    model.check(model.run(model.host(), library, 1))


def test_the_host_refuses_it(foreign):
    model = foreign("bert")
    library = model.compile(".so", "armv8-a")
    run = subprocess.run([model.graven, "inspect", library], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 2
    assert "expected a shared object for x86-64, got one for AArch64" in run.stderr
