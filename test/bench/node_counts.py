#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How many Nodes are left of a TorchScript model after Graven's graph phase, and after the passes of others.

usage: node_counts.py [--onnxsim PYTHON] [--work FOLDER] [--markdown] FILE.pt ...
  --onnxsim   an interpreter that has onnxsim; default: this one
  --work      where ONNX files are written, once; default: a folder that is removed
  --markdown  prints the table of docs/node-counts.md

On the .pt itself: torch.jit.freeze, and torch.jit.optimize_for_inference behind it. On the ONNX that torch.onnx's exporter for
TorchScript makes of it (opset 17, constants folded): onnxsim, and ONNX Runtime's extended optimizations. Graven on both files, at -O2.

What is counted is what a run executes, Nodes of sub-graphs as well, one each. Constants and Parameters are no Nodes on any side, and
neither is what terminates a graph. What others fuse (FusedConv, SkipLayerNormalization, mkldnn_convolution) is one, and so is a
`graven.fusion`; a column says how many Nodes are in the graph when those in fusions are counted instead of the fusions. Graven is
counted before it chooses layouts, as ONNX Runtime's extended level is, which leaves layouts to the next; the last column has the Nodes
of the graph phase's end, with the relayouts and the sub-pixel convolutions in place of transposed ones. What becomes of Parameters alone is done when the model is compiled, and is not counted; the others keep such Nodes only where they do not
fold them. Of TorchScript, packing and unpacking of lists and tuples is not counted.
"""
import argparse
import collections
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings

ROOT = pathlib.Path(__file__).resolve().parents[2]
GRAVEN = (ROOT / os.environ.get("GRAVEN_BUILD", "build")).resolve() / "bin/graven"
sys.path.insert(0, str(ROOT / "test/conformance"))

NO_NODES = {"graven": {"constant", "get_param", "return", "yield"},
            "torch": {"prim::Constant", "prim::GetAttr", "prim::ListConstruct", "prim::ListUnpack", "prim::TupleConstruct",
                      "prim::TupleUnpack"},
            "onnx": {"Constant"}}

# Each prints the histogram of what is left; a process of its own, so that one's memory is none of the others'.
TORCH = """
import collections, json, sys, warnings
warnings.simplefilter("ignore")
import torch, torchvision
module = torch.jit.freeze(torch.jit.load(sys.argv[1]).eval())
if sys.argv[2] == "optimized":
    module = torch.jit.optimize_for_inference(module)
counts = collections.Counter()
def walk(block):
    for node in block.nodes():
        counts[node.kind()] += 1
        for inner in node.blocks():
            walk(inner)
walk(module.graph)
print(json.dumps(counts))
"""
WALK_ONNX = """
import collections, json, sys, onnx
counts = collections.Counter()
def walk(graph):
    for node in graph.node:
        counts[node.op_type] += 1
        for attribute in node.attribute:
            if attribute.HasField("g"):
                walk(attribute.g)
"""
ONNXSIM = WALK_ONNX + """
import onnxsim
model, same = onnxsim.simplify(onnx.load(sys.argv[1]), check_n=0)
walk(model.graph)
print(json.dumps(counts))
"""
RUNTIME = WALK_ONNX + """
import os, tempfile, onnxruntime
options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
options.log_severity_level = 4
with tempfile.TemporaryDirectory() as folder:
    options.optimized_model_filepath = os.path.join(folder, "m.onnx")
    onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
    walk(onnx.load(options.optimized_model_filepath, load_external_data=False).graph)
print(json.dumps(counts))
"""
EXPORT = """
import pathlib, sys, warnings
warnings.simplefilter("ignore")
sys.path[:0] = sys.argv[3:5]
import torch, torchvision
import archives
path = pathlib.Path(sys.argv[1])
module = torch.jit.load(path).eval()
specs = ([str(spec) for spec in archives.graven.load(path).inputs] if archives.is_trace(path) else ()) or archives.script_inputs(path)
inputs = tuple(archives.tensor_of(spec, torch.Generator().manual_seed(0)) for spec in specs)
with torch.no_grad():
    torch.onnx.export(module, inputs, sys.argv[2], dynamo=False, opset_version=17)
"""


def run(*command):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError((result.stderr.strip().splitlines() or ["no message"])[-1][:200])
    return result.stdout


def others(kind, output):
    counts = json.loads(output.splitlines()[-1])
    return collections.Counter({op: n for op, n in counts.items() if op not in NO_NODES[kind]})


@dataclasses.dataclass(frozen=True)
class Own:
    """Of @forward: Nodes before layouts, a fusion being one; those with the Nodes in fusions instead; Nodes with layouts."""
    counts: collections.Counter
    inside: int
    laid_out: int

    def total(self):
        return self.counts.total()

    def most_common(self):
        return self.counts.most_common()


def graven_counts(path, specs):
    flags = [part for spec in specs for part in ("--input", spec)]
    graph = run(GRAVEN, "compile", path, "--to", "graph", "-o", "-", *flags)
    counts, inside = count_forward(graph)
    laid_out = counts.total()
    if "nchw16c" in graph:
        with tempfile.TemporaryDirectory() as folder:
            imported = pathlib.Path(folder) / "m.mlir"
            run(GRAVEN, "import", path, "-o", imported, *flags)
            counts, inside = count_forward(run(GRAVEN.with_name("graven-opt"), imported, "--graven-graph-pipeline=layouts=false"))
    return Own(counts, inside, laid_out)


def count_forward(text):
    start = text.index("graven.graph @forward")
    counts, inside, fusion_indent = collections.Counter(), collections.Counter(), None
    for line in text[start:text.index("\n  }", start)].splitlines():
        indent = len(line) - len(line.lstrip())
        if fusion_indent is not None and indent <= fusion_indent and line.strip().startswith("}"):
            fusion_indent = None
        found = re.match(r"\s*(?:%[^=]*= )?graven\.(\w+)", line)
        if not found or found.group(1) in NO_NODES["graven"] | {"graph"}:
            continue
        (counts if fusion_indent is None else inside)[found.group(1)] += 1
        if found.group(1) == "fusion":
            fusion_indent = indent
    return counts, counts.total() - counts["fusion"] + inside.total()


def measure(path, work, onnxsim):
    """For each column a histogram, or a string that says what went wrong."""
    import archives
    results = {}

    def attempt(column, make):
        try:
            results[column] = make()
        except RuntimeError as error:
            results[column] = str(error)

    specs = [] if archives.is_trace(path) else archives.script_inputs(path)
    attempt("graven .pt", lambda: graven_counts(path, specs))
    attempt("freeze", lambda: others("torch", run(sys.executable, "-c", TORCH, path, "frozen")))
    attempt("optimize_for_inference", lambda: others("torch", run(sys.executable, "-c", TORCH, path, "optimized")))
    model = work / f"{path.stem}.onnx"
    try:
        if not model.exists():
            run(sys.executable, "-c", EXPORT, path, model, ROOT / "test/conformance", ROOT / "test/bench")
    except RuntimeError as error:
        results["graven .onnx"] = f"no ONNX: {error}"
        return results
    attempt("graven .onnx", lambda: graven_counts(model, []))
    attempt("onnxsim", lambda: others("onnx", run(onnxsim, "-c", ONNXSIM, model)))
    attempt("ORT extended", lambda: others("onnx", run(sys.executable, "-c", RUNTIME, model)))
    return results


def total(result):
    return None if isinstance(result, str) else result.total()


def losses(results):
    """The columns that have fewer Nodes than Graven's graph of the same file."""
    lost = []
    for own, columns in (("graven .pt", ("freeze", "optimize_for_inference")), ("graven .onnx", ("onnxsim", "ORT extended"))):
        mine = total(results.get(own, ""))
        lost += [column for column in columns if total(results.get(column, "")) is not None
                 and (mine is None or total(results[column]) < mine)]
    return lost


COLUMNS = ("graven .pt", "freeze", "optimize_for_inference", "graven .onnx", "onnxsim", "ORT extended")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnxsim", default=sys.executable)
    parser.add_argument("--work", type=pathlib.Path)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    worse = 0
    if options.markdown:
        print(f"| model | {' | '.join(COLUMNS)} | in fusions | with layouts |\n|{'---|' * (len(COLUMNS) + 3)}")
    with contextlib.ExitStack() as stack:
        work = options.work or pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        work.mkdir(parents=True, exist_ok=True)
        for path in options.files:
            results = measure(path, work, options.onnxsim)
            lost = losses(results)
            worse += bool(lost)
            cells = ["-" if total(results.get(column, "")) is None else str(total(results[column])) for column in COLUMNS]
            own = [results[form] for form in ("graven .pt", "graven .onnx") if isinstance(results.get(form), Own)]
            cells += [", ".join(str(one.inside) for one in own), ", ".join(str(one.laid_out) for one in own)]
            if options.markdown:
                print(f"| {path.stem} | {' | '.join(cells)} |", flush=True)
                continue
            print(f"{path.stem:28} " + " ".join(f"{cell:>6}" for cell in cells), "MORE than " + ", ".join(lost) if lost else "",
                  flush=True)
            for column, result in results.items():
                if isinstance(result, str):
                    print(f"    {column}: {result}")
                elif lost:
                    print(f"    {column}: {', '.join(f'{n} {op}' for op, n in result.most_common())}")
    print(f"\n{len(options.files) - worse} of {len(options.files)} have no more Nodes than any other")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
