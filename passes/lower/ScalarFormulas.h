//===- ScalarFormulas.h - elementwise Nodes on scalars --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the one place that says what an elementwise Node is in
// arith and math: loops, epilogues and fused kernels are all built around it.
//===----------------------------------------------------------------------===//

#ifndef PASSES_LOWER_SCALARFORMULAS_H
#define PASSES_LOWER_SCALARFORMULAS_H

#include "mlir/IR/Builders.h"

namespace graven {

/// Builds the elementwise Node on scalar operands (signless ints, floats) and
/// returns its scalar result, in the signless form of the Node's result element
/// type. f16 and bf16 compute in f32. Null when the Node has no scalar form.
mlir::Value emitScalar(mlir::Operation *node, mlir::OpBuilder &builder,
                       mlir::ValueRange operands);

/// The same for a Node whose operands and result are f16 or bf16, on operands
/// that are f32 already; the result is f32 too, not rounded.
mlir::Value emitWideScalar(mlir::Operation *node, mlir::OpBuilder &builder,
                           mlir::ValueRange operands);

/// NaN-propagating maximum or minimum of floats, signed or unsigned ints.
enum class Extreme { Max, Min };
mlir::Value emitExtreme(mlir::OpBuilder &builder, mlir::Location loc,
                        Extreme which, mlir::Type nodeElementType,
                        mlir::Value a, mlir::Value b);

/// A constant of a float, int or index type.
mlir::Value emitConstant(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Type type, double value);

/// Value conversion between element types by the rules of `graven.cast`.
mlir::Value emitCast(mlir::OpBuilder &builder, mlir::Location loc,
                     mlir::Value value, mlir::Type from, mlir::Type to);

/// The signless type that arith and memref use for an element type of the
/// graph.
mlir::Type signless(mlir::Type elementType);

} // namespace graven

#endif // PASSES_LOWER_SCALARFORMULAS_H
