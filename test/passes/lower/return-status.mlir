// RUN: %graven-opt --graven-return-status --split-input-file --verify-diagnostics %s | FileCheck %s

// The flag moves behind the workspace; the function returns 0, the code of an index out of range, or that of a failed check.

// CHECK-LABEL: func.func @forward
//  CHECK-SAME: (%[[X:.*]]: memref<4xf32>, %[[Y:.*]]: memref<4xf32>, %[[W:.*]]: memref<128xi8>, %{{.*}}: memref<0xi8>) -> i32
//  CHECK-SAME: graven.num_outputs = 1 : i64, graven.workspace_size = 128 : i64
//       CHECK: %[[END:.*]] = arith.constant 64 : index
//       CHECK: %[[FLAG:.*]] = memref.view %[[W]][%[[END]]][] : memref<128xi8> to memref<1xi32>
//       CHECK: linalg.fill ins(%{{.*}} : i32) outs(%[[FLAG]] : memref<1xi32>)
//       CHECK: %[[RAISED:.*]] = memref.load %[[FLAG]]
//       CHECK: arith.andi %[[RAISED]], %c2_i32
//       CHECK: %[[STOPPED:.*]] = arith.select %{{.*}}, %c12_i32, %c0_i32
//       CHECK: arith.andi %[[RAISED]], %c1_i32
//       CHECK: %[[STATUS:.*]] = arith.select %{{.*}}, %c11_i32, %[[STOPPED]]
//       CHECK: return %[[STATUS]] : i32
func.func @forward(%x: memref<4xf32>, %y: memref<4xf32>, %s: memref<1xi32> {graven.status}, %w: memref<64xi8>, %p: memref<0xi8>)
    attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 2 : i64, graven.workspace_size = 64 : i64} {
  %zero = arith.constant 0 : i32
  linalg.fill ins(%zero : i32) outs(%s : memref<1xi32>)
  linalg.exp ins(%x : memref<4xf32>) outs(%y : memref<4xf32>)
  return
}

// -----

// A function without a status does not change.

// CHECK-LABEL: func.func @plain
//  CHECK-SAME: (%{{.*}}: memref<4xf32>, %{{.*}}: memref<4xf32>, %{{.*}}: memref<64xi8>, %{{.*}}: memref<0xi8>) attributes
//  CHECK-SAME: graven.workspace_size = 64 : i64
//       CHECK: return{{$}}
func.func @plain(%x: memref<4xf32>, %y: memref<4xf32>, %w: memref<64xi8>, %p: memref<0xi8>)
    attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 1 : i64, graven.workspace_size = 64 : i64} {
  linalg.exp ins(%x : memref<4xf32>) outs(%y : memref<4xf32>)
  return
}

// -----

// The buffer phase says how big the workspace is.

// expected-error @below {{[GRV0601] return-status: @unplanned has a status, but not the attributes of the buffer phase}}
func.func @unplanned(%x: memref<4xf32>, %s: memref<1xi32> {graven.status}, %w: memref<64xi8>, %p: memref<0xi8>) {
  return
}
