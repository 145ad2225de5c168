//===- Passes.td - passes of the CUDA target ---------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the passes that take kernels to the NVVM dialect.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CUDA_PASSES_TD
#define GRAVEN_COMPILER_TARGETS_CUDA_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertToNVVM : Pass<"graven-convert-to-nvvm", "::mlir::gpu::GPUModuleOp"> {
  let summary = "convert the kernels of a gpu.module to the LLVM and NVVM dialects";
  let description = [{
    Applies upstream's conversions of gpu, cf, memref, arith, index, ub, vector and math in one conversion. A memref
    argument becomes one pointer, which overlaps no other. Prefetches, and fences that only order the code generator,
    are for CPUs and go away.

    ```mlir
    gpu.func @k_0(%x: memref<4xf32>) kernel {
      %i = gpu.thread_id x
      %0 = memref.load %x[%i] : memref<4xf32>
      ...
    }
    ```
    ==>
    ```mlir
    llvm.func @k_0(%x: !llvm.ptr {llvm.align = 16 : i64, llvm.noalias}) attributes {gpu.kernel, nvvm.kernel} {
      %0 = nvvm.read.ptx.sreg.tid.x : i32
      %i = llvm.sext %0 : i32 to i64
      %p = llvm.getelementptr inbounds|nuw %x[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %1 = llvm.load %p : !llvm.ptr -> f32
      ...
    }
    ```

    Preconditions: no structured control flow, no memory allocation but on the stack; views with strides are expanded.
    An elementary function that graven-expand-math left is an error: a device has no library.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect"];
}

def LowerDeviceLaunch : Pass<"graven-lower-device-launch", "::mlir::ModuleOp"> {
  let summary = "make launches and reads of the main function calls of the runtime";
  let description = [{
    Gives the main function, the one with `graven.num_inputs`, a last argument, the device. Its other arguments are from
    then on addresses of that one's memory. A launch fills an array with its operands and calls
    `graven_device_launch(device, number, array)`; what the host needs to know of a tensor, a condition or a count, it
    gets by `graven_device_read(device, place, address, bytes)`, which waits for the kernels before. The `gpu.module` goes
    away: its code has been made; the table of kernels by their numbers is the module's attribute
    `graven.device_kernels`.

    ```mlir
    gpu.launch_func @device::@k_0 blocks in (%c4, %c1, %c1) threads in (%c256, %c1, %c1) args(%a : memref<1000xf32>)
    %condition = memref.load %flag[] : memref<i1>
    ```
    ==>
    ```mlir
    llvm.store %address, %array : i64, !llvm.ptr
    llvm.call @graven_device_launch(%device, %c0, %array) : (!llvm.ptr, i32, !llvm.ptr) -> ()
    llvm.call @graven_device_read(%device, %place, %from, %c1) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64) -> ()
    %0 = llvm.load %place : !llvm.ptr -> i8
    %condition = arith.trunci %0 : i8 to i1
    ```

    Preconditions: launches of one dimension whose extents are constants; what else the host does, it does in registers.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect"];
  let statistics = [
    Statistic<"numLaunches", "launches", "Number of launches">,
    Statistic<"numReads", "reads", "Number of reads">,
  ];
}

def SimulateKernels : Pass<"graven-simulate-kernels", "::mlir::ModuleOp"> {
  let summary = "run the kernels of a gpu.module on the host";
  let description = [{
    Makes each kernel, which is in the LLVM and NVVM dialects, a function of one thread on the host, and its launches
    `kernel.launch` of a function that runs all threads of a range of blocks: what becomes PTX can be run, and its
    results compared, without a GPU. A task of the launch is a block. Threads that need nobody are called one after the
    other.

    ```mlir
    gpu.launch_func @device::@k_0 blocks in (%c4, %c1, %c1) threads in (%c256, %c1, %c1) args(%a : memref<1000xf32>)
    ```
    ==>
    ```mlir
    kernel.launch @k_0(%a : memref<1000xf32>) tasks(4)
    func.func private @k_0(%a: memref<1000xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
      scf.for %block = %lo to %hi step %c1 {
        scf.for %thread = %c0 to %c256 step %c1 {
          llvm.call @k_0.thread(%pointer, ...) // the thread, the block, and how many there are of each
        }
      }
      return
    }
    ```

    Threads that wait for each other or share memory are fibers of a simulator (compiler/targets/cuda/simulator), which is
    told of what they do together and of their accesses to memory, and checks them.

    ```mlir
    nvvm.barrier
    %0 = llvm.load %p {alignment = 16 : i64} : !llvm.ptr<3> -> vector<4xf32>
    ```
    ==>
    ```mlir
    llvm.call @graven.simulate.barrier(%self, %site, %c0, %threads) : (!llvm.ptr, i32, i32, i32) -> ()
    llvm.call @graven.simulate.access(%self, %site1, %address) : (!llvm.ptr, i32, !llvm.ptr) -> ()
    %0 = llvm.load %p {alignment = 16 : i64} : !llvm.ptr<3> -> vector<4xf32>
    ```

    Preconditions: launches of one dimension whose extents are constants. An operation of the NVVM dialect that has no
    simulation is an error.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::graven::kernel::KernelDialect",
  ];
  let statistics = [
    Statistic<"numKernels", "kernels", "Number of kernels that can be run">,
    Statistic<"numTogether", "together", "Number of them whose threads work together">,
  ];
}

#endif // GRAVEN_COMPILER_TARGETS_CUDA_PASSES_TD
