# lit configuration of Graven's tests. The build writes lit.site.cfg.py (paths) and loads this file.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import os

import lit.formats
import lit.util

config.name = "graven"
config.test_format = lit.formats.ShTest(execute_external=False)
# .py is TorchScript source text, .textproto an ONNX model for protoc; Python programs live in the excluded folders.
config.suffixes = [".mlir", ".test", ".py", ".c", ".textproto"]
config.excludes = [
    "Inputs", "bench", "conformance", "conftest.py", "dev", "fuzz", "lit.cfg.py", "numerics", "python", "unit",
]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.graven_build, "test")

# Tools are found on PATH: ours first, then FileCheck, not, count, split-file of the LLVM that we build with.
config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.graven_build, "bin"), config.llvm_tools, os.environ["PATH"]])
# A test must not depend on who runs it: no colours, no width of a terminal, a fixed locale.
config.environment["LC_ALL"] = "C.UTF-8"
config.environment["TERM"] = "dumb"
# Nor on what was compiled before.
config.environment["GRAVEN_CACHE_DIR"] = ""
config.environment["GRAVEN_TUNE_DB"] = ""

config.substitutions += [
    ("%graven-opt", "graven-opt"),
    ("%graven", "graven"),
    ("%python", config.python),
    ("%cc", config.c_compiler),
    ("%exits", f"{config.python} {config.test_source_root}/Inputs/exits.py"),
    ("%root", config.graven_source),
    ("%llvm-include", os.path.join(os.path.dirname(config.llvm_tools), "include")),
    ("%build", config.graven_build),
]
