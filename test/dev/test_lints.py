"""Each lint finds what it is for, in a small tree that breaks one rule, and nothing in one that keeps it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import subprocess
import sys

import pytest

LICENSE = "// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception\n"

GOOD_PASS = '''def FuseConvBN : Pass<"graven-fuse-conv-bn", "graven::GraphOp"> {
  let summary = "folds batch_norm into conv";
  let description = [{ conv, batch_norm ==> conv }];
  let statistics = [Statistic<"fused", "fused", "pairs fused">];
}
'''
PASS_FILES = {
    "passes/graph/Passes.td": GOOD_PASS,
    "passes/graph/FuseConvBN.cpp": "",
    "test/passes/graph/fuse-conv-bn.mlir": "// RUN: graven-opt --graven-fuse-conv-bn %s | FileCheck %s\n",
}


@pytest.fixture
def lint(root, tmp_path):
    """Writes `files` into an empty tree, runs the lint over it and returns its lines."""
    def run(name, files):
        for path, content in files.items():
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode())
        script = root / "tools/dev/lint" / f"check_{name}.py"
        result = subprocess.run([sys.executable, script, "--root", tmp_path], capture_output=True, text=True)
        assert result.stderr == ""
        lines = result.stdout.splitlines()
        assert result.returncode == (1 if lines else 0)
        return lines
    return run


def without(files, name):
    return {path: content for path, content in files.items() if path != name}


@pytest.mark.parametrize("name, files, expected", [
    # layers
    ("layers", {"dialects/graven/A.cpp": '#include "passes/graph/Passes.h"\n'},
     "dialects/graven/A.cpp:1: dialects/ must not depend on passes/"),
    ("layers", {"passes/lower/A.cpp": '\n#include "compiler/Options.h"\n'},
     "passes/lower/A.cpp:2: passes/ must not depend on compiler/"),
    ("layers", {"frontends/onnx/A.cpp": '#include "passes/graph/Passes.h"\n'}, "frontends/ must not depend on passes/"),
    ("layers", {"runtime/A.cpp": '#include "llvm/ADT/STLExtras.h"\n'}, "runtime/ depends on nothing"),
    ("layers", {"runtime/A.cpp": "#include <llvm/ADT/STLExtras.h>\n"}, "runtime/ depends on nothing"),
    ("layers", {"runtime/A.cpp": '#include "dialects/graven/Graven.h"\n'}, "runtime/ must not depend on dialects/"),
    ("layers", {"dialects/graven/A.cpp": '#include "Graven.h"\n'}, "an include is the path from the root"),
    ("layers", {"dialects/graven/A.td": 'include "passes/graph/Passes.td"\n'}, "dialects/ must not depend on passes/"),
    ("layers", {"passes/CMakeLists.txt": "graven_library(GravenPasses A.cpp)\n",
                "dialects/CMakeLists.txt": "graven_library(GravenDialect\n  A.cpp LINK GravenPasses)\n"},
     "GravenDialect of dialects/ must not link GravenPasses of passes/"),
    # names
    ("names", {**PASS_FILES, "passes/graph/Passes.td": GOOD_PASS.replace("graven-fuse", "graven-fold")},
     "pass FuseConvBN has the flag 'graven-fold-conv-bn'"),
    ("names", without(PASS_FILES, "passes/graph/FuseConvBN.cpp"), "has no passes/graph/FuseConvBN.cpp"),
    ("names", without(PASS_FILES, "test/passes/graph/fuse-conv-bn.mlir"),
     "has no test/passes/graph/fuse-conv-bn.mlir"),
    ("names", {**PASS_FILES, "test/passes/graph/fuse-conv-bn.mlir": "// RUN: graven-opt --other %s\n"},
     "does not run 'graven-fuse-conv-bn'"),
    ("names", {**PASS_FILES, "test/passes/graph/orphan.mlir": ""}, "begins with no pass"),
    ("names", {**PASS_FILES, "passes/graph/Passes.td": GOOD_PASS.replace("==>", "and")}, "before ==> after"),
    ("names", {**PASS_FILES, "passes/graph/Passes.td": GOOD_PASS.replace("let summary", "let label")},
     "has no summary"),
    ("names", {"dialects/graven/ops/Conv.td": 'def Graven_ConvOp : Graven_Op<"convolution"> {\n}\n'},
     "op ConvOp has the mnemonic 'convolution'"),
    # sizes
    ("sizes", {"passes/graph/A.cpp": "\n" * 801}, "passes/graph/A.cpp:801: 801 lines, at most 800"),
    ("sizes", {"test/passes/a.mlir": "\n" * 401}, "401 lines, at most 400"),
    ("sizes", {"model.bin": b"\0" * 1_000_001}, "1000001 bytes, at most 1000000"),
    # paths
    ("paths", {"a.md": "see\n/ho" "me/someone/graven/build\n"}, "a.md:2: a path of one machine"),
    ("paths", {"a.onnx": b"\x08\x01 /wo" b"rk/tree/train.py\x00"}, "a.onnx:1: a path of one machine"),
    # banners
    ("banners", {"passes/A.cpp": LICENSE}, "passes/A.cpp:1: the banner is"),
    ("banners", {"passes/A.cpp": "//===- B.cpp - wrong name ---*- C++ -*-===//\n" + LICENSE}, "the banner is"),
    ("banners", {"passes/A.cpp": "//===- A.cpp - purpose ---*- C++ -*-===//\n"}, "the license is missing"),
    ("banners", {"tools/dev/a.py": "import os\n"}, "the license is missing"),
    ("banners", {"tools/dev/a.py": "# S" "PDX-License-Identifier: Apache-2.0 WITH LLVM-exception\nimport os\n"},
     "a docstring"),
    # unfinished
    ("unfinished", {"passes/A.cpp": "// TO" "DO: more\n"}, "passes/A.cpp:1: unfinished work"),
    ("unfinished", {"passes/A.cpp": "// enough for n" "ow\n"}, "unfinished work"),
    # tests
    ("tests", {"test/passes/a.mlir": "// RUN: graven-opt %s\n"}, "this test asserts nothing"),
    ("tests", {"test/passes/a.mlir": "// CHECK: FileCheck\n"}, "this test has no RUN line"),
    ("tests", {"test/passes/a.mlir": "// RUN: graven-opt %s | FileCheck %s\n// XF" "AIL: *\n"}, "expected to fail"),
    ("tests", {"test/unit/x/ATest.cpp": "TEST(A, b) { call(); }\nTEST(A, c) { EXPECT_TRUE(call()); }\n"},
     "test/unit/x/ATest.cpp:1: test A.b asserts nothing"),
    ("tests", {"test/unit/x/ATest.cpp": "TEST(A, DISABLED_b) { EXPECT_TRUE(call()); }\n"}, "is switched off"),
    ("tests", {"test/numerics/test_a.py": "def test_a():\n    run()\n"}, "test_a asserts nothing"),
    ("tests", {"test/numerics/test_a.py": "def run():\n    pass\n\n\ndef test_a():\n    run()\n"}, "asserts nothing"),
    ("layers", {"passes/lower/A.cpp": '#include "runtime/support/pool.h"\n'}, "passes/ must not depend on runtime/"),
    ("tests", {"test/numerics/test_a.py": "@pytest.mark.skip\ndef test_a():\n    assert run()\n"},
     "test_a is switched off without a reason"),
    # format
    ("format", {".clang-format": "BasedOnStyle: LLVM\n", "passes/A.cpp": "int  a ;\n"},
     "passes/A.cpp:1: not as clang-format prints it"),
])
def test_finds_what_breaks_the_rule(lint, name, files, expected):
    lines = lint(name, files)
    assert any(expected in line for line in lines), lines


@pytest.mark.parametrize("name, files", [
    ("layers", {
        "passes/graph/A.cpp": '#include "dialects/graven/Graven.h"\n#include "mlir/IR/Builders.h"\n',
        "compiler/A.cpp": '#include "passes/graph/Passes.h"\n#include "runtime/include/graven/runtime.h"\n',
        "runtime/A.cpp": "#include <stdint.h>\n",
        "dialects/CMakeLists.txt": "graven_library(GravenDialect A.cpp)\n",
        "passes/CMakeLists.txt": "graven_library(GravenPasses A.cpp LINK GravenDialect)\n"}),
    ("names", PASS_FILES),
    ("names", {"dialects/graven/ops/Conv.td": 'def Graven_ConvTransposeOp : Graven_Op<"conv_transpose"> {\n}\n'}),
    ("sizes", {"passes/A.cpp": "\n" * 800, "test/passes/a.mlir": "\n" * 400}),
    ("paths", {"a.md": "a/work/b, /tmp/x.so, https://example.org/home/page, build/work/x\n"}),
    ("banners", {"passes/A.cpp": "//===- A.cpp - purpose ---*- C++ -*-===//\n" + LICENSE,
                 "test/frontends/torchscript/add.py": "# RUN: graven import %s\n"}),
    ("unfinished", {"passes/A.cpp": "// formats, forks, hacker\n"}),
    ("tests", {"test/passes/a.mlir": "// RUN: graven-opt %s | FileCheck %s\n// CHECK: x\n",
               "test/unit/x/ATest.cpp": "TEST(A, b) { EXPECT_TRUE(call()); }\n",
               "test/numerics/test_a.py": "def test_a():\n    np.testing.assert_allclose(a, b)\n",
               "test/numerics/test_b.py": "def refused(x):\n    assert run(x)\n\n\ndef test_b():\n    refused(1)\n"}),
    ("layers", {"passes/lower/A.cpp": '#include "runtime/include/graven/runtime.h"\n'}),
    ("names", {"passes/lower/Passes.td": GOOD_PASS.replace("FuseConvBN", "GravenToX").replace("fuse-conv-bn", "to-x"),
               "passes/lower/GravenToX.cpp": "",
               "test/passes/lower/graven-to-x.mlir": "// RUN: graven-opt --graven-to-x %s | FileCheck %s\n"}),
    ("format", {".clang-format": "BasedOnStyle: LLVM\n", "passes/A.cpp": "int a;\n"}),
])
def test_finds_nothing_where_the_rule_is_kept(lint, name, files):
    assert lint(name, files) == []
