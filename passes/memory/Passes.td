//===- Passes.td - bufferization and memory planning -------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the passes that take a function from tensors to memrefs,
// place its temporaries in one arena, and check the contract of that phase.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_MEMORY_PASSES_TD
#define GRAVEN_PASSES_MEMORY_PASSES_TD

include "mlir/Pass/PassBase.td"

def Recompute : Pass<"graven-recompute", "::mlir::func::FuncOp"> {
  let summary = "compute cheap tensors again instead of keeping them";
  let description = [{
    Where most memory is needed at once, a tensor may be there that only waits
    for a later reader. If it is cheap to compute, a copy of the Node in front
    of its later readers computes it again, and its memory is free meanwhile.

    Before ==> after:
    ```mlir
    %r = linalg.generic ... ins(%x : tensor<64xf32>) ...
    %a = "reader"(%r)
    %b = "needs much memory"(%a)
    %c = "late reader"(%b, %r)
    ==>
    %r = linalg.generic ... ins(%x : tensor<64xf32>) ...
    %a = "reader"(%r)
    %b = "needs much memory"(%a)
    %s = linalg.generic ... ins(%x : tensor<64xf32>) ...
    %c = "late reader"(%b, %s)
    ```

    Preconditions: an elementwise linalg.generic of at most three arith ops
    without a quotient; the most that is live at once falls, although what it
    reads is kept as long, and that saves enough bytes for its operations. After
    CSE, which would merge the two.
  }];
  let options = [
    Option<"maxCost", "max-cost", "int64_t", "2",
           "most operations for a byte of the peak">
  ];
  let statistics = [
    Statistic<"numRecomputed", "recomputed", "Number of Nodes that are computed again">
  ];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def ReuseOperands : Pass<"graven-reuse-operands", "::mlir::func::FuncOp"> {
  let summary = "let elementwise ops overwrite an operand that dies there";
  let description = [{
    An elementwise linalg.generic that writes a fresh tensor takes an operand
    that nothing else uses as its destination instead, so that both share one
    buffer. The operand leaves the inputs: a kernel gets the buffer once, and
    its pointers may still be noalias.

    Before ==> after:
    ```mlir
    %r = linalg.generic {indexing_maps = [#id, #id, #id], ...}
        ins(%a, %b : tensor<8xf32>, tensor<8xf32>) outs(%empty : tensor<8xf32>) {
    ^bb0(%x: f32, %y: f32, %out: f32): ...
    ==>
    %r = linalg.generic {indexing_maps = [#id, #id], ...}
        ins(%b : tensor<8xf32>) outs(%a : tensor<8xf32>) {
    ^bb0(%y: f32, %x: f32): ...
    ```

    Preconditions: all loops are parallel; one result, whose destination is a
    tensor.empty that the body does not read; the operand has the type and the
    indexing map of the result, a permutation, so that each element is read
    where it is written; this is its only use; it was computed in the same
    block into a buffer of its own (not an argument, a weight, a constant or a
    slice). Named linalg ops and kernel ops are left alone: they may read an
    operand again after they wrote.
  }];
  let statistics = [
    Statistic<"numReused", "reused", "Number of operands overwritten">
  ];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def Bufferize : Pass<"graven-bufferize", "::mlir::ModuleOp"> {
  let summary = "turn functions on tensors into functions on memrefs";
  let description = [{
    Bufferizes each function with a body. Tensor arguments become read-only
    memrefs with the identity layout; results become memref arguments after
    them (before one that has `graven.weights`), into which the ops that make
    the results write directly where they can. `graven.num_inputs` and
    `graven.num_outputs` say how many there are; attributes of a result move to
    its argument.

    Before ==> after:
    ```mlir
    func.func @f(%x: tensor<8xf32>) -> tensor<8xf32> {
      %e = tensor.empty() : tensor<8xf32>
      %r = linalg.exp ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
      return %r : tensor<8xf32>
    }
    ==>
    func.func @f(%x: memref<8xf32>, %r: memref<8xf32>)
        attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 1 : i64} {
      linalg.exp ins(%x : memref<8xf32>) outs(%r : memref<8xf32>)
      return
    }
    ```

    The analysis is upstream's one-shot bufferization, which adds a copy, as a
    linalg.copy, where a value would be overwritten while it is still needed.
    Before it, each use of a tensor.empty gets one of its own, slices are
    inserted as soon as what they hold is computed, padding (a slice inserted
    into a filled tensor) fills only what is around the slice and before the
    slice is computed, a tensor carried by an scf.for or scf.while is written back
    where the body makes a new one, and both branches of an scf.if write to one
    buffer made before it. So concatenation and padding cost no copy where
    their operands are computed by destination-style ops.

    Preconditions: functions have one block; arguments and results are ranked
    tensors of static shape (other arguments, such as memrefs, stay as they
    are); no function on tensors is called. Each failure is a located error.
    Buffers are not freed: PlanArena gives them their place.
  }];
  let statistics = [
    Statistic<"numFunctions", "functions", "Number of functions bufferized">,
    Statistic<"numCopies", "copies", "Number of copies that remain">
  ];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::tensor::TensorDialect"];
}

def PlanArena : Pass<"graven-plan-arena", "::mlir::ModuleOp"> {
  let summary = "place all temporaries of a function in one arena";
  let description = [{
    Gives each function with a body (except outlined kernels) two more
    arguments, the workspace and the weights, and replaces each memref.alloc by
    a view of the workspace at a constant offset, a multiple of 64, and each
    kernel.weight by a view of the weights. Buffers that do not live at the same
    time share room; the peak is an attribute.

    Before ==> after:
    ```mlir
    func.func @f(%x: memref<8xf32>, %r: memref<8xf32>)
        attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 1 : i64} {
      %w = kernel.weight {offset = 0 : i64} : memref<8xf32>
      %t = memref.alloc() : memref<8xf32>
      ...
    ==>
    func.func @f(%x: memref<8xf32>, %r: memref<8xf32>, %workspace: memref<64xi8>,
                 %weights: memref<64xi8> {graven.weights})
        attributes {graven.workspace_size = 64 : i64, graven.weights_size = 64 : i64, ...} {
      %c0 = arith.constant 0 : index
      %w = memref.view %weights[%c0][] : memref<64xi8> to memref<8xf32>
      %t = memref.view %workspace[%c0][] : memref<64xi8> to memref<8xf32>
      ...
    ```

    A buffer lives from the first op that uses it, or a view of it, to the
    last; what a loop uses and did not allocate lives through the whole loop.
    The plan is the best of several heuristics (ArenaPlanner.h);
    `graven.workspace_lower_bound` is what no plan can be below.
    `graven.weights_size` is kept where the function has it, and is else the end
    of the last weight, rounded up to 64.

    Preconditions: static shapes and identity layouts; no buffer allocated in a
    loop outlives the iteration, and none is allocated in a parallel loop; no
    memref.alloca or dealloc; nothing calls the function. Each failure is a
    located error.
  }];
  let statistics = [
    Statistic<"numBuffers", "buffers", "Number of buffers placed">,
    Statistic<"numWeights", "weights", "Number of weights bound">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect"];
}

def VerifyBufferPhase : Pass<"graven-verify-buffer-phase", "::mlir::ModuleOp"> {
  let summary = "check the contract at the end of the buffer phase";
  let description = [{
    Fails with "buffer contract: ..." unless each function with a body (except
    outlined kernels) has the arguments inputs, outputs, workspace, weights, all
    memrefs of static shape and identity layout, of the numbers and sizes that
    the attributes `graven.num_inputs`, `graven.num_outputs`,
    `graven.workspace_size` and `graven.weights_size` say, no results, no value
    of tensor type, no allocation or deallocation, no kernel.weight, and views
    of workspace and weights only at constant offsets that are multiples of 64
    and within bounds. Changes nothing.
  }];
}

#endif // GRAVEN_PASSES_MEMORY_PASSES_TD
