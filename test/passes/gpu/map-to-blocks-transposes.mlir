// RUN: graven-opt %s --graven-map-to-blocks --canonicalize --cse -split-input-file | FileCheck %s

// A tile of 32 x 32 goes through shared memory, whose rows are one element longer than the tile: loads follow the
// operand's memory, stores the result's. Extents are no multiple of 32, so both ask what exists; all threads come to the
// barrier.

// CHECK-LABEL: gpu.launch_func @device::@turn blocks in (%c12, %c1, %c1) threads in (%c256, %c1, %c1)
// CHECK-LABEL: gpu.func @turn
//  CHECK-SAME:   workgroup(%[[TILE:.*]] : memref<1056xf32, #gpu.address_space<workgroup>>)
//   CHECK-DAG:   %[[ROW:.*]] = arith.divui %{{.*}}, %c32
//   CHECK-DAG:   %[[COLUMN:.*]] = arith.remui %{{.*}}, %c32
//       CHECK:   scf.if
//       CHECK:     memref.load
//       CHECK:     memref.store %{{.*}}, %[[TILE]]
// CHECK-COUNT-3: memref.store %{{.*}}, %[[TILE]]
//       CHECK:   gpu.barrier
// CHECK-COUNT-4: memref.load %[[TILE]]
//   CHECK-NOT:   memref.load %[[TILE]]
func.func @forward(%x: memref<100x70xf32>, %y: memref<70x100xf32>) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @turn(%x, %y : memref<100x70xf32>, memref<70x100xf32>) tasks(1)
  return
}
func.func private @turn(%x: memref<100x70xf32>, %y: memref<70x100xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  linalg.transpose ins(%x : memref<100x70xf32>) outs(%y : memref<70x100xf32>) permutation = [1, 0]
  return
}

// -----

// Of several operands only those are turned that lie across the result; whole tiles need no question.

// CHECK-LABEL: gpu.launch_func @device::@add blocks in (%c16, %c1, %c1)
// CHECK-LABEL: gpu.func @add(
//  CHECK-SAME:   workgroup(%[[TILE:[^ ]*]] : memref<1056xf16, #gpu.address_space<workgroup>>) kernel
//   CHECK-NOT:   scf.if
//       CHECK:   gpu.barrier
//       CHECK:   %[[TURNED:.*]] = memref.load %[[TILE]]
//       CHECK:   %[[STRAIGHT:.*]] = memref.load %{{.*}} : memref<16384xf16>
//       CHECK:   arith.addf %[[TURNED]], %[[STRAIGHT]]
func.func @forward(%x: memref<64x64x4xf16>, %z: memref<4x64x64xf16>, %y: memref<4x64x64xf16>)
    attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @add(%x, %z, %y : memref<64x64x4xf16>, memref<4x64x64xf16>, memref<4x64x64xf16>) tasks(1)
  return
}
func.func private @add(%x: memref<64x64x4xf16>, %z: memref<4x64x64xf16>, %y: memref<4x64x64xf16>, %lo: index,
    %hi: index) attributes {kernel.entry} {
  %0 = memref.reinterpret_cast %x to offset: [0], sizes: [4, 64, 64], strides: [4096, 64, 1]
      : memref<64x64x4xf16> to memref<4x64x64xf16>
  linalg.generic {indexing_maps = [affine_map<(b, i, j) -> (b, j, i)>, affine_map<(b, i, j) -> (b, i, j)>,
                                   affine_map<(b, i, j) -> (b, i, j)>],
                  iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%0, %z : memref<4x64x64xf16>, memref<4x64x64xf16>) outs(%y : memref<4x64x64xf16>) {
  ^bb0(%a: f16, %b: f16, %out: f16):
    %1 = arith.addf %a, %b : f16
    linalg.yield %1 : f16
  }
  return
}

// -----

// Left to threads: operands along the result, and few neighbours.

// CHECK-LABEL: func.func @forward
// CHECK-COUNT-2: kernel.launch
//   CHECK-NOT: gpu.module
func.func @forward(%x: memref<64x64xf32>, %z: memref<64x8xf32>) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @along(%x : memref<64x64xf32>) tasks(1)
  kernel.launch @few(%x, %z : memref<64x64xf32>, memref<64x8xf32>) tasks(1)
  return
}
func.func private @along(%x: memref<64x64xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<64x64xf32>) outs(%x : memref<64x64xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  }
  return
}
func.func private @few(%x: memref<64x64xf32>, %z: memref<64x8xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  %0 = memref.subview %x[0, 0] [8, 64] [1, 1] : memref<64x64xf32> to memref<8x64xf32, strided<[64, 1]>>
  linalg.transpose ins(%0 : memref<8x64xf32, strided<[64, 1]>>) outs(%z : memref<64x8xf32>) permutation = [1, 0]
  return
}
