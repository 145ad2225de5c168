// RUN: graven-opt %s --graven-nvvm-phase --graven-simulate-kernels -split-input-file --verify-diagnostics | FileCheck %s

// What a thread of a block does with others is told to the simulator, and its accesses to memory.

// CHECK-LABEL: func.func @forward
//       CHECK: kernel.launch @k(%{{.*}}, %{{.*}} : memref<64xf32>, i32) tasks(2)
//       CHECK: llvm.func internal @k.thread(%[[X:.*]]: !llvm.ptr, %[[N:.*]]: i32, %[[T:.*]]: i32, %{{.*}}: i32, %[[THREADS:.*]]: i32, %{{.*}}: i32, %[[SELF:.*]]: !llvm.ptr, %[[SHARED:.*]]: !llvm.ptr<3>)
//       CHECK: %[[TILE:.*]] = llvm.getelementptr %[[SHARED]][0]
//       CHECK: %[[DYNAMIC:.*]] = llvm.getelementptr %[[SHARED]][128]
//       CHECK: %[[P:.*]] = llvm.getelementptr %[[TILE]]
//       CHECK: %[[SITE:.*]] = llvm.mlir.constant(0 : i32)
//       CHECK: %[[PLACE:.*]] = llvm.addrspacecast %[[P]] : !llvm.ptr<3> to !llvm.ptr
//       CHECK: llvm.call @graven.simulate.access(%[[SELF]], %[[SITE]], %[[PLACE]])
//       CHECK: llvm.store %{{.*}}, %[[P]]
//       CHECK: llvm.call @graven.simulate.barrier(%[[SELF]], %{{.*}}, %{{.*}}, %[[THREADS]])
//       CHECK: llvm.call @graven.simulate.syncWarp
//       CHECK: llvm.call @graven.simulate.copyAsync
//       CHECK: llvm.call @graven.simulate.commitCopies(%[[SELF]])
//       CHECK: llvm.call @graven.simulate.waitCopies
// An address in shared memory is a number that begins at zero.
//       CHECK: %[[ADDRESS:.*]] = llvm.ptrtoint %[[P]]
//       CHECK: %[[BEGIN:.*]] = llvm.ptrtoint %[[SHARED]]
//       CHECK: %[[OFFSET:.*]] = llvm.sub %[[ADDRESS]], %[[BEGIN]]
//       CHECK: llvm.trunc %[[OFFSET]] : i64 to i32
//       CHECK: %[[MASK:.*]] = llvm.bitcast %{{.*}} : vector<4xi1> to i4
//       CHECK: llvm.zext %[[MASK]]
//       CHECK: llvm.call @graven.simulate.accessMasked
//   CHECK-NOT: nvvm
//       CHECK: func.func private @k(%{{.*}}: memref<64xf32>, %{{.*}}: i32, %{{.*}}: index, %{{.*}}: index) attributes {kernel.entry}
//       CHECK: llvm.call @graven.simulate.launch
//       CHECK: llvm.func internal @k.thread.fiber(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: i32, %{{.*}}: i32)
module attributes {gpu.container_module} {
  func.func @forward(%x: memref<64xf32>, %n: i32) attributes {graven.num_inputs = 1 : i64} {
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c64 = arith.constant 64 : index
    %bytes = arith.constant 256 : i32
    gpu.launch_func @device::@k blocks in (%c2, %c1, %c1) threads in (%c64, %c1, %c1) dynamic_shared_memory_size %bytes
      args(%x : memref<64xf32>, %n : i32)
    return
  }
  gpu.module @device {
    llvm.mlir.global external @shared() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>
    llvm.mlir.global internal @tile() {addr_space = 3 : i32} : !llvm.array<8 x f32>
    llvm.func @k(%x: !llvm.ptr, %n: i32) attributes {gpu.kernel, nvvm.kernel} {
      %tile = llvm.mlir.addressof @tile : !llvm.ptr<3>
      %shared = llvm.mlir.addressof @shared : !llvm.ptr<3>
      %tid = nvvm.read.ptx.sreg.tid.x : i32
      %p = llvm.getelementptr %tile[%tid] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
      llvm.store %tid, %p : i32, !llvm.ptr<3>
      nvvm.barrier0
      nvvm.bar.warp.sync %n : i32
      %g = llvm.addrspacecast %x : !llvm.ptr to !llvm.ptr<1>
      nvvm.cp.async.shared.global %shared, %g, 16, cache = cg, %n : !llvm.ptr<3>, !llvm.ptr<1>, i32
      nvvm.cp.async.commit.group
      nvvm.cp.async.wait.group 0
      %address = llvm.ptrtoint %p : !llvm.ptr<3> to i32
      %v = llvm.bitcast %address : i32 to f32
      llvm.store %v, %x : f32, !llvm.ptr
      %mask = llvm.mlir.constant(dense<[true, false, true, false]> : vector<4xi1>) : vector<4xi1>
      %vector = llvm.mlir.zero : vector<4xf32>
      llvm.intr.masked.store %vector, %x, %mask {alignment = 4 : i32} : vector<4xf32>, vector<4xi1> into !llvm.ptr
      llvm.return
    }
  }
}

// -----

// A thread that needs nobody stays a loop: approximations are functions of the host, constants move along.

// CHECK-LABEL: llvm.func internal @alone.thread
//       CHECK: llvm.mlir.addressof @table
//       CHECK: llvm.intr.exp2
//       CHECK: llvm.intr.tanh
//       CHECK: llvm.fdiv
//   CHECK-NOT: nvvm
//   CHECK-NOT: graven.simulate
module attributes {gpu.container_module} {
  func.func @forward(%x: memref<64xf32>) attributes {graven.num_inputs = 1 : i64} {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@alone blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<64xf32>)
    return
  }
  gpu.module @device {
    llvm.mlir.global internal constant @table(dense<[1.0, 2.0]> : tensor<2xf32>) : !llvm.array<2 x f32>
    llvm.func @alone(%x: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      %table = llvm.mlir.addressof @table : !llvm.ptr
      %0 = llvm.load %table : !llvm.ptr -> f32
      %1 = nvvm.inline_ptx "ex2.approx.ftz.f32 $0, $1;" ro(%0 : f32) -> f32
      %2 = llvm.call_intrinsic "llvm.nvvm.tanh.approx.f"(%1) : (f32) -> f32
      %3 = nvvm.rcp.approx.ftz.f %2 : f32
      llvm.store %3, %x : f32, !llvm.ptr
      llvm.return
    }
  }
}

// -----

module attributes {gpu.container_module} {
  func.func @forward(%x: memref<64xf32>) attributes {graven.num_inputs = 1 : i64} {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<64xf32>)
    return
  }
  gpu.module @device {
    llvm.func @k(%x: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      // expected-error @below {{[GRV0202] 'nvvm.inline_ptx' has no simulation}}
      nvvm.inline_ptx "mov.u32 $0, %clock;" -> i32
      llvm.return
    }
  }
}

// -----

module attributes {gpu.container_module} {
  func.func @forward(%x: memref<64xf32>) attributes {graven.num_inputs = 1 : i64} {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<64xf32>)
    return
  }
  gpu.module @device {
    llvm.func @other()
    llvm.func @k(%x: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      // expected-error @below {{[GRV0202] 'llvm.call' has no simulation}}
      llvm.call @other() : () -> ()
      llvm.return
    }
  }
}

// -----

module attributes {gpu.container_module} {
  func.func @forward(%x: memref<64xf32>) attributes {graven.num_inputs = 1 : i64} {
    %c1 = arith.constant 1 : index
    %c2048 = arith.constant 2048 : index
    // expected-error @below {{has blocks of 2048 threads, a GPU at most 1024}}
    gpu.launch_func @device::@k blocks in (%c1, %c1, %c1) threads in (%c2048, %c1, %c1) args(%x : memref<64xf32>)
    return
  }
  gpu.module @device {
    llvm.func @k(%x: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      llvm.return
    }
  }
}

// -----

module attributes {gpu.container_module} {
  func.func @forward(%x: memref<64xf32>) attributes {graven.num_inputs = 1 : i64} {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<64xf32>)
    return
  }
  gpu.module @device {
    llvm.mlir.global internal @tile() {addr_space = 3 : i32} : !llvm.array<16384 x f32>
    // expected-error @below {{has 65536 bytes of declared arrays in shared memory, a GPU at most 49152}}
    llvm.func @k(%x: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      %tile = llvm.mlir.addressof @tile : !llvm.ptr<3>
      %v = llvm.load %tile : !llvm.ptr<3> -> f32
      llvm.store %v, %x : f32, !llvm.ptr
      llvm.return
    }
  }
}

// -----

module attributes {gpu.container_module} {
  func.func @forward(%x: memref<64xf32>) attributes {graven.num_inputs = 1 : i64} {
    %c1 = arith.constant 1 : index
    %bytes = arith.constant 300000 : i32
    gpu.launch_func @device::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) dynamic_shared_memory_size %bytes
      args(%x : memref<64xf32>)
    return
  }
  gpu.module @device {
    llvm.mlir.global external @shared() {addr_space = 3 : i32} : !llvm.array<0 x i8>
    // expected-error @below {{has 300000 bytes of shared memory, a GPU at most 232448}}
    llvm.func @k(%x: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      %shared = llvm.mlir.addressof @shared : !llvm.ptr<3>
      %v = llvm.load %shared : !llvm.ptr<3> -> f32
      llvm.store %v, %x : f32, !llvm.ptr
      llvm.return
    }
  }
}
