//===- Passes.td - passes of the CPU target ----------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the passes of the CPU target that no other target shares,
// which is: the call of an outlined kernel in terms of the caller's threads.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CPU_PASSES
#define GRAVEN_COMPILER_TARGETS_CPU_PASSES

include "mlir/Pass/PassBase.td"

def LowerKernelLaunch : Pass<"graven-lower-kernel-launch", "::mlir::ModuleOp"> {
  let summary = "turn kernel.launch into calls that the caller's threads can share";
  let description = [{
    Gives the main function (the one with `graven.num_inputs`) a last argument of
    type `!llvm.ptr`, the `GravenParallel` of the run, and rewrites each
    `kernel.launch` in it: a launch of one task is a plain call; any other stores
    its operands in an array on the stack and calls `@graven.launch`, which runs
    the kernel's task function over all tasks on this thread when the pointer is
    null, and hands it to the caller's `parallel_for` otherwise.

    ```mlir
    func.func @forward(%x: memref<64xf32>, %y: memref<64xf32>, %ws: memref<0xi8>, %w: memref<0xi8>)
      attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 1 : i64} {
      kernel.launch @k_0(%x, %y : memref<64xf32>, memref<64xf32>) tasks(4)
      return
    }
    ```
    ==>
    ```mlir
    func.func @forward(..., %parallel: !llvm.ptr) {
      %args = llvm.alloca %c2 x !llvm.ptr : (i64) -> !llvm.ptr
      llvm.store ...                          // the operands' pointers
      llvm.call @graven.launch(%parallel, %c4, %task, %args)
      return
    }
    func.func private @k_0.task(%args: !llvm.ptr, %lo: i64, %hi: i64) // loads, then calls @k_0
    ```

    With `announces`, each launch is preceded by a call of `parallel_for` with
    -1 - i tasks and no body, i being the launch's number in the order of the
    module: who lends the threads can see what is being run, and for how long.

    Memory arguments of kernels become `llvm.noalias`, and `llvm.nonnull` where they
    have elements. They become `llvm.align = 64` where every launch passes a view of
    the workspace or the weights at a constant multiple of 64.

    Preconditions: operands are memrefs whose shape, strides and offset are static,
    indices, integers up to 64 bits or floats up to 64 bits.
    It does not inline kernels and does not decide how many tasks there are.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::func::FuncDialect",
                           "::mlir::arith::ArithDialect"];
  let options = [Option<"announces", "announces", "bool", "false",
                        "tell parallel_for the number of each launch before it">];
  let statistics = [
    Statistic<"numDirect", "direct-calls", "launches of one task">,
    Statistic<"numShared", "shared-launches", "launches that threads can share">,
  ];
}

def ExpandArith : Pass<"graven-expand-arith"> {
  let summary = "expand arithmetic that the CPU has no instruction for";
  let description = [{
    Rewrites rounding integer divisions to divisions and comparisons, and
    conversions between bf16 and f32 to integer arithmetic: without an instruction
    for them LLVM would call a function that libc does not have, and that of
    AVX512-BF16 takes what is smaller than 2^-126 for zero.

    ```mlir
    %0 = arith.extf %x : bf16 to f32
    ```
    ==>
    ```mlir
    %0 = arith.bitcast %x : bf16 to i16
    %1 = arith.extui %0 : i16 to i32
    %2 = arith.shli %1, %c16 : i32
    %3 = arith.bitcast %2 : i32 to f32
    ```

    It leaves minimum and maximum alone: LLVM has better code for them.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::vector::VectorDialect"];
}

def ConvertToLLVM : Pass<"graven-convert-to-llvm", "::mlir::ModuleOp"> {
  let summary = "convert functions, memrefs, arithmetic and branches to the LLVM dialect";
  let description = [{
    Applies upstream's conversions of func, cf, memref, arith, index, ub, vector and math in one conversion, which takes a
    fraction of the time of a pass for each. A memref argument of static shape becomes one pointer. An elementary function
    without an intrinsic becomes a call of the C library's.

    ```mlir
    func.func @f(%x: memref<4xf32>, %i: index) -> f32 {
      %0 = memref.load %x[%i] : memref<4xf32>
      return %0 : f32
    }
    ```
    ==>
    ```mlir
    llvm.func @f(%x: !llvm.ptr, %i: i64) -> f32 {
      %p = llvm.getelementptr inbounds|nuw %x[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %0 = llvm.load %p : !llvm.ptr -> f32
      llvm.return %0 : f32
    }
    ```

    Preconditions: no structured control flow, no memory allocation; views with strides are expanded. Ops without a
    conversion stay, with casts around them.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::func::FuncDialect", "::mlir::vector::VectorDialect"];
}

def LowerTransfers : Pass<"graven-lower-transfers", "::mlir::func::FuncOp"> {
  let summary = "turn transfers between vectors and memory into loops, where there are any";
  let description = [{
    Runs upstream's `convert-vector-to-scf` on functions that have `vector.transfer_read` or `vector.transfer_write`. Most
    kernels load and store vectors themselves, and rewriting such a function to find nothing takes as long as finding much.

    ```mlir
    %0 = vector.transfer_read %x[%i, %j], %pad : memref<4x4xf32>, vector<2x4xf32>
    ```
    ==>
    ```mlir
    scf.for %row = %c0 to %c2 step %c1 { %1 = vector.transfer_read %x[...], %pad : memref<4x4xf32>, vector<4xf32> ... }
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect", "::mlir::vector::VectorDialect"];
}

def LowerViews : Pass<"graven-lower-views", "::mlir::func::FuncOp"> {
  let summary = "make arithmetic of the addresses that views of memory hide, where there are any";
  let description = [{
    Runs upstream's `expand-strided-metadata` and `lower-affine` on functions that have what the first of them rewrites:
    `memref.subview`, `expand_shape`, `collapse_shape`, or ops that take a memref apart.

    ```mlir
    %0 = memref.subview %x[%i, 0] [1, 4] [1, 1] : memref<8x4xf32> to memref<1x4xf32, strided<[4, 1], offset: ?>>
    ```
    ==>
    ```mlir
    %1 = arith.muli %i, %c4 overflow<nsw> : index
    %0 = memref.reinterpret_cast %x to offset: [%1], sizes: [1, 4], strides: [4, 1] : ...
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def LowerVectors : Pass<"graven-lower-vectors", "::mlir::func::FuncOp"> {
  let summary = "take apart the vectors that no single conversion to LLVM takes";
  let description = [{
    Runs upstream's `convert-vector-to-llvm` on functions that have an op of the vector dialect that ConvertToLLVM leaves:
    vectors of several dimensions, transfers, transposes, contractions, gathers. Register tiles are of vectors of one
    dimension, whose ops are instructions, and go through one conversion instead of two and a rewrite.

    ```mlir
    %0 = vector.transpose %x, [1, 0] : vector<2x4xf32> to vector<4x2xf32>
    ```
    ==>
    ```mlir
    %1 = llvm.extractvalue ...   // one dimension at a time
    ```

    A `vector.reduction` may take any tree, the one thing that may be reassociated.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::ub::UBDialect", "::mlir::vector::VectorDialect"];
}

#endif // GRAVEN_COMPILER_TARGETS_CPU_PASSES
