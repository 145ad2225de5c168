// RUN: graven-opt %s --graven-map-to-blocks -split-input-file | FileCheck %s

// Products that are left to single threads.

// f64 has no products that all GPUs have.

// CHECK-LABEL: func.func @forward
//   CHECK-NOT: gpu.
//       CHECK: kernel.gemm
func.func @forward(%a: memref<1x64x64xf64>, %b: memref<1x1x64x64xf64>, %o: memref<1x64x64xf64>) attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @doubles(%a, %b, %o : memref<1x64x64xf64>, memref<1x1x64x64xf64>, memref<1x64x64xf64>) tasks(2)
  return
}
func.func private @doubles(%a: memref<1x64x64xf64>, %b: memref<1x1x64x64xf64>, %o: memref<1x64x64xf64>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<1x64x64xf64>, memref<1x1x64x64xf64>) outs(%o : memref<1x64x64xf64>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}

// -----

// Pairs are for CPUs.

// CHECK-LABEL: func.func @forward
//   CHECK-NOT: gpu.
//       CHECK: kernel.gemm
func.func @forward(%a: memref<1x64x64xbf16>, %b: memref<1x1x32x64x2xbf16>, %o: memref<1x64x64xf32>) attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @pairs(%a, %b, %o : memref<1x64x64xbf16>, memref<1x1x32x64x2xbf16>, memref<1x64x64xf32>) tasks(2)
  return
}
func.func private @pairs(%a: memref<1x64x64xbf16>, %b: memref<1x1x32x64x2xbf16>, %o: memref<1x64x64xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<1x64x64xbf16>, memref<1x1x32x64x2xbf16>) outs(%o : memref<1x64x64xf32>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}

// -----

// Panels of another number of columns.

// CHECK-LABEL: func.func @forward
//   CHECK-NOT: gpu.
//       CHECK: kernel.gemm
func.func @forward(%a: memref<1x64x64xf32>, %b: memref<1x2x64x48xf32>, %o: memref<1x64x96xf32>) attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @columns(%a, %b, %o : memref<1x64x64xf32>, memref<1x2x64x48xf32>, memref<1x64x96xf32>) tasks(2)
  return
}
func.func private @columns(%a: memref<1x64x64xf32>, %b: memref<1x2x64x48xf32>, %o: memref<1x64x96xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<1x64x64xf32>, memref<1x2x64x48xf32>) outs(%o : memref<1x64x96xf32>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}

// -----

// Two narrow types, of which no instruction is.

// CHECK-LABEL: func.func @forward
//   CHECK-NOT: gpu.
//       CHECK: kernel.gemm
func.func @forward(%a: memref<1x64x64xbf16>, %b: memref<1x1x64x64xf16>, %o: memref<1x64x64xf32>) attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @types(%a, %b, %o : memref<1x64x64xbf16>, memref<1x1x64x64xf16>, memref<1x64x64xf32>) tasks(2)
  return
}
func.func private @types(%a: memref<1x64x64xbf16>, %b: memref<1x1x64x64xf16>, %o: memref<1x64x64xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<1x64x64xbf16>, memref<1x1x64x64xf16>) outs(%o : memref<1x64x64xf32>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}

// -----

// f32 panels for narrow rows.

// CHECK-LABEL: func.func @forward
//   CHECK-NOT: gpu.
//       CHECK: kernel.gemm
func.func @forward(%a: memref<1x64x64xbf16>, %b: memref<1x1x64x64xf32>, %o: memref<1x64x64xf32>) attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @wide(%a, %b, %o : memref<1x64x64xbf16>, memref<1x1x64x64xf32>, memref<1x64x64xf32>) tasks(2)
  return
}
func.func private @wide(%a: memref<1x64x64xbf16>, %b: memref<1x1x64x64xf32>, %o: memref<1x64x64xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<1x64x64xbf16>, memref<1x1x64x64xf32>) outs(%o : memref<1x64x64xf32>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}

// -----

// Panels whose rows are apart.

// CHECK-LABEL: func.func @forward
//   CHECK-NOT: gpu.
//       CHECK: kernel.gemm
func.func @forward(%a: memref<1x64x64xf32>, %b: memref<1x1x64x128xf32>, %o: memref<1x64x64xf32>) attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @apart(%a, %b, %o : memref<1x64x64xf32>, memref<1x1x64x128xf32>, memref<1x64x64xf32>) tasks(2)
  return
}
func.func private @apart(%a: memref<1x64x64xf32>, %b: memref<1x1x64x128xf32>, %o: memref<1x64x64xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  %v = memref.subview %b[0, 0, 0, 0] [1, 1, 64, 64] [1, 1, 1, 1]
    : memref<1x1x64x128xf32> to memref<1x1x64x64xf32, strided<[8192, 8192, 128, 1]>>
  kernel.gemm ins(%a, %v : memref<1x64x64xf32>, memref<1x1x64x64xf32, strided<[8192, 8192, 128, 1]>>) outs(%o : memref<1x64x64xf32>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}

// -----

// Panels that begin at no multiple of 16 bytes.

// CHECK-LABEL: func.func @forward
//   CHECK-NOT: gpu.
//       CHECK: kernel.gemm
func.func @forward(%a: memref<1x64x64xf32>, %b: memref<4098xf32>, %o: memref<1x64x64xf32>) attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @misaligned(%a, %b, %o : memref<1x64x64xf32>, memref<4098xf32>, memref<1x64x64xf32>) tasks(2)
  return
}
func.func private @misaligned(%a: memref<1x64x64xf32>, %b: memref<4098xf32>, %o: memref<1x64x64xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  %v = memref.reinterpret_cast %b to offset: [2], sizes: [1, 1, 64, 64], strides: [4096, 4096, 64, 1]
    : memref<4098xf32> to memref<1x1x64x64xf32, strided<[4096, 4096, 64, 1], offset: 2>>
  kernel.gemm ins(%a, %v : memref<1x64x64xf32>, memref<1x1x64x64xf32, strided<[4096, 4096, 64, 1], offset: 2>>) outs(%o : memref<1x64x64xf32>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}

// -----

// Columns of the output that are apart.

// CHECK-LABEL: func.func @forward
//   CHECK-NOT: gpu.
//       CHECK: kernel.gemm
func.func @forward(%a: memref<1x64x64xf32>, %b: memref<1x1x64x64xf32>, %o: memref<1x64x128xf32>) attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @scattered(%a, %b, %o : memref<1x64x64xf32>, memref<1x1x64x64xf32>, memref<1x64x128xf32>) tasks(2)
  return
}
func.func private @scattered(%a: memref<1x64x64xf32>, %b: memref<1x1x64x64xf32>, %o: memref<1x64x128xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  %v = memref.subview %o[0, 0, 0] [1, 64, 64] [1, 1, 2] : memref<1x64x128xf32> to memref<1x64x64xf32, strided<[8192, 128, 2]>>
  kernel.gemm ins(%a, %b : memref<1x64x64xf32>, memref<1x1x64x64xf32>) outs(%v : memref<1x64x64xf32, strided<[8192, 128, 2]>>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}

// -----

// Rows further apart than 31 bits count.

// CHECK-LABEL: func.func @forward
//   CHECK-NOT: gpu.
//       CHECK: kernel.gemm
func.func @forward(%a: memref<1x64x64x1048576xf32>, %b: memref<1x1x64x64xf32>, %o: memref<1x64x64xf32>) attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @far(%a, %b, %o : memref<1x64x64x1048576xf32>, memref<1x1x64x64xf32>, memref<1x64x64xf32>) tasks(2)
  return
}
func.func private @far(%a: memref<1x64x64x1048576xf32>, %b: memref<1x1x64x64xf32>, %o: memref<1x64x64xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  %v = memref.subview %a[0, 0, 0, 0] [1, 64, 1, 64] [1, 1, 1, 1]
    : memref<1x64x64x1048576xf32> to memref<1x64x64xf32, strided<[4294967296, 67108864, 1]>>
  kernel.gemm ins(%v, %b : memref<1x64x64xf32, strided<[4294967296, 67108864, 1]>>, memref<1x1x64x64xf32>) outs(%o : memref<1x64x64xf32>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}
