//===- Epilogue.h - the epilogue of a register tile -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares Epilogue, which applies the scalar epilogue region of a
// kernel to vectors of accumulators.

#ifndef GRAVEN_PASSES_LOWER_EXPAND_EPILOGUE_H
#define GRAVEN_PASSES_LOWER_EXPAND_EPILOGUE_H

#include "mlir/IR/Region.h"
#include "passes/lower/expand/Emitter.h"

namespace graven::expand {

class Epilogue {
public:
  /// Operands of `fullShape` are full; one axis: per channel; none: scalar.
  static mlir::FailureOr<Epilogue> create(Emitter &emitter,
                                          mlir::ValueRange operands,
                                          mlir::Region &body,
                                          llvm::ArrayRef<int64_t> fullShape);

  /// The values of the operands that do not depend on the position: `valid`
  /// lanes from `channel` on for a per-channel operand, a splat for a scalar,
  /// and null for a full operand.
  llvm::SmallVector<mlir::Value> channelValues(Emitter &emitter, Idx channel,
                                               mlir::VectorType type,
                                               int64_t valid) const;

  /// The region at vector type. `loadFull` gives a full operand's vector.
  mlir::Value
  apply(Emitter &emitter, mlir::Value accumulator,
        llvm::ArrayRef<mlir::Value> channelValues,
        llvm::function_ref<mlir::Value(const Buffer &)> loadFull) const;

  /// True when a full operand is `memref` itself.
  bool readsFull(mlir::Value memref) const;

private:
  enum class Kind { Full, Channel, Scalar };
  struct Operand {
    Kind kind;
    Buffer buffer;
    mlir::Value memref;
  };
  explicit Epilogue(mlir::Region &body) : body(&body) {}

  llvm::SmallVector<Operand> operands;
  mlir::Region *body;
};

} // namespace graven::expand

#endif // GRAVEN_PASSES_LOWER_EXPAND_EPILOGUE_H
