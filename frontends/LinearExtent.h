//===- LinearExtent.h - an extent that follows from a symbol ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares extents such as `4*height+1`, as exports of PyTorch,
// `dim_param` of ONNX and `--input` write them.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_LINEAREXTENT_H
#define FRONTENDS_LINEAREXTENT_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>

namespace graven {

/// `scale` times a symbol, plus `offset`.
struct LinearExtent {
  std::string symbol;
  int64_t scale = 1, offset = 0;

  /// Reads "s77", "2*s77" and "32*s77+1", with spaces or without; nothing for
  /// other text.
  static std::optional<LinearExtent> parse(llvm::StringRef text);
  /// What parse() reads, without spaces.
  std::string text() const;
  /// The extent where the symbol is that, nothing when it is none.
  std::optional<int64_t> at(int64_t value) const;
  /// The symbol where the extent is that, nothing when none makes it so.
  std::optional<int64_t> solve(int64_t extent) const;
};

} // namespace graven

#endif // FRONTENDS_LINEAREXTENT_H
