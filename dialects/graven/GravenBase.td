//===- GravenBase.td - dialect, types, op base classes -----*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the `graven` dialect, the type constraints named once for all ops, and the base classes
// from which the op families derive.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_GRAVENBASE_TD
#define DIALECTS_GRAVEN_GRAVENBASE_TD

include "dialects/graven/GravenInterfaces.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Graven_Dialect : Dialect {
  let name = "graven";
  let cppNamespace = "::graven";
  let summary = "The graph of a neural network: a Graph of Blocks of Nodes";
  let description = [{
    A module holds one `graven.graph @forward`, the `graven.param`s it reads, and perhaps a
    `graven.graph @prepare` that computes packed Parameters from raw ones at compile time.

    Conventions that hold for every op: operand element types are equal unless the op says otherwise (no
    promotion); elementwise operands have equal rank, and per axis the extents are equal or one is a static 1
    (broadcast); axes are non-negative; integers wrap; floats follow IEEE 754, NaN propagates; ties take the
    lowest index. Extents are static or `?`.
  }];
  let dependentDialects = [];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{
    /// Where the bytes of Parameters live; shared by all modules of the context.
    BlobStore &getBlobStore() { return *blobs; }

  private:
    std::shared_ptr<BlobStore> blobs;

  public:
  }];
}

//===----------------------------------------------------------------------===//
// Element types, named once (docs: op-set convention 1)
//===----------------------------------------------------------------------===//

// F: floats.  I: signless = two's complement.  U: unsigned.  B: bool.  N = F, I, U.  T = N, B.
def Graven_F : AnyTypeOf<[F16, BF16, F32, F64]>;
def Graven_I : AnyTypeOf<[I8, I16, I32, I64]>;
def Graven_U : AnyTypeOf<[UI8, UI16, UI32, UI64]>;
def Graven_B : AnyTypeOf<[I1]>;
def Graven_N : AnyTypeOf<[F16, BF16, F32, F64, I8, I16, I32, I64, UI8, UI16, UI32, UI64]>;
def Graven_T : AnyTypeOf<[F16, BF16, F32, F64, I8, I16, I32, I64, UI8, UI16, UI32, UI64, I1]>;
def Graven_IUB : AnyTypeOf<[I8, I16, I32, I64, UI8, UI16, UI32, UI64, I1]>;
def Graven_IU : AnyTypeOf<[I8, I16, I32, I64, UI8, UI16, UI32, UI64]>;

def Graven_FTensor : RankedTensorOf<[Graven_F]>;
def Graven_ITensor : RankedTensorOf<[Graven_I]>;
def Graven_NTensor : RankedTensorOf<[Graven_N]>;
def Graven_TTensor : RankedTensorOf<[Graven_T]>;
def Graven_BTensor : RankedTensorOf<[I1]>;
def Graven_IUBTensor : RankedTensorOf<[Graven_IUB]>;
def Graven_IUTensor : RankedTensorOf<[Graven_IU]>;
def Graven_IndexTensor : RankedTensorOf<[I32, I64]>;
def Graven_I64Tensor : RankedTensorOf<[I64]>;
def Graven_ScalarI64 : Type<CPred<"::graven::isScalarOf($_self, 64)">, "rank-0 i64 tensor", "::mlir::RankedTensorType">,
    BuildableType<"::mlir::RankedTensorType::get({}, $_builder.getI64Type())">;
def Graven_ScalarB : Type<CPred<"::graven::isScalarOf($_self, 1)">, "rank-0 i1 tensor", "::mlir::RankedTensorType">,
    BuildableType<"::mlir::RankedTensorType::get({}, $_builder.getI1Type())">;

//===----------------------------------------------------------------------===//
// Traits of op groups: passes ask groups, not lists of ops
//===----------------------------------------------------------------------===//

class GravenTrait<string name> : NativeOpTrait<name> { let cppNamespace = "::graven"; }
// E: element i of the result depends on element i of each operand only, after broadcast.
// M: values are only copied.  V: the result may be a view of the operand.  R: reduction.  K: contraction.
// W: window.  X: indexed by data.
def Graven_Elementwise : GravenTrait<"Elementwise">;
def Graven_Movement : GravenTrait<"Movement">;
def Graven_ViewLike : GravenTrait<"ViewLike">;
def Graven_Reduction : GravenTrait<"Reduction">;
def Graven_Contraction : GravenTrait<"Contraction">;
def Graven_Window : GravenTrait<"Window">;
def Graven_Indexed : GravenTrait<"Indexed">;
// f(0) = 0: keeps zero padding.
def Graven_ZeroPreserving : GravenTrait<"ZeroPreserving">;
// f(f(x)) = x, f(f(x)) = f(x): the canonicalizer removes or merges the pair.
def Graven_SelfInverse : GravenTrait<"SelfInverse">;
def Graven_Projection : GravenTrait<"Projection">;
// Small constant operands fold by the naive function, so that shape arithmetic folds in greedy canonicalization;
// what is big is folded by a pass with a limit.
def Graven_FoldsWhenSmall : GravenTrait<"FoldsWhenSmall">;
// Non-decreasing: commutes with max pooling and sorting.
def Graven_Monotone : GravenTrait<"Monotone">;

//===----------------------------------------------------------------------===//
// Op base classes
//===----------------------------------------------------------------------===//

class Graven_Op<string mnemonic, list<Trait> traits = []> : Op<Graven_Dialect, mnemonic, traits>;

// Result types follow from operands and attributes; a `?` may be refined to a static extent in the printed
// type, the reverse is an error (V6).
def InferNodeType : InferTypeOpAdaptorBase<[{
  static bool isCompatibleReturnTypes(::mlir::TypeRange inferred, ::mlir::TypeRange actual) {
    return ::graven::isRefinementOf(actual, inferred);
  }
}]>;

// Speculatable when every extent is static: then no run-time check can fire.
def Graven_SpeculatableTrait : GravenTrait<"SpeculatableIfStatic">;
def SpeculatableIfStatic : TraitList<[ConditionallySpeculatable, Graven_SpeculatableTrait]>;

// A Node without effects whose result types follow from its operands and attributes and whose meaning is
// given by a naive function.
class Graven_PureOp<string mnemonic, list<Trait> traits = []>
    : Graven_Op<mnemonic, traits # [NoMemoryEffect, SpeculatableIfStatic, InferNodeType, Graven_FoldsWhenSmall,
                                   DeclareOpInterfaceMethods<Graven_EvaluateInterface>]>;

// As Graven_PureOp, with the operand's type as the result's.
class Graven_SameTypeOp<string mnemonic, list<Trait> traits = []>
    : Graven_Op<mnemonic, traits # [NoMemoryEffect, SpeculatableIfStatic, SameOperandsAndResultType, InferTypeOpInterface,
                                   Graven_FoldsWhenSmall,
                                   DeclareOpInterfaceMethods<Graven_EvaluateInterface>]>;

#endif // DIALECTS_GRAVEN_GRAVENBASE_TD
