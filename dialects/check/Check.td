//===- Check.td - the check dialect ------------------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the expectations that make an IR file test itself.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_CHECK_CHECK_TD
#define DIALECTS_CHECK_CHECK_TD

include "dialects/graven/GravenInterfaces.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/OpBase.td"

def Check_Dialect : Dialect {
  let name = "check";
  let cppNamespace = "::graven::check";
  let summary = "Expectations about values, for tests in IR";
  let description = [{
    A Graph without inputs that holds `check` ops is a test: `graven check m.mlir` (and `graven-opt --graven-run-checks`)
    runs each such Graph with the reference evaluator and reports every expectation that fails, where it stands, got
    and expected.

    ```mlir
    graven.graph @relu() {
      %x = graven.constant dense<[-1.0, 2.0]> : tensor<2xf32>
      %y = graven.relu %x : tensor<2xf32>
      check.expect_eq_const %y, dense<[0.0, 2.0]> : tensor<2xf32>
      graven.return
    }
    ```
  }];
}

class Check_Op<string mnemonic, list<Trait> traits = []>
    : Op<Check_Dialect, mnemonic, traits # [DeclareOpInterfaceMethods<Graven_EvaluateInterface>]>;

defvar equalMeaning = "Equal means the same value: -0 differs from 0, and NaN equals NaN.";
defvar closeMeaning = [{
    An element is close when it is equal, when both are NaN, when the elements are at most `ulp` representable
    numbers apart, or when |actual - expected| <= atol + rtol |expected|.
}];

def Check_ExpectEqOp : Check_Op<"expect_eq", [SameTypeOperands]> {
  let summary = "two values are equal in every element";
  let description = equalMeaning # " C1 the values have one type.";
  let arguments = (ins AnyRankedTensor:$actual, AnyRankedTensor:$expected);
  let assemblyFormat = "$actual `,` $expected attr-dict `:` type($actual)";
}

def Check_ExpectEqConstOp : Check_Op<"expect_eq_const"> {
  let summary = "a value equals a constant in every element";
  let description = equalMeaning # " C1 the value's type is the constant's, or, written `as` that type, has `?` where it is static.";
  let arguments = (ins AnyRankedTensor:$actual, ElementsAttr:$expected);
  let assemblyFormat = "$actual `,` custom<Expected>($expected, type($actual)) attr-dict";
  let hasVerifier = 1;
}

def Check_ExpectCloseOp : Check_Op<"expect_close", [SameTypeOperands]> {
  let summary = "two values are close in every element";
  let description = closeMeaning # " C1 the values have one type.  C2 the tolerances are >= 0.";
  let arguments = (ins AnyRankedTensor:$actual, AnyRankedTensor:$expected, DefaultValuedAttr<I64Attr, "0">:$ulp,
                       DefaultValuedAttr<F64Attr, "0.0">:$rtol, DefaultValuedAttr<F64Attr, "0.0">:$atol);
  let assemblyFormat = [{
    $actual `,` $expected (`ulp` $ulp^)? (`rtol` $rtol^)? (`atol` $atol^)? attr-dict `:` type($actual)
  }];
  let hasVerifier = 1;
}

def Check_ExpectCloseConstOp : Check_Op<"expect_close_const"> {
  let summary = "a value is close to a constant in every element";
  let description = closeMeaning # " C1 the value's type is the constant's, or, written `as` that type, has `?` where it is static.  C2 the tolerances are >= 0.";
  let arguments = (ins AnyRankedTensor:$actual, ElementsAttr:$expected, DefaultValuedAttr<I64Attr, "0">:$ulp,
                       DefaultValuedAttr<F64Attr, "0.0">:$rtol, DefaultValuedAttr<F64Attr, "0.0">:$atol);
  let assemblyFormat = [{
    $actual `,` custom<Expected>($expected, type($actual)) (`ulp` $ulp^)? (`rtol` $rtol^)? (`atol` $atol^)? attr-dict
  }];
  let hasVerifier = 1;
}

#endif // DIALECTS_CHECK_CHECK_TD
