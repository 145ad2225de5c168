"""Models for GPUs in Python, on a driver that has no GPU: arrays of the host and of the device, and streams.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import os
import subprocess
import sys

import pytest
import torch

from gpus import build_null_driver
from saving import saved

COMMON = """
import sys
sys.path[:0] = sys.argv[2:]
import graven, numpy
import device_arrays as device
model = graven.compile(sys.argv[1], target="cuda")
x = numpy.ones((2, 3), numpy.float32)
"""


@pytest.fixture(scope="module")
def folder(root, tmp_path_factory):
    made = tmp_path_factory.mktemp("cuda")
    build_null_driver(root, made)
    (made / "m.pt").write_bytes(saved(torch.nn.Linear(3, 4), (torch.randn(2, 3),)))
    return made


@pytest.fixture
def log(root, folder, tmp_path):
    """Runs a program after COMMON; what it printed, and what the driver did."""
    def run(program, **environment):
        (tmp_path / "program.py").write_text(COMMON + program)
        done = subprocess.run(
            [sys.executable, tmp_path / "program.py", folder / "m.pt", root / "test" / "numerics" / "Inputs", *sys.path],
            capture_output=True, text=True, timeout=120, check=False,
            env=os.environ | {"LD_LIBRARY_PATH": str(folder), "NULL_CUDA_LOG": str(tmp_path / "log")} | environment)
        assert done.returncode == 0, done.stderr
        return done.stdout, (tmp_path / "log").read_text().splitlines()
    return run


def test_arrays_of_the_host(log):
    said, lines = log("y = model(x); print(y.shape, y.dtype, model.stats.provenance['gpus'])")
    assert said == "(2, 4) float32 sm_80\n"
    assert "to device 24" in lines and lines[-1] == "to host 32"


def test_arrays_of_the_device(log):
    """The result is made by their library; nothing is copied or waited for."""
    said, lines = log("y = model(device.Array(x)); print(type(y).__name__, y.shape, y.dtype)")
    assert said == "Array (2, 4) float32\n"
    assert lines[-1].startswith("launch") and not any(line.startswith(("to host", "to device 24")) for line in lines)


def test_the_librarys_stream(log):
    _, lines = log("""
for stream in (4096, 4097): model(device.Array(x, stream=stream))
model.queue([device.Array(x)], [device.empty((2, 4), "float32")], stream=4096)
model.queue([x], [device.empty((2, 4), "float32")], stream=4096)
""")
    # Runs on another stream wait for the one before, those on the same one do not.
    assert lines.count("the caller's stream waits") == 2
    assert lines[-1] == "wait for the caller's stream"


def test_dlpack(log):
    said, lines = log("""
y = device.empty((2, 4), "float32")
model.queue([device.Exchanged(x)], [y], stream=4096)
print(type(model(device.Exchanged(x))).__name__)
device.empty = None
class Other(device.Array): __module__ = "nowhere"
try: model(Other(x))
except TypeError as error: print(error)
""")
    assert [line[:6] for line in lines].count("launch") == 2 and not any(line.startswith("to host") for line in lines)
    name, message = said.splitlines()
    assert name == "Array" and message.endswith("give the outputs to queue()")


def test_what_is_refused(log):
    said, _ = log("""
def refused(call):
    try: call()
    except (TypeError, graven.Error) as error: print(type(error).__name__, error)
y = device.empty((2, 4), "float32")
refused(lambda: model(device.Turned(x)))
refused(lambda: model(device.Array(x.astype("float64"))))
refused(lambda: model(device.Array(x.astype("complex64"))))
refused(lambda: model.queue([device.Array(x)], [device.empty((2, 5), "float32")], stream=0))
refused(lambda: model.queue([3], [y]))
cpu = graven.compile(sys.argv[1])
refused(lambda: cpu.queue([x], [numpy.zeros((2, 4), numpy.float32)]))
refused(lambda: cpu(device.Array(x)))
""")
    lines = said.splitlines()
    assert lines[0] == "TypeError expected a contiguous array"
    assert "GRV0501" in lines[1] or "expected f32, got f64" in lines[1]
    assert lines[2] == "TypeError no model takes elements of type '<c8'"
    assert "5" in lines[3] and lines[3].startswith("Error")
    assert lines[4] == "TypeError expected an array, got int"
    assert "got a stream" in lines[5]
    assert lines[6].startswith("TypeError") and len(lines) == 7


def test_element_types_of_pytorch_that_no_model_has(log):
    said, _ = log("""
import torch
try: model.queue([torch.zeros(2, 3, dtype=torch.complex64)], [device.empty((2, 4), "float32")], stream=0)
except TypeError as error: print(error)
model(x)
""")
    assert said == "no model takes elements of type 'torch.complex64'\n"


def test_the_cpu_takes_over(log, folder):
    program = """
model = graven.compile(sys.argv[1], target="cuda,cpu")
y = model(x)
print(numpy.abs(y - graven.compile(sys.argv[1])(x)).max() < 1e-6)
"""
    # The driver that is no GPU leaves zeros.
    said, lines = log(program)
    assert said == "False\n" and any(line.startswith("launch") for line in lines)
    said, _ = log(program + """
try: model.queue([x], [y], stream=0)
except graven.Error as error: print(error)
""", NULL_CUDA_SM="75")
    assert said.startswith("True\n") and "expected threads for code for CPUs, got a stream" in said


def test_a_target_that_there_is_not():
    import graven  # pylint: disable=import-outside-toplevel; the others run in processes of their own
    for target in ("gpu", "cpu,cuda", "cudasm_80"):
        with pytest.raises(ValueError, match="target must be"):
            graven.compile("m.pt", target=target)
