#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch's files as ONNX: whether `graven export` writes what the checker takes and ONNX Runtime computes as PyTorch does.

usage: onnx_export.py [--opsets 17,21] [--peers] [--markdown] [--seconds N] FOLDER [NAME ...]
  FOLDER      .pt and .pt2 files; those that this file knows no inputs of are given images of 96x96
  NAME        only files whose names begin so
  --peers     torch.onnx.export of the same files as well, with dynamo=False and dynamo=True, at the first opset
  --markdown  prints the table of docs/onnx-export.md

Each file has a process of its own. A file passes an opset when the export succeeds, onnx.checker's full check has nothing to
say, and every output is within 1e-4 of its greatest magnitude. Detection models without training give boxes of one score, of which any
may be chosen: their number and scores are compared (test/numerics/test_onnx_detection.py has the rest).
"""
import argparse
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
import torchvision  # noqa: F401 pylint: disable=unused-import; its ops are in archives of detection models
from torch.utils import _pytree as pytree

ROOT = pathlib.Path(__file__).resolve().parents[2]
GRAVEN = (ROOT / os.environ.get("GRAVEN_BUILD", "build")).resolve() / "bin/graven"
TOLERANCE = 1e-4
TYPES = {torch.float32: "f32", torch.float64: "f64", torch.int64: "i64", torch.int32: "i32", torch.bool: "i1"}
DETECTION = ("fasterrcnn", "keypointrcnn", "maskrcnn", "retinanet", "ssdlite")


def inputs(name):
    """What a file is called with: the longest of the beginnings that fits."""
    rand, words = torch.rand, (torch.randint(0, 100, (1, 9)), torch.ones(1, 9, dtype=torch.long))
    known = {
        "convbn": (rand(1, 3, 8, 8),), "gru": (rand(5, 2, 8),), "hf_": words, "hf_vit": (rand(1, 3, 32, 32),),
        "inception": (rand(1, 3, 299, 299),), "loopif": (rand(3), 5), "lstm": (torch.randint(0, 50, (2, 7)),),
        "maxvit": (rand(1, 3, 64, 64),), "mha": (rand(2, 5, 16),), "mlp": (rand(2, 16),), "mycell": (rand(3, 4), rand(3, 4)),
        "myrnn": (rand(5, 3, 4),), "quant_dyn": (rand(2, 16),), "quant_static": (rand(1, 3, 8, 8),),
        "r2plus1d": (rand(1, 3, 8, 64, 64),), "stateful": (rand(3),), "unet": (rand(1, 3, 16, 16),), "views": (rand(3),),
        "vit_": (rand(1, 3, 64, 64),), "xfmr": (rand(2, 5, 16),), "zoo": (rand(3, 3), {"a": rand(2)}),
        **{n: ([rand(3, 96, 96)],) for n in DETECTION},
        **{f"{n}_trace": (rand(1, 3, 64, 64),) for n in ("convnext_tiny", "efficientnet_b0", "mobilenet_v3_small", "resnet18",
                                                         "swin_t")}}
    fitting = [beginning for beginning in known if name.startswith(beginning)]
    return known[max(fitting, key=len)] if fitting else (rand(1, 3, 96, 96),)


def numbers(tree):
    return [leaf for leaf in pytree.tree_leaves(tree) if isinstance(leaf, (torch.Tensor, int, float))]


def arrays(tree):
    return [leaf.detach().numpy() if torch.is_tensor(leaf) else np.asarray(leaf) for leaf in numbers(tree)]


def copied(tree):
    return pytree.tree_map(lambda leaf: leaf.clone() if torch.is_tensor(leaf) else leaf, tree)


def load(path):
    """A call without arguments, the arguments, flags of `graven export` that say their shapes, and the module."""
    if path.suffix == ".pt2":
        program = torch.export.load(path)
        args, kwargs = program.example_inputs
        module = program.module()
        return lambda: module(*copied(args), **copied(kwargs)), (args, kwargs), [], program
    module, args, flags = torch.jit.load(path), inputs(path.name), []
    names = [argument.name for argument in module.forward.schema.arguments[1:]]
    for position, argument in enumerate(args):
        parts = {str(position): argument}
        if isinstance(argument, (dict, list)):
            items = argument.items() if isinstance(argument, dict) else enumerate(argument)
            parts = {f"{names[position]}.{k}": v for k, v in items}
        for name, value in parts.items():
            value = torch.as_tensor(value)
            flags += ["--input", f"{name}:{TYPES[value.dtype]}[{','.join(map(str, value.shape))}]"]
    return lambda: module(*copied(args)), (args, {}), flags, module


def judge(path, call, arguments, scores_only):
    """Nothing, or what is wrong with a file."""
    try:
        onnx.checker.check_model(path, full_check=True)
    except Exception as error:  # pylint: disable=broad-except; whatever it raises
        return f"checker: {error}"
    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        wanted = [o.name for o in session.get_outputs()]
        if scores_only:
            wanted = [name for name in wanted if name.rpartition(".")[2] == "scores"]
        got = session.run(wanted, dict(zip((i.name for i in session.get_inputs()), arrays(arguments))))
    except Exception as error:  # pylint: disable=broad-except
        return f"ONNX Runtime: {error}"
    with torch.no_grad():
        result = call()
        want = arrays(result[1][0]["scores"] if scores_only else result)
    if len(got) != len(want):
        return f"{len(got)} outputs, expected {len(want)}"
    for one, other in zip(got, want):
        if one.shape != other.shape:
            return f"shape {one.shape}, expected {other.shape}"
        same = (one == other) | ((one != one) & (other != other))
        far = np.where(same, 0, np.abs(one.astype(float) - other.astype(float))).max(initial=0)
        scale = np.where(np.isfinite(other), np.abs(other.astype(float)), 0).max(initial=0)
        if not far <= TOLERANCE * scale:
            return f"differs by {far:.2g} of {scale:.2g}"
    return ""


def run_graven(path, target, opset, flags):
    done = subprocess.run([GRAVEN, "export", path, "-o", target, "--opset", str(opset), *flags], capture_output=True, text=True,
                          check=False)
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stderr.splitlines() if "error:" in line] or [f"exit {done.returncode}"]
    return lines[0].rpartition("error: ")[2]


def run_torch(module, arguments, target, opset, dynamo):
    args, kwargs = arguments
    try:
        if not dynamo and isinstance(module, torch.export.ExportedProgram):
            module = module.module()
        torch.onnx.export(module, args, target, kwargs=kwargs or None, opset_version=opset, dynamo=dynamo, verbose=False)
    except BaseException as error:  # pylint: disable=broad-except
        return f"{type(error).__name__}: {error}"
    return ""


def columns(options):
    for opset in options.opsets:
        yield f"graven, opset {opset}", opset, None
    for dynamo in (False, True) if options.peers else ():
        yield f"torch.onnx, dynamo={dynamo}", options.opsets[0], dynamo


def examine(path, column, folder):
    _, opset, dynamo = column
    torch.manual_seed(0)
    call, arguments, flags, module = load(path)
    target = str(pathlib.Path(folder) / "m.onnx")
    if dynamo is None:
        problem = run_graven(path, target, opset, flags)
    else:
        problem = run_torch(module, arguments, target, opset, dynamo)
    return problem or judge(target, call, arguments, path.name.startswith(DETECTION))


def apart(path, column, seconds):
    """The problem that a process of its own finds; it may crash, or take too long."""
    with tempfile.TemporaryDirectory() as folder:
        said = pathlib.Path(folder) / "said"
        child = os.fork()
        if child == 0:
            signal.alarm(seconds)
            sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # pylint: disable=consider-using-with
            try:
                said.write_text(examine(path, column, folder), encoding="utf-8")
            except BaseException as error:  # pylint: disable=broad-except
                said.write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            return f"more than {seconds} s" if number == signal.SIGALRM else f"killed by {signal.Signals(number).name}"
        return said.read_text(encoding="utf-8")


def shortened(text, length):
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 3] + "..."


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--opsets", type=lambda text: [int(part) for part in text.split(",")], default=[17, 21])
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    onnxruntime.set_default_logger_severity(4)
    np.seterr(invalid="ignore")
    torch.set_num_threads(1)
    files = [f for f in sorted(options.folder.iterdir()) if f.suffix in (".pt", ".pt2")]
    if options.names:
        files = [f for f in files if f.name.startswith(tuple(options.names))]
    tried = list(columns(options))
    passed, rows = [0] * len(tried), []
    for path in files:
        cells = [apart(path, column, options.seconds) for column in tried]
        passed = [count + (not cell) for count, cell in zip(passed, cells)]
        if any(cells):
            rows.append((path.name, cells))
        if not options.markdown:
            for (name, _, _), cell in zip(tried, cells):
                print(f"{path.name:36} {name:26} {shortened(cell, 160) or 'ok'}", flush=True)
    if options.markdown:
        print("| file | " + " | ".join(name for name, _, _ in tried) + " |\n|" + "---|" * (len(tried) + 1))
        print(f"| **of {len(files)}** | " + " | ".join(f"**{count}**" for count in passed) + " |")
        for name, cells in rows:
            print(f"| `{name}` | " + " | ".join(shortened(cell, 90).replace("|", "\\|") or "ok" for cell in cells) + " |")
    else:
        for (name, _, _), count in zip(tried, passed):
            print(f"{name}: {count} of {len(files)}")
    return int(any(not cell == "" for _, cells in rows for (_, _, dynamo), cell in zip(tried, cells) if dynamo is None))


if __name__ == "__main__":
    sys.exit(main())
