// RUN: graven-opt %s --graven-map-to-threads --canonicalize --cse -split-input-file | FileCheck %s

// 4 channels of a pixel a thread, which are neighbours of the next thread's; the channels past the last one are nobody's.

// CHECK-LABEL: gpu.launch_func @device::@depthwise blocks in (%c2, %c1, %c1) threads in (%c256, %c1, %c1)
// CHECK-LABEL: gpu.func @depthwise
//       CHECK:   arith.cmpi ult, %{{.*}}, %c288
//       CHECK:   arith.remui %{{.*}}, %c4
//       CHECK:   %[[CHANNEL:.*]] = arith.addi
//       CHECK:   %[[IS_THERE:.*]] = arith.cmpi ult, %[[CHANNEL]], %c20
//       CHECK:   scf.if %[[IS_THERE]]
//       CHECK:     scf.for %{{.*}} = %c0 to %c3
// CHECK-COUNT-3:     vector.fma
//   CHECK-NOT:       vector.fma
//       CHECK:     vector.store %{{.*}} : memref<1152xf32>, vector<4xf32>
func.func @forward(%x: memref<1x2x8x8x16xf32>, %w: memref<2x3x3x16xf32>, %y: memref<1x2x6x6x16xf32>)
    attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @depthwise(%x, %w, %y : memref<1x2x8x8x16xf32>, memref<2x3x3x16xf32>, memref<1x2x6x6x16xf32>) tasks(2)
  return
}
func.func private @depthwise(%x: memref<1x2x8x8x16xf32>, %w: memref<2x3x3x16xf32>, %y: memref<1x2x6x6x16xf32>, %lo: index,
    %hi: index) attributes {kernel.entry} {
  kernel.depthwise ins(%x, %w : memref<1x2x8x8x16xf32>, memref<2x3x3x16xf32>) outs(%y : memref<1x2x6x6x16xf32>)
      attributes {channels = 20 : i64, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
                  tile = array<i64: 2, 3>}
  return
}

// -----

// Channels that are no multiple of 4 go as the expander for CPUs cuts them.

// CHECK-LABEL: gpu.func @depthwise
//       CHECK:   arith.cmpi ult, %{{.*}}, %c12
//       CHECK:   scf.if
func.func @forward(%x: memref<1x2x8x8x16xf32>, %w: memref<2x3x3x16xf32>, %y: memref<1x2x6x6x16xf32>)
    attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @depthwise(%x, %w, %y : memref<1x2x8x8x16xf32>, memref<2x3x3x16xf32>, memref<1x2x6x6x16xf32>) tasks(2)
  return
}
func.func private @depthwise(%x: memref<1x2x8x8x16xf32>, %w: memref<2x3x3x16xf32>, %y: memref<1x2x6x6x16xf32>, %lo: index,
    %hi: index) attributes {kernel.entry} {
  kernel.depthwise ins(%x, %w : memref<1x2x8x8x16xf32>, memref<2x3x3x16xf32>) outs(%y : memref<1x2x6x6x16xf32>)
      attributes {channels = 18 : i64, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
                  tile = array<i64: 1, 3>}
  return
}

// -----

// An element of a plane a thread; windows that cross a border are clipped.

// CHECK-LABEL: gpu.launch_func @device::@pool blocks in (%c1, %c1, %c1)
// CHECK-LABEL: gpu.func @pool
//       CHECK:   arith.cmpi ult, %{{.*}}, %c50
//       CHECK:   arith.maxsi
//       CHECK:   %[[MOST:.*]] = scf.for
//       CHECK:     scf.for
//       CHECK:   memref.store %[[MOST]]
func.func @forward(%x: memref<1x2x9x9xf32>, %y: memref<1x2x5x5xf32>) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @pool(%x, %y : memref<1x2x9x9xf32>, memref<1x2x5x5xf32>) tasks(2)
  return
}
func.func private @pool(%x: memref<1x2x9x9xf32>, %y: memref<1x2x5x5xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  kernel.pool max ins(%x : memref<1x2x9x9xf32>) outs(%y : memref<1x2x5x5xf32>)
      {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
       pads = array<i64: 1, 1, 1, 1>}
  return
}
