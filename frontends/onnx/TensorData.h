//===- TensorData.h - the elements of a TensorProto -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the one way to the elements of a TensorProto, wherever it
// stands in a model: in the file, in typed fields, or in an external file.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_TENSORDATA_H
#define FRONTENDS_ONNX_TENSORDATA_H

#include "dialects/graven/eval/Tensor.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Location.h"

#include <memory>
#include <string>

namespace onnx {
class SparseTensorProto;
class TensorProto;
} // namespace onnx

namespace graven::onnx {
class ExternalFiles;
class Strings;
namespace pb = ::onnx;

/// Checked elements: `bytes` are row-major, little-endian, one byte for a bool,
/// and exactly as many as the type needs.
struct TensorData {
  mlir::RankedTensorType type;
  /// What the bytes stand for where that is a narrow type (Narrow.h), or a
  /// string (Strings.h).
  mlir::Type narrow = {};
  llvm::StringRef bytes;
  /// The bytes as the file has them, where `bytes` are those of a narrow type
  /// unpacked.
  llvm::StringRef packed = {};
  /// Where the bytes are for the blob store; empty when nobody but this owns
  /// them or the message does.
  std::string blob;
  int64_t offset = 0;
  /// Elements that had to be converted.
  std::shared_ptr<std::string> owned;

  int64_t getElementCount() const { return type.getNumElements(); }
  eval::Tensor toTensor() const;
};

/// Ranks above this are refused.
inline constexpr int64_t kMaxRank = 16;

/// Values of more elements are not computed with while importing.
inline constexpr int64_t kMaxKnownElements = 4096;

/// The element type of TensorProto.DataType `dataType`; null for those that the
/// dialect has not (strings, complex, less than 8 bits).
mlir::Type elementTypeOf(mlir::MLIRContext *context, int32_t dataType);

/// The name of TensorProto.DataType `dataType`.
std::string dataTypeName(int32_t dataType);
/// The type that ONNX calls so, 0 for none.
int32_t dataTypeNamed(llvm::StringRef name);

/// Elements that were cut out of the message, and the blob they are in.
struct CutBytes {
  llvm::StringRef blob, bytes;
  int64_t offset;
};

/// Reads and checks a tensor; `cut`, if not null, has its raw_data. Strings are
/// refused where there is nothing to number them with. Errors
/// (BadTensor, BadExternalData, UnsupportedFeature) are reported at `loc`.
mlir::FailureOr<TensorData> readTensor(mlir::Location loc,
                                       const pb::TensorProto &tensor,
                                       const CutBytes *cut,
                                       ExternalFiles &files,
                                       Strings *strings = nullptr);

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_TENSORDATA_H
