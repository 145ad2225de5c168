"""What the Python tests share: where the checkout, its build and its tools are.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import os
import pathlib
import sys
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
# The Python package of this build.
sys.path.insert(0, str((ROOT / os.environ.get("GRAVEN_BUILD", "build") / "python").resolve()))

# Kernels that this run of the tests compiled, and no others, are compiled once.
KERNELS = tempfile.TemporaryDirectory(prefix="graven-test-")
os.environ["GRAVEN_CACHE_DIR"] = KERNELS.name
# Nor does a user's tuning decide.
os.environ["GRAVEN_TUNE_DB"] = ""


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def build(root):
    return (root / os.environ.get("GRAVEN_BUILD", "build")).resolve()


@pytest.fixture(scope="session")
def graven(build):
    """Path of the `graven` program of this build."""
    return build / "bin" / "graven"
