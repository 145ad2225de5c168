// RUN: graven-opt %s | graven-opt | FileCheck %s
// Graphs, Parameters and control flow parse and print as written.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// CHECK: graven.param requires_grad @dense : tensor<2xf32> = #graven.blob<"m.safetensors", 8, 8>
graven.param requires_grad @dense : tensor<2xf32> = #graven.blob<"m.safetensors", 8, 8>
// CHECK: graven.param buffer @strided : tensor<2x2xf32> = #graven.blob<"m", 0, 16, strides = [1, 2]>
graven.param buffer @strided : tensor<2x2xf32> = #graven.blob<"m", 0, 16, strides = [1, 2]>
// CHECK: graven.param @swapped : tensor<2xf32> = #graven.blob<"m", 0, 8, big_endian = true>
graven.param @swapped : tensor<2xf32> = #graven.blob<"m", 0, 8, big_endian = true>
// CHECK: graven.param @both : tensor<2xf32> = #graven.blob<"m", 0, 8, strides = [0], big_endian = true>
graven.param @both : tensor<2xf32> = #graven.blob<"m", 0, 8, strides = [0], big_endian = true>

// CHECK: graven.graph @forward(%arg0: tensor<?x2xf32> {graven.name = "x", graven.symbols = ["batch", ""]}) -> (tensor<?x2xf32> {graven.name = "y"})
graven.graph @forward(%x: tensor<?x2xf32> {graven.name = "x", graven.symbols = ["batch", ""]}) -> (tensor<?x2xf32> {graven.name = "y"}) {
  // CHECK: graven.call @helper(%arg0) : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %0 = graven.call @helper(%x) : (tensor<?x2xf32>) -> tensor<?x2xf32>
  graven.return %0 : tensor<?x2xf32>
}
graven.graph @helper(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  graven.return %x : tensor<?x2xf32>
}

// CHECK-LABEL: graven.graph @control
graven.graph @control(%x: tensor<2xf32>, %go: tensor<i1>, %n: tensor<i64>) {
  // CHECK: graven.if %arg1 -> (tensor<2xf32>) {
  // CHECK: } else {
  %0 = graven.if %go -> (tensor<2xf32>) {
    graven.yield %x : tensor<2xf32>
  } else {
    graven.yield %x : tensor<2xf32>
  }
  // CHECK: graven.loop trip(%arg2) while(%arg1) init(%arg0 : tensor<2xf32>) -> (tensor<2xf32>) stacked(tensor<?x2xf32>)
  %1, %2 = graven.loop trip(%n) while(%go) init(%x : tensor<2xf32>) -> (tensor<2xf32>) stacked(tensor<?x2xf32>) {
  ^bb0(%it: tensor<i64>, %v: tensor<2xf32>):
    graven.yield %go, %v, %v : tensor<i1>, tensor<2xf32>, tensor<2xf32>
  }
  // A loop without carried values.
  // CHECK: graven.loop while(%arg1) init() {
  graven.loop while(%go) init() {
  ^bb0(%it: tensor<i64>):
    graven.yield %go : tensor<i1>
  }
  // CHECK: graven.fusion(%{{.*}} = %arg0 : tensor<2xf32>) -> tensor<2xf32> {
  %3 = graven.fusion(%a = %x : tensor<2xf32>) -> tensor<2xf32> {
    %4 = graven.gelu %a form tanh : tensor<2xf32>
    graven.yield %4 : tensor<2xf32>
  }
  graven.return
}
