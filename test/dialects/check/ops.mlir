// RUN: graven-opt %s | graven-opt | FileCheck %s
// RUN: graven-opt %s --graven-run-checks
// The check ops parse, print and hold.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// CHECK-LABEL: graven.graph @checks
graven.graph @checks() {
  %x = graven.constant dense<[1.0, 0x7FC00000]> : tensor<2xf32>
  // CHECK: check.expect_eq %0, %0 : tensor<2xf32>
  check.expect_eq %x, %x : tensor<2xf32>
  // CHECK: check.expect_eq_const %0, dense<[1.000000e+00, 0x7FC00000]> : tensor<2xf32>
  check.expect_eq_const %x, dense<[1.0, 0x7FC00000]> : tensor<2xf32>
  // CHECK: check.expect_close %0, %0 rtol 1.000000e-03 : tensor<2xf32>
  check.expect_close %x, %x rtol 1.0e-3 : tensor<2xf32>
  // One ULP above 1.
  // CHECK: check.expect_close_const %0, dense<{{.*}}> : tensor<2xf32> ulp 1
  check.expect_close_const %x, dense<[1.00000012, 0x7FC00000]> : tensor<2xf32> ulp 1
  // CHECK: check.expect_close_const %0, dense<{{.*}}> : tensor<2xf32> rtol {{.*}} atol {{.*}}
  check.expect_close_const %x, dense<[1.25, 0x7FC00000]> : tensor<2xf32> rtol 0.1 atol 0.2
  graven.return
}
