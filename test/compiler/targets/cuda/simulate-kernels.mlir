// RUN: graven-opt %s --graven-nvvm-phase --graven-simulate-kernels -split-input-file --verify-diagnostics | FileCheck %s

// A task of the launch is a block, whose threads go one after the other.

// CHECK-LABEL: func.func @forward
//       CHECK: kernel.launch @k(%arg0 : memref<700xf32>) tasks(3)
//       CHECK: kernel.launch @k(%arg1 : memref<700xf32>) tasks(3)
//   CHECK-NOT: gpu.
//       CHECK: llvm.func internal @k.thread(%{{.*}}: !llvm.ptr {llvm.align = 16 : i64, llvm.noalias}, %[[T:.*]]: i32, %[[B:.*]]: i32, %{{.*}}: i32, %{{.*}}: i32)
//   CHECK-NOT: nvvm
//       CHECK: llvm.sext %[[B]]
//       CHECK: llvm.sext %[[T]]
//       CHECK: func.func private @k(%{{.*}}: memref<700xf32>, %[[LO:.*]]: index, %[[HI:.*]]: index) attributes {kernel.entry}
//       CHECK: scf.for %[[BLOCK:.*]] = %[[LO]] to %[[HI]]
//       CHECK: scf.for %[[THREAD:.*]] = %c0 to %c256
//       CHECK: %[[THREAD32:.*]] = arith.index_cast %[[THREAD]] : index to i32
//       CHECK: %[[BLOCK32:.*]] = arith.index_cast %[[BLOCK]] : index to i32
//       CHECK: llvm.call @k.thread(%{{.*}}, %[[THREAD32]], %[[BLOCK32]], %c256_i32, %c3_i32)
module attributes {gpu.container_module} {
  func.func @forward(%x: memref<700xf32>, %y: memref<700xf32>) attributes {graven.num_inputs = 1 : i64} {
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %c256 = arith.constant 256 : index
    gpu.launch_func @device::@k blocks in (%c3, %c1, %c1) threads in (%c256, %c1, %c1) args(%x : memref<700xf32>)
    gpu.launch_func @device::@k blocks in (%c3, %c1, %c1) threads in (%c256, %c1, %c1) args(%y : memref<700xf32>)
    return
  }
  gpu.module @device {
    gpu.func @k(%x: memref<700xf32>) kernel attributes {known_block_size = array<i32: 256, 1, 1>} {
      %c256 = arith.constant 256 : index
      %c700 = arith.constant 700 : index
      %b = gpu.block_id x
      %t = gpu.thread_id x
      %0 = arith.muli %b, %c256 : index
      %i = arith.addi %0, %t : index
      %works = arith.cmpi ult, %i, %c700 : index
      scf.if %works {
        %1 = memref.load %x[%i] : memref<700xf32>
        %2 = arith.addf %1, %1 : f32
        memref.store %2, %x[%i] : memref<700xf32>
      }
      gpu.return
    }
  }
}

// -----

module attributes {gpu.container_module} {
  func.func @forward(%x: memref<4xf32>, %n: index) attributes {graven.num_inputs = 1 : i64} {
    %c1 = arith.constant 1 : index
    // expected-error @below {{is simulated in one dimension of known extent only}}
    gpu.launch_func @device::@k blocks in (%n, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<4xf32>)
    return
  }
  gpu.module @device {
    gpu.func @k(%x: memref<4xf32>) kernel {
      gpu.return
    }
  }
}

// -----

module attributes {gpu.container_module} {
  func.func @forward(%x: memref<4xf32>) attributes {graven.num_inputs = 1 : i64} {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<4xf32>)
    return
  }
  gpu.module @device {
    gpu.func @k(%x: memref<4xf32>) kernel {
      // expected-error @below {{[GRV0202] 'nvvm.cluster.arrive' has no simulation}}
      nvvm.cluster.arrive
      gpu.return
    }
  }
}
