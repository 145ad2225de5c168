#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ONNX through Graven and back: fewer nodes than onnxsim leaves, and the same results?

usage: round_trips.py [--onnxsim PYTHON] [--exporter script|dynamo] [--json FILE] [--markdown] [--native] MODEL ...
  MODEL       a .pt or .pt2 that torch.onnx exports, an .onnx, or the name of a model of torchvision; `torchvision` is all of them
  --onnxsim   an interpreter that has onnxsim; default: this one
  --exporter  one of torch.onnx.export(dynamo=False) and (dynamo=True); default: both
  --json      verdicts are added to this file as they come; what it has is not run again
  --markdown  prints those of --json as a table, and runs nothing
  --native    also compiles each file and compares with ONNX Runtime

`graven export` reads the file and writes it at its own opset. Nodes are those of sub-graphs as well, without constants. ONNX Runtime runs
both on random inputs (PyTorch's, where there is a module); results may be off by 1e-4 of the greatest magnitude of each output. Each
file is exported and run in a process of its own.
"""
import argparse
import collections
import json
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

import onnx_export
import torchvision_onnx

TOLERANCE = 1e-4
ONNXSIM = """
import onnx, onnxsim, sys
model, same = onnxsim.simplify(onnx.load(sys.argv[1]), check_n=0)
onnx.save(model, sys.argv[2], save_as_external_data=sys.argv[3] == "1")
"""
NUMPY = {onnx.TensorProto.FLOAT: np.float32, onnx.TensorProto.DOUBLE: np.float64, onnx.TensorProto.INT64: np.int64,
         onnx.TensorProto.INT32: np.int32, onnx.TensorProto.BOOL: np.bool_}


def count(path):
    def nodes(graph):
        return sum((node.op_type != "Constant") + sum(nodes(a.g) for a in node.attribute if a.HasField("g"))
                   for node in graph.node)
    return nodes(onnx.load(path, load_external_data=False).graph)


def histogram(path):
    """How many nodes of each op, those of sub-graphs as well."""
    found = collections.Counter()

    def walk(graph):
        for node in graph.node:
            found[node.op_type] += 1
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    walk(attribute.g)
    walk(onnx.load(path, load_external_data=False).graph)
    found.pop("Constant", None)
    return found


def made(source):
    """A module, what it is called with, and a call that gives its results; all None where there is just a file."""
    if source.endswith(".onnx"):
        return None, None, None
    if source.endswith((".pt", ".pt2")):
        call, arguments, _, module = onnx_export.load(pathlib.Path(source))
        return module, arguments, call
    family = next(f for f, module in torchvision_onnx.FAMILIES.items()
                  if source in torchvision_onnx.torchvision.models.list_models(module=module))
    module, x = torchvision_onnx.make(family, source)
    return module, ((x,), {}), lambda: module(x)


def random_inputs(path):
    """Of a file without a module."""
    generator, feeds = np.random.default_rng(0), {}
    for info in onnx.load(path, load_external_data=False).graph.input:
        tensor = info.type.tensor_type
        shape = [d.dim_value or 2 for d in tensor.shape.dim]
        kind = NUMPY[tensor.elem_type]
        feeds[info.name] = (generator.standard_normal(shape) if np.issubdtype(kind, np.floating)
                            else generator.integers(0, 2, shape)).astype(kind)
    return feeds


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def difference(got, want):
    """The greatest difference of two lists of arrays, of the greatest magnitude of each; infinite where they do not fit."""
    if [np.shape(a) for a in got] != [np.shape(b) for b in want]:
        return float("inf")
    worst = 0.0
    for one, other in zip(got, want):
        one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
        same = (one == other) | (np.isnan(one) & np.isnan(other))
        far = np.where(same, 0, np.abs(one - other)).max(initial=0)
        scale = np.where(np.isfinite(other), np.abs(other), 0).max(initial=0)
        worst = max(worst, float("inf") if not np.isfinite(far) else far / max(scale, 1e-30) if far else 0.0)
    return worst


def scores_only(source, names, values):
    """Of detection models without training just the scores are sure; see onnx_export.py."""
    if not pathlib.Path(source).name.startswith(onnx_export.DETECTION):
        return values
    kept = [value for name, value in zip(names, values) if "scores" in name]
    return kept or [np.shape(value) for value in values]


def native(path, source, feeds, want):
    sys.path.insert(0, os.environ.get("GRAVEN_PYTHON", str(onnx_export.GRAVEN.parents[1] / "python")))
    import graven  # pylint: disable=import-outside-toplevel
    try:
        model = graven.compile(path, threads=1, inputs=feeds)
        got = model(*feeds.values())
    except graven.Error as error:
        return str(error)[:200]
    got = [one for one in (got if isinstance(got, (list, tuple)) else [got]) if one is not None]
    want = [one for one in want if one is not None]
    error = difference(scores_only(source, model.outputs, got), scores_only(source, model.outputs, want))
    return "" if error <= TOLERANCE else f"differs by {error:.1e}"


def examine(source, exporter, options, folder):
    torch.manual_seed(0)
    path, result = os.path.join(folder, "m.onnx"), {}
    module, arguments, call = made(source)
    if module is None:
        path, feeds = source, random_inputs(source)
        opset = next(o.version for o in onnx.load(path, load_external_data=False).opset_import if o.domain in ("", "ai.onnx"))
    else:
        opset = 18 if exporter == "dynamo" else 17
        problem = onnx_export.run_torch(module, arguments, path, opset, exporter == "dynamo")
        if problem:
            return {"unexported": onnx_export.shortened(problem, 200)}
        own = session(path)
        feeds = dict(zip((i.name for i in own.get_inputs()), onnx_export.arrays(arguments)))
        del own
        opset = next(o.version for o in onnx.load(path, load_external_data=False).opset_import if o.domain in ("", "ai.onnx"))
    result["original"] = count(path)
    large = os.path.getsize(path) > 1 << 30
    if options.native and call:
        # What the file computes, which is not always what the module does.
        runner = session(path)
        result["native"] = native(path, source, feeds, runner.run(None, feeds))
        del runner
    del module, call
    back, small = os.path.join(folder, "back.onnx"), os.path.join(folder, "sim.onnx")
    # onnxsim prints its notes; what it fails with is its last line.
    done = subprocess.run([options.onnxsim, "-c", ONNXSIM, path, small, str(int(large))], capture_output=True, text=True, check=False)
    result["onnxsim"] = count(small) if done.returncode == 0 else None
    done = subprocess.run([onnx_export.GRAVEN, "export", path, "-o", back, "--opset", str(opset)], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error:" in line] or [f"exit {done.returncode}"]
        return {**result, "problem": onnx_export.shortened(lines[0], 250)}
    result["graven"] = count(back)
    if result["onnxsim"] is not None and result["graven"] > result["onnxsim"]:
        more = histogram(back)
        more.subtract(histogram(small))
        result["more"] = {op: n for op, n in more.items() if n}
    try:
        onnx.checker.check_model(back, full_check=True)
    except Exception as error:  # pylint: disable=broad-except; whatever it raises
        return {**result, "problem": onnx_export.shortened(f"checker: {error}", 250)}
    first, second = session(path), session(back)
    if [i.name for i in first.get_inputs()] != [i.name for i in second.get_inputs()]:
        return {**result, "problem": "other inputs"}
    names = [o.name for o in first.get_outputs()]
    # One that is listed twice has two names when it comes back.
    if len(set(names)) == len(names) and names != [o.name for o in second.get_outputs()]:
        return {**result, "problem": "other outputs"}
    want = first.run(None, feeds)
    del first
    error = difference(scores_only(source, names, second.run(None, feeds)), scores_only(source, names, want))
    result["error"] = error
    if not error <= TOLERANCE:
        result["problem"] = f"differs by {error:.1e}"
    return result


def apart(source, exporter, options):
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        said = pathlib.Path(folder) / "said"
        child = os.fork()
        if child == 0:
            signal.alarm(1800)
            sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # pylint: disable=consider-using-with
            try:
                said.write_text(json.dumps(examine(source, exporter, options, folder)), encoding="utf-8")
            except BaseException as error:  # pylint: disable=broad-except
                said.write_text(json.dumps({"problem": onnx_export.shortened(f"{type(error).__name__}: {error}", 250)}),
                                encoding="utf-8")
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        return {"problem": f"signal {os.WTERMSIG(status)}"} if os.WIFSIGNALED(status) else json.loads(said.read_text("utf-8"))


def table(verdicts):
    print("| file | exporter | nodes | graven | onnxsim | difference | |\n|---|---|---|---|---|---|---|")
    for label, v in verdicts.items():
        name, _, exporter = label.rpartition(" ")
        if "unexported" not in v:
            sim = v.get("onnxsim")
            print(f"| {name} | {exporter} | {v.get('original', '')} | {v.get('graven', '')} | {'fails' if sim is None else sim} | "
                  f"{v.get('error', float('nan')):.0e} | {v.get('problem', '')} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnxsim", default=sys.executable)
    parser.add_argument("--exporter", choices=("script", "dynamo"))
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--native", action="store_true")
    parser.add_argument("models", nargs="*")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    onnxruntime.set_default_logger_severity(4)
    np.seterr(all="ignore")
    torch.set_num_threads(1)
    # The older exporter has no form for the attention that eager PyTorch fuses.
    torch.backends.mha.set_fastpath_enabled(False)
    verdicts = json.loads(options.json.read_text()) if options.json and options.json.exists() else {}
    if options.markdown:
        return table(verdicts)
    everything = [name for module in torchvision_onnx.FAMILIES.values()
                  for name in torchvision_onnx.torchvision.models.list_models(module=module)]
    sources = [one for model in options.models for one in (everything if model == "torchvision" else [model])]
    for source in sources:
        for exporter in ["file"] if source.endswith(".onnx") else [options.exporter] if options.exporter else ["script", "dynamo"]:
            label = f"{pathlib.Path(source).name} {exporter}"
            if label in verdicts:
                continue
            verdicts[label] = apart(source, exporter, options)
            print(label, json.dumps(verdicts[label]), flush=True)
            if options.json:
                options.json.write_text(json.dumps(verdicts, indent=0))
    tried = [v for v in verdicts.values() if "unexported" not in v]
    wrong = [label for label, v in verdicts.items() if v.get("problem") or v.get("native")]
    more = [label for label, v in verdicts.items() if v.get("more")]
    print(f"{len(verdicts)} exports, {len(verdicts) - len(tried)} that torch.onnx does not make, {len(wrong)} with a problem, "
          f"{len(more)} with more nodes than onnxsim's")
    return int(bool(wrong or more))


if __name__ == "__main__":
    sys.exit(main())
