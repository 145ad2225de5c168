"""Runs on a stream of the caller's and on tensors of the device, on a driver that has no GPU (Inputs/null_driver.c): what
is copied, what is waited for, and when a run becomes one graph.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import os
import subprocess

import pytest
import torch

from gpus import build_null_driver, compiler
from saving import saved


class Layers(torch.nn.Module):
    """At least 4 launches."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList([torch.nn.Linear(8, 8) for _ in range(6)])

    def forward(self, x):
        for layer in self.layers:
            x = torch.softmax(layer(x), -1)
        return x


@torch.jit.script
def halve(x):
    while bool(x.abs().max() > 1.0):
        x = x / 2
    return x.sin().cumsum(0).cos().cumsum(1).sin()


class Halve(torch.nn.Module):
    def forward(self, x):
        return halve(x)


@pytest.fixture(scope="module")
def host(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("host")
    build_null_driver(root, folder)
    subprocess.run([compiler(), "-Wall", "-Werror", "-I", root / "runtime" / "include", "-o", folder / "host",
                    root / "test" / "numerics" / "Inputs" / "stream_host.c", "-ldl"], check=True)
    return folder


def compiled(graven, folder, model, *flags):
    (folder / "m.pt").write_bytes(saved(model.eval(), (torch.randn(4, 8),)))
    subprocess.run([graven, "compile", folder / "m.pt", *flags, "-o", folder / "m.so"], check=True)
    return folder / "m.so"


@pytest.fixture(scope="module")
def layers(graven, tmp_path_factory):
    return compiled(graven, tmp_path_factory.mktemp("layers"), Layers(), "--target", "cuda")


def run(host, model, log, *where, **environment):
    """What the program printed, and the lines of the log after what opening the device wrote."""
    environment = os.environ | {"LD_LIBRARY_PATH": str(host), "NULL_CUDA_LOG": str(log)} | environment
    done = subprocess.run([host / "host", model, *where], capture_output=True, text=True, timeout=60, check=True,
                          env=environment)
    lines = log.read_text().splitlines()
    last = max(i for i, line in enumerate(lines) if line.startswith("allocate"))
    return done.stdout.strip(), [line for line in lines[last + 1:] if line != lines[last + 1] or "to device" not in line]


def test_tensors_of_the_device_stay_there(host, layers, tmp_path):
    """Nothing is copied, and nobody waits."""
    said, lines = run(host, layers, tmp_path / "log", "on")
    assert said == "0"
    assert len(lines) >= 4 and all(line.startswith("launch k_") for line in lines)


def test_tensors_of_the_host_are_copied(host, layers, tmp_path):
    said, lines = run(host, layers, tmp_path / "log", "off")
    assert said == "0"
    assert lines[0] == "to device 128" and lines[-2:] == ["to host 128", "wait for the caller's stream"]


def test_tensors_that_are_not_aligned_are_copied_within(host, layers, tmp_path):
    said, lines = run(host, layers, tmp_path / "log", "apart")
    assert said == "0"
    assert lines[0] == lines[-1] == "within device 128" and not any("wait" in line for line in lines)


def test_a_run_that_is_repeated_becomes_a_graph(host, layers, tmp_path):
    _, once = run(host, layers, tmp_path / "once", "on")
    said, lines = run(host, layers, tmp_path / "log", "on", "on", "on", "other", "on")
    graph = [f"launch a graph of {len(once)} on the caller's stream"]
    assert said == "0"
    # Others' tensors are no repetition, and neither are the first ones after them.
    assert lines == once + ["record"] + graph + graph + ["forget the graph"] + once + once


def test_runs_on_several_streams_wait_for_each_other(host, layers, tmp_path):
    """They have one workspace."""
    _, once = run(host, layers, tmp_path / "once", "on")
    said, lines = run(host, layers, tmp_path / "log", "on", "next")
    assert said == "0" and lines[len(once)] == "the caller's stream waits"


def test_a_capture_of_the_callers_is_left_alone(host, layers, tmp_path):
    said, lines = run(host, layers, tmp_path / "log", "on", "next", "next", NULL_CUDA_CAPTURED="1")
    assert said == "0" and all(line.startswith("launch k_") for line in lines)


@pytest.mark.parametrize("failure", ["cuStreamBeginCapture_v2=1", "cuGraphInstantiateWithFlags=1", "cuStreamEndCapture=1"])
def test_without_a_graph_launches_go_on(host, layers, tmp_path, failure):
    _, once = run(host, layers, tmp_path / "once", "on")
    said, lines = run(host, layers, tmp_path / "log", "on", "on", "on", NULL_CUDA_FAIL=failure)
    assert said == "0"
    assert [line for line in lines if line.startswith("launch")] == 3 * once
    assert len([line for line in lines if "fails" in line]) == 1


def test_what_data_decide_is_no_graph(graven, host, tmp_path):
    model = compiled(graven, tmp_path, Halve(), "--target", "cuda")
    said, lines = run(host, model, tmp_path / "log", "on", "on", "on")
    assert said == "0" and "record" not in lines
    assert len([line for line in lines if line.startswith("launch")]) >= 12


def test_the_device_is_the_callers(host, layers, tmp_path):
    current = {"NULL_CUDA_CURRENT": "1", "NULL_CUDA_TENSORS": "1", "NULL_CUDA_DEVICES": "2"}
    said, _ = run(host, layers, tmp_path / "log", "on", **current)
    assert said == "0" and "retain 1" in (tmp_path / "log").read_text()
    said, _ = run(host, layers, tmp_path / "other", "on", GRAVEN_CUDA_DEVICE="0", **current)
    assert said.startswith("13 ") and said.endswith("a tensor: it is in the memory of another device")


def test_code_for_cpus_takes_no_stream(graven, host, layers, tmp_path):
    model = compiled(graven, tmp_path, Layers())
    run(host, layers, tmp_path / "log", "on")
    done = subprocess.run([host / "host", model, "off"], capture_output=True, text=True, check=True,
                          env=os.environ | {"LD_LIBRARY_PATH": str(host)})
    assert done.stdout.startswith("13 ") and "expected threads for code for CPUs, got a stream" in done.stdout


class Sums(torch.nn.Module):
    def forward(self, x):
        return x.cumsum(0) / x.size(0)


def test_room_for_several_extents_takes_no_stream(graven, host, tmp_path):
    """The host would copy what is on the device."""
    (tmp_path / "m.pt").write_bytes(saved(Sums(), (torch.randn(4, 8),)))
    subprocess.run([graven, "compile", tmp_path / "m.pt", "--target", "cuda", "--input", "0:f32[n,8]", "--dim", "n=1..4000",
                    "-o", tmp_path / "m.so"], check=True)
    done = subprocess.run([host / "host", tmp_path / "m.so", "on"], capture_output=True, text=True, check=True,
                          env=os.environ | {"LD_LIBRARY_PATH": str(host)})
    assert done.stdout.startswith("13 ") and "expected no stream" in done.stdout
