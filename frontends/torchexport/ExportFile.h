//===- ExportFile.h - the records of a .pt2 file ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares ExportFile: the program and the tensors of a file that
// torch.export.save wrote, in the layouts of PyTorch 2.1 and later.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHEXPORT_EXPORTFILE_H
#define FRONTENDS_TORCHEXPORT_EXPORTFILE_H

#include "frontends/torchexport/Json.h"
#include "frontends/torchfile/Parameters.h"
#include "frontends/torchfile/ZipReader.h"

#include <memory>

namespace graven::torchexport {

class ExportFile : public torch::StorageFile {
public:
  /// Opens a file; `bytes`, which `zip` reads, must outlive it.
  static llvm::Expected<std::unique_ptr<ExportFile>> open(llvm::StringRef bytes,
                                                          torch::ZipReader zip);

  /// Whether the archive is one of torch.export.
  static bool isExport(const torch::ZipReader &zip);

  /// The record of the program, and its content.
  llvm::StringRef programName() const { return programRecord; }
  const json::Object &program() const { return programObject; }

  /// The Parameter, buffer or constant of that name, or null.
  const torch::PickleTensor *tensor(llvm::StringRef name) const;

  llvm::Expected<torch::StorageBytes>
  storage(llvm::StringRef folder,
          const torch::PickleStorage &storage) const override;
  llvm::StringRef bytes(const torch::StorageBytes &place) const override {
    return file.substr(place.offset, place.length);
  }
  bool isBigEndian() const override { return bigEndian; }

private:
  /// A file of torch.save within this one.
  struct Nested {
    torch::ZipReader zip;
    uint64_t offset; ///< of its first byte in the file
  };

  llvm::Error read();
  llvm::Error readProgram();
  llvm::Error readConfig(llvm::StringRef record, llvm::StringRef folder);
  llvm::Error readNested(llvm::StringRef record);
  llvm::Error readNestedValue(const torch::PickleValue &value,
                              llvm::StringRef record);
  llvm::Expected<std::string> text(llvm::StringRef record) const;
  std::string path(llvm::StringRef record) const;
  const torch::ZipEntry *find(llvm::StringRef record) const;

  llvm::StringRef file;
  std::optional<torch::ZipReader> zip;
  std::vector<Nested> nested;
  torch::PickleArena arena;
  std::string programRecord;
  json::Object programObject;
  llvm::StringMap<torch::PickleTensor> tensors;
  bool bigEndian = false;
};

/// The type that a number in the JSON stands for: another table than that of
/// TorchScript.
std::optional<aten::ScalarType> scalarTypeFromExport(int64_t number);

} // namespace graven::torchexport

#endif // FRONTENDS_TORCHEXPORT_EXPORTFILE_H
