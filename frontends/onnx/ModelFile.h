//===- ModelFile.h - an ONNX file, parsed ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the parsed ModelProto together with the mapped file in
// which the elements of its tensors stayed.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_MODELFILE_H
#define FRONTENDS_ONNX_MODELFILE_H

#include "frontends/onnx/ExternalFiles.h"
#include "frontends/onnx/Strings.h"
#include "frontends/onnx/TensorData.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <string>

namespace onnx {
class ModelProto;
} // namespace onnx

namespace graven::onnx {

/// A model whose message follows the wire format and the schema; nothing more
/// is checked.
class ModelFile {
public:
  /// Maps the bytes into the blob store of `context` and parses them. Errors
  /// (BadProtobuf) are reported at the file.
  static mlir::FailureOr<std::unique_ptr<ModelFile>>
  parse(mlir::MLIRContext *context, std::unique_ptr<llvm::MemoryBuffer> buffer,
        llvm::StringRef directory);

  ~ModelFile();

  const pb::ModelProto &getModel() const { return *model; }
  mlir::Location getLocation() const { return loc; }
  BlobStore &getBlobs() const { return blobs; }

  /// Of the tensors that were read, and those that the importer adds.
  Strings &getStrings() { return strings; }

  /// The elements of any TensorProto of the model.
  mlir::FailureOr<TensorData> read(mlir::Location loc,
                                   const pb::TensorProto &tensor);
  /// The same of a sparse one, at most 1 GiB of elements.
  mlir::FailureOr<TensorData> read(mlir::Location loc,
                                   const pb::SparseTensorProto &tensor);

private:
  ModelFile(mlir::Location loc, BlobStore &blobs, llvm::StringRef directory);

  mlir::Location loc;
  BlobStore &blobs;
  ExternalFiles files;
  Strings strings;
  std::string blob;
  std::unique_ptr<pb::ModelProto> model;
  /// The tensors whose bytes were cut out.
  llvm::DenseMap<const pb::TensorProto *, CutBytes> cut;
};

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_MODELFILE_H
