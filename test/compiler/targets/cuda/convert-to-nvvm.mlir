// RUN: graven-opt %s --pass-pipeline='builtin.module(gpu.module(graven-convert-to-nvvm))' -split-input-file --verify-diagnostics | FileCheck %s

// A memref is a pointer that overlaps no other, and hints for CPUs go away.

// CHECK-LABEL: gpu.module @device
//       CHECK: llvm.func @k(%[[X:.*]]: !llvm.ptr {llvm.align = 16 : i64, llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.align = 16 : i64, llvm.noalias})
//  CHECK-SAME:   nvvm.kernel
//  CHECK-SAME:   nvvm.maxntid = array<i32: 256, 1, 1>, nvvm.minctasm = 1
//       CHECK: nvvm.read.ptx.sreg.ctaid.x
//       CHECK: nvvm.read.ptx.sreg.tid.x
//   CHECK-NOT: prefetch
//   CHECK-NOT: fence
//       CHECK: llvm.load
//       CHECK: llvm.intr.fma
//       CHECK: llvm.intr.sqrt
//       CHECK: llvm.store
gpu.module @device {
  gpu.func @k(%x: memref<256xf32>, %y: memref<256xf32>) kernel attributes {known_block_size = array<i32: 256, 1, 1>} {
    %c256 = arith.constant 256 : index
    %b = gpu.block_id x
    %t = gpu.thread_id x
    %0 = arith.muli %b, %c256 : index
    %i = arith.addi %0, %t : index
    memref.prefetch %x[%i], read, locality<3>, data : memref<256xf32>
    llvm.fence syncscope("singlethread") acq_rel
    %1 = memref.load %x[%i] : memref<256xf32>
    %2 = math.fma %1, %1, %1 : f32
    %3 = math.sqrt %2 : f32
    memref.store %3, %y[%i] : memref<256xf32>
    gpu.return
  }
}

// -----

// A fence that other threads can tell stays.

// CHECK-LABEL: llvm.func @ordered
//       CHECK: llvm.fence acq_rel
gpu.module @device {
  gpu.func @ordered() kernel {
    llvm.fence acq_rel
    gpu.return
  }
}

// -----

gpu.module @device {
  gpu.func @k(%x: memref<4xf64>) kernel {
    %i = gpu.thread_id x
    %0 = memref.load %x[%i] : memref<4xf64>
    // expected-error @below {{[GRV0202] 'math.erf' of 'f64' has no device code}}
    %1 = math.erf %0 : f64
    memref.store %1, %x[%i] : memref<4xf64>
    gpu.return
  }
}

// -----

func.func private @erf(f64) -> f64
gpu.module @device {
  func.func private @erf(f64) -> f64
  gpu.func @k(%x: memref<4xf64>) kernel {
    %i = gpu.thread_id x
    %0 = memref.load %x[%i] : memref<4xf64>
    // expected-error @below {{[GRV0202] 'erf' of 'f64' has no device code}}
    %1 = func.call @erf(%0) : (f64) -> f64
    memref.store %1, %x[%i] : memref<4xf64>
    gpu.return
  }
}

// -----

// A formula that is unrolled is reported once.

gpu.module @device {
  gpu.func @k(%x: memref<4xf64>) kernel {
    %c0 = arith.constant 0 : index
    %0 = memref.load %x[%c0] : memref<4xf64>
    // expected-error @unknown {{[GRV0202] 'math.erf' of 'f64' has no device code}}
    %1 = math.erf %0 : f64 loc(unknown)
    %2 = math.erf %1 : f64 loc(unknown)
    memref.store %2, %x[%c0] : memref<4xf64>
    gpu.return
  }
}

// -----

// What is said of a loop stays where LLVM looks for it.

// CHECK-LABEL: llvm.func @rolled
//       CHECK:   llvm.br {{.*}} {loop_annotation = #{{.*}}}
#unroll = #llvm.loop_unroll<disable = true>
#rolled = #llvm.loop_annotation<unroll = #unroll>
gpu.module @device {
  gpu.func @rolled(%x: memref<4xf32>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    cf.br ^head(%c0 : index)
  ^head(%i: index):
    %more = arith.cmpi ult, %i, %c4 : index
    cf.cond_br %more, ^body, ^end
  ^body:
    %0 = memref.load %x[%i] : memref<4xf32>
    memref.store %0, %x[%i] : memref<4xf32>
    %next = arith.addi %i, %c1 : index
    cf.br ^head(%next : index) {llvm.loop_annotation = #rolled}
  ^end:
    gpu.return
  }
}
