// Branches and loops are nodes with graphs; names of inputs, outputs and Parameters stay, dynamic extents have symbols.
// RUN: graven export %s -o %t.onnx --opset 13 --output-names result --dynamic-axes x:0=n && graven import %t.onnx | FileCheck %s

// CHECK: graven.param {{.*}}@fc.weight
// CHECK-LABEL: graven.graph @forward
// CHECK-SAME: tensor<?x2xf32>
// CHECK-SAME: graven.symbols = ["n", ""]
// CHECK-SAME: graven.name = "result"
// CHECK: graven.matmul
// CHECK: graven.loop
// CHECK: graven.relu
// CHECK: graven.if
// CHECK: graven.abs
// CHECK: graven.neg
graven.param @fc.weight : tensor<2x2xf32> = dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
graven.graph @forward(%x: tensor<?x2xf32> {graven.name = "x", graven.symbols = ["batch", ""]}, %trips: tensor<i64> {graven.name = "trips"}, %flag: tensor<i1> {graven.name = "flag"}) -> (tensor<?x2xf32> {graven.name = "y", graven.symbols = ["batch", ""]}) {
  %w = graven.get_param @fc.weight : tensor<2x2xf32>
  %0 = graven.matmul %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %1 = graven.loop trip(%trips) init(%0 : tensor<?x2xf32>) -> (tensor<?x2xf32>) {
  ^bb0(%i: tensor<i64>, %h: tensor<?x2xf32>):
    %true = graven.constant dense<true> : tensor<i1>
    %2 = graven.add %h, %x : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
    %3 = graven.relu %2 : tensor<?x2xf32>
    graven.yield %true, %3 : tensor<i1>, tensor<?x2xf32>
  }
  %4 = graven.if %flag -> (tensor<?x2xf32>) {
    %5 = graven.abs %1 : tensor<?x2xf32>
    graven.yield %5 : tensor<?x2xf32>
  } else {
    %5 = graven.neg %1 : tensor<?x2xf32>
    graven.yield %5 : tensor<?x2xf32>
  }
  graven.return %4 : tensor<?x2xf32>
}
