// RUN: split-file %s %t
// RUN: graven-simulate %t/right.mlir --simulate=seed=3 2>&1 | FileCheck %s --check-prefix=RIGHT
// RUN: sed -e "s/nvvm.fence.proxy.*//" %t/right.mlir > %t/unpublished.mlir
// RUN: not graven-simulate %t/unpublished.mlir 2>&1 | FileCheck %s --check-prefix=UNPUBLISHED
// RUN: not graven-simulate %t/overwritten.mlir 2>&1 | FileCheck %s --check-prefix=OVERWRITTEN
// RUN: sed -e "s/%group = .*/%group = llvm.lshr %id, %5 : i32/" %t/right.mlir > %t/groups.mlir
// RUN: not graven-simulate %t/groups.mlir 2>&1 | FileCheck %s --check-prefix=GROUPS
// RUN: sed -e "s/%group = .*/%group = llvm.and %id, %1 : i32/" %t/right.mlir > %t/lanes.mlir
// RUN: not graven-simulate %t/lanes.mlir 2>&1 | FileCheck %s --check-prefix=LANES
// RUN: sed -e "s/<f32>, <one>/<f32>, <zero>/" %t/right.mlir > %t/zero.mlir
// RUN: not graven-simulate %t/zero.mlir 2>&1 | FileCheck %s --check-prefix=ZERO

// 64x8 += 64x16 * 16x8 of ones, in lines of 32 bytes: each sum is 16.

// RIGHT: 0: 16 16 16 16 {{.*}}16{{$}}
// UNPUBLISHED: [GRV0601] 'nvvm.wgmma.mma_async' of kernel 'k': thread [[#]] of block 0 reads byte [[#]] of shared memory by a descriptor, which thread [[#]] has written without a fence of the proxy since
// UNPUBLISHED: note: the other is 'llvm.store' here
// OVERWRITTEN: [GRV0601] 'nvvm.wgmma.mma_async' of kernel 'k': thread [[#]] of block 0 still reads byte [[#]] of shared memory, which was written meanwhile
// GROUPS: [GRV0601] 'nvvm.wgmma.mma_async' of kernel 'k': {{.*}}warps of a group have different descriptors
// LANES: [GRV0601] 'nvvm.wgmma.mma_async' of kernel 'k': {{.*}}the lanes of a warp have different descriptors
// ZERO: [GRV0202] 'nvvm.wgmma.mma_async' has no simulation

//--- right.mlir
module attributes {gpu.container_module} {
  func.func @forward(%y: memref<128xf32>) attributes {graven.num_inputs = 0 : i64} {
    %c1 = arith.constant 1 : index
    %c128 = arith.constant 128 : index
    gpu.launch_func @device::@k blocks in (%c1, %c1, %c1) threads in (%c128, %c1, %c1) args(%y : memref<128xf32>)
    return
  }
  gpu.module @device {
    llvm.mlir.global internal @tiles() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<4096 x i8>
    llvm.func @k(%y: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      %id = nvvm.read.ptx.sreg.tid.x : i32
      %1 = llvm.mlir.constant(1 : i32) : i32
      %5 = llvm.mlir.constant(5 : i32) : i32
      %7 = llvm.mlir.constant(7 : i32) : i32
      %ones = llvm.mlir.constant(dense<1.0> : vector<16xf16>) : vector<16xf16>
      %tiles = llvm.mlir.addressof @tiles : !llvm.ptr<3>
      // Each thread writes a line of either matrix.
      %mine = llvm.getelementptr %tiles[%id] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, vector<16xf16>
      llvm.store %ones, %mine {alignment = 32 : i64} : vector<16xf16>, !llvm.ptr<3>
      nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
      nvvm.barrier
      // Lines of 32 bytes, 256 bytes to the next eight, 256 beside.
      %form = llvm.mlir.constant(-4611685949706862592 : i64) : i64
      %behind = llvm.mlir.constant(128 : i64) : i64
      %group = llvm.lshr %id, %7 : i32
      %distance = llvm.zext %group : i32 to i64
      %left = llvm.add %form, %distance : i64
      %right = llvm.add %form, %behind : i64
      %zero = llvm.mlir.zero : !llvm.struct<(f32, f32, f32, f32)>
      nvvm.wgmma.fence.aligned
      %sums = nvvm.wgmma.mma_async %left, %right, %zero, <m = 64, n = 8, k = 16>, D[<f32>, <one>], A[<f16>, <one>, <row>], B[<f16>, <one>, <row>] : !llvm.struct<(f32, f32, f32, f32)> -> !llvm.struct<(f32, f32, f32, f32)>
      nvvm.wgmma.commit.group.sync.aligned
      nvvm.wgmma.wait.group.sync.aligned 0
      %sum = llvm.extractvalue %sums[3] : !llvm.struct<(f32, f32, f32, f32)>
      %p = llvm.getelementptr %y[%id] : (!llvm.ptr, i32) -> !llvm.ptr, f32
      llvm.store %sum, %p : f32, !llvm.ptr
      llvm.return
    }
  }
}

//--- overwritten.mlir
// Threads agree that something else may be written, and the product may still be under way.
module attributes {gpu.container_module} {
  func.func @forward(%y: memref<128xf32>) attributes {graven.num_inputs = 0 : i64} {
    %c1 = arith.constant 1 : index
    %c128 = arith.constant 128 : index
    gpu.launch_func @device::@k blocks in (%c1, %c1, %c1) threads in (%c128, %c1, %c1) args(%y : memref<128xf32>)
    return
  }
  gpu.module @device {
    llvm.mlir.global internal @tiles() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<4096 x i8>
    llvm.func @k(%y: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      %id = nvvm.read.ptx.sreg.tid.x : i32
      %ones = llvm.mlir.constant(dense<1.0> : vector<16xf16>) : vector<16xf16>
      %twos = llvm.mlir.constant(dense<2.0> : vector<16xf16>) : vector<16xf16>
      %tiles = llvm.mlir.addressof @tiles : !llvm.ptr<3>
      %mine = llvm.getelementptr %tiles[%id] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, vector<16xf16>
      llvm.store %ones, %mine {alignment = 32 : i64} : vector<16xf16>, !llvm.ptr<3>
      nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
      nvvm.barrier
      %left = llvm.mlir.constant(-4611685949706862592 : i64) : i64
      %behind = llvm.mlir.constant(128 : i64) : i64
      %right = llvm.add %left, %behind : i64
      %zero = llvm.mlir.zero : !llvm.struct<(f32, f32, f32, f32)>
      nvvm.wgmma.fence.aligned
      %sums = nvvm.wgmma.mma_async %left, %right, %zero, <m = 64, n = 8, k = 16>, D[<f32>, <one>], A[<f16>, <one>, <row>], B[<f16>, <one>, <row>] : !llvm.struct<(f32, f32, f32, f32)> -> !llvm.struct<(f32, f32, f32, f32)>
      nvvm.wgmma.commit.group.sync.aligned
      nvvm.barrier
      llvm.store %twos, %mine {alignment = 32 : i64} : vector<16xf16>, !llvm.ptr<3>
      nvvm.barrier
      nvvm.wgmma.wait.group.sync.aligned 0
      %sum = llvm.extractvalue %sums[3] : !llvm.struct<(f32, f32, f32, f32)>
      %p = llvm.getelementptr %y[%id] : (!llvm.ptr, i32) -> !llvm.ptr, f32
      llvm.store %sum, %p : f32, !llvm.ptr
      llvm.return
    }
  }
}
