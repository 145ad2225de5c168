// One place of an axis is a Gather, slices that divide a value are a Split, others stay slices.
// RUN: graven export %s -o %t.onnx --opset 17 && protoc --proto_path=%root/third_party --decode=onnx.ModelProto onnx/onnx.proto < %t.onnx | grep op_type | sort | uniq -c | FileCheck %s
// RUN: graven export %s -o %t.9.onnx --opset 9 && graven diff %s %t.9.onnx | FileCheck %s --check-prefix=SAME
// RUN: graven diff %s %t.onnx | FileCheck %s --check-prefix=SAME

// CHECK: 1 {{.*}}Add
// CHECK-NEXT: 1 {{.*}}Concat
// CHECK-NEXT: 2 {{.*}}Gather
// CHECK-NEXT: 2 {{.*}}Slice
// CHECK-NEXT: 1 {{.*}}Split
// SAME: the same graph
graven.graph @forward(%x: tensor<3x4x5xf32> {graven.name = "x"}) -> (tensor<3x4x5xf32> {graven.name = "y"}, tensor<3x5xf32> {graven.name = "z"}, tensor<3x4x2xf32> {graven.name = "v"}, tensor<2x4x5xf32> {graven.name = "w"}) {
  // One value that two slices divide.
  %a = graven.slice %x [0, 0, 0] to [3, 1, 5] by [1, 1, 1] : (tensor<3x4x5xf32>) -> tensor<3x1x5xf32>
  %b = graven.slice %x [0, 1, 0] to [3, 4, 5] by [1, 1, 1] : (tensor<3x4x5xf32>) -> tensor<3x3x5xf32>
  %y = graven.concat %b, %a axis 1 : (tensor<3x3x5xf32>, tensor<3x1x5xf32>) -> tensor<3x4x5xf32>
  // Single places of it.
  %c = graven.slice %y [0, 2, 0] to [3, 3, 5] by [1, 1, 1] : (tensor<3x4x5xf32>) -> tensor<3x1x5xf32>
  %d = graven.reshape %c to [3, 5] : (tensor<3x1x5xf32>) -> tensor<3x5xf32>
  %e = graven.slice %y [0, 1, 0] to [3, 2, 5] by [1, 1, 1] : (tensor<3x4x5xf32>) -> tensor<3x1x5xf32>
  %f = graven.reshape %e to [3, 5] : (tensor<3x1x5xf32>) -> tensor<3x5xf32>
  %z = graven.add %d, %f : (tensor<3x5xf32>, tensor<3x5xf32>) -> tensor<3x5xf32>
  // Places that leave some out.
  %v = graven.slice %x [0, 0, 3] to [3, 4, 5] by [1, 1, 1] : (tensor<3x4x5xf32>) -> tensor<3x4x2xf32>
  %w = graven.slice %x [1, 0, 0] to [3, 4, 5] by [1, 1, 1] : (tensor<3x4x5xf32>) -> tensor<2x4x5xf32>
  graven.return %y, %z, %v, %w : tensor<3x4x5xf32>, tensor<3x5xf32>, tensor<3x4x2xf32>, tensor<2x4x5xf32>
}
