// RUN: graven-opt %s --graven-map-to-blocks --canonicalize -split-input-file | FileCheck %s

// The tile of a product follows from its extents: the larger, the fewer loads; the smaller, the more blocks at a time.

// Enough of them for the largest tile: 128 x 128, a panel beside another.

//   CHECK-DAG: %[[BYTES:.*]] = arith.constant 69632 : i32
//       CHECK: blocks in (%c104, %c1, %c1) threads in (%c256, %c1, %c1) dynamic_shared_memory_size %[[BYTES]]
func.func @forward(%a: memref<1x1664x64xf32>, %b: memref<1x16x64x64xf32>, %o: memref<1x1664x1024xf32>) attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @k(%a, %b, %o : memref<1x1664x64xf32>, memref<1x16x64x64xf32>, memref<1x1664x1024xf32>) tasks(2)
  return
}
func.func private @k(%a: memref<1x1664x64xf32>, %b: memref<1x16x64x64xf32>, %o: memref<1x1664x1024xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<1x1664x64xf32>, memref<1x16x64x64xf32>) outs(%o : memref<1x1664x1024xf32>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}

// -----

// Fewer: 128 x 64.

//   CHECK-DAG: %[[BYTES:.*]] = arith.constant 49152 : i32
//       CHECK: blocks in (%c256, %c1, %c1) threads in (%c128, %c1, %c1) dynamic_shared_memory_size %[[BYTES]]
func.func @forward(%a: memref<1x2048x64xf32>, %b: memref<1x16x64x64xf32>, %o: memref<1x2048x1024xf32>) attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @k(%a, %b, %o : memref<1x2048x64xf32>, memref<1x16x64x64xf32>, memref<1x2048x1024xf32>) tasks(2)
  return
}
func.func private @k(%a: memref<1x2048x64xf32>, %b: memref<1x16x64x64xf32>, %o: memref<1x2048x1024xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<1x2048x64xf32>, memref<1x16x64x64xf32>) outs(%o : memref<1x2048x1024xf32>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}

// -----

// 64 x 64.

//   CHECK-DAG: %[[BYTES:.*]] = arith.constant 49152 : i32
//       CHECK: blocks in (%c64, %c1, %c1) threads in (%c128, %c1, %c1) dynamic_shared_memory_size %[[BYTES]]
func.func @forward(%a: memref<1x1024x64xf32>, %b: memref<1x8x64x64xf32>, %o: memref<1x1024x512xf32>) attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @k(%a, %b, %o : memref<1x1024x64xf32>, memref<1x8x64x64xf32>, memref<1x1024x512xf32>) tasks(2)
  return
}
func.func private @k(%a: memref<1x1024x64xf32>, %b: memref<1x8x64x64xf32>, %o: memref<1x1024x512xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<1x1024x64xf32>, memref<1x8x64x64xf32>) outs(%o : memref<1x1024x512xf32>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}

// -----

// 32 x 64.

//   CHECK-DAG: %[[BYTES:.*]] = arith.constant 32768 : i32
//       CHECK: blocks in (%c64, %c1, %c1) threads in (%c128, %c1, %c1) dynamic_shared_memory_size %[[BYTES]]
func.func @forward(%a: memref<1x512x64xf32>, %b: memref<1x8x64x64xf32>, %o: memref<1x512x512xf32>) attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @k(%a, %b, %o : memref<1x512x64xf32>, memref<1x8x64x64xf32>, memref<1x512x512xf32>) tasks(2)
  return
}
func.func private @k(%a: memref<1x512x64xf32>, %b: memref<1x8x64x64xf32>, %o: memref<1x512x512xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<1x512x64xf32>, memref<1x8x64x64xf32>) outs(%o : memref<1x512x512xf32>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}

// -----

// 16 rows; stages as many as there are steps of k.

//   CHECK-DAG: %[[BYTES:.*]] = arith.constant 71680 : i32
//       CHECK: blocks in (%c10, %c1, %c1) threads in (%c128, %c1, %c1) dynamic_shared_memory_size %[[BYTES]]
func.func @forward(%a: memref<1x10x256xf32>, %b: memref<1x10x256x64xf32>, %o: memref<1x10x640xf32>) attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @k(%a, %b, %o : memref<1x10x256xf32>, memref<1x10x256x64xf32>, memref<1x10x640xf32>) tasks(2)
  return
}
func.func private @k(%a: memref<1x10x256xf32>, %b: memref<1x10x256x64xf32>, %o: memref<1x10x640xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<1x10x256xf32>, memref<1x10x256x64xf32>) outs(%o : memref<1x10x640xf32>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}

// -----

// 16 columns take two warps of 16 rows.

//   CHECK-DAG: %[[BYTES:.*]] = arith.constant 12288 : i32
//       CHECK: blocks in (%c10, %c1, %c1) threads in (%c64, %c1, %c1) dynamic_shared_memory_size %[[BYTES]]
func.func @forward(%a: memref<1x300x64xf32>, %b: memref<1x1x64x16xf32>, %o: memref<1x300x16xf32>) attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @k(%a, %b, %o : memref<1x300x64xf32>, memref<1x1x64x16xf32>, memref<1x300x16xf32>) tasks(2)
  return
}
func.func private @k(%a: memref<1x300x64xf32>, %b: memref<1x1x64x16xf32>, %o: memref<1x300x16xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<1x300x64xf32>, memref<1x1x64x16xf32>) outs(%o : memref<1x300x16xf32>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}

// -----

// 32 columns take warps along the rows.

//   CHECK-DAG: %[[BYTES:.*]] = arith.constant 24576 : i32
//       CHECK: blocks in (%c63, %c1, %c1) threads in (%c128, %c1, %c1) dynamic_shared_memory_size %[[BYTES]]
func.func @forward(%a: memref<1x4000x64xf32>, %b: memref<1x1x64x32xf32>, %o: memref<1x4000x32xf32>) attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @k(%a, %b, %o : memref<1x4000x64xf32>, memref<1x1x64x32xf32>, memref<1x4000x32xf32>) tasks(2)
  return
}
func.func private @k(%a: memref<1x4000x64xf32>, %b: memref<1x1x64x32xf32>, %o: memref<1x4000x32xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<1x4000x64xf32>, memref<1x1x64x32xf32>) outs(%o : memref<1x4000x32xf32>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}

// -----

// A batch is more blocks.

//   CHECK-DAG: %[[BYTES:.*]] = arith.constant 32768 : i32
//       CHECK: blocks in (%c96, %c1, %c1) threads in (%c128, %c1, %c1) dynamic_shared_memory_size %[[BYTES]]
func.func @forward(%a: memref<24x100x64xf32>, %b: memref<24x2x64x64xf32>, %o: memref<24x100x100xf32>) attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @k(%a, %b, %o : memref<24x100x64xf32>, memref<24x2x64x64xf32>, memref<24x100x100xf32>) tasks(2)
  return
}
func.func private @k(%a: memref<24x100x64xf32>, %b: memref<24x2x64x64xf32>, %o: memref<24x100x100xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<24x100x64xf32>, memref<24x2x64x64xf32>) outs(%o : memref<24x100x100xf32>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}
