//===- Parameters.h - the tensors of a file as Parameters ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how the importers of PyTorch's files make Parameters: the
// bytes stay in the mapped file, and a Parameter refers to them.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHFILE_PARAMETERS_H
#define FRONTENDS_TORCHFILE_PARAMETERS_H

#include "frontends/ImportOptions.h"
#include "frontends/aten/Tensor.h"
#include "frontends/aten/Value.h"
#include "frontends/torchfile/PickleValue.h"
#include "frontends/torchfile/ZipReader.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

namespace graven::torch {

/// Where the bytes of a storage lie in the file, in bytes.
struct StorageBytes {
  uint64_t offset = 0;
  uint64_t length = 0;
};

/// A file with storages.
class StorageFile {
public:
  virtual ~StorageFile() = default;
  /// The place of a storage that `folder` (data, constants) has; an error when
  /// the file does not hold all of its elements.
  virtual llvm::Expected<StorageBytes>
  storage(llvm::StringRef folder, const PickleStorage &storage) const = 0;
  virtual llvm::StringRef bytes(const StorageBytes &place) const = 0;
  virtual bool isBigEndian() const = 0;
};

/// The place of a storage that is the record `record` of `zip`, from the zip's
/// first byte; `name` is what errors call it.
llvm::Expected<StorageBytes> storageIn(const ZipReader &zip,
                                       llvm::StringRef record,
                                       llvm::StringRef name,
                                       const PickleStorage &storage);

/// Makes the Parameters of a module from the tensors of a file.
class ParameterLoader {
public:
  /// `blob` names the file in the dialect's store. Parameters are read in the
  /// Block that the builder adds to now. `options` may have other elements for
  /// some, and must stay.
  ParameterLoader(const StorageFile &file, mlir::OpBuilder &builder,
                  mlir::Operation *module, std::string blob,
                  const ImportOptions &options);

  /// The tensor as a Value of the graph, by that name if it is new; Unknown,
  /// with an error at `loc`, when the graph cannot hold it. Tensors that share
  /// bytes and geometry share the Parameter; small ones of the folder
  /// `constants` are constants of the graph.
  aten::Value load(const PickleTensor &tensor, llvm::StringRef name,
                   llvm::StringRef folder, bool isBuffer, mlir::Location loc);

  /// Warns of Parameters that the program wrote in place: the graph gives what
  /// one run gives, and keeps nothing for the next.
  void warnOfWrites(mlir::Location loc) const;

  /// A tensor that was loaded, and its value then.
  struct Loaded {
    aten::Tensor::Ptr tensor;
    mlir::Value initial;
  };
  llvm::ArrayRef<Loaded> all() const { return loaded; }

private:
  /// The elements of a small tensor; null when its bytes are missing.
  mlir::DenseElementsAttr readElements(const PickleTensor &tensor,
                                       mlir::RankedTensorType type,
                                       llvm::StringRef bytes) const;

  const StorageFile &file;
  mlir::OpBuilder &builder;
  mlir::Operation *module;
  mlir::Block *entry;
  std::string blob;
  const ImportOptions &options;
  llvm::StringMap<std::string> names; ///< by storage and geometry
  llvm::StringMap<unsigned> used;
  std::vector<Loaded> loaded;
};

} // namespace graven::torch

#endif // FRONTENDS_TORCHFILE_PARAMETERS_H
