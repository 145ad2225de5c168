// A window is put into a tensor between what is before and behind it. Opset 9's Slice has bounds that are numbers as attributes
// (the import checks nodes by their schemas); those that are computed need opset 10.
// RUN: rm -rf %t && split-file %s %t
// RUN: graven export %t/numbers.mlir -o %t/9.onnx --opset 9 && graven import %t/9.onnx | FileCheck %s
// RUN: graven export %t/numbers.mlir -o %t/17.onnx --opset 17 && graven import %t/17.onnx | FileCheck %s
// RUN: not graven export %t/computed.mlir -o %t/no.onnx --opset 9 2>&1 | FileCheck %s --check-prefix=OLD
// RUN: graven export %t/computed.mlir -o %t/10.onnx --opset 10

// CHECK: %[[TOP:.*]] = graven.slice %[[X:.*]] [0, 0] to [1, 
// CHECK: %[[ROWS:.*]] = graven.slice %[[X]] [1, 0] to [3, 
// CHECK: %[[LEFT:.*]] = graven.slice %[[ROWS]] [0, 0] to [{{[0-9]+}}, 2]
// CHECK: %[[RIGHT:.*]] = graven.slice %[[ROWS]] [0, 4] to [
// CHECK: %[[MIDDLE:.*]] = graven.concat %[[LEFT]], %{{.*}}, %[[RIGHT]] axis 1
// CHECK: %[[BOTTOM:.*]] = graven.slice %[[X]] [3, 0] to [
// CHECK: graven.concat %[[TOP]], %[[MIDDLE]], %[[BOTTOM]] axis 0
// OLD: [GRV0202] graven.insert_slice: bounds that are computed needs opset 10 of ONNX

//--- numbers.mlir
graven.graph @forward(%x: tensor<4x5xf32> {graven.name = "x"}, %w: tensor<2x2xf32> {graven.name = "w"}) -> tensor<4x5xf32> {
  %0 = graven.insert_slice %w into %x[1, 2] by [1, 1] : (tensor<4x5xf32>, tensor<2x2xf32>) -> tensor<4x5xf32>
  graven.return %0 : tensor<4x5xf32>
}
//--- computed.mlir
graven.graph @forward(%x: tensor<4x5xf32> {graven.name = "x"}, %w: tensor<2x2xf32> {graven.name = "w"}, %i: tensor<i64> {graven.name = "i"}) -> tensor<4x5xf32> {
  %0 = graven.insert_slice %w into %x[%i, 2] by [1, 1] : (tensor<4x5xf32>, tensor<2x2xf32>, tensor<i64>) -> tensor<4x5xf32>
  graven.return %0 : tensor<4x5xf32>
}
