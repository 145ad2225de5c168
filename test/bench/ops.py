#!/usr/bin/env python3
"""Times models of one operation beside ONNX Runtime and OpenVINO: one thread, one process, calls interleaved, minima.

usage: ops.py [PATTERN ...] [--markdown docs/benchmarks/ops.md] [--rounds 4] [--seconds 0.1] [--below R] [--keep DIR]

Every runtime writes into memory that it was given once, so that no time is spent on fresh pages. Errors are against
PyTorch in f64, relative to the largest output. "ratio" is the best peer's time over Graven's, above 1 in our favour.
PATTERN selects cases whose name contains it. Needs torch, onnx, onnxruntime and openvino.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import argparse
import ctypes
import os
import pathlib
import subprocess
import tempfile
import time

import numpy
import onnx
import onnxruntime
import openvino
import torch
from onnx import TensorProto, helper

from ops_cases import CASES

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("GRAVEN_BUILD", "build")


def model_of(case, inputs):
    """The case's nodes as a model; its outputs' shapes come from inference."""
    infos = [helper.make_tensor_value_info(f"x{i}", helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
             for i, x in enumerate(inputs)]
    output = helper.make_tensor_value_info("y", TensorProto.INT64 if case.integer else TensorProto.FLOAT, None)
    graph = helper.make_graph(case.nodes, "op", infos, [output],
                              [onnx.numpy_helper.from_array(value, name) for name, value in case.constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    return onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)


def graven(path, inputs, output):
    artifact = path.with_suffix(".so")
    done = subprocess.run([BUILD / "bin/graven", "compile", path, "-o", artifact, "--target-cpu", "native", "--no-cache"],
                          capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[0])
    run = getattr(ctypes.CDLL(str(artifact)), path.stem + "_run")
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (*inputs, output)]
    workspace = numpy.empty(1 << 28, numpy.uint8)
    start = -workspace.ctypes.data % 64
    pointers.append(ctypes.c_void_p(workspace.ctypes.data + start))

    def call(keep=workspace):
        if run(*pointers):
            raise RuntimeError("the artifact refused its inputs")
    return call


def ort(path, inputs, output):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    for i, array in enumerate(inputs):
        binding.bind_cpu_input(f"x{i}", array)
    binding.bind_output("y", "cpu", 0, output.dtype, output.shape, output.ctypes.data)
    return lambda: session.run_with_iobinding(binding)


def ov(path, inputs, output):
    compiled = openvino.Core().compile_model(str(path), "CPU", {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY",
                                                                "INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    for i, array in enumerate(inputs):
        request.set_input_tensor(i, openvino.Tensor(array, shared_memory=True))
    request.set_output_tensor(0, openvino.Tensor(output, shared_memory=True))
    return request.infer


RUNTIMES = {"graven": graven, "ort": ort, "openvino": ov}


def measure(case, options, folder):
    """Least microseconds and error of each runtime; what failed has a message instead."""
    generator = numpy.random.default_rng(0)
    inputs = case.inputs(generator)
    exact = case.exact(*(torch.from_numpy(x).double() if x.dtype == numpy.float32 else torch.from_numpy(x)
                         for x in inputs)).numpy()
    path = folder / "op.onnx"
    onnx.save(model_of(case, inputs), path)
    calls, result, kept = {}, {}, []  # runtimes are given addresses, which keep nothing alive
    for name, make in RUNTIMES.items():
        output = numpy.zeros(exact.shape, numpy.int64 if case.integer else numpy.float32)
        kept.append(output)
        try:
            call = make(path, inputs, output)
            call()
        except Exception as error:
            result[name] = {"failed": str(error)[:100]}
            continue
        scale = max(float(numpy.abs(exact).max()), 1e-30)
        result[name] = {"error": float(numpy.abs(output - exact).max()) / scale, "us": float("inf")}
        calls[name] = call
    for _ in range(options.rounds):
        for name, call in calls.items():
            call()
            best, end = result[name]["us"], time.perf_counter() + options.seconds
            while True:
                start = time.perf_counter()
                call()
                stop = time.perf_counter()
                best = min(best, (stop - start) * 1e6)
                if stop > end:
                    break
            result[name]["us"] = best
    moved = sum(x.nbytes for x in inputs) + exact.size * (8 if case.integer else 4)
    return result, moved


def row(name, result, moved):
    def text(runtime, key, form):
        return format(result[runtime][key], form) if key in result[runtime] else "-"
    own = result["graven"].get("us")
    # A peer that is far off has computed something else.
    peers = [values["us"] for peer, values in result.items()
             if peer != "graven" and "us" in values and values["error"] < 1e-2]
    ratio = min(peers) / own if own and peers else None
    gigabytes = format(moved / own / 1e3, ".1f") if own else result["graven"]["failed"]
    cells = [name, *(text(runtime, "us", ".1f") for runtime in RUNTIMES), gigabytes,
             "-" if ratio is None else format(ratio, ".2f"), *(text(runtime, "error", ".0e") for runtime in RUNTIMES)]
    return cells, ratio


HEADER = ["operation", "Graven, us", "ONNX Runtime", "OpenVINO", "GB/s", "ratio", "error", "ORT", "OpenVINO"]


def markdown(rows, path):
    from compare import machine
    facts = machine()
    lines = ["# Single operations", "",
             "Made by `test/bench/ops.py`: one thread, f32, calls interleaved, the least of many. \"GB/s\" is what the operation must "
             "read and write once, over Graven's time; \"ratio\" is the best peer's time over Graven's; errors are against f64, "
             "relative to the largest output.", "",
             f"{facts['cpu']}, {facts['vectors']}, {facts['date']}; " +
             ", ".join(f"{module} {version}" for module, version in facts["versions"].items()) + ".", "",
             "| " + " | ".join(HEADER) + " |", "|" + "---|" * len(HEADER)]
    ratios = [ratio for _, ratio in rows if ratio]
    lines += ["| " + " | ".join(cells) + " |" for cells, _ in rows]
    lines += ["", f"Geometric mean of the ratios: {numpy.exp(numpy.mean(numpy.log(ratios))):.2f}; below 1: "
              f"{sum(ratio < 1 for ratio in ratios)} of {len(ratios)}."]
    path.write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patterns", nargs="*")
    parser.add_argument("--markdown", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=0.1)
    parser.add_argument("--below", type=float, default=float("inf"), help="prints only ratios below this")
    parser.add_argument("--keep", type=pathlib.Path, help="leaves the last model and artifact there")
    options = parser.parse_args()
    rows = []
    print(f"{HEADER[0]:34}" + "".join(f"{title:>13}" for title in HEADER[1:]))
    with tempfile.TemporaryDirectory() as scratch:
        for number, case in enumerate(CASES):
            if options.patterns and not any(pattern in case.name for pattern in options.patterns):
                continue
            folder = (options.keep or pathlib.Path(scratch)) / str(number)  # a loaded library keeps its name
            folder.mkdir(parents=True, exist_ok=True)
            cells, ratio = row(case.name, *measure(case, options, folder))
            rows.append((cells, ratio))
            if ratio is None or ratio < options.below:
                print(f"{cells[0]:34}" + "".join(f"{cell:>13}" for cell in cells[1:]), flush=True)
    if options.markdown:
        markdown(rows, options.markdown)


if __name__ == "__main__":
    main()
