// RUN: graven-opt %s --graven-retile-kernels="vector-bytes=32 vector-registers=16" | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: graven-opt %s --graven-retile-kernels="vector-bytes=16 vector-registers=16 fma=false" | FileCheck %s --check-prefixes=CHECK,SSE

// Panels of 32 columns, two vectors of AVX-512: two vectors of AVX2 or SSE and the rows that they leave room for.
// CHECK-LABEL: @gemm
// AVX2: kernel.gemm {{.*}}mr = 6
// SSE: kernel.gemm {{.*}}mr = 5
func.func @gemm(%a: memref<1x128x768xf32>, %b: memref<1x24x768x32xf32>, %out: memref<1x128x768xf32>) {
  kernel.gemm ins(%a, %b : memref<1x128x768xf32>, memref<1x24x768x32xf32>) outs(%out : memref<1x128x768xf32>)
      attributes {mr = 14 : i64, kc = 384 : i64}
  return
}

// Three vectors of AVX2 need fewer loads than two.
// CHECK-LABEL: @three
// AVX2: kernel.gemm {{.*}}mr = 4
// SSE: kernel.gemm {{.*}}mr = 3
func.func @three(%a: memref<1x128x768xf32>, %b: memref<1x16x768x48xf32>, %out: memref<1x128x768xf32>) {
  kernel.gemm ins(%a, %b : memref<1x128x768xf32>, memref<1x16x768x48xf32>) outs(%out : memref<1x128x768xf32>)
      attributes {mr = 9 : i64, kc = 384 : i64}
  return
}

// CHECK-LABEL: @conv
// AVX2: kernel.conv {{.*}}tile = array<i64: 1, 6>
// SSE: kernel.conv {{.*}}tile = array<i64: 1, 5>
func.func @conv(%x: memref<1x4x30x32x16xf32>, %w: memref<4x4x3x3x16x32xf32>, %out: memref<1x8x28x30x16xf32>) {
  kernel.conv ins(%x, %w : memref<1x4x30x32x16xf32>, memref<4x4x3x3x16x32xf32>) outs(%out : memref<1x8x28x30x16xf32>)
      attributes {in_channels = 64 : i64, out_channels = 128 : i64, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
                  tile = array<i64: 1, 14>, row_block = 28 : i64}
  return
}

// A panel of one narrow vector stays what it is.
// CHECK-LABEL: @narrow
// AVX2: kernel.gemm {{.*}}mr = 14
func.func @narrow(%a: memref<1x128x768xf32>, %b: memref<1x96x768x8xf32>, %out: memref<1x128x768xf32>) {
  kernel.gemm ins(%a, %b : memref<1x128x768xf32>, memref<1x96x768x8xf32>) outs(%out : memref<1x128x768xf32>)
      attributes {mr = 30 : i64, kc = 384 : i64}
  return
}

// A step of 4 gates whose panels are two vectors of AVX-512: an accumulator for each gate and row, one vector of a panel at a
// time.
// CHECK-LABEL: @recurrence
// AVX2: kernel.recurrence_step {{.*}}mr = 3
// SSE: kernel.recurrence_step {{.*}}mr = 2
func.func @recurrence(%x: memref<7x4x128xf32>, %r: memref<1x1x32x2x4x16xf32>, %y: memref<7x4x32xf32>, %s: memref<2x4x32xf32>) {
  %c0 = arith.constant 0 : index
  kernel.recurrence_step ins(%x, %r : memref<7x4x128xf32>, memref<1x1x32x2x4x16xf32>) direction(%c0) position(%c0)
      outs(%y, %s : memref<7x4x32xf32>, memref<2x4x32xf32>) attributes {gates = 4 : i64, mr = 4 : i64} {
  ^bb0(%a: f32, %b: f32, %c: f32, %d: f32, %e: f32, %f: f32, %g: f32, %h: f32, %state: f32):
    %0 = arith.addf %a, %state : f32
    kernel.yield %0 : f32
  }
  return
}

// Panels of vectors as wide as the CPU's are taken at once.
// CHECK-LABEL: @recurrence_of_these_vectors
// AVX2: kernel.recurrence_step {{.*}}mr = 4
func.func @recurrence_of_these_vectors(%x: memref<7x4x128xf32>, %r: memref<1x4x32x1x4x8xf32>, %y: memref<7x4x32xf32>, %s: memref<2x4x32xf32>) {
  %c0 = arith.constant 0 : index
  kernel.recurrence_step ins(%x, %r : memref<7x4x128xf32>, memref<1x4x32x1x4x8xf32>) direction(%c0) position(%c0)
      outs(%y, %s : memref<7x4x32xf32>, memref<2x4x32xf32>) attributes {gates = 4 : i64, mr = 4 : i64} {
  ^bb0(%a: f32, %b: f32, %c: f32, %d: f32, %e: f32, %f: f32, %g: f32, %h: f32, %state: f32):
    %0 = arith.addf %a, %state : f32
    kernel.yield %0 : f32
  }
  return
}
