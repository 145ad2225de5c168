//===- Pytree.h - the nesting of arguments and results ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the tree specifications of torch.utils._pytree: how the
// flat inputs and outputs of an exported program nest in the model's own.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHEXPORT_PYTREE_H
#define FRONTENDS_TORCHEXPORT_PYTREE_H

#include "frontends/aten/Value.h"
#include "frontends/torchexport/Json.h"

#include <optional>
#include <string>
#include <vector>

namespace graven::torchexport {

/// A node of a specification.
struct Pytree {
  bool isLeaf = false;
  /// Names of the children of a dict or of a class with fields; else empty.
  std::vector<std::string> keys;
  std::vector<Pytree> children;

  size_t leafCount() const;
};

/// Reads the text "[1, {...}]"; nothing when it is no specification.
/// `namedTupleFields` has the fields of NamedTuples by type.
std::optional<Pytree> parsePytree(llvm::StringRef text,
                                  const json::Object *namedTupleFields);

/// Names of the leaves of a call's arguments, (args, kwargs): `x` for the
/// parameter x, `x.0`, `x.key` within it.
std::vector<std::string> argumentNames(const Pytree &call,
                                       llvm::ArrayRef<json::Value> parameters);

/// The leaves as the specification nests them; there are leafCount() of them.
aten::Value nest(const Pytree &tree, llvm::ArrayRef<aten::Value> leaves);

} // namespace graven::torchexport

#endif // FRONTENDS_TORCHEXPORT_PYTREE_H
