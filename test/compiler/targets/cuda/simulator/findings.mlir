// RUN: split-file %s %t
// RUN: not graven-simulate %t/read-after-write.mlir 2>&1 | FileCheck %s --check-prefix=RAW
// RUN: not graven-simulate %t/write-after-read.mlir 2>&1 | FileCheck %s --check-prefix=WAR
// RUN: not graven-simulate %t/write-after-write.mlir --simulate=seed=3 2>&1 | FileCheck %s --check-prefix=WAW
// RUN: not graven-simulate %t/unwritten.mlir 2>&1 | FileCheck %s --check-prefix=UNWRITTEN
// RUN: not graven-simulate %t/copy.mlir --simulate=copies=early 2>&1 | FileCheck %s --check-prefix=COPY
// RUN: not graven-simulate %t/bounds.mlir 2>&1 | FileCheck %s --check-prefix=BOUNDS
// RUN: not graven-simulate %t/deadlock.mlir 2>&1 | FileCheck %s --check-prefix=DEADLOCK
// RUN: not graven-simulate %t/same-place.mlir 2>&1 | FileCheck %s --check-prefix=SAME
// RUN: not graven-simulate %t/named.mlir --simulate=copies=never 2>&1 | FileCheck %s --check-prefix=OPTION
// RUN: graven-simulate %t/named.mlir --simulate=seed=7,copies=early 2>&1 | FileCheck %s --check-prefix=NAMED

// One mistake each; the place of the operation, and that of the one which it is in conflict with.

//--- read-after-write.mlir
// Each thread reads what its neighbour writes.
// RAW: read-after-write.mlir:[[#]]:12: error: [GRV0601] 'llvm.load' of kernel 'k': thread [[#]] of block 0 reads byte [[#]] of shared memory, which thread [[#]] has written, and nothing orders the two (and 62 more)
// RAW: read-after-write.mlir:[[#]]:7: note: the other is 'llvm.store' here
module attributes {gpu.container_module} {
  func.func @forward(%y: memref<64xi32>) attributes {graven.num_inputs = 0 : i64} {
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    gpu.launch_func @device::@k blocks in (%c1, %c1, %c1) threads in (%c64, %c1, %c1) args(%y : memref<64xi32>)
    return
  }
  gpu.module @device {
    llvm.mlir.global internal @tile() {addr_space = 3 : i32} : !llvm.array<64 x i32>
    llvm.func @k(%y: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      %63 = llvm.mlir.constant(63 : i32) : i32
      %zero = llvm.mlir.constant(0 : i32) : i32
      %tid = nvvm.read.ptx.sreg.tid.x : i32
      %tile = llvm.mlir.addressof @tile : !llvm.ptr<3>
      %mirrored = llvm.sub %63, %tid : i32
      %mine = llvm.getelementptr %tile[%tid] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
      %other = llvm.getelementptr %tile[%mirrored] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
      llvm.store %tid, %mine : i32, !llvm.ptr<3>
      nvvm.barrier
      llvm.store %zero, %mine : i32, !llvm.ptr<3>
      %all = llvm.mlir.constant(-1 : i32) : i32
      // Who shuffles has not heard of the others' memory.
      %1 = nvvm.shfl.sync bfly %all, %zero, %zero, %63 : i32 -> i32
      %v = llvm.load %other : !llvm.ptr<3> -> i32
      %p = llvm.getelementptr %y[%tid] : (!llvm.ptr, i32) -> !llvm.ptr, i32
      llvm.store %v, %p : i32, !llvm.ptr
      llvm.return
    }
  }
}

//--- write-after-read.mlir
// WAR: write-after-read.mlir:[[#]]:7: error: [GRV0601] 'llvm.store' of kernel 'k': thread [[#]] of block 0 writes byte [[#]] of shared memory, which thread [[#]] has read, and nothing orders the two
// WAR: write-after-read.mlir:[[#]]:12: note: the other is 'llvm.load' here
module attributes {gpu.container_module} {
  func.func @forward(%y: memref<64xi32>) attributes {graven.num_inputs = 0 : i64} {
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    gpu.launch_func @device::@k blocks in (%c1, %c1, %c1) threads in (%c64, %c1, %c1) args(%y : memref<64xi32>)
    return
  }
  gpu.module @device {
    llvm.mlir.global internal @tile() {addr_space = 3 : i32} : !llvm.array<64 x i32>
    llvm.func @k(%y: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      %63 = llvm.mlir.constant(63 : i32) : i32
      %tid = nvvm.read.ptx.sreg.tid.x : i32
      %tile = llvm.mlir.addressof @tile : !llvm.ptr<3>
      %mirrored = llvm.sub %63, %tid : i32
      %mine = llvm.getelementptr %tile[%tid] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
      %other = llvm.getelementptr %tile[%mirrored] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
      llvm.store %tid, %mine : i32, !llvm.ptr<3>
      nvvm.barrier
      %v = llvm.load %other : !llvm.ptr<3> -> i32
      %all = llvm.mlir.constant(-1 : i32) : i32
      nvvm.bar.warp.sync %all : i32
      llvm.store %v, %mine : i32, !llvm.ptr<3>
      %p = llvm.getelementptr %y[%tid] : (!llvm.ptr, i32) -> !llvm.ptr, i32
      llvm.store %v, %p : i32, !llvm.ptr
      llvm.return
    }
  }
}

//--- write-after-write.mlir
// WAW: error: [GRV0601] 'llvm.store' of kernel 'k': thread [[#]] of block 0 writes byte 0 of shared memory, which thread [[#]] has written, and nothing orders the two (and 62 more)
module attributes {gpu.container_module} {
  func.func @forward(%y: memref<64xi32>) attributes {graven.num_inputs = 0 : i64} {
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    gpu.launch_func @device::@k blocks in (%c1, %c1, %c1) threads in (%c64, %c1, %c1) args(%y : memref<64xi32>)
    return
  }
  gpu.module @device {
    llvm.mlir.global internal @tile() {addr_space = 3 : i32} : !llvm.array<64 x i32>
    llvm.func @k(%y: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      %tid = nvvm.read.ptx.sreg.tid.x : i32
      %tile = llvm.mlir.addressof @tile : !llvm.ptr<3>
      llvm.store %tid, %tile : i32, !llvm.ptr<3>
      llvm.return
    }
  }
}

//--- unwritten.mlir
// UNWRITTEN: error: [GRV0601] 'llvm.load' of kernel 'k': thread 0 of block 0 reads byte 2 of shared memory, which nothing has written
module attributes {gpu.container_module} {
  func.func @forward(%y: memref<1xi32>) attributes {graven.num_inputs = 0 : i64} {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%y : memref<1xi32>)
    return
  }
  gpu.module @device {
    llvm.mlir.global internal @tile() {addr_space = 3 : i32} : !llvm.array<64 x i32>
    llvm.func @k(%y: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      %half = llvm.mlir.constant(0 : i16) : i16
      %tile = llvm.mlir.addressof @tile : !llvm.ptr<3>
      // The lower half of what is read, and another array.
      llvm.store %half, %tile : i16, !llvm.ptr<3>
      %v = llvm.load %tile : !llvm.ptr<3> -> i32
      llvm.store %v, %y : i32, !llvm.ptr
      llvm.return
    }
  }
}

//--- copy.mlir
// The data are there with early copies, and yet nobody has waited for them.
// COPY: copy.mlir:[[#]]:12: error: [GRV0601] 'llvm.load' of kernel 'k': thread 0 of block 0 accesses byte 16 of shared memory, which an asynchronous copy of thread 0 writes that has not been waited for
// COPY: copy.mlir:[[#]]:7: note: the other is 'nvvm.cp.async.shared.global' here
module attributes {gpu.container_module} {
  func.func @forward(%x: memref<4xi32>, %y: memref<1xi32>) attributes {graven.num_inputs = 1 : i64} {
    %c1 = arith.constant 1 : index
    %c32 = arith.constant 32 : i32
    gpu.launch_func @device::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) dynamic_shared_memory_size %c32
      args(%x : memref<4xi32>, %y : memref<1xi32>)
    return
  }
  gpu.module @device {
    llvm.mlir.global external @shared() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<0 x i8>
    llvm.func @k(%x: !llvm.ptr, %y: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      %shared = llvm.mlir.addressof @shared : !llvm.ptr<3>
      %to = llvm.getelementptr %shared[16] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i8
      %from = llvm.addrspacecast %x : !llvm.ptr to !llvm.ptr<1>
      nvvm.cp.async.shared.global %to, %from, 16, cache = cg : !llvm.ptr<3>, !llvm.ptr<1>
      nvvm.cp.async.commit.group
      nvvm.cp.async.wait.group 1
      %v = llvm.load %to : !llvm.ptr<3> -> i32
      llvm.store %v, %y : i32, !llvm.ptr
      llvm.return
    }
  }
}

//--- bounds.mlir
// The next array is no part of this one, and the pointer went through a branch.
// BOUNDS: error: [GRV0601] 'llvm.store' of kernel 'k': thread 0 of block 0 accesses byte 64 of an array in shared memory, outside of it
module attributes {gpu.container_module} {
  func.func @forward(%y: memref<1xi32>) attributes {graven.num_inputs = 0 : i64} {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%y : memref<1xi32>)
    return
  }
  gpu.module @device {
    llvm.mlir.global internal @first() {addr_space = 3 : i32} : !llvm.array<16 x i32>
    llvm.mlir.global internal @second() {addr_space = 3 : i32} : !llvm.array<16 x i32>
    llvm.func @k(%y: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      %zero = llvm.mlir.constant(0 : i32) : i32
      %tid = nvvm.read.ptx.sreg.tid.x : i32
      %first = llvm.mlir.addressof @first : !llvm.ptr<3>
      %second = llvm.mlir.addressof @second : !llvm.ptr<3>
      llvm.store %zero, %second : i32, !llvm.ptr<3>
      %is0 = llvm.icmp "eq" %tid, %zero : i32
      %end = llvm.getelementptr %first[64] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i8
      llvm.cond_br %is0, ^store(%end : !llvm.ptr<3>), ^store(%first : !llvm.ptr<3>)
    ^store(%p: !llvm.ptr<3>):
      llvm.store %zero, %p : i32, !llvm.ptr<3>
      llvm.return
    }
  }
}

//--- deadlock.mlir
// DEADLOCK: deadlock.mlir:[[#]]:7: error: [GRV0601] 'nvvm.barrier' of kernel 'k': thread 0 of block 0 waits for ever: thread 32 waits elsewhere
// DEADLOCK: deadlock.mlir:[[#]]:7: note: the other is 'nvvm.barrier' here
module attributes {gpu.container_module} {
  func.func @forward(%y: memref<1xi32>) attributes {graven.num_inputs = 0 : i64} {
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    gpu.launch_func @device::@k blocks in (%c1, %c1, %c1) threads in (%c64, %c1, %c1) args(%y : memref<1xi32>)
    return
  }
  gpu.module @device {
    llvm.func @k(%y: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      %c1 = llvm.mlir.constant(1 : i32) : i32
      %c2 = llvm.mlir.constant(2 : i32) : i32
      %c64 = llvm.mlir.constant(64 : i32) : i32
      %c32 = llvm.mlir.constant(32 : i32) : i32
      %tid = nvvm.read.ptx.sreg.tid.x : i32
      %low = llvm.icmp "ult" %tid, %c32 : i32
      llvm.cond_br %low, ^a, ^b
    ^a:
      nvvm.barrier id = %c1 number_of_threads = %c64
      llvm.return
    ^b:
      llvm.store %c1, %y : i32, !llvm.ptr
      nvvm.barrier id = %c2 number_of_threads = %c64
      llvm.return
    }
  }
}

//--- same-place.mlir
// SAME: same-place.mlir:[[#]]:7: error: [GRV0601] 'nvvm.barrier' of kernel 'k': thread 0 of block 0 waits for ever: others wait here for another barrier, or other lanes
module attributes {gpu.container_module} {
  func.func @forward(%y: memref<1xi32>) attributes {graven.num_inputs = 0 : i64} {
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    gpu.launch_func @device::@k blocks in (%c1, %c1, %c1) threads in (%c64, %c1, %c1) args(%y : memref<1xi32>)
    return
  }
  gpu.module @device {
    llvm.func @k(%y: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      %c1 = llvm.mlir.constant(1 : i32) : i32
      %c2 = llvm.mlir.constant(2 : i32) : i32
      %c64 = llvm.mlir.constant(64 : i32) : i32
      %c32 = llvm.mlir.constant(32 : i32) : i32
      %tid = nvvm.read.ptx.sreg.tid.x : i32
      %low = llvm.icmp "ult" %tid, %c32 : i32
      llvm.cond_br %low, ^a, ^b
    ^a:
      nvvm.barrier id = %c1 number_of_threads = %c64
      llvm.return
    ^b:
      nvvm.barrier id = %c2 number_of_threads = %c64
      llvm.return
    }
  }
}

//--- named.mlir
// One warp gives the other its number through a barrier at which only the other waits; another warp has no part in it.
// OPTION: [GRV0004] expected seed=NUMBER or copies=early|late, got 'copies=never'
// NAMED: 0: 41 41 41 41 {{.*}} 41{{$}}
// NAMED: kernel k: 1 blocks, 4 bytes of shared memory, 2 cycles of its banks, 2 at best
// NAMED-NOT: error
module attributes {gpu.container_module} {
  func.func @forward(%y: memref<32xi32>) attributes {graven.num_inputs = 0 : i64} {
    %c1 = arith.constant 1 : index
    %c96 = arith.constant 96 : index
    gpu.launch_func @device::@k blocks in (%c1, %c1, %c1) threads in (%c96, %c1, %c1) args(%y : memref<32xi32>)
    return
  }
  gpu.module @device {
    llvm.mlir.global internal @number() {addr_space = 3 : i32} : !llvm.array<1 x i32>
    llvm.func @k(%y: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      %0 = llvm.mlir.constant(0 : i32) : i32
      %1 = llvm.mlir.constant(1 : i32) : i32
      %41 = llvm.mlir.constant(41 : i32) : i32
      %64 = llvm.mlir.constant(64 : i32) : i32
      %lane = nvvm.read.ptx.sreg.laneid : i32
      %warp = nvvm.read.ptx.sreg.warpid : i32
      %place = llvm.mlir.addressof @number : !llvm.ptr<3>
      %isFirst = llvm.icmp "eq" %warp, %0 : i32
      llvm.cond_br %isFirst, ^give, ^others
    ^give:
      %isLane0 = llvm.icmp "eq" %lane, %0 : i32
      llvm.cond_br %isLane0, ^store, ^arrive
    ^store:
      llvm.store %41, %place : i32, !llvm.ptr<3>
      llvm.br ^arrive
    ^arrive:
      nvvm.barrier.arrive id = %1 number_of_threads = %64
      llvm.return
    ^others:
      %isSecond = llvm.icmp "eq" %warp, %1 : i32
      llvm.cond_br %isSecond, ^take, ^end
    ^take:
      nvvm.barrier id = %1 number_of_threads = %64
      %v = llvm.load %place : !llvm.ptr<3> -> i32
      %p = llvm.getelementptr %y[%lane] : (!llvm.ptr, i32) -> !llvm.ptr, i32
      llvm.store %v, %p : i32, !llvm.ptr
      llvm.br ^end
    ^end:
      llvm.return
    }
  }
}
