//===- Survey.h - are all nodes known? ------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the survey of a model before it is imported: every op that
// the table has no builder for, and every node that its op's schema does not
// allow, is reported at once.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_SURVEY_H
#define FRONTENDS_ONNX_SURVEY_H

#include "frontends/ImportOptions.h"
#include "frontends/onnx/Interface.h"
#include "frontends/onnx/OpTable.h"

namespace graven::onnx {

/// Walks the graph, its sub-graphs and the functions they call. Reports each
/// unsupported op once (UnsupportedOp), with domain, version, count and places,
/// and nodes that have other inputs, outputs or attributes than their op
/// (BadGraph).
mlir::LogicalResult surveyOps(const ModelFile &file, const OpTable &table,
                              const OpsetMap &opsets,
                              const FunctionMap &functions,
                              const ImportOptions &options);

/// The location of a node: its name, or "<op type>_<index>" when it has none.
mlir::Location locationOf(mlir::MLIRContext *context, const pb::NodeProto &node,
                          int index);

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_SURVEY_H
