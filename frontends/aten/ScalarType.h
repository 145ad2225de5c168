//===- ScalarType.h - PyTorch's element types ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares PyTorch's element types by the numbers TorchScript writes
// (c10::ScalarType), their MLIR types and the rules of type promotion. The
// numbers in `.pt2` files are others.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_SCALARTYPE_H
#define FRONTENDS_ATEN_SCALARTYPE_H

#include "mlir/IR/Types.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>

namespace graven::aten {

enum class ScalarType : int8_t {
  Byte = 0,
  Char = 1,
  Short = 2,
  Int = 3,
  Long = 4,
  Half = 5,
  Float = 6,
  Double = 7,
  ComplexHalf = 8,
  ComplexFloat = 9,
  ComplexDouble = 10,
  Bool = 11,
  QInt8 = 12,
  QUInt8 = 13,
  QInt32 = 14,
  BFloat16 = 15,
  Float8E5M2 = 23,
  Float8E4M3FN = 24,
  Float8E5M2FNUZ = 25,
  Float8E4M3FNUZ = 26,
  UInt16 = 27,
  UInt32 = 28,
  UInt64 = 29,
};

/// The type of that number in TorchScript, if it is one of the above.
std::optional<ScalarType> scalarTypeFromNumber(int64_t number);

/// The type a storage class holds: "FloatStorage" is Float.
std::optional<ScalarType> scalarTypeFromStorage(llvm::StringRef storageClass);

/// Bytes of one element in a storage.
int64_t itemSize(ScalarType type);

/// PyTorch's name in lower case without the module: "float32".
llvm::StringRef name(ScalarType type);

bool isFloating(ScalarType type);
bool isComplex(ScalarType type);
/// An integer of any sign, not bool.
bool isIntegral(ScalarType type);

/// The MLIR element type; null for complex and quantized types, which the
/// graph does not have.
mlir::Type toMLIR(mlir::MLIRContext *context, ScalarType type);

/// The inverse of toMLIR, for the types the graph has.
std::optional<ScalarType> fromMLIR(mlir::Type type);

/// c10::promoteTypes: the type of a result of operands of equal priority.
/// Source: PyTorch, c10/core/ScalarType.cpp, whose table this formulates.
std::optional<ScalarType> promote(ScalarType a, ScalarType b);

} // namespace graven::aten

#endif // FRONTENDS_ATEN_SCALARTYPE_H
