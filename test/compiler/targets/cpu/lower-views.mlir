// RUN: graven-opt %s --graven-lower-views | FileCheck %s

// CHECK-LABEL: func.func @subview
// CHECK-NOT: affine.apply
// CHECK: %[[OFFSET:.+]] = arith.muli %arg1, %{{.+}} : index
// CHECK: memref.reinterpret_cast %{{.+}} to offset: [%[[OFFSET]]]
// CHECK-NOT: memref.subview
func.func @subview(%x: memref<8x4xf32>, %i: index) -> f32 {
  %c0 = arith.constant 0 : index
  %view = memref.subview %x[%i, 0] [1, 4] [1, 1] : memref<8x4xf32> to memref<1x4xf32, strided<[4, 1], offset: ?>>
  %0 = memref.load %view[%c0, %c0] : memref<1x4xf32, strided<[4, 1], offset: ?>>
  return %0 : f32
}

// CHECK-LABEL: func.func @reshapes
// CHECK-NOT: memref.{{expand|collapse}}_shape
// CHECK-COUNT-2: memref.reinterpret_cast
func.func @reshapes(%x: memref<8x4xf32>, %i: index) -> (f32, f32) {
  %c0 = arith.constant 0 : index
  %flat = memref.collapse_shape %x [[0, 1]] : memref<8x4xf32> into memref<32xf32>
  %deep = memref.expand_shape %x [[0, 1], [2]] output_shape [2, 4, 4] : memref<8x4xf32> into memref<2x4x4xf32>
  %0 = memref.load %flat[%i] : memref<32xf32>
  %1 = memref.load %deep[%c0, %i, %c0] : memref<2x4x4xf32>
  return %0, %1 : f32, f32
}

// What has no view stays as it is, dead code too: nothing is rewritten.
// CHECK-LABEL: func.func @none
// CHECK: arith.addi
// CHECK: memref.load %arg0
func.func @none(%x: memref<4xf32>, %i: index) -> f32 {
  %dead = arith.addi %i, %i : index
  %0 = memref.load %x[%i] : memref<4xf32>
  return %0 : f32
}
