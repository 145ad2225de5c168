//===- WireFormat.h - protobuf's wire format ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the cutting of an ONNX file: the bytes of big tensors stay
// in the mapped file, and protobuf parses a copy of the message without them.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_WIREFORMAT_H
#define FRONTENDS_ONNX_WIREFORMAT_H

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace graven::onnx {

/// Bytes of the model's file.
struct ByteRange {
  size_t offset = 0, length = 0;
};

/// A ModelProto in two: what protobuf shall parse, and where the `raw_data` are
/// that it shall not. Tensors are known by their position: the index in
/// `graph.initializer`, or those in `graph.node` and its `attribute`.
struct CutModel {
  std::string message;
  llvm::DenseMap<unsigned, ByteRange> initializers;
  llvm::DenseMap<std::pair<unsigned, unsigned>, ByteRange> attributes;
};

/// `raw_data` of fewer bytes stay in the message.
inline constexpr size_t kLeastCutBytes = 256;

/// Walks the file without recursion into anything but graph, node, attribute
/// and tensor. An error says at which byte the wire format is broken.
llvm::Expected<CutModel> cutRawData(llvm::StringRef file);

/// Whether the top level has only fields of a ModelProto, each of its wire
/// type, and a graph among them.
bool looksLikeModel(llvm::StringRef file);

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_WIREFORMAT_H
