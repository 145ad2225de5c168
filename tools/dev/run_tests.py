#!/usr/bin/env python3
"""Runs the checks and test suites one after the other, all of them even when one fails, and adds up their counts.

usage: tools/dev/run_tests.py [lint|lit|unit|pytest ...]      tools/dev/test calls it with the tree built
environment: GRAVEN_BUILD, the build folder (default: build)
Exit code: 0 when nothing failed, 1 otherwise.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import dataclasses
import os
import pathlib
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = (ROOT / os.environ.get("GRAVEN_BUILD", "build")).resolve()
LLVM = pathlib.Path(os.environ.get("GRAVEN_LLVM", "/usr/lib/llvm-22"))
REPORTS = BUILD / "reports"


@dataclasses.dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def count_junit(path):
    """Counts of a JUnit file, the report that lit, ctest and pytest have in common."""
    counts = Counts()
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            counts.failed += 1
        elif case.find("skipped") is not None:
            counts.skipped += 1
        else:
            counts.passed += 1
    return counts


def run_suite(name, *command):
    """Runs a command that writes a JUnit file to REPORTS/name.xml. A suite that says it failed without naming a
    test, or found no test at all, counts as one failure."""
    report = REPORTS / f"{name}.xml"
    report.unlink(missing_ok=True)
    status = subprocess.run(command, cwd=ROOT).returncode
    counts = count_junit(report) if report.exists() else Counts()
    if status != 0 and counts.failed == 0 or counts.passed + counts.failed == 0:
        counts.failed += 1
    return counts


def lint():
    counts = Counts()
    for script in sorted((ROOT / "tools/dev/lint").glob("check_*.py")):
        if subprocess.run([sys.executable, script], cwd=ROOT).returncode == 0:
            counts.passed += 1
        else:
            print(f"failed: {script.relative_to(ROOT)}", flush=True)
            counts.failed += 1
    return counts


def lit():
    return run_suite("lit", LLVM / "bin/lit", "-sv", "--order=lexical", "--xunit-xml-output", REPORTS / "lit.xml",
                     BUILD / "test")


def unit():
    return run_suite("unit", "ctest", "--test-dir", BUILD, "--output-on-failure", "--no-tests=error", "--quiet",
                     "--output-junit", REPORTS / "unit.xml")


def pytest():
    return run_suite("pytest", sys.executable, "-m", "pytest", "-q", "-rs", "--junitxml", REPORTS / "pytest.xml",
                     "test")


SUITES = {"lint": lint, "lit": lit, "unit": unit, "pytest": pytest}


def main(names):
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        print(f"run_tests.py: unknown suite '{unknown[0]}', expected one of {', '.join(SUITES)}", file=sys.stderr)
        return 3
    REPORTS.mkdir(parents=True, exist_ok=True)
    total = Counts()
    for name in names or SUITES:
        start = time.monotonic()
        print(f"== {name}", flush=True)
        counts = SUITES[name]()
        print(f"== {name}: {counts} ({time.monotonic() - start:.0f} s)", flush=True)
        total += counts
    print(total)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
