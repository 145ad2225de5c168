#!/usr/bin/env python3
"""Times whole models beside other runtimes: one process a model and thread count, the same inputs, calls interleaved.

usage: compare.py RESULTS.json [--folder DIR] [--models a,b] [--threads 1,2] [--peers ort,openvino,compile] [--rounds 5]

Each runtime is checked against the module in f64 first; its error goes into the results, and beyond 1e-3 of the largest
output it is left out. Adds to RESULTS.json, replacing what it measures again; report.py makes a page of it. DIR is where
zoo.py wrote the models (written where missing). A peer that is not installed is left out.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import argparse
import importlib.util
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("GRAVEN_BUILD", "build")
MODULES = {"ort": "onnxruntime", "openvino": "openvino", "compile": "torch"}
ERROR_LIMIT = 1e-3
ROUND_SECONDS = 0.6


def arrays(outputs):
    """The first output, as an array; the others are as good or bad."""
    while isinstance(outputs, (tuple, list)):
        outputs = outputs[0]
    return outputs


def ort(model, inputs, onnx, threads):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    feed = {spec.name: tensor.numpy() for spec, tensor in zip(session.get_inputs(), inputs)}
    return lambda: session.run(None, feed)


def openvino(model, inputs, onnx, threads):
    import openvino as ov
    compiled = ov.Core().compile_model(onnx, "CPU", {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
                                                     "INFERENCE_PRECISION_HINT": "f32"})
    request, feed = compiled.create_infer_request(), [tensor.numpy() for tensor in inputs]
    return lambda: request.infer(feed)[0]


def torch_compile(model, inputs, onnx, threads):
    import torch
    import torch._inductor.config
    torch._inductor.config.freezing = True
    compiled = torch.compile(model)

    def call():
        with torch.no_grad():
            return compiled(*inputs)
    return call


def graven(model, inputs, onnx, threads):
    sys.path.insert(0, str(BUILD / "python"))
    import graven as package
    compiled, feed = package.compile(onnx, threads=threads), [tensor.numpy() for tensor in inputs]
    return lambda: compiled(*feed)


RUNTIMES = {"graven": graven, "ort": ort, "openvino": openvino, "compile": torch_compile}


def measure_here(name, threads, peers, folder, rounds):
    """Times of each runtime in this process, in milliseconds, and what each needed to get ready, in seconds."""
    import numpy
    import torch
    import zoo
    torch.set_num_threads(threads)
    model, inputs = zoo.get(name)
    with torch.no_grad():
        exact = arrays(model.double()(*(x.double() if x.is_floating_point() else x for x in inputs))).numpy()
    model.float()
    calls, result = {}, {}
    for runtime in ["graven", *peers]:
        start = time.perf_counter()
        call = RUNTIMES[runtime](model, inputs, str(folder / f"{name}.onnx"), threads)
        error = float(numpy.abs(numpy.asarray(arrays(call())) - exact).max() / numpy.abs(exact).max())
        result[runtime] = {"error": error, "ready_s": time.perf_counter() - start, "ms": []}
        if error <= ERROR_LIMIT:
            calls[runtime] = call
    for _ in range(rounds):
        for runtime, call in calls.items():
            end = time.perf_counter() + ROUND_SECONDS
            call()  # with its own data in the caches again
            while True:
                start = time.perf_counter()
                call()
                stop = time.perf_counter()
                result[runtime]["ms"].append((stop - start) * 1e3)
                if stop > end:
                    break
    for values in result.values():
        times = values.pop("ms")
        if times:
            values |= {"min_ms": min(times), "median_ms": statistics.median(times), "calls": len(times)}
    return result


# In a small process, because a child's peak memory counts from its parent's.
WATCH = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(json.dumps({"seconds": time.perf_counter() - start, "cpu_seconds": usage.ru_utime + usage.ru_stime,
                  "peak_mb": usage.ru_maxrss / 1024}))
sys.exit(os.waitstatus_to_exitcode(status))
"""


def resources(*command):
    """Wall and processor seconds of a command, and its peak memory in MB."""
    run = subprocess.run([sys.executable, "-S", "-c", WATCH, *map(str, command)], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(run.stdout)


def measure_compile(name, folder):
    """`graven compile` from ONNX, without and with the cache of kernels, the artifact, and one run of it."""
    with tempfile.TemporaryDirectory() as scratch:
        model, artifact = folder / f"{name}.onnx", pathlib.Path(scratch) / "m.so"
        compile_it = [BUILD / "bin/graven", "compile", model, "-o", artifact]

        def least(*flags):
            return min((resources(*compile_it, *flags) for _ in range(2)), key=lambda used: used["seconds"])
        return {"cold": least("--no-cache"), "warm": least(f"--cache-dir={scratch}/cache"), "model_bytes": model.stat().st_size,
                "artifact_bytes": artifact.stat().st_size,
                "run_peak_mb": resources(BUILD / "bin/graven", "bench", artifact, "--seconds", "0")["peak_mb"]}


def machine():
    cpu = next(line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
               if line.startswith("model name"))
    from importlib.metadata import PackageNotFoundError, version
    versions = {}
    for module in ("torch", "onnxruntime", "openvino"):
        try:
            versions[module] = version(module)
        except PackageNotFoundError:
            pass
    flags = pathlib.Path("/proc/cpuinfo").read_text()
    vectors = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "SSE"
    return {"cpu": cpu, "vectors": vectors, "cores": os.cpu_count(), "versions": versions,
            "date": time.strftime("%Y-%m-%d"), "load": os.getloadavg()[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path, default=BUILD / "zoo")
    parser.add_argument("--models", default="all")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--peers", default="ort,openvino,compile")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--here", nargs=2, metavar=("MODEL", "THREADS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    peers = [peer for peer in options.peers.split(",") if peer and importlib.util.find_spec(MODULES[peer])]
    if options.here:
        name, threads = options.here
        options.results.write_text(json.dumps(measure_here(name, int(threads), peers, options.folder, options.rounds)))
        return
    import zoo
    results = json.loads(options.results.read_text()) if options.results.exists() else {"models": {}}
    results["machine"] = machine()
    for name in zoo.MODELS if options.models == "all" else options.models.split(","):
        if not (options.folder / f"{name}.onnx").exists() or not (options.folder / f"{name}.pt").exists():
            zoo.save(name, options.folder)
        entry = results["models"].setdefault(name, {"title": zoo.MODELS[name][2]})
        entry["compile"] = measure_compile(name, options.folder)
        for threads in filter(None, options.threads.split(",")):
            with tempfile.TemporaryDirectory() as scratch:
                one = pathlib.Path(scratch) / "one.json"
                subprocess.run([sys.executable, __file__, one, "--folder", options.folder, "--peers", ",".join(peers),
                                "--rounds", str(options.rounds), "--here", name, threads], check=True)
                entry.setdefault("threads", {})[threads] = json.loads(one.read_text())
            found = entry["threads"][threads]
            best = min((values["min_ms"] for peer, values in found.items() if peer != "graven" and "min_ms" in values),
                       default=None)
            own = found["graven"].get("min_ms")
            print(f"{name} {threads} thread(s): " + ", ".join(f"{runtime} {values.get('min_ms', float('nan')):.3g} ms"
                                                              for runtime, values in found.items())
                  + (f", ratio {best / own:.2f}" if best and own else ""), flush=True)
        options.results.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
