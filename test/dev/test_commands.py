"""The commands of tools/dev: what they install, how they count.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import importlib.util
import os
import subprocess

import pytest


def fake_command(folder, name, script):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def machine(tmp_path):
    """A PATH on which no package is installed, the user is not root, and apt-get and sudo write down their calls."""
    fake_command(tmp_path, "dpkg-query", "exit 1")
    fake_command(tmp_path, "id", "echo 1000")
    fake_command(tmp_path, "apt-get", f'echo "apt-get $*" >>{tmp_path}/calls')
    return tmp_path


def run_deps(root, machine, kind, **environment):
    # Of the system's commands only these: sudo must not be found unless the test gives one.
    for name in ("bash", "dirname", "sed", "cat", "rm", "mktemp", "env", "flock", "sha256sum", "mkdir"):
        link = machine / name
        if not link.exists():
            link.symlink_to(f"/usr/bin/{name}" if os.path.exists(f"/usr/bin/{name}") else f"/bin/{name}")
    return subprocess.run(["/bin/bash", root / "tools/dev/deps.sh", *kind], capture_output=True, text=True,
                          env={"PATH": str(machine), **environment})


def test_missing_packages_without_root_are_named(root, machine):
    result = run_deps(root, machine, ["build"])
    assert result.returncode == 3
    assert "apt-get install clang-22" in result.stderr and "libmlir-22-dev" in result.stderr
    assert not (machine / "calls").exists()


def test_missing_packages_are_installed_through_sudo(root, machine):
    fake_command(machine, "sudo", f'echo sudo >>{machine}/calls\nexec "$@"')
    result = run_deps(root, machine, ["build"])
    assert result.returncode == 0, result.stderr
    calls = (machine / "calls").read_text().splitlines()
    assert calls[0] == "sudo" and calls[1].endswith("update") and "install -y --no-install-recommends" in calls[3]


def test_apt_failure_is_shown(root, machine):
    fake_command(machine, "sudo", 'exec "$@"')
    fake_command(machine, "apt-get", "echo no such package; exit 100")
    result = run_deps(root, machine, ["build"])
    assert result.returncode == 1 and "no such package" in result.stderr


def test_nothing_is_asked_for_when_all_is_there(root, machine):
    fake_command(machine, "dpkg-query", "printf installed")
    result = run_deps(root, machine, ["build"])
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_unknown_kind_is_a_usage_error(root, machine):
    result = run_deps(root, machine, ["everything"])
    assert result.returncode == 3 and "usage: tools/dev/deps.sh build|test" in result.stderr


@pytest.fixture
def run_tests(root):
    spec = importlib.util.spec_from_file_location("run_tests", root / "tools/dev/run_tests.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_junit_counts(run_tests, tmp_path):
    report = tmp_path / "report.xml"
    report.write_text("<testsuites><testsuite><testcase name='a'/><testcase name='b'><failure/></testcase>"
                      "<testcase name='c'><error/></testcase><testcase name='d'><skipped/></testcase>"
                      "</testsuite></testsuites>")
    counts = run_tests.count_junit(report)
    assert (counts.passed, counts.failed, counts.skipped) == (1, 2, 1)
    assert str(counts) == "1 passed, 2 failed, 1 skipped"
    assert str(run_tests.Counts(3, 0)) == "3 passed, 0 failed"


@pytest.mark.parametrize("command, failed", [
    ("exit 0", 1),  # no test was found
    ("exit 1", 1),  # the suite broke before its report
    ("echo '<t><testcase/></t>' >$REPORT; exit 1", 1),  # it failed without naming a test
    ("echo '<t><testcase/></t>' >$REPORT; exit 0", 0),
    ("echo '<t><testcase><failure/></testcase></t>' >$REPORT; exit 1", 1),
])
def test_a_suite_that_breaks_counts_as_failed(run_tests, tmp_path, monkeypatch, command, failed):
    monkeypatch.setattr(run_tests, "REPORTS", tmp_path)
    monkeypatch.setenv("REPORT", str(tmp_path / "suite.xml"))
    assert run_tests.run_suite("suite", "sh", "-c", command).failed == failed


def test_unknown_suite_is_a_usage_error(run_tests, capsys):
    assert run_tests.main(["nosuch"]) == 3
    assert "expected one of lint, lit, unit, pytest" in capsys.readouterr().err
