//===- DimSpec.cpp - what is said of a dynamic extent ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements reading `--dim`: the extents of a symbol that get code
// of their own, and the range of all that are taken.
//===----------------------------------------------------------------------===//

#include "compiler/session/Sizes.h"

using namespace mlir;

namespace graven {

static llvm::Error dimError(StringRef text, const Twine &what) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                 "dimension '" + text + "': " + what);
}

const DimSpec *findDim(ArrayRef<DimSpec> dims, StringRef symbol) {
  const auto *found = llvm::find_if(
      dims, [&](const DimSpec &spec) { return spec.name == symbol; });
  return found == dims.end() ? nullptr : found;
}

llvm::Expected<DimSpec> parseDimSpec(StringRef text) {
  DimSpec spec;
  auto [name, values] = text.rsplit('=');
  if (name.empty() || values.empty())
    return dimError(text, "expected NAME=1..64, NAME=1,8,1..64 or NAME=8");
  spec.name = name.str();
  SmallVector<StringRef> parts;
  values.split(parts, ',');
  for (StringRef part : parts) {
    auto [from, to] = part.split("..");
    bool isRange = part.contains("..");
    DimSpec::Range range;
    if (from.getAsInteger(10, range.lowest) || range.lowest < 0 ||
        (isRange && !to.empty() &&
         (to.getAsInteger(10, range.highest) || range.highest < 0)))
      return dimError(text, "expected an extent or a range such as 1..64, "
                            "got '" +
                                part + "'");
    if (range.lowest > range.highest)
      return dimError(text, "the range " + part + " is empty");
    if (isRange && spec.range)
      return dimError(text, "more than one range");
    if (isRange)
      spec.range = range;
    else
      spec.sizes.push_back(range.lowest);
  }
  for (int64_t size : spec.sizes)
    if (spec.range && (size < spec.range->lowest || size > spec.range->highest))
      return dimError(text, Twine(size) + " is outside of the range");
  return spec;
}

} // namespace graven
