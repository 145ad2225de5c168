"""What the tests of the Python package share: the digit classifier, compiled.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import pytest


@pytest.fixture(scope="session")
def digits(root):
    import graven as package
    return package.compile(root / "examples/digits/digits.pt", threads=1)


@pytest.fixture(scope="session")
def image(root):
    return np.load(root / "examples/digits/heldout_images.npy")[:1]
