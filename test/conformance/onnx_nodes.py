#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The node tests of the onnx package, compiled and run through graven.onnx_backend.

usage: onnx_nodes.py [--part K/N] [--update | --shrink] [--folder DIR] [--jobs 2] [--json FILE] [NAME ...]
  NAME      parts of cases' names, or =NAME for one; default: all
  --part    of N parts of all cases, which are the same in each run, the K-th; and those in expected/onnx-nodes.txt
  --update  writes expected/onnx-nodes.txt anew from what is not supported
  --shrink  runs only the cases in the list, and takes those out that pass
  --folder  runs other cases: all model.onnx below DIR with the test_data_set_* beside them, as in Debian's libonnx-testdata

Each case runs in a process of its own. What becomes of it:
  pass         the results are as onnx.backend.test wants them; see `close`
  unsupported  refused with a coded error
  wrong, crash what may never be
"""
import argparse
import collections
import json
import os
import pathlib
import re
import sys
import tempfile
import time
import types
import warnings
import zlib

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases
from onnx.backend.test.runner import Runner

from processes import Verdict, run_all

LIST, ROOT = pathlib.Path(__file__).parent / "expected" / "onnx-nodes.txt", pathlib.Path(__file__).resolve().parents[2]
# What draws numbers has no expected ones.
RANDOM = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}


def value_of(value):
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    if isinstance(value, onnx.SequenceProto):
        return numpy_helper.to_list(value)
    if isinstance(value, onnx.OptionalProto):
        return numpy_helper.to_optional(value)
    return np.asarray(value) if isinstance(value, (np.generic, bool, int, float)) else value


def opset_of(model):
    return max([entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")] or [0])


def is_random(model):
    functions = [node for function in model.functions for node in function.node]
    return any(node.op_type in RANDOM for node in [*model.graph.node, *functions])


def close(expected, got, case):
    """Raises where results are not as they should be.

    Beyond the tolerance of the case an element may be off by twice the precision of its type, of the greatest: some
    expected values are rounded after each of many steps, or are the noise of a sum that is zero.
    """
    np.testing.assert_equal(len(got), len(expected))
    for own, other in zip(got, expected):
        if isinstance(other, list):
            assert isinstance(own, list), f"expected a list, got {type(own).__name__}"
            close(other, own, case)
            continue
        if other is None:
            assert own is None, f"expected None, got {type(own).__name__}"
            continue
        slack = case.atol
        if isinstance(other, np.ndarray) and other.dtype in (np.float16, np.float32, np.float64) and other.size:
            sizes = np.abs(other[np.isfinite(other)]).astype(np.float64)
            slack = max(slack, 2 * float(np.finfo(other.dtype).eps) * float(sizes.max(initial=0)))
        Runner.assert_similar_outputs([other], [own], case.rtol, slack, None)


def read_value(file, info):
    """The value in a file; `info` is what the model says of its type."""
    kinds = {"sequence_type": onnx.SequenceProto, "optional_type": onnx.OptionalProto}
    return kinds.get(info.type.WhichOneof("value"), onnx.TensorProto).FromString(file.read_bytes())


def read_case(folder):
    """A case of a suite of files, with the tolerances of onnx.backend.test."""
    model = onnx.load(folder / "model.onnx")
    held = {tensor.name for tensor in model.graph.initializer}
    inputs = [info for info in model.graph.input if info.name not in held]
    sets = []
    for data in sorted(folder.glob("test_data_set_*")):
        given = len(list(data.glob("input_*.pb")))
        infos = inputs if given <= len(inputs) else model.graph.input
        sets.append(([read_value(data / f"input_{i}.pb", infos[i]) for i in range(given)],
                     [read_value(data / f"output_{i}.pb", info) for i, info in enumerate(model.graph.output)]))
    return types.SimpleNamespace(model=model, data_sets=sets, rtol=1e-3, atol=1e-7)


def run_case(case):
    import graven
    from graven import onnx_backend
    try:
        for inputs, expected in case.data_sets:
            expected = [value_of(value) for value in expected]
            got = onnx_backend.run_model(case.model, [value_of(value) for value in inputs])
            if is_random(case.model):
                np.testing.assert_equal([(x.shape, x.dtype) for x in got], [(x.shape, x.dtype) for x in expected])
            else:
                close(expected, got, case)
    except graven.Error as error:
        found = re.search(r"\[GRV\d+\].*", str(error))
        return Verdict("unsupported" if found else "wrong", 0, (found[0] if found else str(error))[:160])
    except AssertionError as error:
        return Verdict("wrong", 0, " ".join(str(error).split())[:200])
    except TypeError as error:
        is_foreign = re.search("expected an array in the CPU's memory, got|no model takes elements", str(error))
        return Verdict("unsupported" if is_foreign else "wrong", 0, str(error)[:160])
    return Verdict("pass", 0)


def read_expected():
    lines = LIST.read_text().splitlines() if LIST.exists() else []
    return dict(line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))


def write_expected(verdicts, total):
    lines = ["# ONNX node tests that are not supported, and why. Made by `onnx_nodes.py --update`; it may only get",
             f"# shorter. {total - len(verdicts)} of {total} pass (onnx {onnx.__version__})."]
    lines += [f"{name} {verdict.note}" for name, verdict in sorted(verdicts.items())]
    LIST.write_text("\n".join(lines) + "\n")


def chosen(cases, options):
    part, parts = map(int, (options.part or "0/1").split("/"))
    expected = read_expected()
    for name, case in cases.items():
        if options.names and not any(n[1:] == name if n.startswith("=") else n in name for n in options.names):
            continue
        if options.shrink and name not in expected:
            continue
        if zlib.crc32(name.encode()) % parts == part or (options.part and name in expected):
            yield name, case


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--shrink", action="store_true")
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if (options.names or options.part or options.folder) and (options.update or options.shrink):
        parser.error("the list is of all node tests")
    warnings.filterwarnings("ignore")
    sys.path.insert(0, str(ROOT / os.environ.get("GRAVEN_BUILD", "build") / "python"))
    import graven  # noqa: F401  here, so that each process has it
    if options.folder:
        cases = {f"{file.parents[1].name}/{file.parent.name}": read_case(file.parent)
                 for file in sorted(options.folder.rglob("model.onnx"))}
    else:
        cases = {case.name: case for case in collect_testcases()}
    works = {name: lambda case=case: run_case(case) for name, case in chosen(cases, options)}

    def report(name, verdict):
        if not options.quiet:
            print(name, verdict.kind, verdict.note, flush=True)

    with tempfile.TemporaryDirectory(prefix="graven-onnx-") as cache:
        os.environ.setdefault("GRAVEN_CACHE_DIR", cache)
        os.environ.setdefault("GRAVEN_TUNE_DB", "")
        start = time.monotonic()
        verdicts = run_all(works, options.jobs, report)
    for title, least in (("opset <= 23", range(24)), ("all", range(10**6))):
        counts = collections.Counter(v.kind for name, v in verdicts.items() if opset_of(cases[name].model) in least)
        print(f"{title}: {counts.total()} cases,", ", ".join(f"{n} {kind}" for kind, n in counts.most_common()),
              f"({time.monotonic() - start:.0f} s)")
    if options.json:
        options.json.write_text(json.dumps(verdicts))
    if options.update or options.shrink:
        write_expected({n: v for n, v in verdicts.items() if v.kind == "unsupported"}, len(cases))
    return 1 if counts["wrong"] or counts["crash"] else 0


if __name__ == "__main__":
    sys.exit(main())
