"""Every operator that PyTorch describes (OpInfo), on its own samples: right, or refused with a coded error.

expected/DTYPE.txt lists the operators that do not pass. An operator that is not in the list must pass, and one that is
must not, so that the list shrinks with the work on it; wrong results and crashes cannot be listed. Here each operator
runs on a few samples that differ in ranks or arguments, listed ones on the sample that the list names;
GRAVEN_OPINFO_SAMPLES=20 runs all.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import os
import pathlib
import subprocess
import sys

import judging
import opinfo
import pytest
import torch

from processes import problems_of

SAMPLES = 2
# What builds the Nodes is the same for all types; of the others a sample tells whether they are computed as they should.
WELL_SAMPLED, FEW_SAMPLES = ("f32", "i64", "bool"), 1
# Types are judged from the day on which they have a list.
LISTED = [dtype for dtype in opinfo.DTYPES if (opinfo.EXPECTED / f"{dtype}.txt").exists()]
DRIVER = pathlib.Path(opinfo.__file__)


def run_driver(report, *arguments):
    subprocess.run([sys.executable, DRIVER, "--quiet", "--json", report, *arguments], check=False, timeout=3000)
    return {name: opinfo.Verdict(*fields) for name, fields in json.loads(report.read_text()).items()}


@pytest.mark.parametrize("dtype", LISTED)
def test_operators(dtype, tmp_path):
    usual = SAMPLES if dtype in WELL_SAMPLED else FEW_SAMPLES
    samples = os.environ.get("GRAVEN_OPINFO_SAMPLES", str(usual))
    verdicts = run_driver(tmp_path / "report.json", "--dtype", dtype, "--samples", samples, "--known")
    expected = opinfo.read_expected(dtype)
    problems = problems_of(verdicts, expected, f"opinfo.py --dtype {dtype} --shrink")
    assert not problems, "\n".join(problems)
    assert len(verdicts) > 300, "PyTorch has more operators"


@pytest.mark.parametrize("dtype", LISTED)
def test_wrong_results_are_not_listed(dtype):
    for name, (_, reason) in opinfo.read_expected(dtype).items():
        assert reason.startswith(("unsupported: [GRV", "unsupported: complex", "untraced: ")), f"{name}: {reason}"


def test_f32_is_judged():
    assert "f32" in LISTED


def test_what_pytorch_rejects_does_not_crash(tmp_path):
    verdicts = run_driver(tmp_path / "report.json", "--errors")
    bad = [f"{name}: {v.kind}: {v.note}" for name, v in verdicts.items() if v.kind in ("wrong", "crash")]
    assert not bad, "\n".join(bad)
    assert sum(v.kind == "pass" for v in verdicts.values()) > 100


def difference(got, expected):
    expected = torch.tensor(expected)
    return judging.difference(torch.tensor(got), expected, expected.double())


def test_the_judge_finds_differences():
    assert difference([1.0, 2.0], [1.0, 2.0]) is None
    assert difference([1.0, 2.0 + 1e-6], [1.0, 2.0]) is None
    assert "off by" in difference([1.0, 2.001], [1.0, 2.0])
    assert "NaN" in difference([1.0, 2.0], [1.0, float("nan")])
    assert "NaN" in difference([1.0, float("nan")], [1.0, 2.0])
    assert "infinities" in difference([1.0, float("inf")], [1.0, float("-inf")])
    assert "shape" in difference([1.0], [1.0, 2.0])
    assert "dtype" in difference([1, 2], [1.0, 2.0])
    assert "differ" in difference([1, 2], [1, 3])


def test_the_judge_knows_eager_errors():
    # Eager lost all digits of the first element; of the second, four times its error is good enough.
    eager, truth = torch.tensor([1e10, 1.001]), torch.tensor([1e30, 1.0]).double()
    assert judging.difference(torch.tensor([5.0, 1.003]), eager, truth) is None
    assert "off by" in judging.difference(torch.tensor([5.0, 1.1]), eager, truth)


def test_places_of_equal_elements():
    x = torch.tensor([3.0, 1.0, 3.0])
    assert judging.same_elements(x, torch.tensor(0), torch.tensor(2))
    assert not judging.same_elements(x, torch.tensor(0), torch.tensor(1))
