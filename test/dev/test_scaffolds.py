"""What the new-*.py commands create compiles and keeps the house rules, and a refused command changes nothing.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LLVM = pathlib.Path(os.environ.get("GRAVEN_LLVM", "/usr/lib/llvm-22"))
LINTS = ("banners", "format", "layers", "names", "sizes", "tests", "unfinished")


def tracked_files(root):
    listing = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             check=True, capture_output=True, text=True).stdout
    return [name for name in listing.split("\0") if name and (root / name).is_file()]


class Copy:
    """A copy of the checkout in which scaffolds may write."""

    def __init__(self, root, build, folder):
        self.source, self.build, self.root = root, build, folder
        for name in tracked_files(root):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((root / name).read_bytes())
        self.before = self.snapshot()

    def snapshot(self):
        return {path.relative_to(self.root): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}

    def scaffold(self, command, *arguments):
        script = self.source / "tools/dev" / command
        return subprocess.run([sys.executable, script, *arguments, "--root", self.root], capture_output=True, text=True)

    def findings(self):
        """What the lints find in files that a scaffold wrote."""
        written = {str(path) for path, content in self.snapshot().items() if self.before.get(path) != content}
        assert written
        lines = []
        for name in LINTS:
            script = self.source / f"tools/dev/lint/check_{name}.py"
            lines += subprocess.run([sys.executable, script, "--root", self.root], capture_output=True,
                                    text=True).stdout.splitlines()
        return [line for line in lines if line.split(":")[0] in written]

    def tablegen(self, definitions, *runs):
        """Runs mlir-tblgen on a .td of the copy; each run is (output, generator, option...)."""
        for output, *options in runs:
            target = self.root / "generated" / output
            target.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run([LLVM / "bin/mlir-tblgen", *options, f"-I{self.root}", f"-I{LLVM}/include",
                            self.root / definitions, "-o", target], check=True, cwd=self.root)

    def compiles(self, source):
        """Diagnostics of compiling a source of the copy as the build compiles its neighbours; empty when it does."""
        commands = json.loads((self.build / "compile_commands.json").read_text())
        library = str(self.source / pathlib.Path(source).parts[0])
        command = next(shlex.split(entry["command"]) for entry in commands
                       if entry["file"].startswith(library) and entry["file"].endswith(".cpp"))
        flags = [flag for flag in command if re.match(r"-(D|std|f|W)", flag)]
        result = subprocess.run(
            [LLVM / "bin/clang++", "-fsyntax-only", *flags, f"-I{self.root}/generated", f"-I{self.root}",
             f"-I{self.build}", "-isystem", LLVM / "include", self.root / source],
            capture_output=True, text=True, cwd=self.root)
        assert result.returncode == 0 or result.stderr
        return result.stderr


@pytest.fixture
def copy(root, build, tmp_path):
    return Copy(root, build, tmp_path)


def group_of(copy, folder):
    text = (copy.root / "passes" / folder / "CMakeLists.txt").read_text()
    return re.search(r"graven_passes\(\w+ (\w+)\)", text)[1]


def pass_folders(root):
    return sorted(path.parent.name for path in root.glob("passes/*/Passes.td"))


@pytest.mark.parametrize("folder", pass_folders(ROOT))
def test_new_pass(copy, folder):
    result = copy.scaffold("new-pass.py", "AddOfNegatedForTest", folder, "--summary", "adds what is negated")
    assert result.returncode == 0, result.stderr
    source = f"passes/{folder}/AddOfNegatedForTest.cpp"
    assert (copy.root / f"test/passes/{folder}/add-of-negated-for-test.mlir").exists()
    assert copy.findings() == []
    copy.tablegen(f"passes/{folder}/Passes.td",
                  (f"passes/{folder}/Passes.h.inc", "-gen-pass-decls", f"-name={group_of(copy, folder)}"))
    assert copy.compiles(source) == ""


@pytest.mark.parametrize("arguments, message", [
    (("add-of-neg", "math", "--summary", "x"), "a pass is named like FuseConvBN, got 'add-of-neg'"),
    (("AddOfNeg", "nowhere", "--summary", "x"), "passes/nowhere/Passes.td does not exist"),
    (("ExpandMath", "math", "--summary", "x"), "passes/math/ExpandMath.cpp exists already"),
])
def test_new_pass_refuses(copy, arguments, message):
    result = copy.scaffold("new-pass.py", *arguments)
    assert result.returncode == 2 and message in result.stderr
    assert copy.snapshot() == copy.before


def op_families(root):
    """Families with a file for each part of an op."""
    return sorted(path.stem for path in (root / "dialects/graven/ops").glob("*.cpp")
                  if (root / f"dialects/graven/Ops{path.stem}.td").exists()
                  and (root / f"dialects/graven/eval/{path.stem}.cpp").exists())


@pytest.mark.parametrize("family", op_families(ROOT))
def test_new_op(copy, family):
    result = copy.scaffold("new-op.py", "turned_around", family, "--summary", "x from its end")
    assert result.returncode == 0, result.stderr
    for kind in ("ops", "invalid", "infer", "eval"):
        assert (copy.root / f"test/dialects/graven/{kind}/turned-around.mlir").exists()
    assert copy.findings() == []


def test_new_op_compiles(copy):
    assert copy.scaffold("new-op.py", "turned_around", "Movement", "--summary", "x from its end").returncode == 0
    copy.tablegen("dialects/graven/GravenOps.td", ("dialects/graven/GravenOps.h.inc", "-gen-op-decls"))
    for part in ("ops", "eval"):
        assert copy.compiles(f"dialects/graven/{part}/Movement.cpp") == ""


@pytest.mark.parametrize("arguments, message", [
    (("TurnedAround", "Movement", "--summary", "x"), "an op is named like max_pool, got 'TurnedAround'"),
    (("turned_around", "Nothing", "--summary", "x"), "the families are Contraction, "),
    (("transpose", "Movement", "--summary", "x"), "graven.transpose exists already"),
])
def test_new_op_refuses(copy, arguments, message):
    result = copy.scaffold("new-op.py", *arguments)
    assert result.returncode == 2 and message in result.stderr
    assert copy.snapshot() == copy.before


ATEN_SCHEMA = "aten::turned_around(Tensor self, int dim=0) -> Tensor"


def test_new_aten_op(copy):
    result = copy.scaffold("new-aten-op.py", ATEN_SCHEMA, "Pointwise")
    assert result.returncode == 0, result.stderr
    assert (copy.root / "test/frontends/torchscript/ops/turned-around.py").exists()
    assert f'R"({ATEN_SCHEMA})" "\\n"\n' in (copy.root / "frontends/aten/Schemas.inc").read_text()
    assert "\nturned_around\n" in (copy.root / "frontends/aten/gen_schemas.py").read_text()
    assert copy.findings() == []
    assert copy.compiles("frontends/aten/Pointwise.cpp") == ""


@pytest.mark.parametrize("arguments, message", [
    (("turned_around", "Pointwise"), "a schema is like 'aten::relu(Tensor self) -> Tensor', got 'turned_around'"),
    (("aten::f(int a) -> int", "Pointwise"), "aten::f takes no tensor"),
    (("aten::absolute(Tensor self) -> Tensor", "Pointwise"), "Pointwise.cpp has an entry for absolute already"),
    ((ATEN_SCHEMA, "Nowhere"), "frontends/aten/Nowhere.cpp does not exist"),
    ((ATEN_SCHEMA, "Table"), "frontends/aten/Table.cpp has no function addTable(Table &)"),
])
def test_new_aten_op_refuses(copy, arguments, message):
    result = copy.scaffold("new-aten-op.py", *arguments)
    assert result.returncode == 2 and message in result.stderr
    assert copy.snapshot() == copy.before


def test_new_onnx_op(copy):
    result = copy.scaffold("new-onnx-op.py", "TurnedAround", "Activations", "--inputs", "2", "--since", "12")
    assert result.returncode == 0, result.stderr
    assert (copy.root / "test/frontends/onnx/ops/turned-around.textproto").exists()
    assert 'table.add("TurnedAround", 2, buildTurnedAround, 12);' in (
        copy.root / "frontends/onnx/ops/Activations.cpp").read_text()
    assert copy.findings() == []
    assert copy.compiles("frontends/onnx/ops/Activations.cpp") == ""


@pytest.mark.parametrize("arguments, message", [
    (("turned_around", "Activations"), "an ONNX operator is named like MaxPool, got 'turned_around'"),
    (("Relu", "Activations"), "Activations.cpp has an entry for Relu already"),
    (("TurnedAround", "Nowhere"), "frontends/onnx/ops/Nowhere.cpp does not exist"),
])
def test_new_onnx_op_refuses(copy, arguments, message):
    result = copy.scaffold("new-onnx-op.py", *arguments)
    assert result.returncode == 2 and message in result.stderr
    assert copy.snapshot() == copy.before
