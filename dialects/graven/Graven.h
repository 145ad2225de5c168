//===- Graven.h - the graven dialect --------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the `graven` dialect, its attributes, interfaces and ops.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_GRAVEN_H
#define DIALECTS_GRAVEN_GRAVEN_H

#include "dialects/graven/BlobStore.h"
#include "dialects/graven/GravenEnums.h"
#include "dialects/graven/ShapeMath.h"
#include "dialects/graven/eval/Evaluator.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace graven {

// Folds that traits give to every op of a group (folds/Traits.cpp).
/// f(f(x)) = x: the operand of the inner op, when the types agree.
mlir::OpFoldResult foldSelfInverse(mlir::Operation *op);
/// f(f(x)) = f(x): the inner result, when all else of the two ops is equal.
mlir::OpFoldResult foldProjection(mlir::Operation *op);
/// Runs the op's naive function on constant operands, if operands and results
/// are so small that shape arithmetic may be meant.
llvm::LogicalResult
foldByEvaluation(mlir::Operation *op, llvm::ArrayRef<mlir::Attribute> operands,
                 llvm::SmallVectorImpl<mlir::OpFoldResult> &results);

/// Traits by which passes recognise groups of ops (GravenBase.td says what each
/// means).
template <class Op>
class Elementwise : public mlir::OpTrait::TraitBase<Op, Elementwise> {};
template <class Op>
class Movement : public mlir::OpTrait::TraitBase<Op, Movement> {};
template <class Op>
class ViewLike : public mlir::OpTrait::TraitBase<Op, ViewLike> {};
template <class Op>
class Reduction : public mlir::OpTrait::TraitBase<Op, Reduction> {};
template <class Op>
class Contraction : public mlir::OpTrait::TraitBase<Op, Contraction> {};
template <class Op>
class Window : public mlir::OpTrait::TraitBase<Op, Window> {};
template <class Op>
class Indexed : public mlir::OpTrait::TraitBase<Op, Indexed> {};
template <class Op>
class ZeroPreserving : public mlir::OpTrait::TraitBase<Op, ZeroPreserving> {};
template <class Op>
class SelfInverse : public mlir::OpTrait::TraitBase<Op, SelfInverse> {
public:
  static mlir::OpFoldResult foldTrait(mlir::Operation *op,
                                      llvm::ArrayRef<mlir::Attribute>) {
    return foldSelfInverse(op);
  }
};
template <class Op>
class Projection : public mlir::OpTrait::TraitBase<Op, Projection> {
public:
  static mlir::OpFoldResult foldTrait(mlir::Operation *op,
                                      llvm::ArrayRef<mlir::Attribute>) {
    return foldProjection(op);
  }
};
template <class Op>
class FoldsWhenSmall : public mlir::OpTrait::TraitBase<Op, FoldsWhenSmall> {
public:
  static llvm::LogicalResult
  foldTrait(mlir::Operation *op, llvm::ArrayRef<mlir::Attribute> operands,
            llvm::SmallVectorImpl<mlir::OpFoldResult> &results) {
    return foldByEvaluation(op, operands, results);
  }
};
template <class Op>
class Monotone : public mlir::OpTrait::TraitBase<Op, Monotone> {};
template <class Op>
class SpeculatableIfStatic
    : public mlir::OpTrait::TraitBase<Op, SpeculatableIfStatic> {
public:
  mlir::Speculation::Speculatability getSpeculatability() {
    return speculatableIfStatic(this->getOperation());
  }
};

} // namespace graven

#include "dialects/graven/GravenInterfaces.h.inc"
#include "dialects/graven/GravenOpsDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/graven/GravenOpsAttrs.h.inc"

#define GET_OP_CLASSES
#include "dialects/graven/GravenOps.h.inc"

namespace graven {

/// Builds a Node whose result type is inferred; on failure the problem has been
/// reported at `loc` and nothing was built. Frontends use this, because the
/// operands and attributes come from files.
template <class OpTy, class... Args>
mlir::FailureOr<OpTy> tryCreate(mlir::OpBuilder &builder, mlir::Location loc,
                                Args &&...args) {
  mlir::OperationState state(loc, OpTy::getOperationName());
  if constexpr (OpTy::template hasTrait<mlir::OpTrait::OneResult>())
    OpTy::build(builder, state, mlir::Type(builder.getNoneType()),
                std::forward<Args>(args)...);
  else
    OpTy::build(builder, state, mlir::TypeRange(), std::forward<Args>(args)...);
  llvm::SmallVector<mlir::Type> types;
  if (mlir::failed(OpTy::inferReturnTypes(
          builder.getContext(), loc, state.operands,
          state.attributes.getDictionary(builder.getContext()),
          state.getRawProperties(), state.regions, types)))
    return mlir::failure();
  state.types.assign(types.begin(), types.end());
  return mlir::cast<OpTy>(builder.create(state));
}

} // namespace graven

#endif // DIALECTS_GRAVEN_GRAVEN_H
