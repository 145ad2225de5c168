#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Nodes, time and memory of `graven simplify` beside onnxsim's and ONNX Runtime's optimizer, on ten models of torch.onnx.

usage: simplify.py [--onnxsim PYTHON] [--repeat N] FOLDER [NAME ...]
  FOLDER     where the models are written, once, and what is made of them
  NAME       only these models
  --onnxsim  an interpreter that has onnxsim; default: this one

Each run is a process of its own; the tools take turns, and the least of N runs counts. Times are seconds of CPU (user and system), which
other work on the machine disturbs least, of the whole process; of the peers also those of the calls that read, simplify and write, without
the imports of Python's modules: "call / process". Memory is the peak of the process in MB.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import onnx

ROOT = pathlib.Path(__file__).resolve().parents[2]
GRAVEN = (ROOT / os.environ.get("GRAVEN_BUILD", "build")).resolve() / "bin/graven"
VISION = ("resnet18", "mnasnet0_5", "mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2_x0_5", "squeezenet1_1", "densenet121",
          "swin_t")
NAMES = (*VISION, "encoder", "lstm")
ONNXSIM = """
import sys, time, onnx, onnxsim
start = time.process_time()
model, same = onnxsim.simplify(onnx.load(sys.argv[1]), check_n=int(sys.argv[3]))
assert same
onnx.save(model, sys.argv[2])
print("seconds", time.process_time() - start)
"""
RUNTIME = """
import sys, time, onnxruntime
start = time.process_time()
options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
options.optimized_model_filepath = sys.argv[2]
options.intra_op_num_threads = 1
onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
print("seconds", time.process_time() - start)
"""


def write_models(folder, names):
    import torch  # pylint: disable=import-outside-toplevel; the models may be there
    import torchvision  # pylint: disable=import-outside-toplevel

    class Tagger(torch.nn.Module):
        """An LSTM and a layer on its last step."""

        def __init__(self):
            super().__init__()
            self.lstm = torch.nn.LSTM(16, 32, 2, batch_first=True, bidirectional=True)
            self.out = torch.nn.Linear(64, 5)

        def forward(self, x):
            return self.out(self.lstm(x)[0][:, -1])

    torch.manual_seed(0)
    for name in names:
        if name == "encoder":
            layer = torch.nn.TransformerEncoderLayer(64, 4, 128, batch_first=True)
            module, x = torch.nn.TransformerEncoder(layer, 2), torch.randn(2, 10, 64)
        elif name == "lstm":
            module, x = Tagger(), torch.randn(2, 7, 16)
        else:
            module, x = getattr(torchvision.models, name)(), torch.randn(1, 3, 224, 224)
        torch.onnx.export(module.eval(), x, folder / f"{name}.onnx", opset_version=17, dynamo=False, do_constant_folding=False)


def commands(python, model, out):
    """Of each column: the command."""
    return {
        "graven": [GRAVEN, "simplify", "--no-check", model, out],
        "graven, checked": [GRAVEN, "simplify", model, out],
        "onnxsim": [python, "-c", ONNXSIM, model, out, "0"],
        "onnxsim, checked": [python, "-c", ONNXSIM, model, out, "1"],
        "ONNX Runtime": [sys.executable, "-c", RUNTIME, model, out],
    }


def measure(command):
    """Seconds of CPU of the call, where it says so itself, and of the process, and MB. `time` forks, so that this process's memory is not counted."""
    with tempfile.NamedTemporaryFile("r") as used:
        run = subprocess.run(["/usr/bin/time", "-f", "%U %S %M", "-o", used.name, *command], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True, check=True)
        user, system, memory = map(float, used.read().split())
    told = [line.split()[1] for line in run.stdout.splitlines() if line.startswith("seconds ")]
    return float(told[0]) if told else user + system, user + system, memory / 1024


def count(path):
    """Nodes of a model, those of sub-graphs as well."""
    def nodes(graph):
        return sum(1 + sum(nodes(a.g) for a in node.attribute if a.HasField("g")) for node in graph.node)
    return nodes(onnx.load(path, load_external_data=False).graph)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnxsim", default=sys.executable)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*", default=NAMES)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in options.names if not (options.folder / f"{name}.onnx").exists()]
    if missing:
        write_models(options.folder, missing)
    tools = list(commands("", "", ""))
    print("| model | original | " + " | ".join(tools) + " |\n|" + "---|" * (len(tools) + 2))
    for name in options.names:
        model = options.folder / f"{name}.onnx"
        best, nodes = {}, {}
        for _ in range(options.repeat):
            for tool in tools:
                out = options.folder / f"{name}.{tool.partition(',')[0].replace(' ', '')}.out"
                measured = measure(commands(options.onnxsim, model, out)[tool])
                best[tool] = tuple(map(min, measured, best.get(tool, measured)))
                nodes[tool] = count(out)
        cells = []
        for tool, (call, process, memory) in best.items():
            time = f"{process:.2f}" if tool.startswith("graven") else f"{call:.2f} / {process:.2f}"
            cells.append(f"{nodes[tool]} nodes, {time} s, {memory:.0f} MB")
        print(f"| {name} | {count(model)} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
