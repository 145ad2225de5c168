"""Control flow on data in native code: each Graph gives what the reference evaluator gives for it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import subprocess

import numpy
import pytest

F4 = numpy.array([1.5, -2.0, 3.25, -0.5], numpy.float32)
TRUE, FALSE = numpy.array(True), numpy.array(False)


def i64(value):
    return numpy.array(value, numpy.int64)


IF_SWAP = """
graven.graph @forward(%c: tensor<i1>, %x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %0:2 = graven.if %c -> (tensor<4xf32>, tensor<4xf32>) {
    graven.yield %y, %x : tensor<4xf32>, tensor<4xf32>
  } else {
    %1 = graven.exp %x : tensor<4xf32>
    graven.yield %x, %1 : tensor<4xf32>, tensor<4xf32>
  }
  %2 = graven.add %0#0, %0#1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  graven.return %0#0, %0#1, %2 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
"""
IF_SLICES = """
graven.graph @forward(%c: tensor<i1>, %x: tensor<3x6xf32>) -> (tensor<3x2xf32>, tensor<3x5xf32>) {
  %0 = graven.if %c -> (tensor<3x2xf32>) {
    %1 = graven.slice %x[0, 1] to [3, 3] by [1, 1] : (tensor<3x6xf32>) -> tensor<3x2xf32>
    graven.yield %1 : tensor<3x2xf32>
  } else {
    %2 = graven.slice %x[0, 0] to [3, 6] by [1, 3] : (tensor<3x6xf32>) -> tensor<3x2xf32>
    graven.yield %2 : tensor<3x2xf32>
  }
  %3 = graven.slice %x[0, 3] to [3, 6] by [1, 1] : (tensor<3x6xf32>) -> tensor<3x3xf32>
  %4 = graven.concat %0, %3 axis 1 : (tensor<3x2xf32>, tensor<3x3xf32>) -> tensor<3x5xf32>
  graven.return %0, %4 : tensor<3x2xf32>, tensor<3x5xf32>
}
"""
IF_IN_LOOP_IN_IF = """
graven.param @w : tensor<4x4xf32> = dense<[[1.0, 0.5, 0.0, 0.25], [0.0, 1.0, 0.5, 0.0], [0.5, 0.0, 1.0, 0.0], [0.0, 0.25, 0.0, 1.0]]> : tensor<4x4xf32>
graven.graph @forward(%c: tensor<i1>, %n: tensor<i64>, %x: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<i64>) {
  %one = graven.constant dense<1> : tensor<i64>
  %two = graven.constant dense<2> : tensor<i64>
  %zero = graven.constant dense<0> : tensor<i64>
  %true = graven.constant dense<true> : tensor<i1>
  %0:2 = graven.if %c -> (tensor<4x4xf32>, tensor<i64>) {
    %1:2 = graven.loop trip(%n) init(%x, %zero : tensor<4x4xf32>, tensor<i64>) -> (tensor<4x4xf32>, tensor<i64>) {
    ^bb0(%i: tensor<i64>, %h: tensor<4x4xf32>, %count: tensor<i64>):
      %odd = graven.rem %i, %two : (tensor<i64>, tensor<i64>) -> tensor<i64>
      %isOdd = graven.compare eq %odd, %one : (tensor<i64>, tensor<i64>) -> tensor<i1>
      %2:2 = graven.if %isOdd -> (tensor<4x4xf32>, tensor<i64>) {
        %w = graven.get_param @w : tensor<4x4xf32>
        %3 = graven.matmul %h, %w : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
        %4 = graven.tanh %3 : tensor<4x4xf32>
        %5 = graven.add %count, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
        graven.yield %4, %5 : tensor<4x4xf32>, tensor<i64>
      } else {
        %3 = graven.transpose %h by [1, 0] : (tensor<4x4xf32>) -> tensor<4x4xf32>
        graven.yield %3, %count : tensor<4x4xf32>, tensor<i64>
      }
      graven.yield %true, %2#0, %2#1 : tensor<i1>, tensor<4x4xf32>, tensor<i64>
    }
    graven.yield %1#0, %1#1 : tensor<4x4xf32>, tensor<i64>
  } else {
    graven.yield %x, %n : tensor<4x4xf32>, tensor<i64>
  }
  graven.return %0#0, %0#1 : tensor<4x4xf32>, tensor<i64>
}
"""
LOOP_SWAPS = """
graven.graph @forward(%n: tensor<i64>, %x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %true = graven.constant dense<true> : tensor<i1>
  %0:3 = graven.loop trip(%n) init(%x, %y, %x : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<4xf32>, %b: tensor<4xf32>, %c: tensor<4xf32>):
    %1 = graven.add %a, %c : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    graven.yield %true, %b, %a, %1 : tensor<i1>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
  }
  graven.return %0#0, %0#1, %0#2 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
"""
LOOP_UNTIL = """
graven.graph @forward(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<i64>, tensor<4xf32>) {
  %true = graven.constant dense<true> : tensor<i1>
  %one = graven.constant dense<1> : tensor<i64>
  %zero = graven.constant dense<0> : tensor<i64>
  %limit = graven.constant dense<100.0> : tensor<f32>
  %0:2 = graven.loop while(%true) init(%x, %zero : tensor<4xf32>, tensor<i64>) -> (tensor<4xf32>, tensor<i64>) {
  ^bb0(%i: tensor<i64>, %a: tensor<4xf32>, %n: tensor<i64>):
    %1 = graven.add %a, %a : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %2 = graven.reduce max %1 axes [0] : (tensor<4xf32>) -> tensor<f32>
    %3 = graven.compare lt %2, %limit : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %4 = graven.add %n, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
    graven.yield %3, %1, %4 : tensor<i1>, tensor<4xf32>, tensor<i64>
  }
  graven.return %0#0, %0#1, %x : tensor<4xf32>, tensor<i64>, tensor<4xf32>
}
"""
LOOP_STACKED = """
graven.graph @forward(%x: tensor<2x3xf32>, %u: tensor<2xui8>) -> (tensor<2x3xf32>, tensor<5x2x3xf32>, tensor<5xi64>, tensor<2xui8>, tensor<5x2xui8>) {
  %true = graven.constant dense<true> : tensor<i1>
  %n = graven.constant dense<5> : tensor<i64>
  %0:5 = graven.loop trip(%n) init(%x, %u : tensor<2x3xf32>, tensor<2xui8>) -> (tensor<2x3xf32>, tensor<2xui8>) stacked(tensor<5x2x3xf32>, tensor<5xi64>, tensor<5x2xui8>) {
  ^bb0(%i: tensor<i64>, %a: tensor<2x3xf32>, %b: tensor<2xui8>):
    %1 = graven.add %a, %a : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
    %2 = graven.mul %i, %i : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %3 = graven.add %b, %b : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
    graven.yield %true, %1, %3, %a, %2, %3 : tensor<i1>, tensor<2x3xf32>, tensor<2xui8>, tensor<2x3xf32>, tensor<i64>, tensor<2xui8>
  }
  graven.return %0#0, %0#2, %0#3, %0#1, %0#4 : tensor<2x3xf32>, tensor<5x2x3xf32>, tensor<5xi64>, tensor<2xui8>, tensor<5x2xui8>
}
"""
LOOP_NESTED = """
graven.graph @forward(%n: tensor<i64>, %m: tensor<i64>, %x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %true = graven.constant dense<true> : tensor<i1>
  %half = graven.constant dense<0.5> : tensor<1xf32>
  %0:2 = graven.loop trip(%n) init(%x, %x : tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<4xf32>, %b: tensor<4xf32>):
    %1:2 = graven.loop trip(%m) init(%a, %b : tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
    ^bb0(%j: tensor<i64>, %c: tensor<4xf32>, %d: tensor<4xf32>):
      %2 = graven.mul %c, %half : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
      %3 = graven.add %2, %d : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
      graven.yield %true, %3, %c : tensor<i1>, tensor<4xf32>, tensor<4xf32>
    }
    graven.yield %true, %1#1, %1#0 : tensor<i1>, tensor<4xf32>, tensor<4xf32>
  }
  graven.return %0#0, %0#1 : tensor<4xf32>, tensor<4xf32>
}
"""
EMPTY_CARRIED = """
graven.graph @forward(%c: tensor<i1>, %n: tensor<i64>, %e: tensor<0x3xf32>, %x: tensor<2x3xf32>) -> (tensor<0x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %true = graven.constant dense<true> : tensor<i1>
  %0:2 = graven.loop trip(%n) init(%e, %x : tensor<0x3xf32>, tensor<2x3xf32>) -> (tensor<0x3xf32>, tensor<2x3xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<0x3xf32>, %b: tensor<2x3xf32>):
    %1 = graven.concat %a, %b axis 0 : (tensor<0x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
    %2 = graven.add %1, %b : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
    %3 = graven.neg %a : tensor<0x3xf32>
    graven.yield %true, %3, %2 : tensor<i1>, tensor<0x3xf32>, tensor<2x3xf32>
  }
  %4:2 = graven.if %c -> (tensor<0x3xf32>, tensor<2x3xf32>) {
    graven.yield %0#0, %0#1 : tensor<0x3xf32>, tensor<2x3xf32>
  } else {
    graven.yield %e, %x : tensor<0x3xf32>, tensor<2x3xf32>
  }
  graven.return %4#0, %4#1, %0#1 : tensor<0x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}
"""
GATHER_IN_IF_IN_LOOP = """
graven.graph @forward(%n: tensor<i64>, %x: tensor<4xf32>, %k: tensor<i64>) -> (tensor<f32>, tensor<4xf32>) {
  %true = graven.constant dense<true> : tensor<i1>
  %zero = graven.constant dense<0.0> : tensor<f32>
  %0 = graven.loop trip(%n) init(%zero : tensor<f32>) -> (tensor<f32>) {
  ^bb0(%i: tensor<i64>, %sum: tensor<f32>):
    %c = graven.compare ge %i, %k : (tensor<i64>, tensor<i64>) -> tensor<i1>
    %1 = graven.if %c -> (tensor<f32>) {
      %2 = graven.gather %x[%i] axis 0 : (tensor<4xf32>, tensor<i64>) -> tensor<f32>
      graven.yield %2 : tensor<f32>
    } else {
      graven.yield %zero : tensor<f32>
    }
    %3 = graven.add %sum, %1 : (tensor<f32>, tensor<f32>) -> tensor<f32>
    graven.yield %true, %3 : tensor<i1>, tensor<f32>
  }
  graven.return %0, %x : tensor<f32>, tensor<4xf32>
}
"""
STACKED_UNTIL = """
graven.graph @forward(%limit: tensor<i64>) -> tensor<4xi64> {
  %true = graven.constant dense<true> : tensor<i1>
  %n = graven.constant dense<4> : tensor<i64>
  %0 = graven.loop trip(%n) while(%true) init() stacked(tensor<4xi64>) {
  ^bb0(%i: tensor<i64>):
    %c = graven.compare lt %i, %limit : (tensor<i64>, tensor<i64>) -> tensor<i1>
    graven.yield %c, %i : tensor<i1>, tensor<i64>
  }
  graven.return %0 : tensor<4xi64>
}
"""
GATHER_IN_LOOP = """
graven.graph @forward(%x: tensor<4xf32>, %k: tensor<i64>) -> (tensor<40xf32>, tensor<f32>) {
  %true = graven.constant dense<true> : tensor<i1>
  %n = graven.constant dense<40> : tensor<i64>
  %four = graven.constant dense<4> : tensor<i64>
  %zero = graven.constant dense<0.0> : tensor<f32>
  %0, %1 = graven.loop trip(%n) init(%zero : tensor<f32>) -> (tensor<f32>) stacked(tensor<40xf32>) {
  ^bb0(%i: tensor<i64>, %sum: tensor<f32>):
    %j = graven.rem %i, %four : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %at = graven.add %j, %k : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %y = graven.gather %x[%at] axis 0 nonneg : (tensor<4xf32>, tensor<i64>) -> tensor<f32>
    %s = graven.add %sum, %y : (tensor<f32>, tensor<f32>) -> tensor<f32>
    graven.yield %true, %s, %y : tensor<i1>, tensor<f32>, tensor<f32>
  }
  graven.return %1, %0 : tensor<40xf32>, tensor<f32>
}
"""
SQUARE = numpy.arange(16, dtype=numpy.float32).reshape(4, 4) / 8 - 1
CASES = [
    *(pytest.param(IF_SWAP, [c, F4, F4 * 2], id=f"if-swap-{c}") for c in (TRUE, FALSE)),
    *(pytest.param(IF_SLICES, [c, numpy.arange(18, dtype=numpy.float32).reshape(3, 6)], id=f"if-slices-{c}")
      for c in (TRUE, FALSE)),
    *(pytest.param(IF_IN_LOOP_IN_IF, [c, i64(n), SQUARE], id=f"if-in-loop-in-if-{c}-{n}")
      for c, n in ((TRUE, 5), (TRUE, 0), (FALSE, 3))),
    *(pytest.param(LOOP_SWAPS, [i64(n), F4, F4 * 2], id=f"loop-swaps-{n}") for n in (0, 1, 4, -1)),
    pytest.param(LOOP_UNTIL, [F4], id="loop-until"),
    pytest.param(LOOP_STACKED, [SQUARE[:2, :3].copy(), numpy.array([3, 100], numpy.uint8)], id="loop-stacked"),
    *(pytest.param(LOOP_NESTED, [i64(n), i64(m), F4], id=f"loop-nested-{n}-{m}") for n, m in ((3, 2), (2, 0), (0, 5))),
    *(pytest.param(EMPTY_CARRIED, [c, i64(2), numpy.zeros((0, 3), numpy.float32), SQUARE[:2, :3].copy()],
                   id=f"empty-carried-{c}") for c in (TRUE, FALSE)),
    *(pytest.param(GATHER_IN_IF_IN_LOOP, [i64(n), F4, i64(k)], id=f"gather-in-if-in-loop-{n}")
      for n, k in ((4, 2), (9, 9))),
    pytest.param(GATHER_IN_LOOP, [F4, i64(0)], id="gather-in-loop"),
    pytest.param(STACKED_UNTIL, [i64(3)], id="stacked-until"),
]


def run(graven, folder, text, inputs, *flags):
    folder.mkdir(exist_ok=True)
    (folder / "graph.mlir").write_text(text)
    command = [graven, "run", folder / "graph.mlir", "--save-outputs", folder / "out", *flags]
    for index, array in enumerate(inputs):
        numpy.save(folder / f"{index}.npy", array)
        command += ["--input", f"{index}=@{folder / f'{index}.npy'}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("text, inputs", CASES)
def test_native_equals_evaluator(graven, tmp_path, text, inputs):
    for name, flags in ("native", []), ("evaluator", ["--evaluate"]):
        result = run(graven, tmp_path / name, text, inputs, *flags)
        assert result.returncode == 0, f"{name}: {result.stderr}"
    for path in sorted((tmp_path / "evaluator" / "out").iterdir()):
        expected, got = numpy.load(path), numpy.load(tmp_path / "native" / "out" / path.name)
        assert expected.shape == got.shape and expected.dtype == got.dtype
        numpy.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6, err_msg=path.name)


@pytest.mark.parametrize("text, inputs, message", [
    pytest.param(GATHER_IN_IF_IN_LOOP, [i64(6), F4, i64(2)], "index out of range", id="index"),
    pytest.param(GATHER_IN_LOOP, [F4, i64(1)], "index out of range", id="index-in-counted-loop"),
    pytest.param(STACKED_UNTIL, [i64(1)], "check", id="trip-count"),
])
def test_errors_of_a_run(graven, tmp_path, text, inputs, message):
    result = run(graven, tmp_path, text, inputs)
    assert result.returncode == 2 and "[GRV0502]" in result.stderr and message in result.stderr, result.stderr
