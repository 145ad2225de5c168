//===- Archive.h - a TorchScript archive, or source text ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares Archive: the code, the object tree, the constants and the
// tensor bytes of a saved TorchScript module. Source text without an archive
// is one with code only.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHSCRIPT_ARCHIVE_H
#define FRONTENDS_TORCHSCRIPT_ARCHIVE_H

#include "frontends/torchfile/Parameters.h"
#include "frontends/torchfile/ZipReader.h"
#include "frontends/torchscript/AST.h"

#include "llvm/Support/Error.h"

#include <memory>
#include <optional>

namespace graven::torch {

/// A class or function and the source file that defines it.
template <typename Definition> struct Defined {
  const SourceFile *file = nullptr;
  const Definition *definition = nullptr;
  std::string qualifiedName;
  explicit operator bool() const { return definition; }
};
using DefinedClass = Defined<ClassDef>;
using DefinedFunction = Defined<FunctionDef>;

/// A line of the Python program that was saved.
struct PythonLine {
  llvm::StringRef file;
  unsigned line = 0; ///< from 1
};

/// Whether that is a class of PyTorch's C++, the weights of a quantized layer,
/// whose pickled state is known.
bool isPackedWeightsClass(llvm::StringRef qualifiedName);

class Archive : public StorageFile {
public:
  /// Opens a saved archive; `bytes`, which `zip` reads, must outlive it.
  static llvm::Expected<std::unique_ptr<Archive>> open(llvm::StringRef bytes,
                                                       ZipReader zip);

  /// Makes an archive of the source text `text`, called `name` in messages.
  static llvm::Expected<std::unique_ptr<Archive>>
  fromSource(llvm::StringRef name, llvm::StringRef text);

  /// The class or function of a qualified name (`__torch__.a.B`); an empty
  /// result when there is none, an error when its record does not parse.
  llvm::Expected<DefinedClass> findClass(llvm::StringRef qualified);
  llvm::Expected<DefinedFunction> findFunction(llvm::StringRef qualified);
  /// Whether a record of code holds the names below `qualified`.
  bool hasModule(llvm::StringRef qualified) const;

  /// The root object; null for source text.
  const PickleValue *root() const { return rootValue; }
  /// The tuple of constants, or null.
  const PickleValue *constants() const { return constantsValue; }
  /// The example inputs of a trace, a dict from method name to list, or null.
  const PickleValue *tracedInputs() const { return tracedInputsValue; }
  /// Operator version of the file, 1 to 10; the newest for source text.
  unsigned version() const { return fileVersion; }
  bool isBigEndian() const override { return bigEndian; }

  llvm::Expected<StorageBytes>
  storage(llvm::StringRef folder, const PickleStorage &storage) const override;
  llvm::StringRef bytes(const StorageBytes &place) const override {
    return file.substr(place.offset, place.length);
  }

  /// The line of the original program behind a place in `source`, if the
  /// archive says.
  std::optional<PythonLine> pythonLine(const SourceFile &source,
                                       uint32_t offset);

private:
  struct DebugRange {
    uint32_t offset; ///< in the record
    PythonLine line; ///< line 0 for none
  };
  struct DebugTable {
    std::vector<DebugRange> ranges;
    std::deque<std::string> names;
  };

  llvm::Expected<const SourceFile *> load(llvm::StringRef module);
  llvm::Expected<PickleValue *> readPickle(llvm::StringRef record);
  llvm::Error readVersion();
  llvm::Error classify() const;
  void readDebugTable(const PickleValue &pickle, DebugTable &table) const;
  std::string path(llvm::StringRef record) const {
    return (zip->rootFolder() + "/" + record).str();
  }

  llvm::StringRef file;
  std::optional<ZipReader> zip;
  PickleArena arena;
  const PickleValue *rootValue = nullptr, *constantsValue = nullptr,
                    *tracedInputsValue = nullptr;
  llvm::StringMap<std::unique_ptr<SourceFile>> sources; ///< by module
  llvm::StringMap<DebugTable> debugTables;              ///< by record
  unsigned fileVersion = 10;
  bool bigEndian = false;
};

} // namespace graven::torch

#endif // FRONTENDS_TORCHSCRIPT_ARCHIVE_H
