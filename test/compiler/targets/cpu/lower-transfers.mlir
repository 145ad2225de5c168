// RUN: graven-opt %s --graven-lower-transfers | FileCheck %s

// CHECK-LABEL: func.func @read
// CHECK: scf.for
// CHECK: vector.transfer_read {{.+}} : memref<4x4xf32>, vector<4xf32>
func.func @read(%x: memref<4x4xf32>, %i: index) -> vector<2x4xf32> {
  %pad = arith.constant 0.0 : f32
  %0 = vector.transfer_read %x[%i, %i], %pad : memref<4x4xf32>, vector<2x4xf32>
  return %0 : vector<2x4xf32>
}

// CHECK-LABEL: func.func @write
// CHECK: scf.for
// CHECK: vector.transfer_write {{.+}} : vector<4xf32>, memref<4x4xf32>
func.func @write(%x: memref<4x4xf32>, %i: index, %v: vector<2x4xf32>) {
  vector.transfer_write %v, %x[%i, %i] : vector<2x4xf32>, memref<4x4xf32>
  return
}

// What has no transfer stays as it is, dead code too: nothing is rewritten.
// CHECK-LABEL: func.func @none
// CHECK: arith.addi
// CHECK: vector.load
func.func @none(%x: memref<4x4xf32>, %i: index) -> vector<4xf32> {
  %dead = arith.addi %i, %i : index
  %0 = vector.load %x[%i, %i] : memref<4x4xf32>, vector<4xf32>
  return %0 : vector<4xf32>
}
