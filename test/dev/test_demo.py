"""The README's first command, on the build that the tests run with.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import re
import subprocess

import pytest


@pytest.fixture(scope="module")
def demo(root):
    result = subprocess.run([root / "tools/dev/demo"], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    return result.stdout


def test_demo_reaches_pytorchs_accuracy_both_ways(demo):
    accuracies = re.findall(r"^accuracy +(\d+) of 360 .* PyTorch (\d+)$", demo, re.MULTILINE)
    assert len(accuracies) == 2 and all(ours == theirs for ours, theirs in accuracies)


def test_demo_shows_digits_times_and_sizes(demo):
    assert demo.count("this is a ") == 8
    assert len(re.findall(r"^time +[\d.]+ microseconds for one image", demo, re.MULTILINE)) == 2
    assert len(re.findall(r"^sizes +digits\.(?:pt|onnx) \d+ bytes, digits\.o \d+, the program \d+$", demo,
                          re.MULTILINE)) == 2


def test_demo_program_needs_libc_and_libm_only(demo):
    for libraries in re.findall(r"^libraries +(.*)$", demo, re.MULTILINE):
        assert set(libraries.split()) <= {"libc.so.6", "libm.so.6"}
    assert demo.count("\nlibraries ") == 2


def test_both_formats_gave_the_same_results(demo):
    assert "outputs       the same as the other artifact's, bit for bit" in demo
    assert demo.rstrip().endswith("TorchScript and ONNX gave the same results, and the accuracy is PyTorch's")
