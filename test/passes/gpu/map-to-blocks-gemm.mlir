// RUN: graven-opt %s --graven-map-to-blocks --canonicalize --cse -split-input-file | FileCheck %s

// A tile of 16 rows and a panel of 64 columns a block; for so few rows, as many stages of 32 steps of k as there are. Rows
// come in whole chunks, zeros where there is none. Elements of f32 are three products each. Sums go through shared memory
// to be stored in whole vectors.

// CHECK-LABEL: func.func @forward
//   CHECK-DAG:   %[[BYTES:.*]] = arith.constant 40960 : i32
//       CHECK:   gpu.launch_func @device::@plain blocks in (%c2, %c1, %c1) threads in (%c128, %c1, %c1)
//  CHECK-SAME:     dynamic_shared_memory_size %[[BYTES]]
//       CHECK:   llvm.mlir.global external @shared() {addr_space = 3 : i32, alignment = 1024 : i64}
//       CHECK:   gpu.func @plain
//   CHECK-NOT:     kernel.gemm
//       CHECK:     nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache = cg, %{{.*}} : !llvm.ptr<3>, !llvm.ptr<1>, i32
//       CHECK:     nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache = cg : !llvm.ptr<3>
//       CHECK:     nvvm.cp.async.commit.group
//       CHECK:     nvvm.cp.async.commit.group
//       CHECK:     nvvm.cp.async.commit.group
//       CHECK:     scf.for %{{.*}} = %c0_i32 to %c4_i32
//       CHECK:       nvvm.cp.async.wait.group 2
//       CHECK:       nvvm.barrier
//       CHECK:       scf.if
//       CHECK:         nvvm.cp.async.shared.global
//       CHECK:       nvvm.cp.async.commit.group
//       CHECK:       nvvm.ldmatrix %{{.*}} {{.*}}layout = #nvvm.mma_layout<row>, num = 4
//       CHECK:       arith.andi %{{.*}}, %c-8192_i32
//       CHECK:       arith.subf
// CHECK-COUNT-24:    nvvm.mma.sync {{.*}}multiplicandAPtxType = #nvvm.mma_type<tf32>{{.*}}shape = #nvvm.shape<m = 16, n = 8, k = 8>
//   CHECK-NOT:       nvvm.mma.sync
//       CHECK:     nvvm.cp.async.wait.group 0
//       CHECK:     nvvm.barrier
//       CHECK:     llvm.store %{{.*}} {alignment = 8 : i64} : vector<2xf32>, !llvm.ptr<3>
//       CHECK:     nvvm.barrier
//       CHECK:     scf.for
//       CHECK:       llvm.load %{{.*}} {alignment = 16 : i64} : !llvm.ptr<3> -> vector<4xf32>
//       CHECK:       scf.if
//       CHECK:         vector.load {{.*}} {alignment = 16 : i64} : memref<128xf32>, vector<4xf32>
//       CHECK:         arith.addf
//       CHECK:         vector.store {{.*}} {alignment = 16 : i64} : memref<1280xf32>, vector<4xf32>
func.func @forward(%a: memref<1x10x128xf32>, %b: memref<1x2x128x64xf32>, %e: memref<128xf32>, %o: memref<1x10x128xf32>)
    attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @plain(%a, %b, %e, %o : memref<1x10x128xf32>, memref<1x2x128x64xf32>, memref<128xf32>,
                       memref<1x10x128xf32>) tasks(2)
  return
}
func.func private @plain(%a: memref<1x10x128xf32>, %b: memref<1x2x128x64xf32>, %e: memref<128xf32>,
                         %o: memref<1x10x128xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<1x10x128xf32>, memref<1x2x128x64xf32>) epilogue(%e : memref<128xf32>)
      outs(%o : memref<1x10x128xf32>) attributes {mr = 6 : i64, kc = 0 : i64} {
  ^bb0(%acc: f32, %bias: f32):
    %0 = arith.addf %acc, %bias : f32
    kernel.yield %0 : f32
  }
  return
}

// -----

// bf16 is one product, with columns transposed on their way to registers; the result is rounded once.

// CHECK-LABEL: gpu.func @narrow
//   CHECK-NOT:   arith.subf
//       CHECK:   nvvm.ldmatrix %{{.*}} {{.*}}layout = #nvvm.mma_layout<col>, num = 4
//       CHECK:   nvvm.mma.sync {{.*}}multiplicandAPtxType = #nvvm.mma_type<bf16>{{.*}}k = 16>
//       CHECK:   arith.truncf %{{.*}} : vector<4xf32> to vector<4xbf16>
//       CHECK:   vector.store {{.*}} {alignment = 8 : i64} : memref<{{.*}}xbf16>, vector<4xbf16>
func.func @forward(%a: memref<1x64x64xbf16>, %b: memref<1x1x64x64xbf16>, %o: memref<1x64x64xbf16>)
    attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @narrow(%a, %b, %o : memref<1x64x64xbf16>, memref<1x1x64x64xbf16>, memref<1x64x64xbf16>) tasks(2)
  return
}
func.func private @narrow(%a: memref<1x64x64xbf16>, %b: memref<1x1x64x64xbf16>, %o: memref<1x64x64xbf16>,
                          %lo: index, %hi: index) attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<1x64x64xbf16>, memref<1x1x64x64xbf16>) outs(%o : memref<1x64x64xbf16>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}

// -----

// Rows whose length is no multiple of 16 bytes are copied in smaller pieces, as far as k goes; f32 with weights of f16
// is two products, since those are exact in tf32.

// CHECK-LABEL: gpu.func @ragged
//       CHECK:   arith.minsi
//       CHECK:   nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 8, cache = ca, %{{.*}} : !llvm.ptr<3>
//       CHECK:   arith.extf %{{.*}} : f16 to f32
// CHECK-COUNT-16:  nvvm.mma.sync {{.*}}tf32
//   CHECK-NOT:   nvvm.mma.sync
func.func @forward(%a: memref<1x16x34xf32>, %b: memref<1x1x34x64xf16>, %o: memref<1x16x64xf32>)
    attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @ragged(%a, %b, %o : memref<1x16x34xf32>, memref<1x1x34x64xf16>, memref<1x16x64xf32>) tasks(2)
  return
}
func.func private @ragged(%a: memref<1x16x34xf32>, %b: memref<1x1x34x64xf16>, %o: memref<1x16x64xf32>,
                          %lo: index, %hi: index) attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<1x16x34xf32>, memref<1x1x34x64xf16>) outs(%o : memref<1x16x64xf32>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}

// -----

// Two bytes are less than a copy takes: they are loaded and stored, zeros where there is none.

// CHECK-LABEL: gpu.func @odd
//       CHECK:   %[[X:.*]] = llvm.load %{{.*}} {alignment = 2 : i64} : !llvm.ptr<1> -> i16
//       CHECK:   %[[Y:.*]] = arith.select %{{.*}}, %[[X]], %c0_i16
//       CHECK:   llvm.store %[[Y]], %{{.*}} {alignment = 2 : i64} : i16, !llvm.ptr<3>
//       CHECK:   nvvm.mma.sync {{.*}}k = 16>{{.*}} : (vector<2xf16>, vector<2xf16>, f32)
func.func @forward(%a: memref<1x16x33xf16>, %b: memref<1x1x33x64xf16>, %o: memref<1x16x64xf32>)
    attributes {graven.num_inputs = 2 : i64} {
  kernel.launch @odd(%a, %b, %o : memref<1x16x33xf16>, memref<1x1x33x64xf16>, memref<1x16x64xf32>) tasks(2)
  return
}
func.func private @odd(%a: memref<1x16x33xf16>, %b: memref<1x1x33x64xf16>, %o: memref<1x16x64xf32>,
                       %lo: index, %hi: index) attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<1x16x33xf16>, memref<1x1x33x64xf16>) outs(%o : memref<1x16x64xf32>)
      attributes {mr = 6 : i64, kc = 0 : i64}
  return
}
