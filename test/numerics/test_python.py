"""The Python package: what compile and load accept, what a Model takes and gives, and how errors look.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import ast
import gc
import io
import os
import pathlib
import threading

import numpy as np
import pytest
import torch

import graven as package

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore::FutureWarning")


class TwoInputs(torch.nn.Module):
    def forward(self, a, b):
        return a + b, (a * b).sum(dim=1)


class OneInput(torch.nn.Module):
    def forward(self, x):
        return x * 2


def saved(module, inputs=None):
    """The bytes of the traced module, or of the scripted one where no inputs are given."""
    buffer = io.BytesIO()
    module = torch.jit.script(module.eval()) if inputs is None else torch.jit.trace(module.eval(), inputs)
    torch.jit.save(module, buffer)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def digits(root):
    return package.compile(root / "examples/digits/digits.pt", threads=1)


@pytest.fixture(scope="module")
def image(root):
    return np.load(root / "examples/digits/heldout_images.npy")[:1]


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
        assert isinstance(result, tuple) and len(result) == 2
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
    assert error.value.code == "GRV0501"
    with pytest.raises(package.Error) as error:
        package.compile(tmp_path)
    assert error.value.code == "GRV0001"


def test_all_unsupported_operations_are_reported():
    class Unsupported(torch.nn.Module):
        def forward(self, x):
            return torch.linalg.qr(x)[0] + torch.fft.fft(x).real

    with pytest.raises(package.Error) as error:
        package.compile(saved(Unsupported()), inputs={"x": "f32[4,4]"})
    assert error.value.code == "GRV0201"
    assert "qr" in str(error.value) and "fft" in str(error.value)
    assert any(d.location and "test_python.py" in d.location for d in error.value.diagnostics)


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


@pytest.mark.parametrize("options", [{"opt_level": 0}, {"opt_level": 1}, {"opt_level": 3}, {"target_cpu": "x86-64"},
                                     {"target_cpu": "x86-64-v2"}])
def test_options_keep_the_result(root, digits, image, options):
    model = package.compile(root / "examples/digits/digits.pt", **options)
    np.testing.assert_allclose(model(image), digits(image), rtol=1e-4, atol=1e-4)


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
