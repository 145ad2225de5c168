// RUN: %graven-opt %s --split-input-file --pass-pipeline="builtin.module(func.func(graven-expand-kernels{vector-bytes=32 vector-registers=16}))" --verify-diagnostics | FileCheck %s
// RUN: %graven-opt %s --split-input-file --pass-pipeline="builtin.module(func.func(graven-expand-kernels{vector-bytes=16 vector-registers=16 fma=false}))" --verify-diagnostics | FileCheck %s --check-prefix=SSE

// A tile of 6 x 16 is carried through k in steps of four; the product is added
// to the output after each block of k.
// CHECK-LABEL: func.func private @gemm
// SSE-LABEL: func.func private @gemm
func.func private @gemm(%a: memref<1x12x768xf32>, %b: memref<1x2x768x16xf32>, %row: memref<32xf32>, %out: memref<1x12x32xf32>,
                        %lo: index, %hi: index) attributes {kernel.entry} {
  // CHECK: scf.for %{{.*}} = %arg4 to %arg5
  // CHECK: %[[ACC:.*]]:12 = scf.for {{.*}} -> (vector<8xf32>
  // CHECK: memref.prefetch
  // CHECK-COUNT-2: vector.load {{.*}} vector<8xf32>
  // CHECK: vector.broadcast {{.*}} : f32 to vector<8xf32>
  // CHECK-COUNT-48: vector.fma
  // CHECK: scf.yield
  // CHECK: vector.store %[[ACC]]#0
  // CHECK-NOT: kernel.gemm
  // SSE: scf.for
  // SSE-NOT: vector.fma
  // SSE: arith.mulf {{.*}} : vector<4xf32>
  kernel.gemm ins(%a, %b : memref<1x12x768xf32>, memref<1x2x768x16xf32>) epilogue(%row : memref<32xf32>)
      outs(%out : memref<1x12x32xf32>) attributes {mr = 6 : i64, kc = 384 : i64} {
  ^bb0(%acc: f32, %r: f32):
    %0 = arith.addf %acc, %r : f32
    kernel.yield %0 : f32
  }
  return
}

// -----

// The last panel has 5 of 16 columns: a vector less, and masked.
// CHECK-LABEL: func.func private @gemm_tail
func.func private @gemm_tail(%a: memref<1x2x8xf32>, %b: memref<1x2x8x16xf32>, %out: memref<1x2x21xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  // CHECK: arith.cmpi eq
  // CHECK: scf.if
  // CHECK: vector.maskedstore
  // CHECK: } else {
  // CHECK-NOT: vector.maskedstore
  // CHECK: vector.store
  kernel.gemm ins(%a, %b : memref<1x2x8xf32>, memref<1x2x8x16xf32>) outs(%out : memref<1x2x21xf32>) attributes {mr = 2 : i64, kc = 0 : i64}
  return
}

// -----

// A reduction over the outer axis walks rows: vectors are accumulated, rows in two chains.
// CHECK-LABEL: func.func private @reduce_outer
func.func private @reduce_outer(%x: memref<9x32xf32>, %out: memref<32xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  // CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
  // CHECK: arith.addf {{.*}} : vector<8xf32>
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>], iterator_types = ["reduction", "parallel"]}
      ins(%x : memref<9x32xf32>) outs(%out : memref<32xf32>) {
  ^bb0(%a: f32, %c: f32):
    %0 = arith.addf %a, %c : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// A reduction over the inner axis is vectors in four chains, whose lanes are combined at the end.
// CHECK-LABEL: func.func private @reduce_inner
func.func private @reduce_inner(%x: memref<9x32xf32>, %out: memref<9xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  // CHECK-COUNT-4: vector.load {{.*}} : memref<288xf32>, vector<8xf32>
  // CHECK: %[[LANES:.*]] = vector.reduction <add>, %{{.*}} fastmath<reassoc> : vector<8xf32> into f32
  // CHECK: %[[SUM:.*]] = arith.addf %{{.*}}, %[[LANES]] fastmath<contract> : f32
  // CHECK: memref.store %[[SUM]]
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<9x32xf32>) outs(%out : memref<9xf32>) {
  ^bb0(%a: f32, %c: f32):
    %0 = arith.addf %a, %c : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// Contiguous axes are one loop, whose range is cut into tasks.
// CHECK-LABEL: func.func private @collapsed
func.func private @collapsed(%x: memref<3x64x1024xf32>, %out: memref<3x64x1024xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  // CHECK: scf.for %[[TASK:.*]] = %arg2 to %arg3
  // CHECK: %[[FIRST:.*]] = arith.muli %[[TASK]], %c16384
  // CHECK: scf.for %{{.*}} = %[[FIRST]] to
  // CHECK-NOT: scf.for
  // CHECK: memref.store
  memref.copy %x, %out : memref<3x64x1024xf32> to memref<3x64x1024xf32>
  return
}

// -----

// Not an outlined function: nothing changes.
// CHECK-LABEL: func.func @not_an_entry
// CHECK: memref.copy
func.func @not_an_entry(%a: memref<4xf32>, %b: memref<4xf32>, %lo: index, %hi: index) {
  memref.copy %a, %b : memref<4xf32> to memref<4xf32>
  return
}

// -----

func.func private @dynamic_stride(%a: memref<4x4xf32, strided<[?, 1]>>, %b: memref<4x4xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  // expected-error @+1 {{expects a kernel operand of static shape and strides, got 'memref<4x4xf32, strided<[?, 1]>>'}}
  memref.copy %a, %b : memref<4x4xf32, strided<[?, 1]>> to memref<4x4xf32>
  return
}

// -----

func.func private @narrow_panels(%a: memref<1x2x8xf32>, %b: memref<1x1x8x6xf32>, %out: memref<1x2x6xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  // expected-error-re @+1 {{expects panels of a multiple of {{.*}} columns, got 6}}
  kernel.gemm ins(%a, %b : memref<1x2x8xf32>, memref<1x1x8x6xf32>) outs(%out : memref<1x2x6xf32>) attributes {mr = 2 : i64, kc = 0 : i64}
  return
}
