// RUN: graven-opt %s --canonicalize | FileCheck %s
// Control flow on known conditions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A known condition takes its Block.
// CHECK-LABEL: graven.graph @known_if
// CHECK-NEXT: %0 = graven.neg %arg0 : tensor<2xf32>
// CHECK-NEXT: graven.return %0 : tensor<2xf32>
graven.graph @known_if(%x: tensor<2xf32>) -> (tensor<2xf32>) {
  %c = graven.constant dense<false> : tensor<i1>
  %y = graven.if %c -> (tensor<2xf32>) {
    graven.yield %x : tensor<2xf32>
  } else {
    %0 = graven.neg %x : tensor<2xf32>
    graven.yield %0 : tensor<2xf32>
  }
  graven.return %y : tensor<2xf32>
}

// An unknown one stays.
// CHECK-LABEL: graven.graph @unknown_if
// CHECK-NEXT: graven.if %arg0
graven.graph @unknown_if(%c: tensor<i1>, %x: tensor<2xf32>) -> (tensor<2xf32>) {
  %y = graven.if %c -> (tensor<2xf32>) {
    graven.yield %x : tensor<2xf32>
  } else {
    %0 = graven.neg %x : tensor<2xf32>
    graven.yield %0 : tensor<2xf32>
  }
  graven.return %y : tensor<2xf32>
}

// So does one whose users would have to become more static.
// CHECK-LABEL: graven.graph @refining_if
// CHECK: graven.if
graven.graph @refining_if(%x: tensor<2xf32>, %z: tensor<3xf32>) -> (tensor<?xf32>) {
  %c = graven.constant dense<true> : tensor<i1>
  %y = graven.if %c -> (tensor<?xf32>) {
    graven.yield %x : tensor<2xf32>
  } else {
    graven.yield %z : tensor<3xf32>
  }
  graven.return %y : tensor<?xf32>
}

// A loop that never runs gives what it began with.
// CHECK-LABEL: graven.graph @idle_loop
// CHECK-NEXT: graven.return %arg0 : tensor<2xf32>
graven.graph @idle_loop(%x: tensor<2xf32>, %go: tensor<i1>) -> (tensor<2xf32>) {
  %zero = graven.constant dense<0> : tensor<i64>
  %y = graven.loop trip(%zero) init(%x : tensor<2xf32>) -> (tensor<2xf32>) {
  ^bb0(%it: tensor<i64>, %v: tensor<2xf32>):
    %0 = graven.neg %v : tensor<2xf32>
    graven.yield %go, %0 : tensor<i1>, tensor<2xf32>
  }
  graven.return %y : tensor<2xf32>
}
