#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whether files of models, .pt and .pt2, compile without PyTorch and compute what PyTorch does.

usage: archives.py FILE ... [--opt-level N]

A trace and an exported program say their inputs; those of scripts follow from the file's name (test/bench/import_time.py).
Each file is read, compiled and run in a process of its own. It passes when all outputs have PyTorch's shapes and are within
1e-4 of the greatest magnitude; it is refused when Graven gives a coded error. Detection models without training give boxes
of one score, of which any may be chosen: their number and scores are compared (test/numerics/test_detection_models.py has
weights with which all can be).
"""
import argparse
import collections
import multiprocessing
import os
import pathlib
import re
import sys
import warnings
import zipfile

import numpy as np
import torch
import torchvision  # noqa: F401  its operators are in the archives
from torch.utils import _pytree as pytree

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = (ROOT / os.environ.get("GRAVEN_BUILD", "build")).resolve()
sys.path[:0] = [str(BUILD / "python"), str(ROOT / "test/bench")]

import graven  # noqa: E402
from import_time import IMAGE, INPUTS  # noqa: E402

TOLERANCE, SECONDS = 1e-4, 600
DETECTION = ("fasterrcnn", "maskrcnn", "keypointrcnn", "retinanet", "ssdlite320")
NAMED = {"loopif": ["x:f32[2,3,4]", "n:i64[]"], "zoo": ["x:f32[3,3]", "d.a:f32[2]"]}


def leaves(value):
    return [torch.as_tensor(leaf) for leaf in pytree.tree_leaves(value) if leaf is not None]


def script_inputs(path):
    known = {**INPUTS, **{name: ["images.0:f32[3,224,224]"] for name in DETECTION}, **NAMED}
    name = max((key for key in known if path.stem.startswith(key)), key=len, default=None)
    return known.get(name, IMAGE)


def tensor_of(spec, generator):
    """Of "x:f32[1,3]"."""
    element, shape = re.fullmatch(r".*:(\w+)\[([\d,]*)\]", spec).groups()
    shape = [int(extent) for extent in shape.split(",") if extent]
    if element.startswith("f"):
        return torch.rand(shape, generator=generator).to(getattr(torch, f"float{element[1:]}"))
    return torch.randint(0, 2, shape, generator=generator).to(torch.bool if element == "i1" else getattr(torch, f"int{element[1:]}"))


def arguments_of(specs, tensors):
    """Of "images.0" a list, of "d.a" a dict, of "n:i64[]" a number."""
    arguments = {}
    for spec, tensor in zip(specs, tensors):
        name, _, key = spec.partition(":")[0].partition(".")
        if key.isdigit():
            arguments.setdefault(name, []).append(tensor)
        elif key:
            arguments.setdefault(name, {})[key] = tensor
        else:
            arguments[name] = tensor.item() if spec.endswith("i64[]") else tensor
    return list(arguments.values())


def is_trace(path):
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/traced_inputs.pkl") for name in archive.namelist())


def compare(path, opt_level):
    """What is to be said of the file, and the greatest error."""
    if path.suffix == ".pt2":
        program = torch.export.load(path)
        reference = program.module()
        args, kwargs = program.example_inputs
        inputs, options = leaves((args, kwargs)), {}
        run = lambda: reference(*args, **kwargs)  # noqa: E731
    else:
        reference = torch.jit.load(path)
        traced = graven.load(path).inputs if is_trace(path) else ()
        specs = [str(spec) for spec in traced] or script_inputs(path)
        options = {} if traced else {"inputs": specs}
        generator = torch.Generator().manual_seed(0)
        inputs = [tensor_of(spec, generator) for spec in specs]
        run = lambda: reference(*arguments_of(specs, [tensor.clone() for tensor in inputs]))  # noqa: E731
    try:
        # Extents that no code can serve all of are compiled for when the model is called.
        model = graven.load(path, **options).compile(threads=1, opt_level=opt_level)
        got = model(*[tensor.numpy() for tensor in inputs])
    except graven.Error as error:
        return "refused", str(error).splitlines()[0]
    with torch.no_grad():
        expected = leaves(run())
    got = got if isinstance(got, list) else [got]
    if len(got) != len(expected):
        return "wrong", f"{len(got)} outputs, expected {len(expected)}"
    if path.stem.startswith(DETECTION):
        at = list(run()[1][0]).index("scores")
        got, expected = [np.sort(got[at])], [expected[at].sort()[0]]
    worst = 0.0
    for i, (own, other) in enumerate(zip(got, expected)):
        own, other = np.asarray(own).astype(np.float64), other.double().numpy()
        if own.shape != other.shape:
            return "wrong", f"output {i} is {own.shape}, expected {other.shape}"
        finite = np.isfinite(other)
        if not np.array_equal(own[~finite], other[~finite], equal_nan=True):
            return "wrong", f"output {i} has NaN or infinities elsewhere"
        if finite.any():
            worst = max(worst, np.abs(own - other)[finite].max() / max(np.abs(other[finite]).max(), 1e-30))
    return ("pass" if worst <= TOLERANCE else "wrong"), f"{worst:.1e}"


def worker(path, opt_level, out):
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        out.send(compare(path, opt_level))
    except Exception as error:  # noqa: BLE001  what the file, or PyTorch, makes of it is the result
        out.send(("failed", f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200]}"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--opt-level", type=int, default=2)
    arguments = parser.parse_args()
    counts = collections.Counter()
    for path in arguments.files:
        receiver, sender = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(target=worker, args=(path, arguments.opt_level, sender))
        process.start()
        sender.close()
        try:
            verdict, said = receiver.recv() if receiver.poll(SECONDS) else ("failed", f"took more than {SECONDS} s")
        except EOFError:
            verdict, said = "crashed", ""
        process.kill()
        process.join()
        counts[verdict] += 1
        print(f"{verdict:8} {path.name:32} {said}", flush=True)
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    return 1 if counts["wrong"] or counts["crashed"] or counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
