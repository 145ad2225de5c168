"""Plugins that tools/dev/build-plugin.py compiles know the dialects of the graven-opt that loads them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import os
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def plugin(root, build, tmp_path_factory):
    path = tmp_path_factory.mktemp("plugin") / "Mine.so"
    subprocess.run([sys.executable, root / "tools/dev/build-plugin.py", "-o", path,
                    root / "test/tools/graven-opt/Inputs/dialect-plugin.cpp"],
                   check=True, env={**os.environ, "GRAVEN_BUILD": str(build)})
    return path


def opt(root, build, *arguments):
    return subprocess.run([build / "bin/graven-opt", root / "test/tools/graven-opt/Inputs/rectify.mlir", *arguments],
                          capture_output=True, text=True)


def test_a_dialect_and_a_pass_of_a_plugin(root, build, plugin):
    result = opt(root, build, f"--load-dialect-plugin={plugin}", f"--load-pass-plugin={plugin}",
                 "--pass-pipeline=builtin.module(graven.graph(lower-mine))", "--verify-numerics")
    assert result.returncode == 0, result.stderr
    assert "graven.relu" in result.stdout and "mine.rectify" not in result.stdout


def test_the_pipeline_of_a_plugin_is_printed(root, build, plugin):
    result = opt(root, build, f"--load-pass-plugin={plugin}", "--print-pipeline",
                 "--pass-pipeline=builtin.module(graven.graph(lower-mine))")
    assert result.stdout == "builtin.module(graven.graph(lower-mine))\n", result.stderr


def test_without_the_plugin_its_dialect_is_unknown(root, build):
    result = opt(root, build)
    assert result.returncode != 0 and "mine.rectify" in result.stderr


def test_what_is_no_plugin_is_refused(root, build):
    result = opt(root, build, f"--load-pass-plugin={root / 'README.md'}")
    assert result.returncode != 0 and "README.md" in result.stderr
