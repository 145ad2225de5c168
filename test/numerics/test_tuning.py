"""Tiles by measuring: what --tune keeps, what a compile does with it, and with files that are damaged or foreign.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import subprocess

import pytest

MODEL = """graven.param @w : tensor<64x64x3x3xf32> = dense<0.01> : tensor<64x64x3x3xf32>
graven.graph @forward(%x: tensor<1x64x15x15xf32> {graven.name = "x"}) -> (tensor<1x64x15x15xf32> {graven.name = "y"}) {
  %w = graven.get_param @w : tensor<64x64x3x3xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 1
      : (tensor<1x64x15x15xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x15x15xf32>
  graven.return %0 : tensor<1x64x15x15xf32>
}
"""


@pytest.fixture
def model(tmp_path):
    (tmp_path / "m.mlir").write_text(MODEL)
    return tmp_path


def compile(graven, model, *flags):
    """The bytes of the artifact, the report and the messages."""
    command = [graven, "compile", "m.mlir", "-o", "m.so", "--numerics", "strict", "--json", *flags]
    run = subprocess.run(command, cwd=model, capture_output=True, text=True, check=False)
    report = json.loads(run.stdout)
    assert run.returncode == 0, run.stdout + run.stderr
    return (model / "m.so").read_bytes(), report, run.stdout + run.stderr


@pytest.fixture(scope="module")
def tuned(graven, tmp_path_factory):
    """The artifact of a compile that measures, its report, and the database."""
    folder = tmp_path_factory.mktemp("tuned")
    (folder / "m.mlir").write_text(MODEL)
    # What it measures takes the place of what is there.
    for _ in range(2):
        built, report, _ = compile(graven, folder, "--tune", "--tune-db", "t.db")
    return built, report, (folder / "t.db").read_text()


def test_what_is_measured_is_kept_and_used(graven, model, tuned):
    built, report, text = tuned
    assert report["tunable_kernels"] == 1
    lines = text.splitlines()
    assert lines[0] == "graven-tuning 1" and len(lines) == 3
    cpu, signature, *tiles = lines[1].split(" ")
    assert cpu and signature.startswith("conv/1x4x17x17x16xf32/") and len(tiles) == 3
    # A build with the file is reproducible, whatever measuring again would find.
    (model / "t.db").write_text(text)
    assert compile(graven, model, "--tune-db", "t.db")[0] == built
    assert compile(graven, model, "--tune-db", "t.db", "--no-cache")[0] == built


@pytest.mark.parametrize("damage", ["graven-tuning 1\n", "", "not a database\n", "cut", "flipped"])
def test_a_damaged_file_is_ignored(graven, model, tuned, damage):
    plain, _, _ = compile(graven, model, "--tune-db=")
    text = tuned[2]
    if damage == "cut":
        damage = text[: len(text) // 2]
    elif damage == "flipped":
        damage = text.replace("conv", "conw")
    (model / "t.db").write_text(damage)
    built, _, messages = compile(graven, model, "--tune-db", "t.db")
    assert built == plain
    assert "GRV0009" in messages


def test_entries_of_another_cpu_do_not_apply(graven, model, tuned):
    plain, _, _ = compile(graven, model, "--target-cpu", "x86-64-v3", "--tune-db=")
    (model / "t.db").write_text(tuned[2])
    assert compile(graven, model, "--target-cpu", "x86-64-v3", "--tune-db", "t.db")[0] == plain


def test_no_file_has_no_entries(graven, model):
    plain, _, _ = compile(graven, model, "--tune-db=")
    built, _, messages = compile(graven, model, "--tune-db", "none.db")
    assert built == plain and "GRV0009" not in messages


def test_each_size_is_measured(graven, model):
    text = MODEL.replace("tensor<1x64x15x15xf32>", "tensor<?x64x15x15xf32>")
    (model / "m.mlir").write_text(text.replace('graven.name = "x"', 'graven.name = "x", graven.symbols = ["batch", "", "", ""]'))
    built, report, _ = compile(graven, model, "--dim", "batch=1,2", "--tune", "--tune-db", "t.db")
    assert report["sizes"] == 2 and report["tunable_kernels"] == 2
    signatures = [line.split(" ")[1] for line in (model / "t.db").read_text().splitlines()[1:-1]]
    assert sorted(s.split("/")[1][0] for s in signatures) == ["1", "2"]
    assert compile(graven, model, "--dim", "batch=1,2", "--tune-db", "t.db")[0] == built


@pytest.mark.parametrize("flags, message", [
    (["--tune", "--tune-db", "t.db", "--target-cpu", "x86-64-v2"], "--tune measures on this machine"),
    (["--tune", "--tune-db="], "--tune needs --tune-db FILE"),
])
def test_what_cannot_be_measured(graven, model, flags, message):
    command = [graven, "compile", "m.mlir", "-o", "m.so", *flags]
    run = subprocess.run(command, cwd=model, capture_output=True, text=True, check=False)
    assert run.returncode == 3 and message in run.stderr and "GRV0004" in run.stderr
    assert not (model / "m.so").exists()
