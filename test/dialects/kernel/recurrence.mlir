// RUN: graven-opt %s --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @tensors
//       CHECK:   %[[R:.*]]:3 = kernel.recurrence ins(%{{.*}}, %{{.*}} : tensor<3x2x10xf32>, tensor<1x2x5x1x2x4xf32>) initial(%{{.*}} : tensor<1x2x5xf32>) params(%{{.*}} : tensor<1x5xf32>) outs(%{{.*}} : tensor<3x2x5xf32>, tensor<1x2x5xf32>, tensor<2x2x5xf32>) attributes {gates = 2 : i64, mr = 2 : i64, reverse = array<i1: true>}
//       CHECK:   ^bb0(
//       CHECK:   kernel.yield
//       CHECK:   } -> tensor<3x2x5xf32>, tensor<1x2x5xf32>, tensor<2x2x5xf32>
func.func @tensors(%x: tensor<3x2x10xf32>, %r: tensor<1x2x5x1x2x4xf32>, %h: tensor<1x2x5xf32>, %m: tensor<1x5xf32>, %y: tensor<3x2x5xf32>, %l: tensor<1x2x5xf32>, %s: tensor<2x2x5xf32>) -> tensor<3x2x5xf32> {
  %0:3 = kernel.recurrence ins(%x, %r : tensor<3x2x10xf32>, tensor<1x2x5x1x2x4xf32>) initial(%h : tensor<1x2x5xf32>) params(%m : tensor<1x5xf32>)
      outs(%y, %l, %s : tensor<3x2x5xf32>, tensor<1x2x5xf32>, tensor<2x2x5xf32>)
      attributes {gates = 2 : i64, reverse = array<i1: true>, mr = 2 : i64} {
  ^bb0(%p0: f32, %p1: f32, %x0: f32, %x1: f32, %q: f32, %e: f32):
    %1 = arith.addf %p0, %x0 : f32
    kernel.yield %1 : f32
  } -> tensor<3x2x5xf32>, tensor<1x2x5xf32>, tensor<2x2x5xf32>
  return %0#0 : tensor<3x2x5xf32>
}

// -----

func.func @panels(%x: memref<3x2x10xf32>, %r: memref<1x1x5x1x2x4xf32>, %h: memref<1x2x5xf32>, %y: memref<3x2x5xf32>, %l: memref<1x2x5xf32>, %s: memref<2x2x5xf32>) {
  // expected-error @below {{C2: expects 'r' of shape [1, 2, 5, 1, 2, 4], got [1, 1, 5, 1, 2, 4]}}
  kernel.recurrence ins(%x, %r : memref<3x2x10xf32>, memref<1x1x5x1x2x4xf32>) initial(%h : memref<1x2x5xf32>)
      outs(%y, %l, %s : memref<3x2x5xf32>, memref<1x2x5xf32>, memref<2x2x5xf32>)
      attributes {gates = 2 : i64, reverse = array<i1: true>, mr = 2 : i64} {
  ^bb0(%p0: f32, %p1: f32, %x0: f32, %x1: f32, %q: f32):
    kernel.yield %p0 : f32
  }
  return
}

// -----

func.func @destinations(%x: memref<3x2x10xf32>, %r: memref<1x2x5x1x2x4xf32>, %h: memref<1x2x5xf32>, %y: memref<3x2x5xf32>, %s: memref<2x2x5xf32>) {
  // expected-error @below {{C2: expects y, 1 last states and scratch as destinations, got 2}}
  kernel.recurrence ins(%x, %r : memref<3x2x10xf32>, memref<1x2x5x1x2x4xf32>) initial(%h : memref<1x2x5xf32>)
      outs(%y, %s : memref<3x2x5xf32>, memref<2x2x5xf32>)
      attributes {gates = 2 : i64, reverse = array<i1: true>, mr = 2 : i64} {
  ^bb0(%p0: f32, %p1: f32, %x0: f32, %x1: f32, %q: f32):
    kernel.yield %p0 : f32
  }
  return
}

// -----

func.func @reverse(%x: memref<3x2x10xf32>, %r: memref<1x2x5x1x2x4xf32>, %h: memref<1x2x5xf32>, %y: memref<3x2x5xf32>, %l: memref<1x2x5xf32>, %s: memref<2x2x5xf32>) {
  // expected-error @below {{C3: expects 1 entries of 'reverse', got 2}}
  kernel.recurrence ins(%x, %r : memref<3x2x10xf32>, memref<1x2x5x1x2x4xf32>) initial(%h : memref<1x2x5xf32>)
      outs(%y, %l, %s : memref<3x2x5xf32>, memref<1x2x5xf32>, memref<2x2x5xf32>)
      attributes {gates = 2 : i64, reverse = array<i1: true, false>, mr = 2 : i64} {
  ^bb0(%p0: f32, %p1: f32, %x0: f32, %x1: f32, %q: f32):
    kernel.yield %p0 : f32
  }
  return
}

// -----

func.func @arguments(%x: memref<3x2x10xf32>, %r: memref<1x2x5x1x2x4xf32>, %y: memref<3x2x5xf32>, %s: memref<2x2x5xf32>, %i: index) {
  // expected-error @below {{C4: expects 5 region arguments of type 'f32', got 'f32', 'f32'}}
  kernel.recurrence_step ins(%x, %r : memref<3x2x10xf32>, memref<1x2x5x1x2x4xf32>) direction(%i) position(%i)
      outs(%y, %s : memref<3x2x5xf32>, memref<2x2x5xf32>) attributes {gates = 2 : i64, mr = 2 : i64} {
  ^bb0(%p0: f32, %p1: f32):
    kernel.yield %p0 : f32
  }
  return
}

// -----

func.func @cell(%x: memref<3x2x10xf32>, %r: memref<1x2x5x1x2x4xf32>, %y: memref<3x2x5xf32>, %s: memref<2x2x5xf32>, %i: index, %m: memref<f32>) {
  kernel.recurrence_step ins(%x, %r : memref<3x2x10xf32>, memref<1x2x5x1x2x4xf32>) direction(%i) position(%i)
      outs(%y, %s : memref<3x2x5xf32>, memref<2x2x5xf32>) attributes {gates = 2 : i64, mr = 2 : i64} {
  ^bb0(%p0: f32, %p1: f32, %x0: f32, %x1: f32, %q: f32):
    // expected-error @below {{is not elementwise, so it cannot stand in a cell}}
    %0 = memref.load %m[] : memref<f32>
    kernel.yield %0 : f32
  }
  return
}
