#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch's own samples of its operators (OpInfo), traced to .pt and compiled, against PyTorch's results.

usage: opinfo.py --dtype f32 [--samples 20] [--update] [--jobs 2] [--json FILE] [NAME ...]
       opinfo.py --errors [NAME ...]
  NAME      parts of operators' names, or =NAME for one; default: all
  --update  writes expected/DTYPE.txt anew from what does not pass
  --shrink  runs only the operators in expected/DTYPE.txt, and takes those out that pass
  --known   runs of an operator that is in expected/DTYPE.txt only the sample that stands there
  --errors  the samples that PyTorch rejects (error_inputs), as TorchScript source: Graven may say what it likes, but
            must not crash

Each operator runs in a process of its own, for at most 180 s. What becomes of it:
  pass         all samples (judging.py says when a result is right)
  unsupported  a sample is refused with a coded error
  untraced     PyTorch cannot trace it, or it gives no tensors
  wrong, crash what may never be

Every tensor of a sample is an input of the graph. Where Graven says that it must know one of them (GRV0204, GRV0203:
sizes, sections, masks), all but the first argument's, and numbers, become constants of the module, as in a model.
"""
import argparse
import collections
import io
import json
import os
import pathlib
import re
import sys
import tempfile
import time
import warnings

import torch
import torch.utils._pytree as pytree

import judging
from processes import Verdict, run_all

EXPECTED, ROOT = pathlib.Path(__file__).parent / "expected", pathlib.Path(__file__).resolve().parents[2]
DTYPES = {"f32": torch.float32, "f64": torch.float64, "f16": torch.float16, "bf16": torch.bfloat16, "bool": torch.bool,
          "i64": torch.int64, "i32": torch.int32, "i16": torch.int16, "i8": torch.int8, "u8": torch.uint8}
# Results that hold what memory held.
UNINITIALISED = re.compile(r"^(new_)?empty")
# Random ones, and approximations of factors that begin with random numbers; OpInfo sets a seed within some of them, so that two runs agree.
RANDOM = re.compile(r"^(cauchy|exponential|geometric|log_normal|normal|uniform|bernoulli|multinomial|rand\w*|"
                    r"svd_lowrank|pca_lowrank|"
                    r"nn\.functional\.(\w*dropout\w*|rrelu))$")
# Operators whose integer results are places of elements; among equal ones PyTorch takes any.
PLACES = {"sort", "argsort", "msort", "topk", "kthvalue", "median", "nanmedian", "mode", "max", "min", "masked.median"}

# Decompositions of which PyTorch promises no more than what the sample's function keeps: vectors but for signs.
UP_TO_SIGNS = {"linalg.eigh", "linalg.svd", "svd"}


def name_of(op):
    return op.name + ("." + op.variant_test_name if op.variant_test_name else "")


def tensors_of(value):
    return [leaf for leaf in pytree.tree_leaves(value) if isinstance(leaf, torch.Tensor)]


class Case:
    """A sample as a function of some of its tensors; the others are constants."""

    def __init__(self, op, sample, constants):
        self.op = op.op
        self.kept = sample.output_process_fn_grad if op.name in UP_TO_SIGNS else lambda result: result
        self.leaves, self.spec = pytree.tree_flatten((sample.input, sample.args, sample.kwargs))
        first = len(pytree.tree_leaves(sample.input))
        self.places = [i for i, leaf in enumerate(self.leaves) if isinstance(leaf, torch.Tensor)
                       and not (constants and (i >= first or leaf.dim() == 0))]
        self.inputs = [self.leaves[i].detach().clone() for i in self.places]

    def __call__(self, *inputs):
        leaves = [leaf.detach().clone() if isinstance(leaf, torch.Tensor) else leaf for leaf in self.leaves]
        for place, tensor in zip(self.places, inputs):
            leaves[place] = tensor
        x, args, kwargs = pytree.tree_unflatten(leaves, self.spec)
        return self.kept(self.op(x, *args, **kwargs))

    def eager(self, seed=0):
        torch.manual_seed(seed)
        return tensors_of(self(*(x.clone() for x in self.inputs)))

    def truth(self, fallback):
        """The results on f64; eager's where the operator does not take it. Functions of integers that give floats
        get f64, too, if there is no other tensor."""
        tensors = [x for x in self.leaves if isinstance(x, torch.Tensor)]
        functions = all(r.is_floating_point() for r in fallback) and not any(x.is_floating_point() for x in tensors)
        wide = [x.double() if functions or x.is_floating_point() else x.clone() for x in self.inputs]
        constants = self.leaves
        self.leaves = [x.double() if isinstance(x, torch.Tensor) and (functions or x.is_floating_point()) else x
                       for x in constants]
        try:
            torch.manual_seed(0)
            results = tensors_of(self(*wide))
        except Exception:
            return fallback
        finally:
            self.leaves = constants
        agrees = [r.shape for r in results] == [r.shape for r in fallback]
        return results if agrees else fallback

    def saved(self):
        case = self

        class Model(torch.nn.Module):
            def forward(self, *inputs):
                results = tensors_of(case(*inputs[:len(case.places)]))
                return results[0] if len(results) == 1 else tuple(results)

        # A graph without inputs is no model; one that ignores its input is.
        inputs = tuple(self.inputs) or (torch.zeros(1),)
        buffer = io.BytesIO()
        torch.jit.save(torch.jit.trace(Model(), inputs, check_trace=False), buffer)
        return buffer.getvalue(), inputs


def as_argument(tensor):
    tensor = tensor.detach().contiguous()
    return tensor if tensor.dtype == torch.bfloat16 else tensor.numpy()


def short(error):
    """The first message of an error, without the place."""
    found = re.search(r"\[GRV\d+\].*", str(error))
    return (found[0] if found else str(error).split("\n")[0]).split(", also at ")[0][:160]


def run_case(op, case, graven):
    """The verdict's kind and note for one sample."""
    try:
        eager = case.eager()
        if not eager:
            return "untraced", "no tensor results"
        is_random = UNINITIALISED.match(op.name) or RANDOM.match(op.name) or any(
            not torch.equal(a, b) for a, b in zip(map(torch.nan_to_num, eager), map(torch.nan_to_num, case.eager(1)))
            if a.dtype not in (torch.complex64, torch.complex128) and a.shape == b.shape)
        truth = case.truth(eager)
        data, inputs = case.saved()
    except Exception as error:
        return "untraced", str(error).strip().split("\n")[0][:120]
    try:
        results = graven.compile(data, threads=1, opt_level=1)(*map(as_argument, inputs))
    except graven.Error as error:
        return "unsupported", short(error)
    except ValueError as error:
        return ("unsupported" if "complex" in str(error) else "wrong"), str(error).split("\n")[0][:160]
    results = [judging.as_tensor(r) for r in (results if isinstance(results, (list, tuple)) else [results])]
    if len(results) != len(eager):
        return "wrong", f"{len(results)} results, expected {len(eager)}"
    for got, own, true in zip(results, eager, truth):
        if is_random:
            if got.shape != own.shape or got.dtype != own.dtype:
                return "wrong", f"{got.dtype} {tuple(got.shape)}, expected {own.dtype} {tuple(own.shape)}"
            continue
        problem = judging.difference(got, own, true)
        if problem and op.name in PLACES and not own.is_floating_point() and case.inputs and \
                judging.same_elements(case.inputs[0], got, own):
            continue
        if problem:
            return "wrong", problem
    return "pass", ""


def chosen(samples, count):
    """The first samples that differ in ranks or in arguments, at most `count`."""
    seen, picked = set(), []
    for i, sample in enumerate(samples):
        if i >= 20 or len(picked) >= count:
            break
        leaves, _ = pytree.tree_flatten((sample.input, sample.args, sample.kwargs))
        key = str([f"{x.dim()} {x.numel() == 0} {x.dtype}" if isinstance(x, torch.Tensor) else x for x in leaves])
        if count >= 20 or key not in seen:
            picked.append((i, sample))
        seen.add(key)
    return picked


def run_op(op, dtype, count, only=None):
    warnings.filterwarnings("ignore")
    import graven
    torch.set_num_threads(1)
    torch.manual_seed(0)
    samples = op.sample_inputs("cpu", dtype, requires_grad=False)
    picked = chosen(samples, 20 if only is not None else count)
    if only is not None:
        picked = [pair for pair in picked if pair[0] == only]
    passed = 0
    worst = Verdict("untraced", 0, "no samples")
    for i, sample in picked:
        kind, note = run_case(op, Case(op, sample, constants=False), graven)
        if kind == "unsupported" and re.search(r"GRV020[345]", note):
            again, message = run_case(op, Case(op, sample, constants=True), graven)
            if again != "untraced":
                kind, note = again, message
        if kind == "wrong":
            shapes = [tuple(t.shape) for t in tensors_of((sample.input, sample.args, sample.kwargs))]
            return Verdict("wrong", i, f"{note}; inputs {shapes} {str(sample.kwargs)[:120]}")
        if kind == "unsupported" and worst.kind != "unsupported":
            worst = Verdict(kind, i, note)
        if kind == "untraced" and worst.note == "no samples":
            worst = Verdict(kind, i, note)
        passed += kind == "pass"
    if worst.kind == "untraced" and passed:
        return Verdict("pass", 0, f"{passed} samples")
    return worst


# What PyTorch rejects


def literal(value, names):
    """The value in TorchScript's source; raises ValueError where it has none."""
    if isinstance(value, torch.Tensor):
        names.append(value)
        return f"x{len(names) - 1}"
    if isinstance(value, torch.dtype):
        return str(SCALAR_TYPES.index(value)) if value in SCALAR_TYPES else "99"
    if value is None or isinstance(value, (bool, int, float)):
        return {"inf": "float('inf')", "-inf": "float('-inf')", "nan": "float('nan')"}.get(str(value), repr(value))
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(literal(v, names) for v in value) + "]"
    raise ValueError(type(value).__name__)


SCALAR_TYPES = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.float32,
                torch.float64, torch.complex32, torch.complex64, torch.complex128, torch.bool]
SPECIFIED = {torch.uint8: "u8", torch.int8: "i8", torch.int16: "i16", torch.int32: "i32", torch.int64: "i64",
             torch.float16: "f16", torch.float32: "f32", torch.float64: "f64", torch.bool: "i1", torch.bfloat16: "bf16"}


def run_errors(op):
    warnings.filterwarnings("ignore")
    import graven
    count = accepted = 0
    for error in op.error_inputs("cpu"):
        sample, names = error.sample_input, []
        try:
            arguments = [literal(v, names) for v in (sample.input, *sample.args)]
            arguments += [f"{key}={literal(value, names)}" for key, value in sample.kwargs.items()]
        except ValueError:
            continue
        if any(x.dtype not in SPECIFIED or not x.device.type == "cpu" for x in names):
            continue
        inputs = [f"x{i}:{SPECIFIED[x.dtype]}[{','.join(map(str, x.shape))}]" for i, x in enumerate(names)]
        parameters = ", ".join(f"x{i}: Tensor" for i in range(len(names)))
        source = f"def forward({parameters}):\n  return torch.{op.aten_name or op.name}({', '.join(arguments)})\n"
        count += 1
        try:
            graven.compile(source.encode(), inputs=inputs, threads=1, opt_level=0)
            accepted += 1
        except graven.Error:
            pass
    return Verdict("pass" if count else "untraced", 0, f"{count} samples, {accepted} accepted")


# Processes


def warm_up():
    """The first trace and the first compile of a process take a second; what they set up is inherited."""
    import graven
    torch.set_num_threads(1)
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.trace(torch.nn.Tanh(), torch.zeros(1), check_trace=False), buffer)
    graven.compile(buffer.getvalue(), threads=1, opt_level=1)(torch.zeros(1).numpy())


def read_expected(dtype):
    """{operator: (sample, reason)} of those that are known not to pass."""
    expected = {}
    for line in (EXPECTED / f"{dtype}.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, sample, reason = line.split(maxsplit=2)
            expected[name] = (int(sample), reason)
    return expected


def write_expected(dtype, verdicts, total):
    lines = [f"# OpInfo operators whose {dtype} samples do not all pass: name, first such sample, why. Made by",
             f"# `opinfo.py --dtype {dtype} --update`; it may only get shorter. {total - len(verdicts)} of {total} pass."]
    lines += [f"{name} {v.sample} {v.kind}: {v.note}" for name, v in sorted(verdicts.items())]
    EXPECTED.mkdir(exist_ok=True)
    (EXPECTED / f"{dtype}.txt").write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dtype", choices=DTYPES, default="f32")
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--shrink", action="store_true")
    parser.add_argument("--known", action="store_true")
    parser.add_argument("--errors", action="store_true")
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if options.names and (options.update or options.shrink):
        parser.error("a list is of all operators")
    warnings.filterwarnings("ignore")
    sys.path.insert(0, str(ROOT / os.environ.get("GRAVEN_BUILD", "build") / "python"))
    from torch.testing._internal.common_methods_invocations import op_db
    dtype = DTYPES[options.dtype]
    known = read_expected(options.dtype) if options.known else {}
    shrinking = read_expected(options.dtype) if options.shrink else {}
    works = {}
    for op in op_db:
        name = name_of(op)
        if options.names and not any(n[1:] == name if n.startswith("=") else n in name for n in options.names):
            continue
        if options.errors:
            if op.error_inputs_func is not None:
                works[name] = lambda op=op: run_errors(op)
        elif dtype in op.dtypes and (not options.shrink or name in shrinking):
            only = known[name][0] if name in known else None
            works[name] = lambda op=op, only=only: run_op(op, dtype, options.samples, only)

    def report(name, verdict):
        if not options.quiet:
            print(name, verdict.kind, verdict.sample, verdict.note, flush=True)

    with tempfile.TemporaryDirectory(prefix="graven-opinfo-") as cache:
        os.environ.setdefault("GRAVEN_CACHE_DIR", cache)
        os.environ.setdefault("GRAVEN_TUNE_DB", "")
        start = time.monotonic()
        warm_up()
        verdicts = run_all(works, options.jobs, report)
    counts = collections.Counter(v.kind for v in verdicts.values())
    print(f"{options.dtype}: {len(verdicts)} operators,", ", ".join(f"{n} {kind}" for kind, n in counts.most_common()),
          f"({time.monotonic() - start:.0f} s)")
    if options.json:
        options.json.write_text(json.dumps(verdicts))
    if options.shrink or options.update:
        write_expected(options.dtype, {n: v for n, v in verdicts.items() if v.kind != "pass"}, sum(dtype in op.dtypes for op in op_db))
    return 1 if counts["wrong"] or counts["crash"] else 0


if __name__ == "__main__":
    sys.exit(main())
