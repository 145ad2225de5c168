"""The Python package: models, compilers and forks in several threads.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import gc
import os
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest

import graven as package

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore::FutureWarning")


def in_threads(count, function):
    failures = []

    def guarded(index):
        try:
            function(index)
        except BaseException as failure:  # pylint: disable=broad-except; an assertion of a thread counts
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


@pytest.mark.parametrize("threads", [1, 2])
def test_one_model_in_several_threads(root, threads):
    model = package.compile(root / "examples/digits/digits.pt", threads=threads)
    images = np.load(root / "examples/digits/heldout_images.npy")
    expected = [model(image[None]) for image in images[:64]]

    def run(index):
        for i in range(index, 64, 2):
            np.testing.assert_array_equal(model(images[i][None]), expected[i])

    in_threads(4, run)


REFUSING = """
#include <errno.h>
#include <pthread.h>
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
  return EAGAIN;
}
"""
COMPILE_AND_RUN = """
import sys, numpy, graven
model = graven.compile(sys.argv[1], threads=1)
print(model(numpy.load(sys.argv[2])[:1]).shape)
try:
    graven.compile(sys.argv[1], threads=3)
except graven.Error as error:
    print(error)
"""


def test_no_threads_are_to_be_had(root, build, tmp_path):
    """A compile does without, and a model that was to have some says so; neither ends the process."""
    (tmp_path / "refusing.c").write_text(REFUSING)
    subprocess.run([shutil.which("clang-22") or "cc", "-shared", "-fPIC", "-o", tmp_path / "refusing.so",
                    tmp_path / "refusing.c"], check=True)
    run = subprocess.run([sys.executable, "-c", COMPILE_AND_RUN, root / "examples/digits/digits.pt",
                          root / "examples/digits/heldout_images.npy"], capture_output=True, text=True, check=False,
                         env=os.environ | {"LD_PRELOAD": str(tmp_path / "refusing.so"), "OPENBLAS_NUM_THREADS": "1",
                                           "PYTHONPATH": str(build / "python")})
    assert run.returncode == 0, run.stderr
    assert "(1, 10)" in run.stdout
    assert "no pool of 3 threads could be created" in run.stdout


def test_compiling_in_several_threads(root, digits, image):
    path = root / "examples/digits/digits.pt"

    def run(_):
        np.testing.assert_array_equal(package.compile(path, threads=1)(image), digits(image))

    in_threads(3, run)


def test_the_gil_is_released(root):
    """While a model is compiled, another thread goes on."""
    ticks, done = [], threading.Event()

    def tick():
        while not done.wait(0.001):
            ticks.append(1)

    thread = threading.Thread(target=tick)
    thread.start()
    package.compile(root / "examples/digits/digits.pt")
    done.set()
    thread.join()
    assert len(ticks) > 10


def test_after_a_fork(root, digits, image):
    """One thread survives a fork; several are refused, not waited for."""
    pooled = package.compile(root / "examples/digits/digits.pt", threads=2)
    pooled(image)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            digits(image)
            pooled(image)
        except RuntimeError as error:
            status = 0 if "fork" in str(error) else 2
        finally:
            del pooled
            gc.collect()
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert pooled(image).shape == (1, 10)
