// A loop that carries nothing still has a trip count and a condition, and stacks what its iterations give.
// RUN: graven export %s -o %t.onnx --opset 13 --no-constant-folding && graven import %t.onnx | FileCheck %s

// CHECK: graven.loop trip(%{{.*}}) while(%{{.*}}) init() stacked(tensor<40x2xf32>)
// CHECK: graven.gather
graven.graph @forward(%x: tensor<40x2xf32> {graven.name = "x"}) -> (tensor<40x2xf32> {graven.name = "y"}) {
  %trip = graven.constant dense<40> : tensor<i64>
  %0 = graven.loop trip(%trip) init() stacked(tensor<40x2xf32>) {
  ^bb0(%i: tensor<i64>):
    %true = graven.constant dense<true> : tensor<i1>
    %1 = graven.gather %x[%i] axis 0 nonneg : (tensor<40x2xf32>, tensor<i64>) -> tensor<2xf32>
    %2 = graven.relu %1 : tensor<2xf32>
    graven.yield %true, %2 : tensor<i1>, tensor<2xf32>
  }
  graven.return %0 : tensor<40x2xf32>
}
