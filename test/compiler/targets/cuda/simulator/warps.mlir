// RUN: graven-simulate %s | FileCheck %s
// RUN: graven-simulate %s --simulate=seed=5 | FileCheck %s

// What lanes of a warp do with each other's registers.

// Lane i has 10 * i. A clamp of 0x1c1f is one to lanes below 32, in segments of 4.
// CHECK: 0: 10 0 30 20 50 40 70 60 90 80 110 100 130 120 150 140 170 160 190 180 210 200 230 220 250 240 270 260 290 280 310 300{{$}}
// CHECK: 1: 0 10 0 10 20 30 40 50 60
// CHECK: 2: 30 40 50 {{.*}} 300 310 290 300 310{{$}}
// CHECK: 3: 20 20 20 20 60 60 60 60 100 100
// The predicate of the shuffle up: lanes 0 and 1 have nobody 2 below.
// CHECK: 4: 0 0 1 1 1
// Votes: 0x55555555 as a number, then any, all and whether all agree.
// CHECK: 5: 1.43166e+09 1 0 0 1.43166e+09 1 0 0
// CHECK: 6: 4960 31 0 0 31 31 4960 31
// One of the lanes 4 to 7 is elected, and of all.
// CHECK: 7: 1 0 0 0 2 0 0 0 0
// CHECK: kernel lanes: 1 blocks, 0 bytes of shared memory
module attributes {gpu.container_module} {
  func.func @forward(%a: memref<32xi32>, %b: memref<32xi32>, %c: memref<32xi32>, %d: memref<32xi32>, %e: memref<32xi32>,
      %f: memref<32xi32>, %g: memref<32xi32>, %h: memref<32xi32>) attributes {graven.num_inputs = 0 : i64} {
    %c1 = arith.constant 1 : index
    %c32 = arith.constant 32 : index
    gpu.launch_func @device::@lanes blocks in (%c1, %c1, %c1) threads in (%c32, %c1, %c1)
      args(%a : memref<32xi32>, %b : memref<32xi32>, %c : memref<32xi32>, %d : memref<32xi32>, %e : memref<32xi32>,
           %f : memref<32xi32>, %g : memref<32xi32>, %h : memref<32xi32>)
    return
  }
  gpu.module @device {
    llvm.func @lanes(%a: !llvm.ptr, %b: !llvm.ptr, %c: !llvm.ptr, %d: !llvm.ptr, %e: !llvm.ptr, %f: !llvm.ptr,
        %g: !llvm.ptr, %h: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      %0 = llvm.mlir.constant(0 : i32) : i32
      %1 = llvm.mlir.constant(1 : i32) : i32
      %2 = llvm.mlir.constant(2 : i32) : i32
      %3 = llvm.mlir.constant(3 : i32) : i32
      %4 = llvm.mlir.constant(4 : i32) : i32
      %10 = llvm.mlir.constant(10 : i32) : i32
      %31 = llvm.mlir.constant(31 : i32) : i32
      %all = llvm.mlir.constant(-1 : i32) : i32
      %lane = nvvm.read.ptx.sreg.laneid : i32
      %v = llvm.mul %lane, %10 : i32

      %s0 = nvvm.shfl.sync bfly %all, %v, %1, %31 : i32 -> i32
      %pa = llvm.getelementptr %a[%lane] : (!llvm.ptr, i32) -> !llvm.ptr, i32
      llvm.store %s0, %pa : i32, !llvm.ptr

      %s1 = nvvm.shfl.sync up %all, %v, %2, %0 {return_value_and_is_valid} : i32 -> !llvm.struct<(i32, i1)>
      %s1v = llvm.extractvalue %s1[0] : !llvm.struct<(i32, i1)>
      %s1p = llvm.extractvalue %s1[1] : !llvm.struct<(i32, i1)>
      %pb = llvm.getelementptr %b[%lane] : (!llvm.ptr, i32) -> !llvm.ptr, i32
      llvm.store %s1v, %pb : i32, !llvm.ptr
      %valid = llvm.zext %s1p : i1 to i32
      %pe = llvm.getelementptr %e[%lane] : (!llvm.ptr, i32) -> !llvm.ptr, i32
      llvm.store %valid, %pe : i32, !llvm.ptr

      %s2 = nvvm.shfl.sync down %all, %v, %3, %31 : i32 -> i32
      %pc = llvm.getelementptr %c[%lane] : (!llvm.ptr, i32) -> !llvm.ptr, i32
      llvm.store %s2, %pc : i32, !llvm.ptr

      // Lane 2 of each four.
      %segments = llvm.mlir.constant(0x1c1f : i32) : i32
      %s3 = nvvm.shfl.sync idx %all, %v, %2, %segments : i32 -> i32
      %pd = llvm.getelementptr %d[%lane] : (!llvm.ptr, i32) -> !llvm.ptr, i32
      llvm.store %s3, %pd : i32, !llvm.ptr

      // Four votes and four reductions, of which each lane keeps one.
      %bit = llvm.and %lane, %1 : i32
      %even = llvm.icmp "eq" %bit, %0 : i32
      %v0 = nvvm.vote.sync ballot %all, %even -> i32
      %v1 = nvvm.vote.sync any %all, %even -> i1
      %v2 = nvvm.vote.sync all %all, %even -> i1
      %v3 = nvvm.vote.sync uni %all, %even -> i1
      %n1 = llvm.zext %v1 : i1 to i32
      %n2 = llvm.zext %v2 : i1 to i32
      %n3 = llvm.zext %v3 : i1 to i32
      %part = llvm.and %lane, %3 : i32
      %is0 = llvm.icmp "eq" %part, %0 : i32
      %is1 = llvm.icmp "eq" %part, %1 : i32
      %is2 = llvm.icmp "eq" %part, %2 : i32
      %k2 = llvm.select %is2, %n2, %n3 : i1, i32
      %k1 = llvm.select %is1, %n1, %k2 : i1, i32
      %k0 = llvm.select %is0, %v0, %k1 : i1, i32
      %pf = llvm.getelementptr %f[%lane] : (!llvm.ptr, i32) -> !llvm.ptr, i32
      llvm.store %k0, %pf : i32, !llvm.ptr

      %r0 = nvvm.redux.sync add %v, %all : i32 -> i32
      %r1 = nvvm.redux.sync umax %lane, %all : i32 -> i32
      %r2 = nvvm.redux.sync and %lane, %all : i32 -> i32
      %r3 = nvvm.redux.sync xor %lane, %all : i32 -> i32
      %r4 = nvvm.redux.sync or %lane, %all : i32 -> i32
      %r5 = nvvm.redux.sync max %lane, %all : i32 -> i32
      %upper = llvm.and %lane, %4 : i32
      %isUpper = llvm.icmp "eq" %upper, %4 : i32
      %w0 = llvm.select %isUpper, %r4, %r0 : i1, i32
      %w1 = llvm.select %isUpper, %r5, %r1 : i1, i32
      %w2 = llvm.select %isUpper, %r0, %r2 : i1, i32
      %w3 = llvm.select %isUpper, %r1, %r3 : i1, i32
      %m2 = llvm.select %is2, %w2, %w3 : i1, i32
      %m1 = llvm.select %is1, %w1, %m2 : i1, i32
      %m0 = llvm.select %is0, %w0, %m1 : i1, i32
      %pg = llvm.getelementptr %g[%lane] : (!llvm.ptr, i32) -> !llvm.ptr, i32
      llvm.store %m0, %pg : i32, !llvm.ptr

      %e0 = nvvm.elect.sync -> i1
      %ph = llvm.getelementptr %h[%lane] : (!llvm.ptr, i32) -> !llvm.ptr, i32
      %first = llvm.zext %e0 : i1 to i32
      llvm.store %first, %ph : i32, !llvm.ptr
      %eight = llvm.mlir.constant(8 : i32) : i32
      %small = llvm.icmp "ult" %lane, %eight : i32
      %middle = llvm.and %small, %isUpper : i1
      llvm.cond_br %middle, ^some, ^done
    ^some:
      %mask = llvm.mlir.constant(0xf0 : i32) : i32
      %e1 = nvvm.elect.sync %mask -> i1
      %second = llvm.select %e1, %2, %0 : i1, i32
      llvm.store %second, %ph : i32, !llvm.ptr
      llvm.br ^done
    ^done:
      llvm.return
    }
  }
}
