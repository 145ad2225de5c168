//===- Kernel.td - the kernel dialect -------------------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the `kernel` dialect: structured kernels in destination
// style that the lowering chooses and that the expanders turn into loops. The
// op families live in KernelContract.td, KernelStages.td, KernelRecurrent.td,
// KernelRows.td, KernelAttention.td, KernelDetection.td and KernelStructure.td.

#ifndef GRAVEN_DIALECTS_KERNEL_KERNEL_TD
#define GRAVEN_DIALECTS_KERNEL_KERNEL_TD

include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Kernel_Dialect : Dialect {
  let name = "kernel";
  let cppNamespace = "::graven::kernel";
  let summary = "structured kernels with their tiling decided";
  let description = [{
    One destination-style operation per kernel family. An operation carries the
    tile its expander uses and, where the family has a register tile, an
    *epilogue*: a region that maps the accumulator and one element of each
    epilogue operand to the element that is stored.

    f16 and bf16 are types of storage: kernels compute in f32 (f64 for f64), widen
    what they load and round what they store to nearest, ties to even. Each operand
    has its own type, except that f64 stands beside f64 only. The arguments of an
    epilogue, and what it yields, are of the type that is computed in.

    Operations work on statically shaped tensors (results tied to `outs`) and,
    after bufferization, on memrefs (no results). Every operation writes all of
    its `outs` and reads nothing of it.

    Layouts:
    - *row-major*: the last axis is contiguous.
    - *panels* `[B, ceil(N/NR), K, NR]`: NR adjacent columns of a K x N matrix
      side by side for each k; columns past N in the last panel are zero.
    - *blocked* (NCHW16c) `[N, ceil(C/16), H, W, 16]`: sixteen adjacent channels
      side by side. The lanes past C of the last block hold any value: no kernel
      lets them reach a real channel.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
  let useDefaultAttributePrinterParser = 1;
}

/// A static tensor or memref of the element types the generators know.
def Kernel_Float : AnyTypeOf<[F16, BF16, F32, F64]>;
/// What registers hold.
def Kernel_Computed : AnyTypeOf<[F32, F64]>;
def Kernel_Operand
    : AnyTypeOf<[StaticShapeTensorOf<[Kernel_Float]>, StaticShapeMemRefOf<[Kernel_Float]>],
                "statically shaped tensor or memref of floats">;

def Kernel_Number : AnyTypeOf<[Kernel_Float, AnySignlessInteger]>;
def Kernel_NumberOperand
    : AnyTypeOf<[StaticShapeTensorOf<[Kernel_Number]>, StaticShapeMemRefOf<[Kernel_Number]>],
                "statically shaped tensor or memref of floats or ints">;

class Kernel_Op<string mnemonic, list<Trait> traits = []>
    : Op<Kernel_Dialect, mnemonic, traits>;

/// A kernel with one destination `out`; on tensors, one result of its type.
class Kernel_DpsOp<string mnemonic, list<Trait> traits = []>
    : Kernel_Op<mnemonic, !listconcat([
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
        DestinationStyleOpInterface], traits)> {
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let hasVerifier = 1;
  code dpsDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutMutable(); }
    ::mlir::ShapedType getOutType() {
      return ::llvm::cast<::mlir::ShapedType>(getOut().getType());
    }
  }];
  let extraClassDeclaration = dpsDeclaration;
  let extraClassDefinition = [{
    void $cppClass::getEffects(
        ::llvm::SmallVectorImpl<::mlir::MemoryEffects::EffectInstance> &effects) {
      ::graven::kernel::detail::addDestinationEffects(getOperation(), effects);
    }
  }];
}

include "dialects/kernel/KernelContract.td"
include "dialects/kernel/KernelStages.td"
include "dialects/kernel/KernelRecurrent.td"
include "dialects/kernel/KernelRows.td"
include "dialects/kernel/KernelAttention.td"
include "dialects/kernel/KernelDetection.td"
include "dialects/kernel/KernelStructure.td"

#endif // GRAVEN_DIALECTS_KERNEL_KERNEL_TD
