//===- Narrow.h - element types of less than IEEE's halves -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares ONNX's floats of 8 and 4 bits and ints of 4 and 2. In a
// Graph they are bytes, one an element: a float's code as ui8, an int's value
// as i8 or ui8. The importer knows of each name what its bytes mean.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_NARROW_H
#define FRONTENDS_ONNX_NARROW_H

#include "frontends/onnx/NodeBuilder.h"

namespace graven::onnx {

/// The narrow type of TensorProto.DataType `dataType`; null for all others.
mlir::Type narrowTypeOf(mlir::MLIRContext *context, int32_t dataType);
/// The type of the bytes.
mlir::Type storageOf(mlir::Type narrow);
/// One byte an element, of elements that are packed as TensorProto has them.
std::string unpack(llvm::StringRef packed, mlir::Type narrow, int64_t count);

/// What becomes of floats beyond the greatest, and of infinities.
enum class Overflow { Saturates, IsSpecial };
/// Of a power of two, which an e8m0 is.
enum class PowerRounding { Up, Down, Nearest };

struct Encoding {
  Overflow overflow = Overflow::Saturates;
  PowerRounding powers = PowerRounding::Up;
};

/// The elements that the bytes stand for, as `to`.
mlir::Value decode(NodeBuilder &n, mlir::Value bytes, mlir::Type narrow,
                   mlir::Type to);
/// The bytes of x: floats rounded to the nearest, ints by their low bits.
mlir::Value encode(NodeBuilder &n, mlir::Value x, mlir::Type narrow,
                   const Encoding &encoding);

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_NARROW_H
