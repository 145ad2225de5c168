//===- KernelStructure.td - weight, launch, yield -------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the operations that are no kernels themselves: the packed
// weight, the call of an outlined kernel, and the terminator of an epilogue.

#ifndef GRAVEN_DIALECTS_KERNEL_STRUCTURE_TD
#define GRAVEN_DIALECTS_KERNEL_STRUCTURE_TD

def Kernel_WeightOp : Kernel_Op<"weight", [Pure]> {
  let summary = "a packed weight in the weights blob";
  let description = [{
    The row-major tensor at byte `offset` of the weights blob. It is read only.
    Bufferization turns it into a `memref.view` of the function argument that has
    the attribute `graven.weights`; in a function without one it stays as this
    operation with a memref result.

    Constraints:
    - C1 `offset` is a multiple of 64.

    ```mlir
    %w = kernel.weight {offset = 1024 : i64} : tensor<24x768x32xf32>
    ```
  }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative]>:$offset);
  let results = (outs AnyTypeOf<[AnyStaticShapeTensor, AnyStaticShapeMemRef]>:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Kernel_LaunchOp : Kernel_Op<"launch", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "run the units of work of an outlined kernel";
  let description = [{
    Runs `kernel(operands, lo, hi)` for ranges that cover [0, tasks) once, in any
    order and on any thread. The callee is a `func.func` with the attribute
    `kernel.entry` whose arguments are the operands and two indices. Operands that
    are different memrefs do not overlap.

    `kind`, `multiply_adds` and `bytes` say what operation the kernel was and how
    much it does, for those who measure; they mean nothing to the launch.

    Constraints:
    - C1 `tasks` >= 1.
    - C2 the callee exists, has `kernel.entry`, and takes the operands and two
      indices.

    ```mlir
    kernel.launch @k_0(%a, %b : memref<4xf32>, memref<4xf32>) tasks(8)
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee, Variadic<AnyType>:$operands, I64Attr:$tasks,
      OptionalAttr<StrAttr>:$kind, OptionalAttr<I64Attr>:$multiply_adds, OptionalAttr<I64Attr>:$bytes);
  let assemblyFormat = [{
    $callee `(` ($operands^ `:` type($operands))? `)` `tasks` `(` $tasks `)` attr-dict
  }];
  let hasVerifier = 1;
}

def Kernel_YieldOp : Kernel_Op<"yield", [Pure, ReturnLike, Terminator,
    ParentOneOf<["GemmOp", "ConvOp", "DepthwiseOp", "WinogradOp", "WinogradOutputOp",
                 "StrassenOp", "StrassenOutputOp", "RecurrenceOp", "RecurrenceStepOp", "ScanOp"]>]> {
  let summary = "the elements a region stores";
  let description = [{
    Ends an epilogue region with the element to store, or the cell of a recurrence or scan
    with the new states.

    ```mlir
    kernel.yield %v : f32
    ```
  }];
  let arguments = (ins Variadic<AnyTypeOf<[Kernel_Computed, AnySignlessInteger]>>:$values);
  let assemblyFormat = "attr-dict $values `:` type($values)";
}

#endif // GRAVEN_DIALECTS_KERNEL_STRUCTURE_TD
