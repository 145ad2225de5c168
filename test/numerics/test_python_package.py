"""The Python package as it is installed: what a wheel is made of, without the minutes that making one takes.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import ast
import configparser
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tomllib

import pytest

import graven as package


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text())


def test_the_build_s_package_is_complete(root, build):
    sources = {path.name for path in (root / "python/graven").iterdir() if path.is_file()}
    built = {path.name for path in (build / "python/graven").iterdir() if path.is_file()}
    assert {name for name in built if not name.startswith("_core.") or name.endswith(".pyi")} == sources
    assert "py.typed" in sources


def test_metadata_say_what_a_wheel_says(build, project):
    entry, = importlib.metadata.entry_points(group="torch_dynamo_backends", name="graven")
    own = project["project"]["entry-points"]["torch_dynamo_backends"]
    assert entry.value == own["graven"] and entry.load() is package.torch.backend
    assert importlib.metadata.version("graven") == package.__version__ == project["project"]["version"]
    files = configparser.ConfigParser()
    files.read(next((build / "python").glob("graven-*.dist-info")) / "entry_points.txt")
    assert dict(files["torch_dynamo_backends"]) == own


def test_a_wheel_names_the_licences_of_what_it_contains(root, project):
    files = project["project"]["license-files"]
    assert files == ["LICENSE", "THIRD_PARTY_LICENSES"] and "LLVM Exceptions" in (root / "LICENSE").read_text()
    notices = (root / "THIRD_PARTY_LICENSES").read_text()
    for part in ("LLVM, MLIR, lld", "nanobind", "robin-map", "Protocol Buffers", "Zstandard", "onnx.proto"):
        assert part in notices


def test_an_installed_tree_works(root, build, tmp_path):
    """The folder that wheel.packages names, and what CMake installs of the component."""
    shutil.copytree(root / "python/graven", tmp_path / "graven")
    subprocess.run(["cmake", "--install", build, "--component", "python", "--prefix", tmp_path], check=True,
                   capture_output=True)
    code = ("import graven, numpy, sys; x = numpy.load(sys.argv[2])[:1]; "
            "print(graven.__file__, graven.load(sys.argv[1]).compile()(x).shape, 'torch' in sys.modules)")
    run = subprocess.run([sys.executable, "-c", code, root / "examples/digits/digits.pt",
                          root / "examples/digits/heldout_images.npy"], capture_output=True, text=True, check=False,
                         cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert run.returncode == 0, run.stderr
    assert run.stdout == f"{tmp_path}/graven/__init__.py (1, 10) False\n"


def test_everything_public_has_types_and_says_what_it_is(root):
    for path in sorted((root / "python/graven").glob("*.py")):
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), path
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
                untyped = [a.arg for a in arguments if a.annotation is None and a.arg not in ("self", "cls")]
                assert node.returns is not None and not untyped, f"{path.name}: {node.name}"
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                small = isinstance(node, ast.FunctionDef) and len(node.body) <= 25
                assert small or ast.get_docstring(node), f"{path.name}: {node.name}"
    for name in package.__all__:
        thing = getattr(package, name)
        assert thing.__doc__ and thing.__module__ in ("graven", "graven._errors"), name
        if isinstance(thing, type) and thing.__module__ == "graven":
            for member in (n for n in vars(thing) if not n.startswith("_") and callable(getattr(thing, n))):
                assert getattr(thing, member).__doc__, f"{name}.{member}"
