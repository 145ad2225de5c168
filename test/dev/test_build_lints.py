"""The lints that need a build: clang-tidy on changed files, and the generated reference pages.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import os
import subprocess
import sys

import pytest


def git(folder, *arguments):
    subprocess.run(["git", "-C", folder, "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments], check=True,
                   capture_output=True)


@pytest.fixture
def lint(root, tmp_path):
    def run(name, *flags):
        script = root / "tools/dev/lint" / f"check_{name}.py"
        environment = {**os.environ, "GRAVEN_BUILD": "build"}
        result = subprocess.run([sys.executable, script, "--root", tmp_path, *flags], capture_output=True, text=True,
                                env=environment)
        assert result.stderr == ""
        return result.stdout.splitlines()
    return run


@pytest.fixture
def repository(root, tmp_path):
    """A repository whose last commit changed `changed.cpp`; both files have the same mistake."""
    mistake = "int f(int a) { return a == a; }\n"
    (tmp_path / ".clang-tidy").write_text((root / ".clang-tidy").read_text())
    (tmp_path / ".gitignore").write_text("build/\n")
    (tmp_path / "old.cpp").write_text(mistake)
    (tmp_path / "changed.cpp").write_text("\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    (tmp_path / "changed.cpp").write_text(mistake)
    git(tmp_path, "commit", "-qam", "second")
    (tmp_path / "build").mkdir()
    (tmp_path / "build/compile_commands.json").write_text(json.dumps([
        {"directory": str(tmp_path), "file": str(tmp_path / name), "command": f"clang++ -c {name}"}
        for name in ("old.cpp", "changed.cpp")]))
    return tmp_path


def test_tidy_finds_mistakes_of_changed_files_only(lint, repository):
    lines = lint("tidy")
    assert len(lines) == 1 and lines[0].startswith("changed.cpp:1: ") and "misc-redundant-expression" in lines[0]


def test_tidy_finds_nothing_in_sound_code(lint, repository):
    (repository / "changed.cpp").write_text("int f(int a) { return a; }\n")
    assert lint("tidy") == []


@pytest.fixture
def generated(tmp_path):
    """A build whose graven-doc writes one page, ops.md."""
    build = tmp_path / "build"
    (build / "docs/generated").mkdir(parents=True)
    (build / "build.ninja").write_text(
        "rule page\n  command = echo fresh > $out\nbuild docs/generated/ops.md: page\n"
        "build graven-doc: phony docs/generated/ops.md\n")
    (tmp_path / "docs/generated").mkdir(parents=True)
    return tmp_path


def test_docs_missing_page(lint, generated):
    assert lint("docs") == ["docs/generated/ops.md:1: out of date: tools/dev/lint/check_docs.py --update"]


def test_docs_drift_and_update(lint, generated):
    (generated / "docs/generated/ops.md").write_text("stale\n")
    (generated / "docs/generated/gone.md").write_text("stale\n")
    assert len(lint("docs")) == 2
    assert lint("docs", "--update") == []
    assert lint("docs") == []
    assert (generated / "docs/generated/ops.md").read_text() == "fresh\n"
