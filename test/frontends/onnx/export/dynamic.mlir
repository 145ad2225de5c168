// Extents that are dynamic stay so: shapes say what they follow from, and what stays in its place is copied.
// RUN: graven export %s -o %t.onnx --opset 17 && graven import %t.onnx --input x:f32[3,8] | FileCheck %s --check-prefixes=CHECK,THREE
// RUN: graven import %t.onnx --input x:f32[5,8] | FileCheck %s --check-prefixes=CHECK,FIVE
// RUN: graven export %s -o %t.onnx --opset 17 --dim batch=4 --json | FileCheck %s --check-prefix=FIXED
// RUN: %exits 3 graven export %s -o %t.onnx --dim seq=4 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: graven export %s -o %t.onnx --require-dynamic && graven import %t.onnx --input x:f32[3,8] | FileCheck %s --check-prefixes=CHECK,THREE
// RUN: %exits 3 graven export %s -o %t.onnx --require-dynamic --dim batch=4 2>&1 | FileCheck %s --check-prefix=REQUIRED

// CHECK-LABEL: graven.graph @forward
// THREE-SAME: (tensor<3x2x4xf32> {graven.name = "y"
// FIVE-SAME: (tensor<5x2x4xf32> {graven.name = "y"
// CHECK: graven.return
// FIXED: "nodes": 4
// REQUIRED: [GRV0004] --dim batch=4 fixes an extent, which --require-dynamic does not allow
// NAME: [GRV0004] the model has no dynamic extent 'seq'; it has batch
graven.graph @forward(%x: tensor<?x8xf32> {graven.name = "x", graven.symbols = ["batch", ""]}) -> (tensor<?x2x4xf32> {graven.name = "y", graven.symbols = ["batch", "", ""]}, tensor<?xf32> {graven.name = "z"}) {
  %n = graven.dim %x axis 0 : tensor<?x8xf32>
  %0 = graven.reshape %x to [%n, 2, 4] : (tensor<?x8xf32>, tensor<i64>) -> tensor<?x2x4xf32>
  %1 = graven.relu %0 : tensor<?x2x4xf32>
  %2 = graven.iota [%n] axis 0 of f32 : (tensor<i64>) -> tensor<?xf32>
  %3 = graven.reduce sum %x axes [1] : (tensor<?x8xf32>) -> tensor<?xf32>
  %4 = graven.add %2, %3 : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  graven.return %1, %4 : tensor<?x2x4xf32>, tensor<?xf32>
}
