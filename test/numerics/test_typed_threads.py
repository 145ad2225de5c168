"""NAME_run of a model compiled with --threads runs on that many threads and gives the same bits.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import os
import subprocess
import sys

import numpy
import pytest

# In a process of its own: an artifact with threads is never unloaded.
RUN = """
import ctypes, json, os, sys, numpy
library = ctypes.CDLL(sys.argv[1])
image = numpy.load(sys.argv[2])[:1].copy()
logits = numpy.zeros((1, 10), numpy.float32)
pointer = lambda array: array.ctypes.data_as(ctypes.c_void_p)
before = len(os.listdir("/proc/self/task"))
for _ in range(3):
    assert library.digits_run(pointer(image), pointer(logits), None) == 0
after = len(os.listdir("/proc/self/task"))
print(json.dumps({"bits": logits.tobytes().hex(), "started": after - before}))
"""


@pytest.fixture(scope="module")
def answers(graven, root, tmp_path_factory):
    folder, example = tmp_path_factory.mktemp("threads"), root / "examples/digits"
    result = {}
    for threads in ("1", "3", "0"):
        library, header = folder / f"m{threads}.so", folder / f"m{threads}.h"
        subprocess.run([graven, "compile", example / "digits.pt", "-o", library, "--header", header, "--name", "digits",
                        "--threads", threads], check=True)
        run = subprocess.run([sys.executable, "-c", RUN, library, example / "heldout_images.npy"], check=True,
                             capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
        result[threads] = json.loads(run.stdout) | {"header": header.read_text()}
    return result


def test_threads_are_started(answers):
    cpus = len(os.sched_getaffinity(0))
    assert {threads: answer["started"] for threads, answer in answers.items()} == {"1": 0, "3": 2, "0": cpus - 1}


def test_bits_do_not_depend_on_threads(answers):
    assert answers["1"]["bits"] == answers["3"]["bits"] == answers["0"]["bits"]
    assert any(numpy.frombuffer(bytes.fromhex(answers["1"]["bits"]), numpy.float32))


def test_header_says_what_runs(answers):
    assert "on the calling thread" in answers["1"]["header"]
    assert "on 3 threads" in answers["3"]["header"]
    assert "one thread for each CPU" in answers["0"]["header"]
