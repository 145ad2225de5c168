// What ONNX cannot express is reported at its Node, all of it in one run, with the opset.
// RUN: %exits 2 graven export %s -o %t.onnx --opset 9 2>&1 | FileCheck %s
// RUN: not ls %t.onnx
// RUN: %exits 3 graven export %s -o %t.onnx --opset 8 2>&1 | FileCheck %s --check-prefix=OLD
// RUN: %exits 3 graven export %s -o %t.onnx --opset 17 --input-names a,a 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: graven export %s -o %t.renamed.onnx --opset 17 --output-names x && graven import %t.renamed.onnx | FileCheck %s --check-prefix=RENAMED
// RUN: %exits 3 graven export %s -o %t.onnx --opset 17 --input-names a,b,c 2>&1 | FileCheck %s --check-prefix=MANY
// RUN: %exits 3 graven export %s -o %t.onnx --opset 17 --dynamic-axes x 2>&1 | FileCheck %s --check-prefix=AXES
// RUN: %exits 2 graven export %s -o %t.onnx --opset 17 --dynamic-axes x:0=batch,w:0=n 2>&1 | FileCheck %s --check-prefix=STATIC

// CHECK: errors.mlir:[[#@LINE+12]]:{{.*}}[GRV0202] graven.cum_reduce needs opset 11 of ONNX, the export has opset 9
// CHECK: errors.mlir:[[#@LINE+12]]:{{.*}}[GRV0202] graven.rem needs opset 10 of ONNX, the export has opset 9
// CHECK: [GRV0202] the lowest opset of ONNX that has a form for the whole model is 11
// OLD: [GRV0004] opset 8 is none of 9 to 28
// TWICE: [GRV0004] the name 'a' is the name of two inputs or outputs
// RENAMED: %arg0: tensor<4xf32> {graven.name = "x_1"}, %arg1: tensor<4xf32> {graven.name = "y"}) -> (tensor<4xf32> {graven.name = "x"})
// MANY: [GRV0004] 3 names of inputs, the graph has 2
// AXES: [GRV0004] --dynamic-axes takes NAME:AXIS=SYMBOL, got 'x'
// STATIC: [GRV0207] dynamic axis 0 of 'x': has the extent 4 in this graph, which is made for it
// STATIC: [GRV0207] dynamic axis 0 of 'w': names no input or output
//
graven.graph @forward(%x: tensor<4xf32> {graven.name = "x"}, %y: tensor<4xf32> {graven.name = "y"}) -> (tensor<4xf32> {graven.name = "z"}) {
  %0 = graven.cum_reduce sum %x axis 0 : (tensor<4xf32>) -> tensor<4xf32>
  %1 = graven.rem %0, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  graven.return %1 : tensor<4xf32>
}
