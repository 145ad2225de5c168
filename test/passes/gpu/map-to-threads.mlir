// RUN: graven-opt %s --graven-map-to-threads --canonicalize --cse -split-input-file | FileCheck %s

// An element a thread, as many blocks as it takes, and nothing for the threads beyond.

// CHECK-LABEL: func.func @forward
//       CHECK: gpu.launch_func @device::@scale blocks in (%c4, %c1, %c1) threads in (%c256, %c1, %c1)
//  CHECK-SAME:   args(%{{.*}} : memref<10x100xf32>, %{{.*}} : memref<10x100xf32>)
//   CHECK-NOT: func.func private
//       CHECK: gpu.module @device
//       CHECK: gpu.func @scale(%[[X:.*]]: memref<10x100xf32>, %[[Y:.*]]: memref<10x100xf32>) kernel
//  CHECK-SAME:   known_block_size = array<i32: 256, 1, 1>
//       CHECK:   %[[BLOCK:.*]] = gpu.block_id x
//       CHECK:   %[[LOCAL:.*]] = gpu.thread_id x
//       CHECK:   %[[FIRST:.*]] = arith.muli %[[BLOCK]], %c256
//       CHECK:   %[[THREAD:.*]] = arith.addi %[[FIRST]], %[[LOCAL]]
//       CHECK:   %[[WORKS:.*]] = arith.cmpi ult, %[[THREAD]], %c1000
//       CHECK:   scf.if %[[WORKS]]
//   CHECK-NOT:     scf.for
//       CHECK:     %[[E:.*]] = memref.load %{{.*}}[%[[THREAD]]] : memref<1000xf32>
//       CHECK:     %[[R:.*]] = arith.mulf %[[E]], %[[E]]
//       CHECK:     memref.store %[[R]], %{{.*}}[%[[THREAD]]] : memref<1000xf32>
func.func @forward(%x: memref<10x100xf32>, %y: memref<10x100xf32>) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @scale(%x, %y : memref<10x100xf32>, memref<10x100xf32>) tasks(1)
  return
}
func.func private @scale(%x: memref<10x100xf32>, %y: memref<10x100xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<10x100xf32>) outs(%y : memref<10x100xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %in : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// A reduction is a loop of the thread that has its result.

// CHECK-LABEL: gpu.func @sum
//       CHECK: arith.cmpi ult, %{{.*}}, %c8
//       CHECK: %[[INIT:.*]] = memref.load
//       CHECK: %[[SUM:.*]] = scf.for %{{.*}} = %c0 to %c500 step %c1 iter_args(%{{.*}} = %[[INIT]]) -> (f32)
//       CHECK: memref.store %[[SUM]]
func.func @forward(%x: memref<8x500xf32>, %y: memref<8xf32>) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @sum(%x, %y : memref<8x500xf32>, memref<8xf32>) tasks(1)
  return
}
func.func private @sum(%x: memref<8x500xf32>, %y: memref<8xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                  iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<8x500xf32>) outs(%y : memref<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %out, %in : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// Neighbouring threads write neighbours, whatever they read.

// CHECK-LABEL: gpu.func @transpose
//       CHECK: %[[THREAD:.*]] = arith.addi
//       CHECK: %[[ROW:.*]] = arith.divui %[[THREAD]], %c4
//       CHECK: %[[COLUMN:.*]] = arith.remui %[[THREAD]], %c4
//       CHECK: memref.load
//       CHECK: memref.store
func.func @forward(%x: memref<4x6xf32>, %y: memref<6x4xf32>) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @transpose(%x, %y : memref<4x6xf32>, memref<6x4xf32>) tasks(1)
  return
}
func.func private @transpose(%x: memref<4x6xf32>, %y: memref<6x4xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  linalg.transpose ins(%x : memref<4x6xf32>) outs(%y : memref<6x4xf32>) permutation = [1, 0]
  return
}

// -----

// A copy into a part; a launch of fewer elements leaves threads out.

// CHECK-LABEL: gpu.launch_func @device::@pad blocks in (%c3, %c1, %c1)
// CHECK-LABEL: gpu.func @pad
//       CHECK: arith.cmpi ult, %[[THREAD:.*]], %c10
//       CHECK: scf.if
//       CHECK: memref.store %cst
//       CHECK: arith.cmpi ult, %[[THREAD]], %c600
//       CHECK: scf.if
//       CHECK: memref.load
//       CHECK: memref.store
func.func @forward(%x: memref<600xf32>, %y: memref<610xf32>) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @pad(%x, %y : memref<600xf32>, memref<610xf32>) tasks(1)
  return
}
func.func private @pad(%x: memref<600xf32>, %y: memref<610xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  %zero = arith.constant 0.0 : f32
  %last = memref.subview %y[600] [10] [1] : memref<610xf32> to memref<10xf32, strided<[1], offset: 600>>
  %first = memref.subview %y[0] [600] [1] : memref<610xf32> to memref<600xf32, strided<[1]>>
  linalg.fill ins(%zero : f32) outs(%last : memref<10xf32, strided<[1], offset: 600>>)
  memref.copy %x, %first : memref<600xf32> to memref<600xf32, strided<[1]>>
  return
}

// -----

// A kernel that is cut in units of work has a unit a thread; what the weights are made with stays on the host.

// CHECK-LABEL: func.func @prepare
//       CHECK: kernel.launch @rows
// CHECK-LABEL: func.func @forward
//       CHECK: gpu.launch_func @device::@rows
//       CHECK: gpu.launch_func @device::@rows
//       CHECK: func.func private @rows
//       CHECK: kernel.softmax
//       CHECK: gpu.func @rows
//   CHECK-NOT: kernel.softmax
//   CHECK-NOT: gpu.func
func.func @prepare(%x: memref<64x32xf32>, %y: memref<64x32xf32>) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @rows(%x, %y : memref<64x32xf32>, memref<64x32xf32>) tasks(4)
  return
}
func.func @forward(%x: memref<64x32xf32>, %y: memref<64x32xf32>) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @rows(%x, %y : memref<64x32xf32>, memref<64x32xf32>) tasks(4)
  kernel.launch @rows(%y, %x : memref<64x32xf32>, memref<64x32xf32>) tasks(4)
  return
}
func.func private @rows(%x: memref<64x32xf32>, %y: memref<64x32xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  kernel.softmax ins(%x : memref<64x32xf32>) outs(%y : memref<64x32xf32>)
  return
}

// -----

// Without launches there is no device.

// CHECK-LABEL: func.func @forward
//   CHECK-NOT: gpu.module
func.func @forward() attributes {graven.num_inputs = 0 : i64} {
  return
}

// -----

// Of many elements a thread has 16 bytes of neighbours, which are all loaded before one is stored.

// CHECK-LABEL: gpu.launch_func @device::@many blocks in (%c128, %c1, %c1) threads in (%c256, %c1, %c1)
//       CHECK: gpu.launch_func @device::@copied blocks in (%c128, %c1, %c1)
//       CHECK: gpu.launch_func @device::@odd blocks in (%c513, %c1, %c1)
// CHECK-LABEL: gpu.func @many
// CHECK-COUNT-4: memref.load
//   CHECK-NOT:   memref.load
// CHECK-COUNT-4: memref.store
// CHECK-LABEL: gpu.func @copied
// CHECK-COUNT-8: memref.load
//   CHECK-NOT:   memref.load
// CHECK-COUNT-8: memref.store
// CHECK-LABEL: gpu.func @odd
//       CHECK:   memref.load
//   CHECK-NOT:   memref.load
func.func @forward(%x: memref<256x512xf32>, %y: memref<256x512xf16>, %s: memref<256x1024xf16>, %t: memref<256x1024xf16>,
    %u: memref<257x511xf32>) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @many(%x, %y : memref<256x512xf32>, memref<256x512xf16>) tasks(1)
  kernel.launch @copied(%s, %t : memref<256x1024xf16>, memref<256x1024xf16>) tasks(1)
  kernel.launch @odd(%u : memref<257x511xf32>) tasks(1)
  return
}
func.func private @many(%x: memref<256x512xf32>, %y: memref<256x512xf16>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<256x512xf32>) outs(%y : memref<256x512xf16>) {
  ^bb0(%in: f32, %out: f16):
    %0 = arith.truncf %in : f32 to f16
    linalg.yield %0 : f16
  }
  return
}
func.func private @copied(%x: memref<256x1024xf16>, %y: memref<256x1024xf16>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  memref.copy %x, %y : memref<256x1024xf16> to memref<256x1024xf16>
  return
}
func.func private @odd(%x: memref<257x511xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      outs(%x : memref<257x511xf32>) {
  ^bb0(%out: f32):
    %0 = arith.mulf %out, %out : f32
    linalg.yield %0 : f32
  }
  return
}
