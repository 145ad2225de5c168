//===- Unsupported.h - operators that an import met in vain ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the list of operators that the table does not have, with
// the places where a program uses them, so that one run reports all.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_UNSUPPORTED_H
#define FRONTENDS_ATEN_UNSUPPORTED_H

#include "mlir/IR/Location.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"

#include <string>
#include <vector>

namespace graven::aten {

class UnsupportedOps {
public:
  void add(llvm::StringRef name, mlir::Location loc) {
    places[name.str()].push_back(loc);
  }
  bool empty() const { return places.empty(); }
  /// One error an operator: how often it is used, and where first.
  void report() const;

private:
  llvm::MapVector<std::string, std::vector<mlir::Location>,
                  llvm::StringMap<unsigned>>
      places;
};

} // namespace graven::aten

#endif // FRONTENDS_ATEN_UNSUPPORTED_H
