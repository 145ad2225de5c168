"""Random graphs of all ops: the evaluator, -O0 and -O3 agree on each, within the policy on numerics, and nothing crashes.
GRAVEN_RANDOM_GRAPHS=10000 is the nightly number; a finding repeats with random-graphs --seed N --keep DIR.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = (ROOT / os.environ.get("GRAVEN_BUILD", "build")).resolve()
PROGRAM = BUILD / "bin" / "random-graphs"
CI_GRAPHS = 300
SHARE = 50
# Each row of the table of ops is drawn 1 time in 100, and some draws may not stay.
GRAPHS_FOR_ALL_OPS = 300


def run(first, count, keep):
    """The report on so many seeds."""
    done = subprocess.run([PROGRAM, "--seed", str(first), "--count", str(count), "--keep", keep],
                          stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def test_evaluator_and_all_levels_agree(tmp_path):
    total = int(os.environ.get("GRAVEN_RANDOM_GRAPHS", CI_GRAPHS))
    firsts = range(1, total + 1, SHARE)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        reports = list(pool.map(lambda first: run(first, min(SHARE, total + 1 - first), tmp_path), firsts))
    findings = [f"seed {finding['seed']}: {finding['what']}\n{finding['log']}"
                for report in reports for finding in report["findings"]]
    assert not findings, f"{len(findings)} of {total}, graphs are in {tmp_path}\n" + "\n".join(findings[:20])
    absent = [op for op in reports[0]["nodes"] if not sum(report["nodes"][op] for report in reports)]
    assert total < GRAPHS_FOR_ALL_OPS or not absent, f"never drawn: {absent}"


def test_a_seed_gives_the_same_graph():
    graphs = [subprocess.run([PROGRAM, "--draw", "--seed", seed], check=True, stdout=subprocess.PIPE).stdout
              for seed in ("7", "7", "8")]
    assert graphs[0] == graphs[1] != graphs[2]


@pytest.mark.parametrize("how, what", [("value", "expected"), ("process", "signal 6")])
def test_what_is_wrong_is_found(how, what, tmp_path):
    """Of spoilt graphs, all are findings, and a crash does not hide the next."""
    done = subprocess.run([PROGRAM, "--seed", "7", "--count", "2", "--spoil", how, "--keep", tmp_path],
                          stdout=subprocess.PIPE, text=True)
    assert done.returncode == 1
    findings = json.loads(done.stdout)["findings"]
    assert [finding["seed"] for finding in findings] == [7, 8]
    assert all(what in finding["what"] for finding in findings)
    assert all("graven run" in finding["log"] for finding in findings)
    assert (tmp_path / "seed-7.mlir").exists()
