//===- OpTable.cpp - which builder makes which ONNX op --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the table of ONNX ops, gathered from the families.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/OpTable.h"

namespace graven::onnx {

OpTable::OpTable() {
  addActivations(*this);
  addAttention(*this);
  addClassics(*this);
  addConstants(*this);
  addContrib(*this);
  addContribAttention(*this);
  addContribGrouped(*this);
  addContribImages(*this);
  addContribProducts(*this);
  addContribQuantization(*this);
  addControl(*this);
  addConvolutions(*this);
  addCounted(*this);
  addDeformConv(*this);
  addDet(*this);
  addDetection(*this);
  addEinsum(*this);
  addElementwise(*this);
  addEncoders(*this);
  addIndexing(*this);
  addLosses(*this);
  addMatmul(*this);
  addMovement(*this);
  addNorms(*this);
  addPools(*this);
  addPreviews(*this);
  addQuantization(*this);
  addRandom(*this);
  addRecurrences(*this);
  addRecurrent(*this);
  addReductions(*this);
  addRegex(*this);
  addResize(*this);
  addSampling(*this);
  addScans(*this);
  addSequences(*this);
  addShapes(*this);
  addSignals(*this);
  addStrings(*this);
  addSupportVectors(*this);
  addTrees(*this);
  addVectorizer(*this);
  addWindows(*this);
  moveCodes({"Concat", "DepthToSpace", "Expand", "Flatten", "Gather",
             "GatherElements", "GatherND", "Identity", "Reshape", "Slice",
             "SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose",
             "Unsqueeze"});
}

const OpEntry *OpTable::find(llvm::StringRef domain, llvm::StringRef name,
                             int64_t opset) const {
  auto found =
      entries.find(domain.empty() ? name.str() : (domain + "/" + name).str());
  if (found == entries.end())
    return nullptr;
  for (const OpEntry &entry : found->second)
    if (entry.since <= opset && opset < entry.until)
      return &entry;
  return nullptr;
}

} // namespace graven::onnx
