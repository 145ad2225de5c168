"""The Python package: what compile and load accept, what a Model takes and gives.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import ast
import pathlib
import re

import numpy as np
import pytest
import torch

import graven as package
from saving import saved

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore::FutureWarning")


class TwoInputs(torch.nn.Module):
    def forward(self, a, b):
        return a + b, (a * b).sum(dim=1)


class OneInput(torch.nn.Module):
    def forward(self, x):
        return x * 2


@pytest.fixture(scope="module")
def two():
    return package.compile(saved(TwoInputs()), inputs={"a": "f32[2,3]", "b": "f32[2,3]"}, threads=1)


def test_describes_the_model(digits):
    assert digits.name == "digits"
    assert digits.input_names == ("x",) and len(digits.output_names) == 1
    spec, = digits.inputs
    assert (spec.name, spec.dtype, spec.shape) == ("x", "f32", (1, 1, 8, 8))
    assert str(spec) == "x:f32[1,1,8,8]"
    assert digits.outputs[0].shape == (1, 10)
    assert "x:f32[1,1,8,8]" in repr(digits)


def test_stats(digits):
    stats = digits.stats
    assert stats.compile_seconds > 0 and stats.kernels > 0
    assert 50_000 < stats.weights_bytes < stats.file_bytes
    assert stats.workspace_bytes > 0 and stats.workspace_bytes % 64 == 0
    assert stats.provenance["compiler"].startswith("graven")


def test_matches_pytorch(digits, image, root):
    expected = torch.jit.load(root / "examples/digits/digits.pt")(torch.from_numpy(image)).detach().numpy()
    got = digits(image)
    assert isinstance(got, np.ndarray) and got.dtype == np.float32 and got.flags.owndata and got.flags.writeable
    assert np.abs(got - expected).max() <= 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("kind", [str, pathlib.Path, pathlib.Path.read_bytes, lambda p: bytearray(p.read_bytes())])
def test_path_or_bytes(root, digits, image, kind):
    path = root / "examples/digits/digits.pt"
    np.testing.assert_array_equal(package.compile(kind(path), threads=1)(image), digits(image))


def test_onnx_bytes_give_the_same(root, digits, image):
    model = package.compile((root / "examples/digits/digits.onnx").read_bytes(), name="other")
    assert model.name == "other"
    np.testing.assert_array_equal(model(image), digits(image))


def test_threads_do_not_change_results(root, digits, image):
    for threads in (2, 3, None):
        model = package.compile(root / "examples/digits/digits.pt", threads=threads)
        assert model.threads == threads or threads is None and model.threads >= 1
        np.testing.assert_array_equal(model(image), digits(image))
    model.threads = 4
    np.testing.assert_array_equal(model(image), digits(image))


def test_save_and_load(digits, image, tmp_path):
    digits.save(tmp_path / "m.so")
    model = package.load(tmp_path / "m.so", threads=2)
    assert model.name == "digits" and model.stats.compile_seconds is None and model.stats.kernels is None
    assert model.stats.weights_bytes == digits.stats.weights_bytes
    np.testing.assert_array_equal(model(image), digits(image))
    model.save(tmp_path / "again.so")
    assert (tmp_path / "again.so").read_bytes() == (tmp_path / "m.so").read_bytes()


def test_loaded_file_may_go(digits, image, tmp_path):
    digits.save(tmp_path / "m.so")
    model = package.load(tmp_path / "m.so")
    (tmp_path / "m.so").unlink()
    np.testing.assert_array_equal(model(image), digits(image))


def test_nothing_is_left_in_the_temporary_folder(root, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    model = package.compile(root / "examples/digits/digits.pt")
    assert list(tmp_path.iterdir()) == []
    assert model.stats.file_bytes > 0


def test_several_inputs_and_outputs(two):
    a, b = np.arange(6, dtype=np.float32).reshape(2, 3), np.full((2, 3), 2, np.float32)
    for result in (two(a, b), two(a=a, b=b), two(a, b=b), two(b=b, **{"0": a})):
        assert isinstance(result, list) and len(result) == 2
        np.testing.assert_array_equal(result[0], a + b)
        np.testing.assert_array_equal(result[1], (a * b).sum(axis=1))
    np.testing.assert_array_equal(two(a, a)[0], a + a)


def test_other_arrays(two):
    a, b = np.arange(6, dtype=np.float32).reshape(2, 3), np.full((2, 3), 2, np.float32)
    wide, rows = np.zeros((4, 6), np.float32), np.zeros(25, np.uint8)
    wide[::2, ::2] = a
    rows[1:] = np.frombuffer(a.tobytes(), np.uint8)
    frozen = a.copy()
    frozen.flags.writeable = False
    for other in (np.asfortranarray(a), wide[::2, ::2], a[::-1][::-1], rows[1:].view(np.float32).reshape(2, 3), frozen,
                  memoryview(a), torch.from_numpy(a), torch.from_numpy(a.T.copy()).T):
        np.testing.assert_array_equal(two(other, b)[0], a + b)


def test_results_are_not_shared(two):
    a, b = np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32)
    first = two(a, b)[0]
    two(b, b)
    np.testing.assert_array_equal(first, a)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint8", "int16", "int32", "int64", "bool"])
def test_element_types(dtype):
    class Same(torch.nn.Module):
        def forward(self, x):
            return x.flip(0)

    x = np.array([0, 1, 1, 0, 1]).astype(dtype)
    model = package.compile(saved(Same()), inputs={"x": x})
    got = model(x)
    assert got.dtype == x.dtype
    np.testing.assert_array_equal(got, x[::-1])


def test_bfloat16():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = np.array([1.5, -2, 0, 3], ml_dtypes.bfloat16)
    model = package.compile(saved(OneInput()), inputs={"x": x})
    assert model.inputs[0].dtype == "bf16"
    got = model(x)
    assert got.dtype == ml_dtypes.bfloat16
    for same in (x.view(np.uint16), torch.tensor([1.5, -2, 0, 3], dtype=torch.bfloat16), np.repeat(x, 2)[::2]):
        np.testing.assert_array_equal(model(same), got)
    np.testing.assert_array_equal(got.astype(np.float32), x.astype(np.float32) * 2)
    with pytest.raises(package.Error, match="expected bf16, got f16") as error:
        model(x.astype(np.float16))
    assert error.value.code == "GRV0303"


def test_scalars_and_empty_arrays():
    model = package.compile(saved(OneInput()), inputs={"x": "f32[]"})
    assert model(np.float32(3)) == 6 and model(np.array(3, np.float32)).shape == ()
    assert package.compile(saved(OneInput()), inputs={"x": "f32[0,3]"})(np.empty((0, 3), np.float32)).shape == (0, 3)


@pytest.mark.parametrize("inputs", [
    {"x": "f32[2]"}, {0: "f32[2]"}, ["x:f32[2]"], ["0:f32[2]"], {"x": np.zeros(2, np.float32)},
    [np.zeros(2, np.float32)], [torch.zeros(2)],
])
def test_input_specifications(inputs):
    model = package.compile(saved(OneInput()), inputs=inputs)
    assert [str(spec) for spec in model.inputs] == ["x:f32[2]"]


@pytest.mark.parametrize("options", [{"opt_level": 0}, {"opt_level": 1}, {"opt_level": 3}, {"target_cpu": "x86-64"},
                                     {"target_cpu": "x86-64-v2"}])
def test_options_keep_the_result(root, digits, image, options):
    model = package.compile(root / "examples/digits/digits.pt", **options)
    np.testing.assert_allclose(model(image), digits(image), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_documented_example(root, tmp_path, monkeypatch, capsys, page):
    """The first Python example of the page runs in a checkout."""
    code = re.search(r"^```python\n(.*?)^```", (root / page).read_text(), re.MULTILINE | re.DOTALL)[1]
    (tmp_path / "examples").symlink_to(root / "examples")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, page, "exec"), {})  # pylint: disable=exec-used; the page is ours
    assert "Stats(compile_seconds=" in capsys.readouterr().out


def test_stubs_name_what_there_is(root):
    from graven import _core
    tree = ast.parse((root / "python/graven/_core.pyi").read_text())
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            members = {m.target.id if isinstance(m, ast.AnnAssign) else m.name
                       for m in node.body if isinstance(m, (ast.FunctionDef, ast.AnnAssign))}
            real = {n for n in vars(getattr(_core, node.name)) if not n.startswith("_")}
            assert {m for m in members if not m.startswith("_")} == real
        elif isinstance(node, ast.FunctionDef):
            assert callable(getattr(_core, node.name))
    assert (pathlib.Path(package.__file__).parent / "py.typed").exists()
    assert all(getattr(package, name).__doc__ for name in package.__all__)
