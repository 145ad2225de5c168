#!/usr/bin/env python3
"""What NVIDIA's assembler makes of the kernels of whole models: registers, spills, and how many threads fit on a
multiprocessor at a time. Needs ptxas, and no GPU.

usage: gpu_kernels.py FOLDER [--graven GRAVEN] [--model NAME ...] [--markdown FILE]     models that zoo.py wrote

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import zoo

# Of a multiprocessor: threads, blocks, bytes of shared memory. All have 65,536 registers.
PROCESSORS = {"sm_80": (2048, 32, 164 << 10), "sm_90": (2048, 32, 228 << 10), "sm_100": (2048, 32, 228 << 10),
              "sm_120": (1536, 32, 100 << 10)}
TEXT = """# Kernels for GPUs, by the assembler

`test/bench/gpu_kernels.py FOLDER --markdown docs/benchmarks/gpu-kernels.md`, on the models that `zoo.py` wrote. No GPU is needed, and no
time of one is here. Three numbers are the least, the middle one and the most of the distinct kernels. Tiles are products,
convolutions and attention on tensor cores, which have shared memory by their launch. Occupancy is how many of its threads a
multiprocessor can have at a time, as registers, shared memory and blocks allow. The last column is the whole compile to one `.cubin`.
"""
REGISTERS, RESERVED, WARP = 65536, 1 << 10, 32


def occupancy(kernel, architecture):
    """The part of the threads a multiprocessor can have that are there, if there are blocks enough."""
    threads, blocks, shared = PROCESSORS[architecture]
    warps = -(-kernel["threads"] // WARP)
    # A warp has registers in units of 256.
    of_registers = REGISTERS // (warps * -(-kernel["registers"] * WARP // 256) * 256)
    of_shared = shared // (kernel["shared_bytes"] + kernel["dynamic_shared_bytes"] + RESERVED)
    return min(blocks, threads // (warps * WARP), of_registers, of_shared) * warps * WARP / threads


def compiled(graven, model, architecture):
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([graven, "compile", model, "--target", f"cuda:{architecture}", "-o", f"{folder}/m.cubin", "--json"],
                             capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def row(title, architecture, made):
    kernels = made["device_kernels"]
    # Tiles of products and attention: what asks for shared memory when it is launched.
    tiles = [kernel for kernel in kernels if kernel["dynamic_shared_bytes"]]
    others = [kernel for kernel in kernels if not kernel["dynamic_shared_bytes"]]
    spills = sum(kernel["spill_store_bytes"] + kernel["spill_load_bytes"] for kernel in kernels)

    def spread(values, form="{:.0f}"):
        values = sorted(values)
        return " / ".join(form.format(v) for v in (values[0], values[len(values) // 2], values[-1])) if values else ""

    return [title, architecture, str(len(tiles)), spread(k["registers"] for k in tiles),
            spread((100 * occupancy(k, architecture) for k in tiles)), str(len(others)),
            spread(k["registers"] for k in others), spread((100 * occupancy(k, architecture) for k in others)), str(spills),
            f"{made['seconds']:.1f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--graven", default="build/bin/graven")
    parser.add_argument("--model", action="append")
    parser.add_argument("--markdown", type=pathlib.Path)
    options = parser.parse_args()
    head = ["model", "GPU", "tiles", "registers", "occupancy, %", "other kernels", "registers", "occupancy, %", "bytes spilled",
            "compile, s"]
    lines = [head, ["---"] * len(head)]
    for name, (_, _, title) in zoo.MODELS.items():
        if options.model and name not in options.model:
            continue
        for architecture in PROCESSORS:
            lines.append(row(title, architecture, compiled(options.graven, options.folder / f"{name}.pt", architecture)))
            print(*lines[-1], sep=" | ", flush=True)
    if options.markdown:
        table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        options.markdown.write_text(f"{TEXT}\n{table}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
