//===- Unsupported.cpp - operators that an import met in vain ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the report of unsupported operators.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Unsupported.h"

#include "dialects/support/Diagnostics.h"

#include "mlir/IR/Diagnostics.h"

using namespace graven;
using namespace graven::aten;

/// Places named for one operator.
static constexpr size_t kMaxPlaces = 5;

/// file:line of a location of ours.
static std::string placeText(mlir::Location loc) {
  auto place = loc->findInstanceOf<mlir::FileLineColLoc>();
  if (!place)
    return "?";
  return (place.getFilename().getValue() + ":" + llvm::Twine(place.getLine()))
      .str();
}

void UnsupportedOps::report() const {
  for (const auto &[name, uses] : places) {
    auto diagnostic = emitCoded(uses.front(), Code::UnsupportedOp)
                      << name << " is not supported: " << uses.size()
                      << (uses.size() == 1 ? " use" : " uses");
    size_t named = std::min(uses.size(), kMaxPlaces);
    for (size_t i = 1; i < named; ++i)
      diagnostic << (i == 1 ? ", also at " : ", ") << placeText(uses[i]);
    if (uses.size() > named)
      diagnostic << ", and " << uses.size() - named << " more";
  }
}
