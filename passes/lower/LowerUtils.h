//===- LowerUtils.h - what all lowerings to kernels share -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the tensors and loop nests from which the lowerings of
// Nodes are built, and the families of patterns that `graven-to-kernel` puts
// together.
//===----------------------------------------------------------------------===//

#ifndef PASSES_LOWER_LOWERUTILS_H
#define PASSES_LOWER_LOWERUTILS_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

namespace graven {
class GraphOp;
struct TargetInfo;

/// Marks a tensor<1xi32> that is non-zero when the run failed (an index out of
/// range); the statuses of a function become one more result, marked with the
/// same name.
inline constexpr llvm::StringLiteral statusAttrName = "graven.status";
/// On an scf.while that is being lowered: for each value of the loop's yield
/// that is a slice to be stacked whether the stack has elements.
inline constexpr llvm::StringLiteral stacksAttrName = "graven.stacks";
/// The bits of a status.
inline constexpr int32_t kIndexOutOfRange = 1;
/// A loop ended after another number of iterations than the shape of what it
/// stacked says.
inline constexpr int32_t kTripCountDiffers = 2;
/// Marks an argument that is a Parameter, by its symbol.
inline constexpr llvm::StringLiteral paramAttrName = "graven.param";
/// Name of an input or output.
inline constexpr llvm::StringLiteral nameAttrName = "graven.name";
/// Byte offsets of the results of @prepare in the weights blob.
inline constexpr llvm::StringLiteral offsetsAttrName = "graven.offsets";
/// Bytes of the weights blob.
inline constexpr llvm::StringLiteral weightsSizeAttrName =
    "graven.weights_size";

/// `type` with the signless element type that kernels use.
mlir::RankedTensorType loweredType(mlir::Type type);

/// Whether an extent is 0.
bool isEmpty(mlir::Type type);
/// The type of an input or output of the lowered function: the lowered type, or
/// tensor<0x..> where there are no elements, whose shape nobody needs.
mlir::RankedTensorType boundaryType(mlir::Type type);
/// Makes every use of a tensor without elements a use of a constant, and erases
/// what only served such tensors.
void replaceEmptyValues(GraphOp graph);

mlir::Value emptyTensor(mlir::OpBuilder &builder, mlir::Location loc,
                        llvm::ArrayRef<int64_t> shape, mlir::Type element);
/// A tensor whose elements are all `value` (a scalar).
mlir::Value filledTensor(mlir::OpBuilder &builder, mlir::Location loc,
                         llvm::ArrayRef<int64_t> shape, mlir::Value value);

/// Body of a loop nest: the scalars (operands or indices) to the scalar that is
/// stored.
using ScalarBody = llvm::function_ref<mlir::Value(
    mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

/// result[i..] = body(indices): a parallel nest that may read any tensor with
/// tensor.extract.
mlir::Value generate(mlir::OpBuilder &builder, mlir::Location loc,
                     llvm::ArrayRef<int64_t> shape, mlir::Type element,
                     ScalarBody body);

/// result[i..] = body(inputs[map_j(i..)]..): a parallel nest over the shape.
mlir::Value mapElements(mlir::OpBuilder &builder, mlir::Location loc,
                        llvm::ArrayRef<int64_t> shape, mlir::Type element,
                        mlir::ValueRange inputs,
                        llvm::ArrayRef<mlir::AffineMap> maps, ScalarBody body);

/// result[i..] = input[map(i..)]: a copy that fuses with its neighbours.
mlir::Value copyElements(mlir::OpBuilder &builder, mlir::Location loc,
                         llvm::ArrayRef<int64_t> shape, mlir::Value input,
                         mlir::AffineMap map);

/// Numbers as static offsets, sizes or strides of a slice.
llvm::SmallVector<mlir::OpFoldResult>
indexAttributes(mlir::OpBuilder &builder, llvm::ArrayRef<int64_t> values);

/// The map by which an operand of `shape` takes part in a nest over `result`
/// (broadcast rule of the op set).
mlir::AffineMap broadcastMap(mlir::MLIRContext *context,
                             llvm::ArrayRef<int64_t> shape,
                             llvm::ArrayRef<int64_t> result);

/// The map that keeps the given axes of a nest of `rank` dimensions.
mlir::AffineMap selectAxes(mlir::MLIRContext *context, int64_t rank,
                           llvm::ArrayRef<int64_t> axes);

/// The same elements under another shape (a view).
mlir::Value reshapeTo(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value value, llvm::ArrayRef<int64_t> shape);

/// result = x with axes in another order (a copy that fuses with elementwise
/// neighbours).
mlir::Value transposeTo(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value value, llvm::ArrayRef<int64_t> permutation);

/// x with constant elements around it; amounts may be negative (crop first).
mlir::Value padConstant(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value value, llvm::ArrayRef<int64_t> low,
                        llvm::ArrayRef<int64_t> high, mlir::Value element);

/// Whole-tensor element type conversion between floats.
mlir::Value convertElements(mlir::OpBuilder &builder, mlir::Location loc,
                            mlir::Value value, mlir::Type element);

/// The one operation of a nest that does it to each element of its one input,
/// in place; null for any other value.
mlir::Operation *soleConversion(mlir::Value value);

/// The input of a nest that does nothing but convert each element with a
/// CastTy; null for any other value.
template <class CastTy> mlir::Value sourceOfCast(mlir::Value value) {
  mlir::Operation *cast = soleConversion(value);
  return llvm::isa_and_nonnull<CastTy>(cast)
             ? value.getDefiningOp()->getOperand(0)
             : mlir::Value();
}

mlir::Value indexConstant(mlir::OpBuilder &builder, mlir::Location loc,
                          int64_t value);

/// Reports that the Node has no native code because of what `reason` says of it
/// (GRV0202), and fails.
mlir::LogicalResult refuse(mlir::Operation *node, const llvm::Twine &reason);

/// Makes a tensor<1xi32> that is 1 when an index lies outside [low, extent),
/// where `extents` has one entry for all indices or, for tuples, one for each
/// position on the last axis; low is 0 if `nonneg`, else -extent.
/// GravenToKernel gathers the values so marked into the status result.
void checkIndices(mlir::OpBuilder &builder, mlir::Location loc,
                  mlir::Value indices, llvm::ArrayRef<int64_t> extents,
                  bool nonneg);

/// The patterns of all families. Every op of the dialect with static types has
/// one, or reports a coded error.
void populateNodeLowering(mlir::RewritePatternSet &patterns,
                          const TargetInfo &target);
void populateElementwiseLowering(mlir::RewritePatternSet &patterns);
void populateMovementLowering(mlir::RewritePatternSet &patterns);
void populateIndexedLowering(mlir::RewritePatternSet &patterns);
void populateDetectionLowering(mlir::RewritePatternSet &patterns);
void populateMatmulLowering(mlir::RewritePatternSet &patterns,
                            const TargetInfo &target);
void populateConvLowering(mlir::RewritePatternSet &patterns,
                          const TargetInfo &target);
void populateAttentionLowering(mlir::RewritePatternSet &patterns,
                               const TargetInfo &target);
void populateRecurrentLowering(mlir::RewritePatternSet &patterns,
                               const TargetInfo &target);
void populateReductionLowering(mlir::RewritePatternSet &patterns);
void populateArgReduceLowering(mlir::RewritePatternSet &patterns);
void populateScanLowering(mlir::RewritePatternSet &patterns);
void populatePoolingLowering(mlir::RewritePatternSet &patterns);
void populateNormLowering(mlir::RewritePatternSet &patterns);
void populateResizeLowering(mlir::RewritePatternSet &patterns);
void populateNonzeroLowering(mlir::RewritePatternSet &patterns);
void populateTopKLowering(mlir::RewritePatternSet &patterns);
void populateControlLowering(mlir::RewritePatternSet &patterns,
                             const TargetInfo &target);

} // namespace graven

#endif // PASSES_LOWER_LOWERUTILS_H
