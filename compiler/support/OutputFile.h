//===- OutputFile.h - files that appear whole or not at all -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares OutputFile, which is a file under a temporary name in the
// target's folder until commit() renames it. What is not committed is removed,
// also when a signal ends the process.
//===----------------------------------------------------------------------===//
#ifndef COMPILER_SUPPORT_OUTPUTFILE_H
#define COMPILER_SUPPORT_OUTPUTFILE_H

#include "mlir/IR/Location.h"
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/raw_ostream.h"
#include <string>

namespace graven {

enum class FileMode { Plain, Executable };

/// Whether a file must survive a power failure, or only this process reads it.
enum class Durability { Durable, Temporary };

class OutputFile {
public:
  /// Opens a new file beside `path`. An error (CannotWrite) at `loc` when
  /// `path` is a folder or anything else that is no regular file, or its folder
  /// refuses.
  static mlir::FailureOr<OutputFile> create(llvm::StringRef path, FileMode mode,
                                            mlir::Location loc);
  /// Opens a file in the system's folder for temporary files that only this
  /// user can read; path() is its name. It is gone when this object is, whether
  /// commit() was called or not.
  static mlir::FailureOr<OutputFile> createTemporary(mlir::Location loc);
  OutputFile(OutputFile &&other);
  OutputFile &operator=(OutputFile &&) = delete;
  ~OutputFile();

  /// Appends bytes.
  mlir::LogicalResult write(llvm::ArrayRef<char> bytes);

  /// Extends the file to `size` bytes, the new ones zero until writeAt().
  mlir::LogicalResult extend(uint64_t size);

  /// Writes bytes into what the file has, and starts their way to the disk
  /// where it is to last. Any thread may: what the disk says is for report().
  std::error_code writeAt(uint64_t offset, llvm::ArrayRef<char> bytes);

  /// Reports an error of this file (CannotWrite) unless there is none.
  mlir::LogicalResult report(std::error_code error) const {
    return error ? fail(error.value()) : mlir::success();
  }

  /// Waits for the disk if the file is to last, and gives it its name.
  mlir::LogicalResult commit(Durability durability = Durability::Durable);

  /// The name that commit() gives; of a temporary file the one it has.
  llvm::StringRef path() const { return target.empty() ? temporary : target; }
  /// The name that the file has until then.
  llvm::StringRef temporaryPath() const { return temporary; }

private:
  OutputFile(llvm::StringRef target, mlir::Location loc)
      : target(target), loc(loc) {}
  mlir::LogicalResult open(llvm::StringRef folder, unsigned bits);
  mlir::LogicalResult fail(int error, llvm::StringRef folder = {}) const;
  bool fitsLimit(uint64_t size) const;

  std::string target, temporary;
  mlir::Location loc;
  int descriptor = -1;
  uint64_t written = 0;
};

/// A stream into an OutputFile. After the first error, which is reported, the
/// rest is dropped; finish() says whether there was one.
class OutputStream : public llvm::raw_ostream {
public:
  explicit OutputStream(OutputFile &file) : file(file) {}
  ~OutputStream() override { flush(); }
  mlir::LogicalResult finish() {
    flush();
    return mlir::success(!failed);
  }

private:
  void write_impl(const char *data, size_t size) override;
  uint64_t current_pos() const override { return position; }

  OutputFile &file;
  uint64_t position = 0;
  bool failed = false;
};

/// Writes a text file in one go.
mlir::LogicalResult writeFile(llvm::StringRef path, llvm::ArrayRef<char> bytes,
                              FileMode mode, mlir::Location loc);

} // namespace graven

#endif // COMPILER_SUPPORT_OUTPUTFILE_H
