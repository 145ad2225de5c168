"""Code for a narrower CPU than the one that compiles: its weights are packed by the host for that CPU.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import subprocess

import numpy
import pytest

OUT, IN = 12, 45


@pytest.mark.parametrize("cpu", ["x86-64", "x86-64-v2", "x86-64-v3"])
def test_packed_weights(graven, tmp_path, cpu):
    weight = numpy.arange(OUT * IN, dtype=numpy.float32).reshape(OUT, IN) % 7 - 3
    x = numpy.arange(2 * IN, dtype=numpy.float32).reshape(2, IN) % 5 - 2
    (tmp_path / "graph.mlir").write_text(f"""
graven.param @w : tensor<{OUT}x{IN}xf32> = dense<{weight.tolist()}> : tensor<{OUT}x{IN}xf32>
graven.graph @forward(%x: tensor<2x{IN}xf32>) -> tensor<2x{OUT}xf32> {{
  %w = graven.get_param @w : tensor<{OUT}x{IN}xf32>
  %0 = graven.matmul %x, %w transpose_b : (tensor<2x{IN}xf32>, tensor<{OUT}x{IN}xf32>) -> tensor<2x{OUT}xf32>
  graven.return %0 : tensor<2x{OUT}xf32>
}}
""")
    numpy.save(tmp_path / "x.npy", x)
    run = subprocess.run([graven, "run", tmp_path / "graph.mlir", "--target-cpu", cpu, "--input", f"0=@{tmp_path / 'x.npy'}",
                          "--save-outputs", tmp_path / "out"], capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    numpy.testing.assert_array_equal(numpy.load(tmp_path / "out" / "0.npy"), x @ weight.T)
