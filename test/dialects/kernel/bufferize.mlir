// RUN: %graven-opt %s --graven-bufferize --canonicalize --cse | FileCheck %s

// The destination is not read, so nothing is copied into the buffers.
// CHECK-LABEL: func.func @chain
// CHECK-SAME: %[[A:.*]]: memref<1x7x20xf32>, %[[B:.*]]: memref<1x3x20x16xf32>, %[[ROW:.*]]: memref<40xf32>, %[[OUT:.*]]: memref<1x7x40xf32>)
func.func @chain(%a: tensor<1x7x20xf32>, %b: tensor<1x3x20x16xf32>, %row: tensor<40xf32>) -> tensor<1x7x40xf32> {
  // CHECK-NOT: copy
  // CHECK: %[[P:.*]] = memref.alloc() {{.*}} : memref<1x7x40xf32>
  // CHECK: kernel.gemm ins(%[[A]], %[[B]] : memref<1x7x20xf32>, memref<1x3x20x16xf32>) epilogue(%[[ROW]] : memref<40xf32>) outs(%[[P]] : memref<1x7x40xf32>)
  // CHECK: kernel.yield
  %0 = tensor.empty() : tensor<1x7x40xf32>
  %1 = kernel.gemm ins(%a, %b : tensor<1x7x20xf32>, tensor<1x3x20x16xf32>) epilogue(%row : tensor<40xf32>)
      outs(%0 : tensor<1x7x40xf32>) attributes {mr = 6 : i64, kc = 384 : i64} {
  ^bb0(%acc: f32, %r: f32):
    %3 = arith.addf %acc, %r : f32
    kernel.yield %3 : f32
  } -> tensor<1x7x40xf32>
  // CHECK: kernel.softmax ins(%[[P]] : memref<1x7x40xf32>) outs(%[[OUT]] : memref<1x7x40xf32>)
  // CHECK-NOT: copy
  // CHECK: return{{$}}
  %4 = tensor.empty() : tensor<1x7x40xf32>
  %2 = kernel.softmax ins(%1 : tensor<1x7x40xf32>) outs(%4 : tensor<1x7x40xf32>) -> tensor<1x7x40xf32>
  return %2 : tensor<1x7x40xf32>
}

// A weight is a view of the blob; it is read only, so a write goes elsewhere.
// CHECK-LABEL: func.func @weight
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<4x6xf32>, %[[Y:[a-z0-9]+]]: memref<4x6xf32>, %[[Z:[a-z0-9]+]]: memref<6xf32>, %[[BLOB:[a-z0-9]+]]: memref<4096xi8> {graven.weights})
func.func @weight(%x: tensor<4x6xf32>, %blob: memref<4096xi8> {graven.weights}) -> (tensor<4x6xf32>, tensor<6xf32>) {
  // CHECK: %[[W:.*]] = memref.view %[[BLOB]][%c1024][] : memref<4096xi8> to memref<6xf32>
  // CHECK: kernel.rownorm rms ins(%[[X]] : memref<4x6xf32>) params(%[[W]] : memref<6xf32>) outs(%[[Y]] : memref<4x6xf32>)
  %w = kernel.weight {offset = 1024 : i64} : tensor<6xf32>
  %0 = tensor.empty() : tensor<4x6xf32>
  %1 = kernel.rownorm rms ins(%x : tensor<4x6xf32>) params(%w : tensor<6xf32>) outs(%0 : tensor<4x6xf32>) {epsilon = 1.0e-5 : f64} -> tensor<4x6xf32>
  // CHECK-NOT: outs(%[[W]]
  %zero = arith.constant 0.0 : f32
  %2 = linalg.fill ins(%zero : f32) outs(%w : tensor<6xf32>) -> tensor<6xf32>
  // CHECK: return{{$}}
  return %1, %2 : tensor<4x6xf32>, tensor<6xf32>
}

// CHECK-LABEL: func.func @weight_without_blob
func.func @weight_without_blob(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
  // CHECK: %[[W:.*]] = kernel.weight {offset = 64 : i64} : memref<6xf32>
  // CHECK: params(%[[W]] : memref<6xf32>)
  %w = kernel.weight {offset = 64 : i64} : tensor<6xf32>
  %0 = tensor.empty() : tensor<4x6xf32>
  %1 = kernel.rownorm rms ins(%x : tensor<4x6xf32>) params(%w : tensor<6xf32>) outs(%0 : tensor<4x6xf32>) {epsilon = 1.0e-5 : f64} -> tensor<4x6xf32>
  return %1 : tensor<4x6xf32>
}
