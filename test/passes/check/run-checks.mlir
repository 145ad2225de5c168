// RUN: graven-opt %s --graven-run-checks -split-input-file -verify-diagnostics | FileCheck %s
// The pass runs every Graph without inputs and changes nothing.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// CHECK-LABEL: graven.graph @holds
// CHECK: graven.neg
// CHECK: check.expect_eq_const
graven.graph @holds() {
  %x = graven.constant dense<1.0> : tensor<1xf32>
  %y = graven.neg %x : tensor<1xf32>
  check.expect_eq_const %y, dense<-1.0> : tensor<1xf32>
  graven.return
}
// A Graph with inputs is not a test.
graven.graph @has_inputs(%x: tensor<1xf32>) {
  check.expect_eq_const %x, dense<-1.0> : tensor<1xf32>
  graven.return
}

// -----

// Both Graphs run, though the first fails.
graven.graph @fails() {
  %x = graven.constant dense<1.0> : tensor<1xf32>
  // expected-error @below {{element [0] is 1, expected 2}}
  check.expect_eq_const %x, dense<2.0> : tensor<1xf32>
  graven.return
}
graven.graph @fails_too() {
  %x = graven.constant dense<1.0> : tensor<1xf32>
  // expected-error @below {{element [0] is 1, expected 3}}
  check.expect_eq_const %x, dense<3.0> : tensor<1xf32>
  graven.return
}

// -----

// expected-error @below {{has no graph without inputs to check}}
module {
}
