//===- Passes.td - lowering passes ----------------------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the passes that lower graphs to kernels and kernels to
// loops.

#ifndef GRAVEN_PASSES_LOWER_PASSES_TD
#define GRAVEN_PASSES_LOWER_PASSES_TD

include "mlir/Pass/PassBase.td"

def OutlineKernels : Pass<"graven-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "move each kernel to a function of its own";
  let description = [{
    Every kernel on memrefs (an operation of the `kernel` dialect, a linalg
    operation, a `memref.copy`) moves to a private function with the attribute
    `kernel.entry` that takes the operands and a range of units of work; a
    `kernel.launch` with the number of units takes its place. Equal kernels
    share one function. A value used twice is passed once. Constants move along,
    and so do views with strides or an offset: what is passed is a contiguous
    memref, whose views the kernel takes itself.

    ```mlir
    linalg.fill ins(%cst : f32) outs(%out : memref<4xf32>)
    ```
    ==>
    ```mlir
    kernel.launch @k_0(%out : memref<4xf32>) tasks(1)

    func.func private @k_0(%out: memref<4xf32>, %lo: index, %hi: index)
        attributes {kernel.entry} {
      %cst = arith.constant 0.0 : f32
      linalg.fill ins(%cst : f32) outs(%out : memref<4xf32>)
      return
    }
    ```

    Preconditions: the kernels are on memrefs of static shape; different operand
    memrefs of a kernel do not overlap. Kernels in functions that have
    `kernel.entry` already stay where they are. Kernels inside the region of a
    kernel are not possible.
  }];
  let dependentDialects = ["::graven::kernel::KernelDialect", "::mlir::func::FuncDialect"];
  let statistics = [
    Statistic<"numLaunches", "launches", "Number of kernels outlined">,
    Statistic<"numKernels", "kernels", "Number of distinct kernel functions made">,
  ];
}

def ExpandKernels : Pass<"graven-expand-kernels", "::mlir::func::FuncOp"> {
  let summary = "expand the kernel of an outlined function to loops";
  let description = [{
    In a function with the attribute `kernel.entry`, the kernel becomes scf loops
    over vector, memref and arith operations that run the units of work of the
    function's last two arguments.

    ```mlir
    func.func private @k_0(%a: memref<65536xf32>, %out: memref<65536xf32>, %lo: index, %hi: index)
        attributes {kernel.entry} {
      memref.copy %a, %out : memref<65536xf32> to memref<65536xf32>
      return
    }
    ```
    ==>
    ```mlir
    func.func private @k_0(%a: memref<65536xf32>, %out: memref<65536xf32>, %lo: index, %hi: index)
        attributes {kernel.entry} {
      scf.for %task = %lo to %hi step %c1 {
        ...
        scf.for %i = %first to %last step %c1 {
          %v = memref.load %a[%i] : memref<65536xf32>
          memref.store %v, %out[%i] : memref<65536xf32>
        }
      }
      return
    }
    ```

    Preconditions: operands have static shapes and strides. Functions without
    `kernel.entry` do not change.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
  ];
  let options = [
    Option<"vectorBytes", "vector-bytes", "int64_t", /*default=*/"64", "Bytes of a vector register">,
    Option<"vectorRegisters", "vector-registers", "int64_t", /*default=*/"32", "Vector registers">,
    Option<"fma", "fma", "bool", /*default=*/"true", "Whether the target has a fused multiply-add">,
    Option<"l2Bytes", "l2-bytes", "int64_t", /*default=*/"1 << 20", "Bytes of the second level cache">,
  ];
  let statistics = [Statistic<"numExpanded", "expanded", "Number of kernels expanded">];
}

#endif // GRAVEN_PASSES_LOWER_PASSES_TD
