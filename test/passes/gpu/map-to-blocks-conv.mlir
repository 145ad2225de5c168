// RUN: graven-opt %s --graven-map-to-blocks --canonicalize --cse -split-input-file | FileCheck %s

// A convolution is a product of windows: 98 pixels in tiles of 16, the 16 channels of a tap side by side in memory. Whole
// panels of the weights lie one after the other. Pixels are divided once, before the loop, and steps of k in each stage.

// CHECK-LABEL: func.func @forward
//       CHECK:   gpu.launch_func @device::@blocked blocks in (%c7, %c1, %c1) threads in (%c128, %c1, %c1)
//       CHECK:   gpu.func @blocked
//   CHECK-NOT:     kernel.conv
//       CHECK:     arith.divui %{{.*}}, %c7_i32
//       CHECK:     nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache = cg, %{{.*}} : !llvm.ptr<3>, !llvm.ptr<1>, i32
//       CHECK:     scf.for %{{.*}} = %c0_i32 to %c9_i32
//       CHECK:       %[[TAP:.*]] = arith.divui %{{.*}}, %c16_i32
//       CHECK:       arith.divui %[[TAP]], %c3_i32
//       CHECK:       nvvm.mma.sync {{.*}}tf32
//       CHECK:     scf.for
//       CHECK:       vector.store {{.*}} {alignment = 16 : i64} : memref<6272xf32>, vector<4xf32>
!x = memref<2x2x9x9x16xf32>
!w = memref<1x2x3x3x16x64xf32>
!y = memref<2x4x7x7x16xf32>
func.func @forward(%x: !x, %w: !w, %y: !y) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @blocked(%x, %w, %y : !x, !w, !y) tasks(2)
  return
}
func.func private @blocked(%x: !x, %w: !w, %y: !y, %lo: index, %hi: index) attributes {kernel.entry} {
  kernel.conv ins(%x, %w : !x, !w) outs(%y : !y) attributes {
      in_channels = 32 : i64, out_channels = 64 : i64, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
      groups = 1 : i64, tile = array<i64: 1, 4>, row_block = 7 : i64}
  return
}

// -----

// Of the last block of channels the lanes that exist are read; of a planar output neighbouring pixels are stored.

// CHECK-LABEL: gpu.func @lanes
//       CHECK:   %[[LEFT:.*]] = arith.subi %c20_i32, %{{.*}}
//       CHECK:   %[[SOME:.*]] = arith.maxsi %[[LEFT]], %c0_i32
//       CHECK:   %[[COUNT:.*]] = arith.minsi %[[SOME]], %c8_i32
//       CHECK:   nvvm.mma.sync {{.*}}k = 16>{{.*}} : (vector<2xf16>
//       CHECK:   scf.if
//       CHECK:   vector.store {{.*}} : memref<{{.*}}xf16>, vector<1xf16>
!x = memref<1x2x5x5x16xf16>
!w = memref<1x2x1x1x16x16xf16>
!y = memref<1x10x5x5xf16>
func.func @forward(%x: !x, %w: !w, %y: !y) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @lanes(%x, %w, %y : !x, !w, !y) tasks(2)
  return
}
func.func private @lanes(%x: !x, %w: !w, %y: !y, %lo: index, %hi: index) attributes {kernel.entry} {
  kernel.conv ins(%x, %w : !x, !w) outs(%y : !y) attributes {
      in_channels = 20 : i64, out_channels = 10 : i64, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
      groups = 1 : i64, tile = array<i64: 1, 4>, row_block = 5 : i64}
  return
}

// -----

// A planar input is gathered element by element; the sums of the weights stay as narrow as they are.

// CHECK-LABEL: gpu.func @stem
//       CHECK:   arith.remui %{{.*}}, %c3_i32
//       CHECK:   nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 4, cache = ca, %{{.*}} : !llvm.ptr<3>
//       CHECK:   arith.extf %{{.*}} : bf16 to f32
//       CHECK:   nvvm.mma.sync {{.*}}tf32
!x = memref<1x3x21x21xf32>
!w = memref<1x1x7x7x3x64xbf16>
!y = memref<1x4x8x8x16xf32>
func.func @forward(%x: !x, %w: !w, %y: !y) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @stem(%x, %w, %y : !x, !w, !y) tasks(2)
  return
}
func.func private @stem(%x: !x, %w: !w, %y: !y, %lo: index, %hi: index) attributes {kernel.entry} {
  kernel.conv ins(%x, %w : !x, !w) outs(%y : !y) attributes {
      in_channels = 3 : i64, out_channels = 64 : i64, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
      groups = 1 : i64, tile = array<i64: 1, 4>, row_block = 8 : i64}
  return
}

// -----

// A panel of each group: the group of a block is that of its columns.

// CHECK-LABEL: gpu.func @groups
//       CHECK:   %[[GROUP:.*]] = arith.divui %{{.*}}, %c32_i32
//       CHECK:   arith.muli %[[GROUP]], %c784_i32
//       CHECK:   nvvm.mma.sync
!x = memref<1x2x7x7x16xf32>
!w = memref<2x1x1x1x16x32xf32>
!y = memref<1x4x7x7x16xf32>
func.func @forward(%x: !x, %w: !w, %y: !y) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @groups(%x, %w, %y : !x, !w, !y) tasks(2)
  return
}
func.func private @groups(%x: !x, %w: !w, %y: !y, %lo: index, %hi: index) attributes {kernel.entry} {
  kernel.conv ins(%x, %w : !x, !w) outs(%y : !y) attributes {
      in_channels = 32 : i64, out_channels = 64 : i64, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
      groups = 2 : i64, tile = array<i64: 1, 4>, row_block = 7 : i64}
  return
}

// -----

// f64 and panels of 8 columns are left to single threads.

// CHECK-LABEL: func.func @forward
//   CHECK-NOT: gpu.
//       CHECK: func.func private @doubles
//       CHECK: func.func private @columns
!x = memref<1x1x7x7x16xf64>
!w = memref<1x1x1x1x16x16xf64>
!y = memref<1x1x7x7x16xf64>
!x8 = memref<1x1x7x7x16xf32>
!w8 = memref<2x1x1x1x16x8xf32>
!y8 = memref<1x1x7x7x16xf32>
func.func @forward(%x: !x, %w: !w, %y: !y, %x8: !x8, %w8: !w8, %y8: !y8) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @doubles(%x, %w, %y : !x, !w, !y) tasks(2)
  kernel.launch @columns(%x8, %w8, %y8 : !x8, !w8, !y8) tasks(2)
  return
}
func.func private @doubles(%x: !x, %w: !w, %y: !y, %lo: index, %hi: index) attributes {kernel.entry} {
  kernel.conv ins(%x, %w : !x, !w) outs(%y : !y) attributes {
      in_channels = 16 : i64, out_channels = 16 : i64, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
      groups = 1 : i64, tile = array<i64: 1, 4>, row_block = 7 : i64}
  return
}
func.func private @columns(%x: !x8, %w: !w8, %y: !y8, %lo: index, %hi: index) attributes {kernel.entry} {
  kernel.conv ins(%x, %w : !x8, !w8) outs(%y : !y8) attributes {
      in_channels = 16 : i64, out_channels = 16 : i64, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
      groups = 1 : i64, tile = array<i64: 1, 4>, row_block = 7 : i64}
  return
}
