// RUN: graven-opt %s --graven-lower-device-launch -split-input-file --verify-diagnostics | FileCheck %s

// Each kernel has a number; a launch passes addresses, a condition is read from the device.

// CHECK-LABEL: module attributes
//  CHECK-SAME: graven.device_kernels = [
//  CHECK-SAME:   {arguments = 2 : i64, blocks = 3 : i64, name = "a", shared = 0 : i64, threads = 256 : i64},
//  CHECK-SAME:   {arguments = 1 : i64, blocks = 1 : i64, name = "b", shared = 73728 : i64, threads = 256 : i64}]
//       CHECK: func.func @forward(%[[X:.*]]: memref<700xf32>, %[[FLAG:.*]]: memref<2xi1>, %[[DEVICE:.*]]: !llvm.ptr)
//       CHECK: %[[SIZE:.*]] = llvm.mlir.constant(2 : i64)
//       CHECK: %[[PLACE:.*]] = llvm.alloca %[[SIZE]] x i64
//   CHECK-NOT: llvm.alloca
//       CHECK: %[[A0:.*]] = memref.extract_aligned_pointer_as_index %[[X]]
//       CHECK: %[[A1:.*]] = arith.index_cast %[[A0]] : index to i64
//       CHECK: llvm.store %[[A1]], %{{.*}} {alignment = 8 : i64} : i64, !llvm.ptr
//       CHECK: llvm.call @graven_device_launch(%[[DEVICE]], %{{.*}}, %{{.*}}) : (!llvm.ptr, i32, !llvm.ptr) -> ()
//       CHECK: llvm.call @graven_device_read(%[[DEVICE]], %[[PLACE]], %{{.*}}, %{{.*}}) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64)
//       CHECK: %[[BYTE:.*]] = llvm.load %[[PLACE]] {{.*}} -> i8
//       CHECK: %[[TRUE:.*]] = arith.trunci %[[BYTE]] : i8 to i1
//       CHECK: scf.if %[[TRUE]]
//       CHECK:   llvm.call @graven_device_launch
//       CHECK: llvm.func hidden @graven_device_launch(!llvm.ptr, i32, !llvm.ptr)
//   CHECK-NOT: gpu.
module attributes {gpu.container_module} {
  func.func @forward(%x: memref<700xf32>, %flag: memref<2xi1>) attributes {graven.num_inputs = 1 : i64} {
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %c256 = arith.constant 256 : index
    %bytes = arith.constant 73728 : i32
    gpu.launch_func @device::@a blocks in (%c3, %c1, %c1) threads in (%c256, %c1, %c1)
      args(%x : memref<700xf32>, %flag : memref<2xi1>)
    %condition = memref.load %flag[%c1] : memref<2xi1>
    scf.if %condition {
      gpu.launch_func @device::@b blocks in (%c1, %c1, %c1) threads in (%c256, %c1, %c1)
        dynamic_shared_memory_size %bytes args(%x : memref<700xf32>)
    }
    return
  }
  gpu.module @device {
    gpu.func @a(%x: memref<700xf32>, %flag: memref<2xi1>) kernel {
      gpu.return
    }
    gpu.func @b(%x: memref<700xf32>) kernel {
      gpu.return
    }
  }
}

// -----

module attributes {gpu.container_module} {
  func.func @forward(%x: memref<4xf32>, %value: f32) attributes {graven.num_inputs = 1 : i64} {
    %c1 = arith.constant 1 : index
    // expected-error @below {{'memref.store' of the host has no form for a device}}
    memref.store %value, %x[%c1] : memref<4xf32>
    return
  }
}

// -----

module attributes {gpu.container_module} {
  func.func @forward(%x: memref<4xf32>, %n: index) attributes {graven.num_inputs = 1 : i64} {
    %c1 = arith.constant 1 : index
    // expected-error @below {{is launched in one dimension of known extent only}}
    gpu.launch_func @device::@a blocks in (%c1, %c1, %c1) threads in (%n, %c1, %c1) args(%x : memref<4xf32>)
    return
  }
  gpu.module @device {
    gpu.func @a(%x: memref<4xf32>) kernel {
      gpu.return
    }
  }
}

// -----

module attributes {gpu.container_module} {
  func.func @forward(%x: memref<4xf32>, %n: i32) attributes {graven.num_inputs = 1 : i64} {
    %c1 = arith.constant 1 : index
    // expected-error @below {{is launched in one dimension of known extent only}}
    gpu.launch_func @device::@a blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
      dynamic_shared_memory_size %n args(%x : memref<4xf32>)
    return
  }
  gpu.module @device {
    gpu.func @a(%x: memref<4xf32>) kernel {
      gpu.return
    }
  }
}
