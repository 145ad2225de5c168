#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Time and memory of the graph phase on Graphs of many Nodes, and how both grow.

usage: chains.py [--largest N] [--repeat N] [--verify] [KIND ...]
  KIND       only these kinds (see KINDS); default: all
  --largest  the most Nodes of a Graph; from 10^4 on by tens
  --verify   verify the Graph after each pass, as graven-opt does by default and `graven compile` does not

Each run is a process of `graven-opt --graven-graph-phase` that reads text and writes text; the least of N runs counts. The slope is the
exponent by which time grows between two sizes: 1 is linear.
"""
import argparse
import math
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPT = (ROOT / os.environ.get("GRAVEN_BUILD", "build")).resolve() / "bin/graven-opt"
IMAGE = "tensor<1x16x16x16xf32>"
ROWS = "tensor<256x16xf32>"


def unary(i, x):
    op = ("relu", "tanh", "neg", "sigmoid", "abs")[i % 5]
    yield f"graven.{op} {x} : {IMAGE}"


def hub(i, x):
    """The Graph's input has a use in every second Node."""
    added = yield f"graven.add {x}, %x : ({IMAGE}, {IMAGE}) -> {IMAGE}"
    turned = yield f"graven.transpose {added} by [0, 1, 3, 2] : ({IMAGE}) -> {IMAGE}"
    yield f"graven.softmax {turned} axis 3 : {IMAGE}"


def residual(i, x):
    """A convolution, normalization and activation around which the input goes, with Parameters that all blocks share."""
    conv = yield (f"graven.conv {x}, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] : "
                  f"({IMAGE}, tensor<16x16x3x3xf32>) -> {IMAGE}")
    norm = yield (f"graven.batch_norm {conv} scale %c bias %c mean %c variance %c epsilon 1.0e-3 : "
                  f"({IMAGE}, {', '.join(['tensor<16xf32>'] * 4)}) -> {IMAGE}")
    relu = yield f"graven.relu {norm} : {IMAGE}"
    yield f"graven.add {relu}, {x} : ({IMAGE}, {IMAGE}) -> {IMAGE}"


def movement(i, x):
    """A product between reshapes and transposes."""
    rows = yield f"graven.reshape {x} to [256, 16] : ({IMAGE}) -> {ROWS}"
    product = yield f"graven.matmul {rows}, %m : ({ROWS}, tensor<16x16xf32>) -> {ROWS}"
    relu = yield f"graven.relu {product} : {ROWS}"
    batch = yield f"graven.reshape {relu} to [1, 256, 16] : ({ROWS}) -> tensor<1x256x16xf32>"
    turned = yield f"graven.transpose {batch} by [0, 2, 1] : (tensor<1x256x16xf32>) -> tensor<1x16x256xf32>"
    image = yield f"graven.reshape {turned} to [1, 16, 16, 16] : (tensor<1x16x256xf32>) -> {IMAGE}"
    yield f"graven.add {image}, {x} : ({IMAGE}, {IMAGE}) -> {IMAGE}"


def projections(i, x):
    """Products of the Graph's input, which ask to be merged."""
    rows = yield f"graven.reshape %x to [256, 16] : ({IMAGE}) -> {ROWS}"
    product = yield f"graven.matmul {rows}, %p{i % 8} : ({ROWS}, tensor<16x16xf32>) -> {ROWS}"
    image = yield f"graven.reshape {product} to [1, 16, 16, 16] : ({ROWS}) -> {IMAGE}"
    yield f"graven.add {image}, {x} : ({IMAGE}, {IMAGE}) -> {IMAGE}"


def dead(i, x):
    """Every second Node is used by nothing."""
    yield f"graven.exp {x} : {IMAGE}"
    yield f"graven.relu {x} : {IMAGE}"


KINDS = {kind.__name__: kind for kind in (unary, hub, residual, movement, projections, dead)}
PARAMETERS = {"w": "16x16x3x3", "c": "16", "m": "16x16", **{f"p{i}": "16x16" for i in range(8)}}


def write(path, kind, nodes):
    with open(path, "w", encoding="utf-8") as file:
        for k, (name, shape) in enumerate(PARAMETERS.items()):
            print(f"graven.param @{name} : tensor<{shape}xf32> = dense<{0.1 + k}> : tensor<{shape}xf32>", file=file)
        print(f"graven.graph @forward(%x: {IMAGE}) -> {IMAGE} {{", file=file)
        for name, shape in PARAMETERS.items():
            print(f"  %{name} = graven.get_param @{name} : tensor<{shape}xf32>", file=file)
        made, last, block = 0, "%x", 0
        while made < nodes:
            steps = kind(block, last)
            text = next(steps)
            while text:
                value = f"%v{made}"
                print(f"  {value} = {text}", file=file)
                made += 1
                try:
                    text = steps.send(value)
                except StopIteration:
                    text = None
            last, block = value, block + 1
        print(f"  graven.return {last} : {IMAGE}\n}}", file=file)


def run(path, flags):
    """Seconds of CPU, and the peak in MB."""
    process = subprocess.Popen([OPT, "--graven-graph-phase", *flags, path, "-o", os.devnull])
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"graven-opt failed on {path}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--largest", type=int, default=100000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--verify", action="store_true")
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []])
    arguments = parser.parse_args()
    flags = [] if arguments.verify else ["--verify-each=0"]
    print("| kind | Nodes | s of CPU | slope | peak, MB |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.kinds or KINDS:
            nodes, last = 10000, None
            while nodes <= arguments.largest:
                path = pathlib.Path(folder) / f"{name}.mlir"
                write(path, KINDS[name], nodes)
                seconds, peak = min(run(path, flags) for _ in range(arguments.repeat))
                slope = f"{math.log10(seconds / last):.2f}" if last else ""
                print(f"| {name} | {nodes} | {seconds:.2f} | {slope} | {peak:.0f} |", flush=True)
                nodes, last = nodes * 10, seconds


if __name__ == "__main__":
    main()
