"""What the command line writes appears whole or not at all: full disks, limits, interrupts; and the same input gives
the same bytes.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIGITS = ROOT / "examples" / "digits" / "digits.pt"
IMAGES = ROOT / "examples" / "digits" / "heldout_images.npy"


@pytest.fixture
def run(graven, tmp_path):
    """Runs `graven` in an empty folder; files(), what is left in it and in its folder for temporary files."""
    folder, temporary = tmp_path / "out", tmp_path / "tmp"
    folder.mkdir()
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}

    def call(*arguments, limits=(), kill_after=None, number=signal.SIGINT, **more):
        def prepare():
            for what, value in limits:
                resource.setrlimit(what, (value, value))
        process = subprocess.Popen([graven, *map(str, arguments)], cwd=folder, env=environment, text=True,
                                   stdout=more.get("stdout", subprocess.PIPE), stderr=subprocess.PIPE,
                                   preexec_fn=prepare)
        if kill_after is not None:
            time.sleep(kill_after)
            process.send_signal(number)
        output, errors = process.communicate(timeout=120)
        return process.returncode, output, errors

    call.folder = folder
    call.environment = environment
    call.files = lambda: sorted(path.name for where in (folder, temporary) for path in where.rglob("*"))
    return call


@pytest.fixture
def small(tmp_path):
    """A model of one matrix product, 64 KiB of weights, and its input."""
    (tmp_path / "small.mlir").write_text("""
graven.param @w : tensor<128x128xf32> = dense<0.5> : tensor<128x128xf32>
graven.graph @forward(%x: tensor<1x128xf32> {graven.name = "x"}) -> tensor<1x128xf32> {
  %w = graven.get_param @w : tensor<128x128xf32>
  %0 = graven.matmul %x, %w : (tensor<1x128xf32>, tensor<128x128xf32>) -> tensor<1x128xf32>
  graven.return %0 : tensor<1x128xf32>
}
""")
    np.save(tmp_path / "x.npy", np.ones((1, 128), np.float32))
    return tmp_path / "small.mlir"


def test_full_disk(run, small):
    full = [(resource.RLIMIT_FSIZE, 1024)]
    for output in ("m.so", "m.o", "m.a", "m.s", "m.ll", "m.mlir"):
        code, _, errors = run("compile", small, "-o", output, limits=full)
        assert code == 2 and "[GRV0003]" in errors, (output, code, errors)
        assert run.files() == []
    code, _, errors = run("import", DIGITS, "-o", "m.mlir", limits=full)
    assert code == 2 and "[GRV0003]" in errors and run.files() == []
    code, _, errors = run("run", small, "--input", f"x=@{small.with_name('x.npy')}", limits=full)
    assert code == 2 and "[GRV0003]" in errors and run.files() == []
    with open("/dev/full", "w") as device:
        code, _, errors = run("import", DIGITS, stdout=device)
        assert code == 2 and "[GRV0003]" in errors
        code, _, errors = run("inspect", DIGITS, "--json", stdout=device)
        assert code == 2 and "[GRV0003]" in errors


def test_full_file_system(run):
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("mounting a small file system takes root")
    disk = run.folder / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True).returncode != 0:
        pytest.skip("this container may not mount")
    try:
        for command in (["compile", DIGITS, "-o", "disk/m.so"], ["import", DIGITS, "-o", "disk/m.mlir"]):
            code, _, errors = run(*command)
            assert code == 2 and "[GRV0003]" in errors and "No space left" in errors, errors
            assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)


def test_old_output_survives_failure(run, small):
    (run.folder / "m.so").write_text("old")
    (run.folder / "m.h").write_text("old header")
    code, _, errors = run("compile", small, "-o", "m.so", "--header", "m.h", limits=[(resource.RLIMIT_FSIZE, 8192)])
    assert code == 2 and "[GRV0003]" in errors
    assert (run.folder / "m.so").read_text() == "old" and (run.folder / "m.h").read_text() == "old header"
    assert run.files() == ["m.h", "m.so"]


def test_unwritable_places(run, small):
    for output in ("/proc/m.so", "/dev/null", "none/m.so", ""):
        code, _, errors = run("compile", small, "-o", output)
        assert code in (2, 3) and "error" in errors, (output, code, errors)
    if os.geteuid() != 0:
        run.folder.chmod(0o500)
        code, _, errors = run("compile", small, "-o", "m.so")
        run.folder.chmod(0o700)
        assert code == 2 and "[GRV0003]" in errors
    assert run.files() == []


def test_no_folder_for_temporary_files(run, small, monkeypatch):
    monkeypatch.setitem(run.environment, "TMPDIR", "/nonexistent")
    code, _, errors = run("compile", small, "-o", "m.so")
    assert code == 2 and "[GRV0003] cannot write '/nonexistent'" in errors
    assert run.files() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_leaves_nothing(run, small, number):
    """At any moment: either it was done, or nothing is there."""
    ended = 0
    for step in range(10):
        code, _, _ = run("compile", DIGITS, "-o", "m.so", "--header", "m.h", kill_after=0.04 * step, number=number)
        assert code in (0, -number)
        ended += code != 0
        assert run.files() in ([], ["m.h", "m.so"], ["m.so"]), (step, code)
        for name in run.files():
            (run.folder / name).unlink()
        code, _, _ = run("run", small, "--input", f"x=@{small.with_name('x.npy')}", kill_after=0.04 * step, number=number)
        assert run.files() == [], (step, code)
    assert ended > 0


def test_memory_limit_is_a_message(run, small):
    """Below some size the dynamic linker fails; above it `graven` works or says what is missing."""
    for mib in (290, 310, 320, 330, 350, 450, 1000):
        code, _, errors = run("compile", small, "-o", "m.so", limits=[(resource.RLIMIT_AS, mib << 20)])
        if code == 127 or "cannot allocate memory" in errors or "failed to map" in errors:
            continue
        assert code in (0, 2), (mib, code, errors[-500:])
        assert code == 0 or "[GRV0006]" in errors
        assert run.files() == ([] if code else ["m.so"])
        (run.folder / "m.so").unlink(missing_ok=True)
    assert code == 0


def test_same_input_same_bytes(run, small, tmp_path):
    copy = tmp_path / "elsewhere" / "other-name.pt"
    copy.parent.mkdir()
    shutil.copy(DIGITS, copy)
    small_copy = copy.with_name("a.mlir")
    shutil.copy(small, small_copy)
    for output, models in [("m.so", (DIGITS, copy))] + [(output, (small, small, small_copy))
                                                        for output in ("m.so", "m.o", "m.a", "m.s", "m.ll")]:
        made = []
        for model in models:
            target = run.folder / f"{len(made)}" / output
            target.parent.mkdir(exist_ok=True)
            code, _, errors = run("compile", model, "-o", target, "--header", target.with_suffix(".h"))
            assert code == 0, errors
            made.append((target.read_bytes(), target.with_suffix(".h").read_bytes()))
        assert all(each == made[0] for each in made), output


def test_threads_give_the_same_bits(run):
    images = np.load(IMAGES)[:1].astype(np.float32)
    np.save(run.folder / "x.npy", images.reshape(1, 1, 8, 8))
    code, _, errors = run("compile", DIGITS, "-o", "m.so", "--input", "0:f32[1,1,8,8]")
    assert code == 0, errors
    results = []
    for threads in (1, 2, 3, 4, 5, 6, 7, 8):
        code, _, errors = run("run", "m.so", "--input", "0=@x.npy", "--threads", threads, "--save-outputs", f"o{threads}")
        assert code == 0, errors
        results.append((run.folder / f"o{threads}" / "0.npy").read_bytes())
    assert all(result == results[0] for result in results)
