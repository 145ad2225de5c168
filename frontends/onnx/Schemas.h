//===- Schemas.h - what an op's version lets a node have ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the check of nodes by the schemas of ONNX: how many inputs
// and outputs there are, and which attributes of which kinds. A builder asks
// for what it knows, and would take a node for one that says less than it does.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_SCHEMAS_H
#define FRONTENDS_ONNX_SCHEMAS_H

#include "mlir/Support/LLVM.h"

#include <optional>
#include <string>

namespace onnx {
class NodeProto;
} // namespace onnx

namespace graven::onnx {

namespace pb = ::onnx;

/// One op, from the version `since` to the next that its signature changes at.
struct OpSchema {
  llvm::StringLiteral name; ///< "domain/Op" in other domains than ai.onnx
  int since;
  int minInputs, maxInputs;   ///< a maximum of -1: any number
  int minOutputs, maxOutputs; ///< likewise
  /// "axis:i! perm:I": the names, a letter for the kind, ! where required.
  llvm::StringLiteral attributes;
};

/// The schema that holds at an opset of a domain ("" for ai.onnx); null for
/// ops of other organizations, and for those that runtimes knew before ONNX.
const OpSchema *findSchema(llvm::StringRef domain, llvm::StringRef name,
                           int64_t opset);

/// What is wrong with a node, if something is.
std::optional<std::string> violation(const pb::NodeProto &node,
                                     const OpSchema &schema);

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_SCHEMAS_H
