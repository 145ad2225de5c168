#!/usr/bin/env python3
"""Feeds mutated files to the parsers and phases and reports every crash, hang and error without a code.

usage: test/fuzz/fuzz.py [--seconds S] [--seed N] [--kinds pt,onnx,mlir,py,npy] [--corpus DIR ...] [--keep DIR]

Each mutant is made from a file of the corpus (the repository's own small models and IR; --corpus adds folders), put in
a temporary folder, and taken by build/bin/fuzz-target through a stage: import, a phase, the evaluator. Fine are exit 0
(accepted) and 2 (refused with a code); a signal, exit 70 (refused without a code) and anything else is a finding, and
the mutant stays in --keep with a .log of what the target said. Findings of one kind and text are counted once.
Exit code: 0 without findings, 1 with some.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import argparse
import collections
import os
import pathlib
import random as randoms
import re
import signal
import subprocess
import sys
import tempfile
import time

import mutate

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = (ROOT / os.environ.get("GRAVEN_BUILD", "build")).resolve()
MOST_FILE_BYTES = 1 << 20
MUTATORS = {"pt": mutate.mutate_zip, "onnx": mutate.mutate_protobuf, "mlir": mutate.mutate_text,
            "py": mutate.mutate_text, "npy": mutate.mutate_bytes}
# Stages and how often: parsing is where hostile bytes arrive, the phases are slower.
STAGES = {"pt": ["import"] * 6 + ["graph", "loops"], "onnx": ["import"] * 6 + ["graph", "loops"],
          "mlir": ["import"] * 2 + ["evaluate", "graph", "kernel", "buffer", "loops", "pipeline", "pipeline"],
          "py": ["import"] * 4 + ["graph", "evaluate"], "npy": ["npy"]}
GRAPH_PASSES = ["canonicalize", "cse", "graven-infer-shapes", "graven-fold-constants", "graven-fuse-conv-bn",
                "graven-simplify-transposes", "graven-recompose-ops", "graven-fuse-epilogues", "graven-assign-layouts",
                "graven-eliminate-dead-nodes", "graven-inline-calls", "graven-remove-identities"]
KINDS = {".pt": "pt", ".onnx": "onnx", ".mlir": "mlir", ".py": "py", ".npy": "npy"}


class Seed:
    def __init__(self, path, data, passes=()):
        self.path, self.data, self.passes = path, data, passes
        # Inputs that the file's own test gives, or a file m.inputs beside m.pt.
        beside = path.with_suffix(".inputs")
        head = data[:2000].decode("utf-8", "replace").split("\n", 1)[0]
        self.inputs = beside.read_text().strip() if beside.exists() else \
            " ".join(re.findall(r"--input (\S+:\S+)", head))


def read_corpus(folders):
    corpus = collections.defaultdict(list)
    own = [ROOT / "examples" / "digits", ROOT / "test" / "dialects", ROOT / "test" / "passes", ROOT / "test" / "tools",
           ROOT / "test" / "compiler", ROOT / "test" / "frontends"]
    for folder in [*own, *map(pathlib.Path, folders)]:
        for path in sorted(folder.rglob("*")):
            kind = KINDS.get(path.suffix)
            if not kind or path.stat().st_size > MOST_FILE_BYTES or path.name in ("train.py", "expected.json"):
                continue
            data = path.read_bytes()
            parts = re.split(rb"\n// -----.*\n", data) if kind == "mlir" else [data]
            # The passes that the file tests; they see IR that the phases before them would not make.
            passes = re.findall(r"--(graven-[\w-]+)", data[:2000].decode("utf-8", "replace")) if kind == "mlir" else []
            corpus[kind] += [Seed(path, part, passes) for part in parts if part.strip()]
    return corpus


class Target:
    def __init__(self):
        self.process = None

    def ask(self, stage, path, inputs):
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen([BUILD / "bin" / "fuzz-target"], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(f"{stage}\t{path}\t{inputs}\n")
        self.process.stdin.flush()
        how, number = self.process.stdout.readline().split()
        return how, int(number)

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()


def describe(how, number, log):
    """What makes two findings the same: how it ended, and the first frame or message without its numbers."""
    if how == "signal":
        name = signal.Signals(number).name
        frames = re.findall(r"#\d+ 0x[0-9a-f]+ (\S+)", log)
        ours = next((frame for frame in frames if "graven" in frame), "")
        said = log.strip().split("\n")[0] if not frames else ""
        return f"{name} {ours or said}"[:160]
    last = [line for line in log.split("\n") if line]
    return f"exit {number} " + re.sub(r"\d+|'[^']*'|loc\([^)]*\)", "#", last[0] if last else "")[:160]


def fuzz(seed, seconds, kinds, folders, keep, most=None):
    """Runs for so many seconds or mutants; gives the counts of outcomes and the findings."""
    random = randoms.Random(seed)
    corpus = read_corpus(folders)
    kinds = [kind for kind in kinds if corpus[kind]]
    pools = {kind: [entry.data for entry in corpus[kind]] for kind in kinds}
    counts, findings = collections.Counter(), {}
    target = Target()
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        while time.monotonic() < end and (most is None or sum(counts.values()) < most):
            kind = random.choice(kinds)
            entry = random.choice(corpus[kind])
            data = MUTATORS[kind](random, entry.data, pools[kind])
            stage = random.choice(STAGES[kind])
            if stage == "pipeline":
                chosen = entry.passes
                if not chosen or random.random() < 0.3:
                    chosen = random.sample(GRAPH_PASSES, random.randrange(1, 5))
                stage = f"passes:{','.join(chosen)}"
            path = os.path.join(folder, f"m.{kind}")
            pathlib.Path(path).write_bytes(data)
            how, number = target.ask(stage, path, entry.inputs)
            counts[kind, how, number] += 1
            if (how, number) in (("exit", 0), ("exit", 2)):
                continue
            log = pathlib.Path(path + ".log").read_text(errors="replace")
            what = f"{kind} {stage}: {describe(how, number, log)}"
            if what in findings:
                findings[what] += 1
                continue
            findings[what] = 1
            print(f"finding: {what} (from {entry.path.name}, inputs '{entry.inputs}')", flush=True)
            if keep:
                os.makedirs(keep, exist_ok=True)
                saved = pathlib.Path(keep) / f"{seed}-{len(findings)}.{kind}"
                saved.write_bytes(data)
                saved.with_suffix(saved.suffix + ".log").write_text(
                    f"stage {stage}\ninputs {entry.inputs}\nseed file {entry.path}\n{what}\n{log[:100000]}")
    target.close()
    return counts, findings


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", default="pt,onnx,mlir,py,npy")
    parser.add_argument("--corpus", action="append", default=[], metavar="DIR")
    parser.add_argument("--keep", metavar="DIR")
    flags = parser.parse_args()
    counts, findings = fuzz(flags.seed, flags.seconds, flags.kinds.split(","), flags.corpus, flags.keep)
    for (kind, how, number), count in sorted(counts.items()):
        print(f"{kind:5} {how} {number}: {count}")
    print(f"{sum(counts.values())} mutants, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
