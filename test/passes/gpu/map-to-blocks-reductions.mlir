// RUN: graven-opt %s --graven-map-to-blocks --canonicalize --cse -split-input-file | FileCheck %s

// Neighbours are reduced: 16 threads a result, since there are few results, take steps side by side, from the neutral
// element on; what was there before comes to it once, at the end, in the one thread that stores.

// CHECK-LABEL: gpu.launch_func @device::@sum blocks in (%c40, %c1, %c1) threads in (%c256, %c1, %c1)
// CHECK-LABEL: gpu.func @sum
//       CHECK:   %[[IN_BLOCK:.*]] = arith.divui %{{.*}}, %c16
//       CHECK:   %[[MEMBER:.*]] = arith.remui %{{.*}}, %c16
//       CHECK:   %[[STORES:.*]] = arith.cmpi ult, %[[MEMBER]], %c1
//       CHECK:   %[[PART:.*]] = scf.for %{{.*}} = %[[MEMBER]] to %c64 step %c16 iter_args(%{{.*}} = %{{.*}}) -> (f32)
//       CHECK:   gpu.shuffle xor %[[PART]], %c8_i32
//       CHECK:   gpu.shuffle xor %{{.*}}, %c4_i32
//       CHECK:   gpu.shuffle xor %{{.*}}, %c2_i32
//       CHECK:   gpu.shuffle xor %{{.*}}, %c1_i32
//       CHECK:   %[[TOTAL:.*]] = arith.addf
//       CHECK:   scf.if %[[STORES]]
//       CHECK:     %[[INIT:.*]] = memref.load %arg1[
//       CHECK:     %[[ALL:.*]] = arith.addf %[[INIT]], %[[TOTAL]]
//       CHECK:     memref.store %[[ALL]], %arg1[
func.func @forward(%x: memref<640x64xf32>, %y: memref<640xf32>) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @sum(%x, %y : memref<640x64xf32>, memref<640xf32>) tasks(1)
  return
}
func.func private @sum(%x: memref<640x64xf32>, %y: memref<640xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                  iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<640x64xf32>) outs(%y : memref<640xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %out, %in : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// Far neighbours are reduced: whole warps take neighbouring results, and what they came to meets in shared memory.
// Two results go together.

// CHECK-LABEL: gpu.launch_func @device::@columns blocks in (%c4, %c1, %c1) threads in (%c1024, %c1, %c1)
// CHECK-LABEL: gpu.func @columns
//  CHECK-SAME:   workgroup(%[[SUMS:.*]] : memref<1024xf32, #gpu.address_space<workgroup>>,
//  CHECK-SAME:             %[[MOST:.*]] : memref<1024xi32, #gpu.address_space<workgroup>>)
//       CHECK:   %[[LOWEST:.*]] = arith.constant -2147483648 : i32
//       CHECK:   arith.remui %{{.*}}, %c32
//       CHECK:   arith.cmpi ult, %{{.*}}, %c100
//       CHECK:   scf.for %{{.*}} to %c500 step %c32
//       CHECK:     arith.addf
//       CHECK:     arith.maxsi
//       CHECK:   memref.store %{{.*}}, %[[SUMS]]
//       CHECK:   memref.store %{{.*}}, %[[MOST]]
//       CHECK:   gpu.barrier
//   CHECK-NOT:   gpu.shuffle
// CHECK-COUNT-32: memref.load %[[SUMS]]
// CHECK-COUNT-32: memref.load %[[MOST]]
//       CHECK:   scf.if
func.func @forward(%x: memref<500x100xf32>, %i: memref<500x100xi32>, %y: memref<100xf32>, %z: memref<100xi32>)
    attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @columns(%x, %i, %y, %z : memref<500x100xf32>, memref<500x100xi32>, memref<100xf32>, memref<100xi32>)
      tasks(1)
  return
}
func.func private @columns(%x: memref<500x100xf32>, %i: memref<500x100xi32>, %y: memref<100xf32>, %z: memref<100xi32>,
    %lo: index, %hi: index) attributes {kernel.entry} {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (j, i)>,
                                   affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i)>],
                  iterator_types = ["parallel", "reduction"]}
      ins(%x, %i : memref<500x100xf32>, memref<500x100xi32>) outs(%y, %z : memref<100xf32>, memref<100xi32>) {
  ^bb0(%a: f32, %b: i32, %out: f32, %most: i32):
    %0 = arith.addf %out, %a : f32
    %1 = arith.maxsi %b, %most : i32
    linalg.yield %0, %1 : f32, i32
  }
  return
}

// -----

// A single result has a block; 16 bits are exchanged in 32.

// CHECK-LABEL: gpu.launch_func @device::@all blocks in (%c1, %c1, %c1) threads in (%c1024, %c1, %c1)
// CHECK-LABEL: gpu.func @all
//  CHECK-SAME:   workgroup(%[[PARTS:.*]] : memref<32xbf16, #gpu.address_space<workgroup>>)
//       CHECK:   arith.extui %{{.*}} : i16 to i32
//       CHECK:   gpu.shuffle xor %{{.*}}, %c16_i32, %c32_i32 : i32
//       CHECK:   arith.trunci %{{.*}} : i32 to i16
//       CHECK:   gpu.barrier
func.func @forward(%x: memref<100x1000xbf16>, %y: memref<bf16>) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @all(%x, %y : memref<100x1000xbf16>, memref<bf16>) tasks(1)
  return
}
func.func private @all(%x: memref<100x1000xbf16>, %y: memref<bf16>, %lo: index, %hi: index) attributes {kernel.entry} {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> ()>],
                  iterator_types = ["reduction", "reduction"]}
      ins(%x : memref<100x1000xbf16>) outs(%y : memref<bf16>) {
  ^bb0(%in: bf16, %out: bf16):
    %0 = arith.maximumf %out, %in : bf16
    linalg.yield %0 : bf16
  }
  return
}

// -----

// Left to threads: few steps, what is carried used twice, and a formula that has no neutral element.

// CHECK-LABEL: func.func @forward
// CHECK-COUNT-3: kernel.launch
//   CHECK-NOT: gpu.module
func.func @forward(%x: memref<8x7xf32>, %z: memref<8x500xf32>, %y: memref<8xf32>)
    attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @few(%x, %y : memref<8x7xf32>, memref<8xf32>) tasks(1)
  kernel.launch @twice(%z, %y : memref<8x500xf32>, memref<8xf32>) tasks(1)
  kernel.launch @difference(%z, %y : memref<8x500xf32>, memref<8xf32>) tasks(1)
  return
}
func.func private @few(%x: memref<8x7xf32>, %y: memref<8xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                  iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<8x7xf32>) outs(%y : memref<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %out, %in : f32
    linalg.yield %0 : f32
  }
  return
}
func.func private @twice(%x: memref<8x500xf32>, %y: memref<8xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                  iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<8x500xf32>) outs(%y : memref<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %out, %in : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  }
  return
}
func.func private @difference(%x: memref<8x500xf32>, %y: memref<8xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                  iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<8x500xf32>) outs(%y : memref<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.subf %in, %out : f32
    linalg.yield %0 : f32
  }
  return
}
