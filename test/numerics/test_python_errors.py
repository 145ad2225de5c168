"""The Python package: what is wrong is told as graven.Error with a code, or as the usual exceptions of Python.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import pytest
import torch

import graven as package
from saving import saved

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore::FutureWarning")


class OneInput(torch.nn.Module):
    def forward(self, x):
        return x * 2


@pytest.mark.parametrize("inputs, code, text", [
    (None, "GRV0301", "x"),
    ({"x": "f99[2]"}, "GRV0305", "unknown element type 'f99'"),
    (["x"], "GRV0305", "expected NAME:TYPE"),
    ({"x": "f32[2]", "y": "f32[2]"}, "GRV0302", "y"),
])
def test_bad_input_specifications(inputs, code, text):
    with pytest.raises(package.Error) as error:
        package.compile(saved(OneInput()), inputs=inputs)
    assert error.value.code == code and text in str(error.value)


@pytest.mark.parametrize("inputs", ["x:f32[2]", {"x": 3}, [None], 7])
def test_inputs_of_a_wrong_kind(inputs):
    with pytest.raises(TypeError):
        package.compile(saved(OneInput()), inputs=inputs)


@pytest.mark.parametrize("arrays, code, text", [
    ([], "GRV0301", "no value for input 'x'"),
    ([np.zeros((1, 1, 8, 8), np.float32)] * 2, "GRV0302", "expected 1 inputs, got 2"),
    ([np.zeros((1, 1, 8, 8))], "GRV0303", "input 'x': expected f32, got f64"),
    ([np.zeros((1, 1, 8, 8), ">f4")], "GRV0303", "input 'x': expected f32, got >f4"),
    ([np.zeros((1, 1, 8, 8), np.complex64)], "GRV0303", "input 'x': expected f32, got complex64"),
    ([np.zeros((1, 8, 8), np.float32)], "GRV0304", "input 'x': expected rank 4, got 3"),
    ([np.zeros((1, 1, 8, 7), np.float32)], "GRV0304", "input 'x': expected extent 8 on axis 3, got 7"),
])
def test_bad_arguments(digits, image, arrays, code, text):
    with pytest.raises(package.Error) as error:
        digits(*arrays)
    assert error.value.code == code and text in str(error.value)
    assert digits(image).shape == (1, 10)


def test_bad_names(digits, image):
    for arguments, text in (({"y": image}, "has no input 'y', only 'x'"), ({"x": image, "0": image}, "given twice")):
        with pytest.raises(package.Error, match=text) as error:
            digits(**arguments)
        assert error.value.code == "GRV0302"


@pytest.mark.parametrize("value", [[1.0], 3, None, "text", {"x": 1}])
def test_no_arrays(digits, value):
    with pytest.raises(TypeError, match="input 'x': expected an array"):
        digits(value)


@pytest.mark.parametrize("data, code", [
    (b"", "GRV0002"), (b"\0" * 64, "GRV0002"), (b"PK\3\4 not an archive", "GRV0101"), (b"\x08\x08", "GRV0002"),
    (b"func.func @f( {", "GRV0109"),
])
def test_bad_models(data, code):
    with pytest.raises(package.Error) as error:
        package.compile(data)
    assert error.value.code == code
    assert all(d.severity == "error" for d in error.value.diagnostics)


def test_truncated_models(root):
    whole = (root / "examples/digits/digits.pt").read_bytes()
    for length in (1, 100, len(whole) // 2, len(whole) - 1):
        with pytest.raises(package.Error) as error:
            package.compile(whole[:length])
        assert error.value.code.startswith("GRV")


def test_missing_files(tmp_path):
    with pytest.raises(package.Error, match="none.pt") as error:
        package.compile(tmp_path / "none.pt")
    assert error.value.code == "GRV0001"
    with pytest.raises(package.Error, match="none.so") as error:
        package.load(tmp_path / "none.so")
    assert error.value.code == "GRV0001"
    with pytest.raises(package.Error) as error:
        package.compile(tmp_path)
    assert error.value.code == "GRV0001"


def test_all_unsupported_operations_are_reported():
    class Unsupported(torch.nn.Module):
        def forward(self, x):
            return torch.linalg.lstsq(x, x)[0] + torch.linalg.eigvals(x).real

    with pytest.raises(package.Error) as error:
        package.compile(saved(Unsupported()), inputs={"x": "f32[4,4]"})
    assert error.value.code == "GRV0201"
    assert "lstsq" in str(error.value) and "eigvals" in str(error.value)
    assert any(d.location and "test_python_errors.py" in d.location for d in error.value.diagnostics)


def test_bad_options(root, digits, tmp_path):
    path = root / "examples/digits/digits.pt"
    with pytest.raises(package.Error, match="pentium-9") as error:
        package.compile(path, target_cpu="pentium-9")
    assert error.value.code == "GRV0005"
    for wrong in ({"opt_level": 4}, {"threads": 0}, {"threads": -1}):
        with pytest.raises(ValueError):
            package.compile(path, **wrong)
    with pytest.raises(TypeError):
        package.compile(3)
    with pytest.raises(package.Error) as error:
        digits.save(tmp_path)
    assert error.value.code == "GRV0003"
    with pytest.raises(package.Error):
        digits.save(tmp_path / "no" / "folder.so")


def test_index_out_of_range():
    class Lookup(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table = torch.nn.Embedding(4, 2)

        def forward(self, ids):
            return self.table(ids)

    model = package.compile(saved(Lookup()), inputs={"ids": "i64[2]"})
    assert model(np.array([0, 3])).shape == (2, 2)
    with pytest.raises(package.Error) as error:
        model(np.array([0, 4]))
    assert error.value.code == "GRV0402"
