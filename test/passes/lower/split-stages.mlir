// RUN: graven-opt --pass-pipeline='builtin.module(func.func(graven-split-stages))' --split-input-file %s | FileCheck %s

// Fourteen tiles in blocks of five: three blocks.

// CHECK-LABEL: func.func @blocks(
//  CHECK-SAME:   %[[X:.*]]: memref<1x1x10x30x16xf32>, %[[W:.*]]: memref<1x36x16x16xf32>, %[[B:.*]]: memref<16xf32>, %[[O:.*]]: memref<1x1x8x28x16xf32>, %[[S:.*]]: memref<5760xf32>)
//   CHECK-DAG:   %[[C0:.*]] = arith.constant 0 : index
//   CHECK-DAG:   %[[C3:.*]] = arith.constant 3 : index
//       CHECK:   scf.for %[[I:.*]] = %[[C0]] to %[[C3]]
//       CHECK:     kernel.winograd_input ins(%[[X]] : {{.*}}) block(%[[I]]) outs(%[[S]] : {{.*}}) {block = 5 : i64, extents = array<i64: 8, 28>, in_channels = 16 : i64, out_channels = 16 : i64, panel = 16 : i64, tile = 4 : i64}
//       CHECK:     kernel.winograd_output ins(%[[W]] : {{.*}}) block(%[[I]]) epilogue(%[[B]] : {{.*}}) outs(%[[O]], %[[S]] : {{.*}}) attributes {block = 5 : i64, in_channels = 16 : i64, mr = 6 : i64, out_channels = 16 : i64, tile = 4 : i64}
//       CHECK:       arith.addf
//   CHECK-NOT: kernel.winograd ins
func.func @blocks(%x: memref<1x1x10x30x16xf32>, %w: memref<1x36x16x16xf32>, %b: memref<16xf32>, %o: memref<1x1x8x28x16xf32>, %s: memref<5760xf32>) {
  kernel.winograd ins(%x, %w : memref<1x1x10x30x16xf32>, memref<1x36x16x16xf32>) epilogue(%b : memref<16xf32>)
      outs(%o, %s : memref<1x1x8x28x16xf32>, memref<5760xf32>)
      attributes {in_channels = 16 : i64, out_channels = 16 : i64, tile = 4 : i64, block = 5 : i64, mr = 6 : i64} {
  ^bb0(%acc: f32, %e: f32):
    %0 = arith.addf %acc, %e : f32
    kernel.yield %0 : f32
  }
  return
}

// -----

// One block takes no loop.

// CHECK-LABEL: func.func @one
//       CHECK:   %[[C0:.*]] = arith.constant 0 : index
//   CHECK-NOT:   scf.for
//       CHECK:   kernel.winograd_input {{.*}} block(%[[C0]])
//       CHECK:   kernel.winograd_output {{.*}} block(%[[C0]])
func.func @one(%x: memref<1x1x10x10x16xf32>, %w: memref<1x16x16x16xf32>, %o: memref<1x1x8x8x16xf32>, %s: memref<8704xf32>) {
  kernel.winograd ins(%x, %w : memref<1x1x10x10x16xf32>, memref<1x16x16x16xf32>)
      outs(%o, %s : memref<1x1x8x8x16xf32>, memref<8704xf32>)
      attributes {in_channels = 16 : i64, out_channels = 16 : i64, tile = 2 : i64, block = 16 : i64, mr = 6 : i64}
  return
}

// -----

// Tensors have no buffers yet.

// CHECK-LABEL: func.func @tensors
//   CHECK-NOT:   winograd_input
//       CHECK:   kernel.winograd ins
func.func @tensors(%x: tensor<1x1x10x10x16xf32>, %w: tensor<1x16x16x16xf32>, %o: tensor<1x1x8x8x16xf32>, %s: tensor<8704xf32>) -> tensor<1x1x8x8x16xf32> {
  %0:2 = kernel.winograd ins(%x, %w : tensor<1x1x10x10x16xf32>, tensor<1x16x16x16xf32>)
      outs(%o, %s : tensor<1x1x8x8x16xf32>, tensor<8704xf32>)
      attributes {in_channels = 16 : i64, out_channels = 16 : i64, tile = 2 : i64, block = 16 : i64, mr = 6 : i64} -> tensor<1x1x8x8x16xf32>, tensor<8704xf32>
  return %0#0 : tensor<1x1x8x8x16xf32>
}

// -----

// Nine rows: quadrants of five, in blocks of three.

// CHECK-LABEL: func.func @strassen(
//  CHECK-SAME:   %[[A:.*]]: memref<1x9x32xf32>, %[[B:.*]]: memref<2x7x16x16xf32>, %[[O:.*]]: memref<1x9x64xf32>, %[[S:.*]]: memref<1008xf32>)
//       CHECK:   %[[C2:.*]] = arith.constant 2 : index
//       CHECK:   scf.for %[[I:.*]] = %{{.*}} to %[[C2]]
//       CHECK:     kernel.strassen_input ins(%[[A]] : {{.*}}) block(%[[I]]) outs(%[[S]] : {{.*}}) {block = 3 : i64, columns = 64 : i64, panel = 16 : i64}
//       CHECK:     kernel.strassen_output ins(%[[B]] : {{.*}}) block(%[[I]]) outs(%[[O]], %[[S]] : {{.*}}) attributes {block = 3 : i64, mr = 6 : i64}
func.func @strassen(%a: memref<1x9x32xf32>, %b: memref<2x7x16x16xf32>, %o: memref<1x9x64xf32>, %s: memref<1008xf32>) {
  kernel.strassen ins(%a, %b : memref<1x9x32xf32>, memref<2x7x16x16xf32>) outs(%o, %s : memref<1x9x64xf32>, memref<1008xf32>)
      attributes {block = 3 : i64, mr = 6 : i64}
  return
}

// -----

// The first state begins in the half of scratch that the first step reads; a
// reverse direction begins at the last step.

// CHECK-LABEL: func.func @recurrence(
//  CHECK-SAME:   %[[X:.*]]: memref<3x1x32xf32>, %[[R:.*]]: memref<2x1x16x1x1x16xf32>, %[[H:.*]]: memref<2x1x16xf32>, %[[Y:.*]]: memref<3x1x32xf32>, %[[L:.*]]: memref<2x1x16xf32>, %[[S:.*]]: memref<2x1x16xf32>)
//   CHECK-DAG:   %[[H0:.*]] = memref.subview %[[H]][0, 0, 0] [1, 1, 16] [1, 1, 1] : {{.*}} to memref<1x16xf32, strided<[16, 1]>>
//   CHECK-DAG:   %[[S0:.*]] = memref.subview %[[S]][0, 0, 0] [1, 1, 16]
//       CHECK:   memref.copy %[[H0]], %[[S0]]
//       CHECK:   scf.for %[[T:.*]] = %{{.*}} to %{{.*}} step
//       CHECK:     kernel.recurrence_step ins(%[[X]], %[[R]] : {{.*}}) direction(%{{.*}}) position(%[[T]]) outs(%[[Y]], %[[S]] : {{.*}}) attributes {gates = 1 : i64, mr = 4 : i64}
//       CHECK:       arith.addf
//       CHECK:   memref.subview %[[S]][1, 0, 0]
//       CHECK:   memref.copy
//       CHECK:   memref.subview %[[H]][1, 0, 0]
//       CHECK:   memref.copy
//       CHECK:   %[[LAST:.*]] = arith.constant 2 : index
//       CHECK:   %[[P:.*]] = arith.subi %[[LAST]], %{{.*}}
//       CHECK:   kernel.recurrence_step {{.*}} position(%[[P]])
func.func @recurrence(%x: memref<3x1x32xf32>, %r: memref<2x1x16x1x1x16xf32>, %h: memref<2x1x16xf32>, %y: memref<3x1x32xf32>, %l: memref<2x1x16xf32>, %s: memref<2x1x16xf32>) {
  kernel.recurrence ins(%x, %r : memref<3x1x32xf32>, memref<2x1x16x1x1x16xf32>) initial(%h : memref<2x1x16xf32>)
      outs(%y, %l, %s : memref<3x1x32xf32>, memref<2x1x16xf32>, memref<2x1x16xf32>)
      attributes {gates = 1 : i64, reverse = array<i1: false, true>, mr = 4 : i64} {
  ^bb0(%p: f32, %i: f32, %q: f32):
    %0 = arith.addf %p, %i : f32
    kernel.yield %0 : f32
  }
  return
}
