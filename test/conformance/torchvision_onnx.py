#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""All classification and segmentation models of torchvision through both exporters of torch.onnx, against PyTorch.

usage: torchvision_onnx.py [--exporter dynamo|script] [--jobs 1] [--json FILE] [NAME ...]
  NAME        parts of models' names, or =NAME for one; default: all
  --exporter  one of torch.onnx.export(dynamo=True) and (dynamo=False); default: both
  --json      verdicts are added to this file as they come; what it has passed already is not run again

Weights are random, of a fixed seed. Results may be off by 1e-4 of the greatest magnitude. Each model is run in a process of its
own; the largest two need 12 GB.
"""
import argparse
import collections
import json
import os
import pathlib
import sys
import tempfile
import warnings

import numpy as np
import torch
import torchvision

import processes
from processes import Verdict, run_all

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAMILIES = {"classification": torchvision.models, "segmentation": torchvision.models.segmentation}
# Models of which the extents of the input are fixed, have to be larger than 64, or a whole multiple for the older exporter.
SIZES = {"vit_": 224, "maxvit": 224, "inception": 96, "alexnet": 224, "vgg": 224}


class Single(torch.nn.Module):
    """A segmentation model whose dictionary is its main output."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)["out"]


def make(family, name):
    """A model and an input."""
    torch.manual_seed(0)
    arguments = {"weights": None}
    if family == "segmentation":
        arguments["weights_backbone"] = None
    if name in ("googlenet", "inception_v3"):
        arguments["init_weights"] = True
    model = torchvision.models.get_model(name, **arguments).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.any():  # a head of zeros would hide what is before it
                parameter.normal_(0, 0.02)
    size = next((size for part, size in SIZES.items() if part in name), 64)
    return Single(model).eval() if family == "segmentation" else model, torch.randn(1, 3, size, size)


def run_model(family, name, exporter):
    import graven
    model, x = make(family, name)
    with torch.no_grad(), tempfile.TemporaryDirectory(prefix="graven-torchvision-") as folder:
        expected = model(x).numpy()
        path = os.path.join(folder, "m.onnx")
        options = {"opset_version": 18} if exporter == "dynamo" else {"opset_version": 17}
        try:
            torch.onnx.export(model, (x,), path, dynamo=exporter == "dynamo", verbose=False, **options)
        except Exception as error:  # noqa: BLE001  whatever an exporter says of its own
            return Verdict("unexported", 0, f"{type(error).__name__}: {' '.join(str(error).split())[:120]}")
        del model
        try:
            own = graven.compile(path, threads=1)(x.numpy())
        except graven.Error as error:
            return Verdict("unsupported", 0, str(error)[:160])
    if own.shape != expected.shape:
        return Verdict("wrong", 0, f"shape {own.shape}, expected {expected.shape}")
    error = float(np.abs(own - expected).max() / np.abs(expected).max())
    return Verdict("pass" if error <= 1e-4 else "wrong", 0, f"{error:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exporter", choices=("dynamo", "script"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    # The older exporter has no form for the attention that eager PyTorch fuses.
    torch.backends.mha.set_fastpath_enabled(False)
    processes.LIMIT_SECONDS = 900
    sys.path.insert(0, str(ROOT / os.environ.get("GRAVEN_BUILD", "build") / "python"))
    verdicts = {}
    if options.json and options.json.exists():
        verdicts = {name: Verdict(*entry) for name, entry in json.loads(options.json.read_text()).items()}
    works = {}
    for exporter in [options.exporter] if options.exporter else ("script", "dynamo"):
        for family, module in FAMILIES.items():
            for name in torchvision.models.list_models(module=module):
                label = f"{name} {exporter}"
                wanted = not options.names or any(n[1:] == name if n.startswith("=") else n in name for n in options.names)
                if wanted and (label not in verdicts or verdicts[label].kind != "pass"):
                    works[label] = lambda f=family, n=name, e=exporter: run_model(f, n, e)

    def report(name, verdict):
        print(name, verdict.kind, verdict.note, flush=True)
        verdicts[name] = verdict
        if options.json:
            options.json.write_text(json.dumps(verdicts))

    run_all(works, options.jobs, report)
    for exporter in ("script", "dynamo"):
        counts = collections.Counter(v.kind for name, v in verdicts.items() if name.endswith(exporter))
        print(f"{exporter}: {counts.total()} models,", ", ".join(f"{n} {kind}" for kind, n in counts.most_common()))
    return 1 if any(v.kind in ("wrong", "crash") for v in verdicts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
