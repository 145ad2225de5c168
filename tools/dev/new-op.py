#!/usr/bin/env python3
"""Creates an op of the graven dialect: definition, type inference, meaning and tests.

usage: tools/dev/new-op.py logit Elementwise --summary "log(x / (1 - x))"

The new op works from the start: it reverses its operand along an axis, refuses an axis out of range, and has a test
of its text, its constraint, its inference and its evaluation. Replace formula, constraints and cases by what you are
after; then docs/generated (tools/dev/lint/check_docs.py --update).

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import argparse
import re

from scaffold import Problem, camel, run

DEFINITION = '''def Graven_{name}Op : Graven_PureOp<"{mnemonic}"> {{
  let summary = "{summary}";
  let description = [{{
    result[.., i, ..] = x[.., n - 1 - i, ..] along `axis`, n its extent. Shapes: x [D..] -> result [D..].
    C1 axis in range.
  }}];
  let arguments = (ins Graven_TTensor:$x, I64Attr:$axis);
  let results = (outs Graven_TTensor:$result);
  let assemblyFormat = "$x `axis` $axis attr-dict `:` functional-type(operands, results)";
}}

'''

INFERENCE = '''LogicalResult {name}Op::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor, InferredTypes &types) {{
  RankedTensorType x = tensorOf(adaptor.getX());
  if (failed(checkAxis(loc, adaptor.getAxis(), x.getRank(), "C1")))
    return failure();
  types.push_back(x);
  return success();
}}

'''

MEANING = '''FailureOr<Tensors> {name}Op::evaluate(ArrayRef<Tensor> operands, Evaluator &) {{
  const Tensor &x = operands[0];
  Tensor result(x.getType());
  int64_t extent = x.getDim(getAxis());
  int64_t stride = product(x.getShape().drop_front(getAxis() + 1));
  for (int64_t i = 0, e = x.size(); i < e; ++i) {{
    int64_t at = i / stride % extent;
    result.copy(i, x, i + (extent - 1 - 2 * at) * stride);
  }}
  return Tensors{{result}};
}}

'''

TESTS = {
    "ops": '''// RUN: graven-opt %s | graven-opt | FileCheck %s

// CHECK-LABEL: @{mnemonic}
//       CHECK: graven.{mnemonic} %{{{{.*}}}} axis 1 : (tensor<2x3xf32>) -> tensor<2x3xf32>
graven.graph @{mnemonic}(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {{
  %0 = graven.{mnemonic} %x axis 1 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  graven.return %0 : tensor<2x3xf32>
}}
''',
    "invalid": '''// RUN: graven-opt %s --split-input-file --verify-diagnostics

graven.graph @{mnemonic}_c1(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {{
  // expected-error-re @+1 {{{{{{{{.*}}}}C1}}}}
  %0 = graven.{mnemonic} %x axis 2 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  graven.return %0 : tensor<2x3xf32>
}}
''',
    "infer": '''// RUN: graven-opt %s --split-input-file --verify-diagnostics

graven.graph @{mnemonic}(%x: tensor<?x3xf32>) -> tensor<?x3xf32> {{
  %0 = graven.{mnemonic} %x axis 0 : (tensor<?x3xf32>) -> tensor<?x3xf32>
  graven.return %0 : tensor<?x3xf32>
}}

// -----

graven.graph @{mnemonic}_other_type(%x: tensor<2x3xf32>) -> tensor<3x2xf32> {{
  // expected-error-re @+1 {{{{{{{{.*}}}}}}}}
  %0 = graven.{mnemonic} %x axis 0 : (tensor<2x3xf32>) -> tensor<3x2xf32>
  graven.return %0 : tensor<3x2xf32>
}}
''',
    "eval": '''// RUN: graven-opt %s --graven-run-checks

graven.graph @{mnemonic}_inner_axis() {{
  %x = graven.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %0 = graven.{mnemonic} %x axis 1 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  check.expect_eq_const %0, dense<[[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]> : tensor<2x3xf32>
  graven.return
}}

graven.graph @{mnemonic}_outer_axis() {{
  %x = graven.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi64>
  %0 = graven.{mnemonic} %x axis 0 : (tensor<2x3xi64>) -> tensor<2x3xi64>
  check.expect_eq_const %0, dense<[[4, 5, 6], [1, 2, 3]]> : tensor<2x3xi64>
  graven.return
}}
''',
}

HINTS = """next: give the op its formula, constraints (each cited by the check that makes it) and the tests' cases;
      tools/dev/build && tools/dev/lint/check_docs.py --update && tools/dev/test lint lit"""


def families(edits):
    return sorted(path.stem.removeprefix("Ops") for path in (edits.root / "dialects/graven").glob("Ops*.td"))


def scaffold(edits, arguments):
    mnemonic, family = arguments.mnemonic, arguments.family
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", mnemonic):
        raise Problem(f"an op is named like max_pool, got '{mnemonic}'")
    if family not in families(edits):
        raise Problem(f"dialects/graven/Ops{family}.td does not exist; the families are {', '.join(families(edits))}")
    for other in families(edits):
        if f'<"{mnemonic}"' in edits.read(f"dialects/graven/Ops{other}.td"):
            raise Problem(f"graven.{mnemonic} exists already, in dialects/graven/Ops{other}.td")
    values = {"mnemonic": mnemonic, "name": camel(mnemonic), "summary": arguments.summary.rstrip(".")}
    edits.insert_before(f"dialects/graven/Ops{family}.td", r"#endif", DEFINITION.format(**values))
    edits.insert_before(f"dialects/graven/ops/{family}.cpp", r"\} // namespace graven$", INFERENCE.format(**values))
    edits.insert_before(f"dialects/graven/eval/{family}.cpp", r"\} // namespace graven$", MEANING.format(**values))
    for kind, text in TESTS.items():
        edits.create(f"test/dialects/graven/{kind}/{mnemonic.replace('_', '-')}.mlir", text.format(**values))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mnemonic", help="the op without its dialect, as in max_pool")
    parser.add_argument("family", help="its family, as in Pool of dialects/graven/OpsPool.td")
    parser.add_argument("--summary", required=True, help="one line: what the op computes, no full stop")
    run(scaffold, parser, HINTS)
