// RUN: graven-opt %s --graven-map-to-blocks --canonicalize --cse -split-input-file | FileCheck %s

// Rows of up to 1,024 elements are a warp's: 8 rows a block, of which the last block has 4. Neighbouring threads load
// neighbouring vectors, once; what they came to goes through shuffles, and no shared memory is needed.

// CHECK-LABEL: func.func @forward
//       CHECK: gpu.launch_func @device::@rows blocks in (%c2, %c1, %c1) threads in (%c256, %c1, %c1)
//  CHECK-SAME:   args(%{{.*}} : memref<12x768xf32>, %{{.*}} : memref<12x768xf32>)
//   CHECK-NOT: func.func private
// CHECK-LABEL: gpu.func @rows
//   CHECK-NOT:   workgroup
//       CHECK:   %[[THREAD:.*]] = gpu.thread_id x
//       CHECK:   %[[IN_BLOCK:.*]] = arith.divui %[[THREAD]], %c32
//       CHECK:   %[[LANE:.*]] = arith.remui %[[THREAD]], %c32
//       CHECK:   %[[BLOCK:.*]] = gpu.block_id x
//       CHECK:   %[[FIRST:.*]] = arith.muli %[[BLOCK]], %c8
//       CHECK:   %[[ROW:.*]] = arith.addi %[[FIRST]], %[[IN_BLOCK]]
//       CHECK:   %[[EXISTS:.*]] = arith.cmpi ult, %[[ROW]], %c12
//       CHECK:   arith.muli %[[LANE]], %c4
// CHECK-COUNT-6: vector.load %{{.*}} : memref<9216xf32>, vector<4xf32>
//   CHECK-NOT:   vector.load
// CHECK-COUNT-5: gpu.shuffle xor
//   CHECK-NOT:   gpu.barrier
// CHECK-COUNT-5: gpu.shuffle xor
//       CHECK:   scf.if %[[EXISTS]]
//       CHECK:     vector.store
func.func @forward(%x: memref<12x768xf32>, %y: memref<12x768xf32>) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @rows(%x, %y : memref<12x768xf32>, memref<12x768xf32>) tasks(4)
  return
}
func.func private @rows(%x: memref<12x768xf32>, %y: memref<12x768xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  kernel.softmax ins(%x : memref<12x768xf32>) outs(%y : memref<12x768xf32>)
  return
}

// -----

// A long row is a block's. Its elements are no multiple of a vector, so they are loaded one by one, and those past the
// end are the last one, of which nothing is used. Warps tell each other through shared memory.

// CHECK-LABEL: gpu.launch_func @device::@norm blocks in (%c5, %c1, %c1) threads in (%c256, %c1, %c1)
// CHECK-LABEL: gpu.func @norm
//  CHECK-SAME:   workgroup(%[[SUMS:.*]] : memref<8xf32, #gpu.address_space<workgroup>>,
//  CHECK-SAME:             %[[SQUARES:.*]] : memref<8xf32, #gpu.address_space<workgroup>>)
//       CHECK:   %[[LAST:.*]] = arith.cmpi ult, %{{.*}}, %c2501
//       CHECK:   %[[AT:.*]] = arith.minsi %{{.*}}, %c2500
//       CHECK:   %[[VALUE:.*]] = vector.load
//       CHECK:   arith.select %[[LAST]], %[[VALUE]]
// CHECK-COUNT-5: gpu.shuffle xor
//       CHECK:   memref.store %{{.*}}, %[[SUMS]]
//       CHECK:   gpu.barrier
//       CHECK:   memref.load %[[SUMS]]
// CHECK-COUNT-3: gpu.shuffle xor
//       CHECK:   arith.divf
// CHECK-COUNT-5: gpu.shuffle xor
//       CHECK:   memref.store %{{.*}}, %[[SQUARES]]
//       CHECK:   gpu.barrier
//       CHECK:   math.sqrt
//       CHECK:   scf.if %[[LAST]]
func.func @forward(%x: memref<5x2501xf32>, %y: memref<5x2501xf32>, %p: memref<2501xf32>)
    attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @norm(%x, %y, %p : memref<5x2501xf32>, memref<5x2501xf32>, memref<2501xf32>) tasks(4)
  return
}
func.func private @norm(%x: memref<5x2501xf32>, %y: memref<5x2501xf32>, %p: memref<2501xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  kernel.rownorm layer ins(%x : memref<5x2501xf32>) params(%p, %p : memref<2501xf32>, memref<2501xf32>)
      outs(%y : memref<5x2501xf32>) {epsilon = 1.0e-5 : f64}
  return
}

// -----

// What is too long for registers is read again; f16 is computed in f32, 8 at a time.

// CHECK-LABEL: gpu.launch_func @device::@rms blocks in (%c1, %c1, %c1) threads in (%c1024, %c1, %c1)
// CHECK-LABEL: gpu.func @rms
//       CHECK:   scf.for %{{.*}} = %c0 to %c65536 step %c8192 iter_args
//       CHECK:     vector.load %{{.*}} : memref<65536xf16>, vector<8xf16>
//       CHECK:     arith.extf
//       CHECK:   gpu.barrier
//       CHECK:   scf.for %{{.*}} = %c0 to %c65536 step %c8192
//       CHECK:     vector.store %{{.*}} : memref<65536xf16>, vector<8xf16>
func.func @forward(%x: memref<1x65536xf16>, %y: memref<1x65536xf16>) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @rms(%x, %y : memref<1x65536xf16>, memref<1x65536xf16>) tasks(4)
  return
}
func.func private @rms(%x: memref<1x65536xf16>, %y: memref<1x65536xf16>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  kernel.rownorm rms ins(%x : memref<1x65536xf16>) outs(%y : memref<1x65536xf16>) {epsilon = 1.0e-5 : f64}
  return
}

// -----

// f64 has no shuffle: its halves go one by one. A short row is a part of a warp's.

// CHECK-LABEL: gpu.func @short
//       CHECK:   arith.divui %{{.*}}, %c4
//       CHECK:   %[[HIGH:.*]] = arith.shrui %{{.*}}, %c32_i64
//       CHECK:   gpu.shuffle xor %{{.*}}, %c2_i32
//       CHECK:   gpu.shuffle xor %{{.*}}, %c2_i32
//       CHECK:   arith.ori
//       CHECK:   arith.bitcast %{{.*}} : i64 to f64
func.func @forward(%x: memref<100x49xf64>, %y: memref<100x49xf64>) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @short(%x, %y : memref<100x49xf64>, memref<100x49xf64>) tasks(4)
  return
}
func.func private @short(%x: memref<100x49xf64>, %y: memref<100x49xf64>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  kernel.rownorm rms ins(%x : memref<100x49xf64>) outs(%y : memref<100x49xf64>) {epsilon = 1.0e-5 : f64}
  return
}

// -----

// Left to threads: a row of one element, one whose elements are apart, an elementwise operation, two kernels.

// CHECK-LABEL: func.func @forward
// CHECK-COUNT-4: kernel.launch
//   CHECK-NOT: gpu.module
func.func @forward(%x: memref<8x1xf32>, %y: memref<8x8xf32>) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @one(%x : memref<8x1xf32>) tasks(1)
  kernel.launch @apart(%y : memref<8x8xf32>) tasks(1)
  kernel.launch @fill(%y : memref<8x8xf32>) tasks(1)
  kernel.launch @both(%x, %y : memref<8x1xf32>, memref<8x8xf32>) tasks(1)
  return
}
func.func private @one(%x: memref<8x1xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  kernel.softmax ins(%x : memref<8x1xf32>) outs(%x : memref<8x1xf32>)
  return
}
func.func private @apart(%y: memref<8x8xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  %0 = memref.subview %y[0, 0] [8, 4] [1, 2] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 2]>>
  kernel.softmax ins(%0 : memref<8x4xf32, strided<[8, 2]>>) outs(%0 : memref<8x4xf32, strided<[8, 2]>>)
  return
}
func.func private @fill(%y: memref<8x8xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<8x8xf32>)
  return
}
func.func private @both(%x: memref<8x1xf32>, %y: memref<8x8xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  kernel.softmax ins(%y : memref<8x8xf32>) outs(%y : memref<8x8xf32>)
  kernel.softmax ins(%y : memref<8x8xf32>) outs(%y : memref<8x8xf32>)
  return
}
