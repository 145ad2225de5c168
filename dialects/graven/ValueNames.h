//===- ValueNames.h - names of a Graph's Values ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the names that printers give to Values: an input's own,
// made an identifier, else a number.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_VALUENAMES_H
#define DIALECTS_GRAVEN_VALUENAMES_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include <string>

namespace graven {

class ValueNames {
public:
  /// `prefix` begins the names that are numbers.
  explicit ValueNames(llvm::StringRef prefix) : prefix(prefix) {}

  /// Gives a name that no value has yet: the wanted one, else a numbered one.
  void add(mlir::Value value, llvm::StringRef wanted = {}) {
    std::string name = wanted.str();
    for (char &c : name)
      if (!llvm::isAlnum(c) && c != '_')
        c = '_';
    while (name.empty() || !taken.insert(name).second)
      name = prefix + std::to_string(next++);
    names[value] = name;
  }
  /// Lets a value be called by an expression.
  void set(mlir::Value value, std::string text) {
    names[value] = std::move(text);
  }
  const std::string &operator[](mlir::Value value) const {
    return names.at(value);
  }

private:
  std::string prefix;
  llvm::DenseMap<mlir::Value, std::string> names;
  llvm::StringSet<> taken;
  unsigned next = 0;
};

} // namespace graven

#endif // DIALECTS_GRAVEN_VALUENAMES_H
