// RUN: graven-opt %s --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @tensors
//       CHECK:   %[[R:.*]]:2 = kernel.strassen ins(%{{.*}}, %{{.*}} : tensor<1x9x32xf32>, tensor<2x7x16x16xf32>) outs(%{{.*}}, %{{.*}} : tensor<1x9x64xf32>, tensor<1008xf32>) attributes {block = 3 : i64, mr = 6 : i64} -> tensor<1x9x64xf32>, tensor<1008xf32>
func.func @tensors(%a: tensor<1x9x32xf32>, %b: tensor<2x7x16x16xf32>, %o: tensor<1x9x64xf32>, %s: tensor<1008xf32>) -> tensor<1x9x64xf32> {
  %0:2 = kernel.strassen ins(%a, %b : tensor<1x9x32xf32>, tensor<2x7x16x16xf32>) outs(%o, %s : tensor<1x9x64xf32>, tensor<1008xf32>)
      attributes {block = 3 : i64, mr = 6 : i64} -> tensor<1x9x64xf32>, tensor<1008xf32>
  return %0#0 : tensor<1x9x64xf32>
}

// -----

func.func @element(%a: memref<1x9x32xf64>, %b: memref<2x7x16x16xf64>, %o: memref<1x9x64xf64>, %s: memref<1008xf64>) {
  // expected-error @below {{C1: expects f32, got 'f64'}}
  kernel.strassen ins(%a, %b : memref<1x9x32xf64>, memref<2x7x16x16xf64>) outs(%o, %s : memref<1x9x64xf64>, memref<1008xf64>)
      attributes {block = 3 : i64, mr = 6 : i64}
  return
}

// -----

func.func @depth(%a: memref<1x9x33xf32>, %b: memref<2x7x16x16xf32>, %o: memref<1x9x64xf32>, %s: memref<1008xf32>) {
  // expected-error @below {{C2: expects rows, an even depth and more than one panel of columns, got 9, 33 and 64 columns in panels of 16}}
  kernel.strassen ins(%a, %b : memref<1x9x33xf32>, memref<2x7x16x16xf32>) outs(%o, %s : memref<1x9x64xf32>, memref<1008xf32>)
      attributes {block = 3 : i64, mr = 6 : i64}
  return
}

// -----

func.func @one_panel(%a: memref<1x9x32xf32>, %b: memref<1x7x16x16xf32>, %o: memref<1x9x16xf32>, %s: memref<1008xf32>) {
  // expected-error @below {{C2: expects rows, an even depth and more than one panel of columns, got 9, 32 and 16 columns in panels of 16}}
  kernel.strassen ins(%a, %b : memref<1x9x32xf32>, memref<1x7x16x16xf32>) outs(%o, %s : memref<1x9x16xf32>, memref<1008xf32>)
      attributes {block = 3 : i64, mr = 6 : i64}
  return
}

// -----

// Thirty-five columns: the right quadrants have no column in their second panel.

func.func @ragged(%a: memref<1x9x32xf32>, %b: memref<2x7x16x16xf32>, %o: memref<1x9x35xf32>, %s: memref<1008xf32>) {
  kernel.strassen ins(%a, %b : memref<1x9x32xf32>, memref<2x7x16x16xf32>) outs(%o, %s : memref<1x9x35xf32>, memref<1008xf32>)
      attributes {block = 3 : i64, mr = 6 : i64}
  return
}

// -----

func.func @panels(%a: memref<1x9x32xf32>, %b: memref<2x8x16x16xf32>, %o: memref<1x9x64xf32>, %s: memref<1008xf32>) {
  // expected-error @below {{C2: expects 'b' of shape [2, 7, 16, 16], got [2, 8, 16, 16]}}
  kernel.strassen ins(%a, %b : memref<1x9x32xf32>, memref<2x8x16x16xf32>) outs(%o, %s : memref<1x9x64xf32>, memref<1008xf32>)
      attributes {block = 3 : i64, mr = 6 : i64}
  return
}

// -----

func.func @block(%a: memref<1x9x32xf32>, %b: memref<2x7x16x16xf32>, %o: memref<1x9x64xf32>, %s: memref<1008xf32>) {
  // expected-error @below {{C3: expects blocks of at least one row, got 0}}
  kernel.strassen ins(%a, %b : memref<1x9x32xf32>, memref<2x7x16x16xf32>) outs(%o, %s : memref<1x9x64xf32>, memref<1008xf32>)
      attributes {block = 0 : i64, mr = 6 : i64}
  return
}

// -----

func.func @scratch(%a: memref<1x9x32xf32>, %s: memref<1xf32>, %i: index) {
  // expected-error @below {{C2: expects 'scratch' of shape [1008], got [1]}}
  kernel.strassen_input ins(%a : memref<1x9x32xf32>) block(%i) outs(%s : memref<1xf32>) {columns = 64 : i64, panel = 16 : i64, block = 3 : i64}
  return
}

// -----

func.func @rows(%b: memref<2x7x16x16xf32>, %o: memref<1x9x64xf32>, %s: memref<1008xf32>, %i: index) {
  // expected-error @below {{C3: expects mr >= 1, got 0}}
  kernel.strassen_output ins(%b : memref<2x7x16x16xf32>) block(%i) outs(%o, %s : memref<1x9x64xf32>, memref<1008xf32>)
      attributes {block = 3 : i64, mr = 0 : i64}
  return
}
