"""Runs a command and succeeds when it ends with the exit code asked for (the command line's contract: 0 ok,
1 check failed, 2 unsupported or bad input, 3 usage, 70 internal). In lit: RUN: %exits 2 graven compile %s -o %t.so

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import subprocess
import sys

expected = int(sys.argv[1])
got = subprocess.run(sys.argv[2:]).returncode
if got != expected:
    sys.exit(f"exits.py: expected exit code {expected}, got {got}: {' '.join(sys.argv[2:])}")
