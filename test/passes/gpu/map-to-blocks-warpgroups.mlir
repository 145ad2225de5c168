// RUN: graven-opt %s --graven-map-to-blocks="units=warpgroups" --canonicalize --cse -split-input-file | FileCheck %s
// RUN: graven-opt %s --graven-map-to-blocks --canonicalize --cse -split-input-file | FileCheck %s --check-prefix=WARPS
// RUN: graven-opt %s --graven-map-to-blocks="units=warpgroups" --graven-nvvm-phase -split-input-file -o /dev/null

// WARPS-NOT: wgmma

// A group of four warps has 64 rows and a panel of 64 columns, two of four stages ahead. Copies are published before the
// threads meet; the left-hand side lies in lines of its depth, the right-hand side in lines of a panel's columns.

// CHECK-LABEL: func.func @forward
//   CHECK-DAG:   %[[BYTES:.*]] = arith.constant 65536 : i32
//       CHECK:   gpu.launch_func @device::@narrow blocks in (%c128, %c1, %c1) threads in (%c128, %c1, %c1)
//  CHECK-SAME:     dynamic_shared_memory_size %[[BYTES]]
//       CHECK:   gpu.func @narrow
//   CHECK-DAG:     %[[LEFT:.*]] = arith.constant 4611686293305360384 : i64
//   CHECK-DAG:     %[[RIGHT:.*]] = arith.constant 4611686293338849280 : i64
//   CHECK-DAG:     %[[ZERO:.*]] = llvm.mlir.zero : !llvm.struct<(f32, f32,
//   CHECK-DAG:     %[[GROUP:.*]] = nvvm.shfl.sync idx %c-1_i32, %{{.*}}, %c0_i32, %c31_i32
// CHECK-COUNT-2:   nvvm.cp.async.commit.group
//       CHECK:     scf.for %{{.*}} = %c0_i32 to %c8_i32 {{.*}}%[[ZERO]]
//       CHECK:       nvvm.cp.async.wait.group 1
//       CHECK:       nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
//       CHECK:       nvvm.barrier
//       CHECK:       scf.if
//       CHECK:         nvvm.cp.async.shared.global
//       CHECK:       nvvm.cp.async.commit.group
//       CHECK:       %[[A:.*]] = arith.ori %{{.*}}, %[[LEFT]] : i64
//       CHECK:       %[[B:.*]] = arith.ori %{{.*}}, %[[RIGHT]] : i64
//       CHECK:       nvvm.wgmma.fence.aligned
//       CHECK:       nvvm.wgmma.mma_async %[[A]], %[[B]], %{{.*}}, <m = 64, n = 64, k = 16>, D[<f32>, <one>], A[<f16>, <one>, <row>], B[<f16>, <one>, <row>]
// CHECK-COUNT-3:     nvvm.wgmma.mma_async
//   CHECK-NOT:       nvvm.wgmma.mma_async
//       CHECK:       nvvm.wgmma.commit.group.sync.aligned
//       CHECK:       nvvm.wgmma.wait.group.sync.aligned 1
//       CHECK:     nvvm.wgmma.wait.group.sync.aligned 0
//       CHECK:     nvvm.cp.async.wait.group 0
//       CHECK:     nvvm.barrier
//       CHECK:     llvm.store
func.func @forward(%a: memref<1x2048x512xf16>, %b: memref<1x4x512x64xf16>, %o: memref<1x2048x256xf16>) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @narrow(%a, %b, %o : memref<1x2048x512xf16>, memref<1x4x512x64xf16>, memref<1x2048x256xf16>) tasks(1)
  return
}
func.func private @narrow(%a: memref<1x2048x512xf16>, %b: memref<1x4x512x64xf16>, %o: memref<1x2048x256xf16>, %lo: index, %hi: index) attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<1x2048x512xf16>, memref<1x4x512x64xf16>) outs(%o : memref<1x2048x256xf16>) attributes {mr = 4 : i64, kc = 512 : i64}
  return
}

// -----

// f32 is multiplied as two numbers, which are in registers alone.
// CHECK-LABEL: gpu.func @wide
//   CHECK-NOT:   wgmma
//       CHECK:   nvvm.mma.sync
func.func @forward(%a: memref<1x2048x512xf32>, %b: memref<1x4x512x64xf32>, %o: memref<1x2048x256xf32>) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @wide(%a, %b, %o : memref<1x2048x512xf32>, memref<1x4x512x64xf32>, memref<1x2048x256xf32>) tasks(1)
  return
}
func.func private @wide(%a: memref<1x2048x512xf32>, %b: memref<1x4x512x64xf32>, %o: memref<1x2048x256xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<1x2048x512xf32>, memref<1x4x512x64xf32>) outs(%o : memref<1x2048x256xf32>) attributes {mr = 4 : i64, kc = 512 : i64}
  return
}

// -----

// Of 64 rows, 16 would be of use.
// CHECK-LABEL: gpu.func @few
//   CHECK-NOT:   wgmma
//       CHECK:   nvvm.mma.sync
func.func @forward(%a: memref<1x16x512xf16>, %b: memref<1x4x512x64xf16>, %o: memref<1x16x256xf16>) attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @few(%a, %b, %o : memref<1x16x512xf16>, memref<1x4x512x64xf16>, memref<1x16x256xf16>) tasks(1)
  return
}
func.func private @few(%a: memref<1x16x512xf16>, %b: memref<1x4x512x64xf16>, %o: memref<1x16x256xf16>, %lo: index, %hi: index) attributes {kernel.entry} {
  kernel.gemm ins(%a, %b : memref<1x16x512xf16>, memref<1x4x512x64xf16>) outs(%o : memref<1x16x256xf16>) attributes {mr = 4 : i64, kc = 512 : i64}
  return
}
