//===- Safetensors.h - safetensors files ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares reading safetensors files, single and sharded, and the
// header that a writer begins a file with. The format is a length, a JSON
// header and the bytes: github.com/huggingface/safetensors.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_SAFETENSORS_SAFETENSORS_H
#define FRONTENDS_SAFETENSORS_SAFETENSORS_H

#include "frontends/safetensors/Weights.h"

namespace graven::safetensors {

/// Whether `bytes` begin like a file of the format.
bool isFile(llvm::StringRef bytes);
/// Whether `bytes` begin like a JSON object, as an index of shards does.
bool isIndex(llvm::StringRef bytes);

/// Reads a file. Errors: a header that does not fit the file, keys that occur
/// twice, extents that overflow, bytes that overlap, leave gaps or leave the
/// file.
llvm::Expected<Weights> read(std::shared_ptr<llvm::MemoryBuffer> file);

/// Reads `{"weight_map": {name: file}}` and the files that it names, which are
/// plain names in `folder`.
llvm::Expected<Weights> readIndex(const llvm::MemoryBuffer &index,
                                  llvm::StringRef folder);

/// "F32"; nothing for types that the format does not have.
std::optional<llvm::StringRef> dtypeName(aten::ScalarType type);

/// What a file of these tensors begins with: the length and the header, which
/// places them dense and in this order. An error names the first one whose type
/// the format does not have.
llvm::Expected<std::string>
header(llvm::ArrayRef<const WeightTensor *> tensors);

} // namespace graven::safetensors

#endif // FRONTENDS_SAFETENSORS_SAFETENSORS_H
