"""Extents that data decide, as native code: graphs by hand and PyTorch's models, over many masks, none and all set among
them; what is refused where there are too few elements; the C interface.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import os
import pathlib
import subprocess

import numpy as np
import pytest

import graven

ROWS = 12
FOUND = """
      %z{k} = graven.cast %{mask} {{to = i64}} : (tensor<12xi1>) -> tensor<12xi64>
      %e{k} = graven.cum_reduce sum %z{k} axis 0 exclusive : (tensor<12xi64>) -> tensor<12xi64>
      %l{k} = graven.constant dense<12> : tensor<i64>
      %w{k} = graven.select %{mask}, %e{k}, %l{k} : (tensor<12xi1>, tensor<12xi64>, tensor<i64>) -> tensor<12xi64>
      %v{k} = graven.reshape %w{k} to [12, 1] : (tensor<12xi64>) -> tensor<12x1xi64>
      %o{k} = graven.iota [12] axis 0 of i64 : () -> tensor<12xi64>
      %n{k} = graven.constant dense<0> : tensor<13xi64>
      %s{k} = graven.scatter_nd %o{k} into %n{k}[%v{k}] : (tensor<13xi64>, tensor<12x1xi64>, tensor<12xi64>) -> tensor<13xi64>
      %p{k} = graven.slice %s{k} [0] to [12] by [1] : (tensor<13xi64>) -> tensor<12xi64>
      %c{k} = graven.reduce sum %z{k} axes [0] : (tensor<12xi64>) -> tensor<i64>
      %i{k} = graven.prefix %p{k} count %c{k} axis 0 extent 12 : (tensor<12xi64>, tensor<i64>) -> tensor<12xi64>
      %r{k} = graven.gather %x[%i{k}] axis 0 : (tensor<12x4xf32>, tensor<12xi64>) -> tensor<12x4xf32>
"""
TAKEN = FOUND.format(k=0, mask="a")
OTHERS = FOUND.format(k=1, mask="b")


def graph(results, body):
    return ("graven.graph @forward(%x: tensor<12x4xf32>, %a: tensor<12xi1>, %b: tensor<12xi1>) -> (" + results + ") {" + TAKEN +
            body + "}\n")


def written(tmp_path, results, body):
    path = tmp_path / "m.mlir"
    path.write_text(graph(results, body))
    return path


def masks():
    """Numbers of elements from none to all, at places all over."""
    random = np.random.default_rng(5)
    for count in [*range(ROWS + 1), 3, 7]:
        mask = np.zeros(ROWS, bool)
        mask[random.permutation(ROWS)[:count]] = True
        yield mask


@pytest.fixture(name="x")
def fixture_x():
    x = np.random.default_rng(3).standard_normal((ROWS, 4)).astype("f4")
    x[9, 1] = np.nan
    return x


def same(got, want):
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=2e-6, atol=1e-6)


def test_rows_of_a_mask(tmp_path, x):
    path = written(tmp_path, "tensor<12x4xf32>, tensor<4xf32>, tensor<12xi64>", """
      %0 = graven.reduce sum %r0 axes [0] : (tensor<12x4xf32>) -> tensor<4xf32>
      graven.return %r0, %0, %i0 : tensor<12x4xf32>, tensor<4xf32>, tensor<12xi64>
""")
    model = graven.compile(path)
    assert model.outputs[0].shape == ("?", 4)
    for mask in masks():
        rows, total, places = model(x, mask, mask)
        same(rows, x[mask])
        same(total, x[mask].sum(0))
        same(places, np.flatnonzero(mask))


def test_masks_one_after_the_other(tmp_path, x):
    path = written(tmp_path, "tensor<24x4xf32>, tensor<4x24xf32>", OTHERS + """
      %0 = graven.concat %r0, %r1 axis 0 : (tensor<12x4xf32>, tensor<12x4xf32>) -> tensor<24x4xf32>
      %1 = graven.transpose %0 by [1, 0] : (tensor<24x4xf32>) -> tensor<4x24xf32>
      graven.return %0, %1 : tensor<24x4xf32>, tensor<4x24xf32>
""")
    model = graven.compile(path)
    for a, b in zip(masks(), reversed(list(masks()))):
        whole, turned = model(x, a, b)
        same(whole, np.concatenate([x[a], x[b]]))
        same(turned, whole.T)


def test_too_few_elements_end_the_run(tmp_path, x):
    path = written(tmp_path, "tensor<4xi64>", """
      %0 = graven.arg_reduce max %r0 axis 0 : (tensor<12x4xf32>) -> tensor<4xi64>
      graven.return %0 : tensor<4xi64>
""")
    model = graven.compile(path)
    x = np.nan_to_num(x)
    for mask in masks():
        if mask.any():
            same(model(x, mask, mask), x[mask].argmax(0))
    with pytest.raises(graven.Error, match=r"expected 1 to 12 elements at m.mlir:12:\d+, got 0"):
        model(x, np.zeros(ROWS, bool), np.zeros(ROWS, bool))


PROGRAM = """
#include "m.h"
#include <stdio.h>

int main(void) {
  float x[12][4], y[12][4];
  uint8_t a[12] = {0, 1, 0, 0, 1, 1}, b[12] = {0};
  int64_t extents[2] = {-1, -1};
  for (int i = 0; i < 48; ++i)
    x[i / 4][i % 4] = i;
  int status = m_run(x, a, b, &y[0][0], extents, NULL);
  printf("%d %lld %lld %g\\n", status, (long long)extents[0], (long long)extents[1], y[2][3]);
  return status;
}
"""


def test_the_typed_entry_tells_the_extents(tmp_path):
    written(tmp_path, "tensor<12x4xf32>", "graven.return %r0 : tensor<12x4xf32>")
    subprocess.run([tool(), "compile", "m.mlir", "-o", "m.a", "--header", "m.h"], cwd=tmp_path, check=True)
    header = (tmp_path / "m.h").read_text()
    assert "_MAX_ELEMENTS 48" in header
    (tmp_path / "main.c").write_text(PROGRAM)
    subprocess.run(["clang-22", "-std=c99", "-Wall", "-Werror", "main.c", "m.a", "-lm", "-o", "main"], cwd=tmp_path, check=True)
    ran = subprocess.run([tmp_path / "main"], check=True, capture_output=True, text=True)
    assert ran.stdout.split() == ["0", "3", "4", "23"]


def tool():
    return pathlib.Path(os.environ.get("GRAVEN_BUILD", "build")).resolve() / "bin" / "graven"


def test_the_command_line_shows_true_extents(tmp_path, x):
    written(tmp_path, "tensor<12x4xf32>", "graven.return %r0 : tensor<12x4xf32>")
    mask = np.zeros(ROWS, bool)
    mask[[2, 5, 11]] = True
    for name, array in {"x": x, "a": mask, "b": mask}.items():
        np.save(tmp_path / f"{name}.npy", array)
    inputs = [text for i, name in enumerate("xab") for text in ("--input", f"{i}=@{name}.npy")]

    def run(*args):
        return subprocess.run([tool(), *args], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    run("compile", "m.mlir", "-o", "m.so")
    assert "f32[3,4]" in run("run", "m.so", *inputs)
    run("run", "m.so", *inputs, "--save-outputs", "out")
    same(np.load(tmp_path / "out/0.npy"), x[mask])
    shown = json.loads(run("inspect", "m.so", "--json"))["outputs"][0]
    assert shown["shape"] == ["?", 4] and shown["most"] == [12, 4]
    assert "median" in run("bench", "m.so", "--seconds", "0.01")
