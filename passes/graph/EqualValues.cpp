//===- EqualValues.cpp - Values that are computed alike --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the numbering of Values: Nodes without Blocks of the
// same name, attributes and numbers of operands give the same.
//===----------------------------------------------------------------------===//

#include "passes/graph/EqualValues.h"

#include "mlir/IR/Operation.h"
#include <map>

using namespace mlir;

namespace graven {

EqualValues::EqualValues(Block &block) {
  unsigned next = 1;
  for (Value argument : block.getArguments())
    numbers[argument] = next++;
  std::map<std::vector<const void *>, unsigned> known;
  for (Operation &node : block) {
    std::vector<const void *> key{
        node.getName().getAsOpaquePointer(),
        node.getAttrDictionary().getAsOpaquePointer()};
    for (Value operand : node.getOperands())
      key.push_back(reinterpret_cast<const void *>(
          static_cast<uintptr_t>(numbers.lookup(operand))));
    for (Type type : node.getResultTypes())
      key.push_back(type.getAsOpaquePointer());
    // Blocks are not compared.
    unsigned first = next;
    if (node.getNumRegions() == 0)
      first = known.try_emplace(std::move(key), next).first->second;
    if (first == next)
      next += node.getNumResults();
    for (auto [i, result] : llvm::enumerate(node.getResults()))
      numbers[result] = first + i;
  }
}

} // namespace graven
