//===- Passes.td - kernels for GPUs ------------------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the passes that make GPU kernels of outlined functions.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_GPU_PASSES_TD
#define GRAVEN_PASSES_GPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def MapToBlocks : Pass<"graven-map-to-blocks", "::mlir::ModuleOp"> {
  let summary = "make GPU kernels of outlined functions whose threads work together";
  let description = [{
    Moves each function that the main function launches, and that holds one kernel in which the threads of a block have
    something to share, to `gpu.module @device`. What is a kernel for blocks, its extents and its code, is one file for
    each family (BlockKernels.h); graven-map-to-threads, which comes after it, takes the others.

    A row of kernel.softmax and kernel.rownorm has a group of threads, so many that each has about 16 elements: a part of
    a warp, a warp, or a block. Neighbouring threads have neighbouring elements, which stay in registers where they are at
    most 32. A group joins what its threads came to by shuffles, and what its warps came to through shared memory, in one
    fixed tree.

    A result of a reduction has a group of threads likewise, where each has at least 4 steps of it: a part of a warp or a
    block where the reduction reads neighbours, the threads of a block that are 32 apart and more where the results do. What
    is carried has to be combined by one operation that has a neutral element, and be used by nothing else.

    What reads an operand across its memory goes through tiles of 32 x 32 in shared memory, where both extents are at
    least 16.

    A tile of kernel.gemm or kernel.conv, of 16 to 128 rows or output pixels by one or two panels of columns, is the work
    of 2 to 8 warps on tensor cores. Both operands are copied to shared memory asynchronously, several stages ahead, with
    zeros for what there is not: rows and steps past the last, and the lanes of channels that do not exist. Rows of a
    convolution are windows, which are gathered on the way. bf16 and f16 are multiplied as they are; f32 as a sum of two
    numbers with 11 bits each, in three products (two with weights of 16 bits), which gives f32's accuracy; sums that are
    not finite are computed again without that. The sums go through shared memory to the epilogue, which stores whole vectors. The order of sums follows from
    the extents alone.

    kernel.attention has a warp for each 16 rows of a head, up to four of them a block. Keys and values come 32 at a time;
    scores, weights and sums stay in registers, in the places where one product leaves what the next one reads, and sums
    are scaled when the maximum of their row grows. With `causal`, keys behind the last row of a block are not read.

    ```mlir
    kernel.launch @k_0(%x, %y : memref<12x768xf32>, memref<12x768xf32>) tasks(3)
    func.func private @k_0(%x: memref<12x768xf32>, %y: memref<12x768xf32>, ...) attributes {kernel.entry} {
      kernel.softmax ins(%x : memref<12x768xf32>) outs(%y : memref<12x768xf32>)
      return
    }
    ```
    ==>
    ```mlir
    gpu.launch_func @device::@k_0 blocks in (%c2, %c1, %c1) threads in (%c256, %c1, %c1) args(...)
    gpu.func @k_0(...) kernel {
      %0 = vector.load ... : vector<4xf32>       // 6 of them
      %1 = ... arith.select ...                  // the largest
      %2, %valid = gpu.shuffle xor %1, %c16, %c32 : f32
      ...
    }
    ```

    With `units=warpgroups`, of sm_90a, products of bf16 and f16 with at least 64 rows are `wgmma` of both operands in shared
    memory, where the copies leave them in the order that it reads: a group of four warps has 64 rows and all columns of a
    tile, up to 256, and multiplies one stage while the next are on their way.

    Preconditions: as for graven-map-to-threads; the last axis of a row is contiguous and at least 2 elements long. For
    products: f32, bf16 or f16 on both sides, or f32 with weights of 16 bits; panels of 16, 32 or 64 columns without gaps,
    aligned to 16 bytes; operands whose offsets fit 31 bits; columns of a tile in one group. For attention: f32, and rows of at most 128 columns.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect",
  ];
  let options = [
    Option<"units", "units", "::graven::MatrixUnits", "::graven::MatrixUnits::Warps",
           "what multiplies matrices of 16-bit floats",
           [{::llvm::cl::values(
               clEnumValN(::graven::MatrixUnits::Warps, "warps", "mma.sync, on all GPUs"),
               clEnumValN(::graven::MatrixUnits::Warpgroups, "warpgroups", "wgmma, on sm_90a"))}]>,
  ];
  let statistics = [
    Statistic<"numKernels", "kernels", "Number of kernels made">,
    Statistic<"numLaunches", "launches", "Number of launches">,
  ];
}

def MapToThreads : Pass<"graven-map-to-threads", "::mlir::ModuleOp"> {
  let summary = "make GPU kernels of outlined functions, one unit of work a thread";
  let description = [{
    Moves each function with the attribute `kernel.entry` that the main function launches, the one with
    `graven.num_inputs`, into `gpu.module @device`, as a kernel whose threads each do one unit of work: an element of the
    results of a linalg operation or a copy, reductions in a loop, or 16 bytes of neighbours where there are more than
    131,072 elements; a vector of a pool or depthwise convolution; a unit of any other kernel as graven-expand-kernels cuts
    it. Neighbouring threads have neighbouring elements. `kernel.launch` becomes
    `gpu.launch_func` with as many blocks of 256 threads as it takes.

    ```mlir
    kernel.launch @k_0(%a, %b : memref<1000xf32>, memref<1000xf32>) tasks(1)
    func.func private @k_0(%a: memref<1000xf32>, %b: memref<1000xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
      linalg.generic {...} ins(%a : memref<1000xf32>) outs(%b : memref<1000xf32>) { ... math.exp ... }
      return
    }
    ```
    ==>
    ```mlir
    gpu.launch_func @device::@k_0 blocks in (%c4, %c1, %c1) threads in (%c256, %c1, %c1)
      args(%a : memref<1000xf32>, %b : memref<1000xf32>)
    gpu.module @device {
      gpu.func @k_0(%a: memref<1000xf32>, %b: memref<1000xf32>) kernel attributes {known_block_size = array<i32: 256, 1, 1>} {
        %block = gpu.block_id x
        %thread = gpu.thread_id x
        %number = ... // %block * 256 + %thread
        %works = arith.cmpi ult, %number, %c1000 : index
        scf.if %works {
          %0 = memref.load ...
          %1 = math.exp %0 : f32
          memref.store ...
        }
        gpu.return
      }
    }
    ```

    Preconditions: operands have static shapes and strides; at most 2^31 - 1 blocks. The results do not depend on the
    number of threads: each element is computed by one, in one order.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
  ];
  let statistics = [
    Statistic<"numKernels", "kernels", "Number of kernels made">,
    Statistic<"numLaunches", "launches", "Number of launches">,
  ];
}

#endif // GRAVEN_PASSES_GPU_PASSES_TD
