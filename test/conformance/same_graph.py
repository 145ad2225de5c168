#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models written as TorchScript, as torch.export programs and as ONNX: whether they compile, compute what PyTorch does,
and become the same optimized graph.

usage: same_graph.py [--keep FOLDER] [--graphs-only] [--scripts] [--diff] [--markdown] [NAME ...]
  NAME           models; default: all
  --keep         leaves files and graphs in FOLDER
  --graphs-only  does not run the models
  --scripts      torch.jit.script as well, where it can
  --diff         prints where graphs differ
  --markdown     prints the table of docs/conformance.md

Two graphs are the same when @forward is, after the graph phase at -O2, up to names of Values, inputs, outputs and
Parameters. Each form runs natively; the error is the greatest difference to PyTorch over the greatest magnitude.
"""
import argparse
import contextlib
import difflib
import io
import logging
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch
import torchvision
import transformers
from torch import nn
from torch.utils import _pytree as pytree

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = (ROOT / os.environ.get("GRAVEN_BUILD", "build")).resolve()
sys.path[:0] = [str(ROOT / "test/numerics"), str(BUILD / "python")]

import models  # noqa: E402
from graphs import normalized  # noqa: E402

FORMS = ("pt", "pt2", "onnx")
TOLERANCE = 1e-5
torch.set_num_threads(1)


class LSTMClassifier(nn.Module):
    """Words, two layers of LSTM in both directions, a class from the last state."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(50, 16)
        self.lstm = nn.LSTM(16, 24, 2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(48, 5)

    def forward(self, words):
        states, _ = self.lstm(self.embed(words))
        return self.head(states[:, -1])


class MLP(nn.Module):
    """784-128-10 with GELU and a softmax."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.GELU(), nn.Dropout(0.1), nn.Linear(128, 10))

    def forward(self, x):
        return nn.functional.log_softmax(self.layers(x), dim=-1)


class Masks(nn.Module):
    """What a segmentation model gives under "out"."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x)["out"]


def at(size, name):
    """A model of models.py with images of its real size, at which its adaptive pooling is none."""
    return models.Case(models.MODELS[name].make, models.image(size), True)


def llama():
    return models.Logits(transformers.LlamaForCausalLM(transformers.LlamaConfig(
        vocab_size=200, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2)))


def image_case(make, size=64):
    return models.Case(make, models.image(size), True)


vision = torchvision.models
MODELS = models.MODELS | {
    "mobilenet_v2": image_case(vision.mobilenet_v2),
    "vgg16": at(224, "vgg16"),
    "alexnet": at(224, "alexnet"),
    "shufflenet_v2": image_case(vision.shufflenet_v2_x0_5),
    "efficientnet_b0": image_case(vision.efficientnet_b0),
    "regnet_y_400mf": image_case(vision.regnet_y_400mf),
    "convnext_tiny": image_case(vision.convnext_tiny),
    "swin_t": image_case(vision.swin_t),
    "googlenet": image_case(lambda: vision.googlenet(init_weights=False)),
    "lraspp": image_case(lambda: Masks(vision.segmentation.lraspp_mobilenet_v3_large(weights_backbone=None))),
    "deeplabv3": image_case(lambda: Masks(vision.segmentation.deeplabv3_mobilenet_v3_large(weights_backbone=None))),
    "lstm": models.Case(LSTMClassifier, lambda: (torch.randint(0, 50, (2, 7)),), True),
    "mlp": models.Case(MLP, lambda: (torch.randn(3, 1, 28, 28),), True),
    "encoder": models.Case(lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), 2),
                           lambda: (torch.rand(2, 5, 16),), True),
    "llama": models.Case(llama, lambda: models.tokens()[:1], False),
}


def get(name):
    """The model with Parameters as after a training, none of them all zeros or all ones, which an exporter may leave
    out; its inputs; and what PyTorch makes of them."""
    models.MODELS = MODELS
    model, inputs, _ = models.get(name)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.numel() > 1 and parameter.min() == parameter.max():
                parameter += 0.1 * torch.randn_like(parameter)
        return model, inputs, model(*inputs).numpy()


def write(model, inputs, form, path):
    """Writes the model in a form. What the exporters say is not of interest unless they fail."""
    with warnings.catch_warnings(), torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        if form == "pt":
            torch.jit.trace(model, inputs, check_trace=False).save(str(path))
        elif form == "script":
            torch.jit.script(model).save(str(path))
        elif form == "pt2":
            torch.export.save(torch.export.export(model, inputs), path)
        else:
            torch.onnx.export(model, inputs, str(path), dynamo=True, external_data=False)
        logging.disable(logging.NOTSET)


def shape_flags(inputs):
    names = {torch.float32: "f32", torch.int64: "i64"}
    flags = []
    for i, tensor in enumerate(inputs):
        flags += ["--input", f"{i}:{names[tensor.dtype]}[{','.join(map(str, tensor.shape))}]"]
    return flags


def graph_of(path, inputs, graven):
    """The normalized graph, or the error as a string."""
    result = subprocess.run([graven, "compile", path, "--to", "graph", "-o", "-", *shape_flags(inputs)],
                            capture_output=True, text=True)
    path.with_suffix(path.suffix + ".mlir").write_text(result.stdout)
    return normalized(result.stdout) if result.returncode == 0 else result.stderr.strip()


def error_of(path, inputs, expected):
    import graven
    arrays = [tensor.numpy() for tensor in inputs]
    got = pytree.tree_leaves(graven.compile(path, threads=1, inputs=arrays)(*arrays))
    assert len(got) == 1 and got[0].shape == expected.shape and got[0].dtype == expected.dtype
    return float(np.abs(got[0] - expected).max() / np.abs(expected).max())


def measure(name, folder, graven, forms, run):
    """For each form the lines of its graph and its error, or a string that says what went wrong."""
    model, inputs, expected = get(name)
    results = {}
    for form in forms:
        path = folder / f"{name}.{form}"
        try:
            if not path.exists():
                write(model, inputs, form, path)
            graph = graph_of(path, inputs, graven)
            results[form] = graph if isinstance(graph, str) else (graph, error_of(path, inputs, expected) if run else 0)
        except Exception as error:  # of an exporter, or of the compiler
            results[form] = f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
    return results


def summary(results):
    """The groups of forms with the same graph, as "pt = pt2, onnx"."""
    groups = []
    for form, result in results.items():
        if isinstance(result, str):
            continue
        for group in groups:
            if results[group[0]][0] == result[0]:
                group.append(form)
                break
        else:
            groups.append([form])
    return ", ".join(" = ".join(group) for group in groups)


def print_difference(results):
    forms = [form for form, result in results.items() if not isinstance(result, str)]
    for other in forms[1:]:
        first, second = ([re.sub(r"[%@]\d+", "%", line) for line in results[form][0]] for form in (forms[0], other))
        for line in list(difflib.unified_diff(first, second, forms[0], other, "", "", 1, ""))[:60]:
            print("     ", line[:230])


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("--keep")
    parser.add_argument("--graphs-only", action="store_true")
    parser.add_argument("--scripts", action="store_true")
    parser.add_argument("--diff", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    same = failed = 0
    names = options.names or list(MODELS)
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(options.keep or stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(exist_ok=True)
        for name in names:
            forms = FORMS + (("script",) if options.scripts and MODELS[name].scripts else ())
            results = measure(name, folder, BUILD / "bin/graven", forms, not options.graphs_only)
            wrong = {form: result for form, result in results.items()
                     if isinstance(result, str) or not result[1] <= TOLERANCE}
            failed += bool(wrong)
            groups = summary(results)
            same += groups.startswith(" = ".join(FORMS))
            good = [result for result in results.values() if not isinstance(result, str)]
            nodes = max((len(result[0]) for result in good), default=0)
            error = max((result[1] for result in good), default=0)
            if options.markdown:
                print(f"| {name} | {nodes} | {groups} | {error:.1e} |", flush=True)
            else:
                print(f"{name:20} {nodes:5} {groups:30} {error:.1e}", flush=True)
            for form, result in wrong.items():
                print(f"  {form}: {result if isinstance(result, str) else 'wrong'}")
            if options.diff and "," in groups:
                print_difference(results)
    print(f"{same} of {len(names)} have one graph in all forms; {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
