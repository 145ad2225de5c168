//===- Fingerprint.cpp - whether a graph changed ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements fingerprints of operations.
//===----------------------------------------------------------------------===//

#include "passes/graph/Fingerprint.h"
#include "mlir/IR/Operation.h"

using namespace mlir;

namespace graven {

static uint64_t fingerprintOfNode(Operation *node) {
  llvm::hash_code hash =
      llvm::hash_combine(node, node->getBlock(), node->getName(),
                         node->getRawDictionaryAttrs(), node->hashProperties());
  for (Type type : node->getResultTypes())
    hash = llvm::hash_combine(hash, type);
  for (Value operand : node->getOperands())
    hash = llvm::hash_combine(hash, operand);
  for (Region &region : node->getRegions())
    for (Block &block : region)
      for (BlockArgument argument : block.getArguments())
        hash = llvm::hash_combine(hash, argument, argument.getType());
  return hash;
}

uint64_t fingerprintOf(Operation *root) {
  uint64_t result = 0;
  root->walk<WalkOrder::PreOrder>([&](Operation *node) {
    result = llvm::hash_combine(result, fingerprintOfNode(node));
  });
  return result;
}

Settled &SettledGraphs::of(Operation *graph) {
  std::lock_guard<std::mutex> lock(*mutex);
  return settled[graph];
}

bool runUnlessSettled(Operation *root, Fingerprint &now,
                      std::optional<uint64_t> *known,
                      llvm::function_ref<void()> change) {
  uint64_t before = now.value;
  if (known && *known == before)
    return false;
  change();
  // What drivers say of changes leaves out constants that they moved.
  now.value = fingerprintOf(root);
  if (known)
    *known = now.value;
  return now.value != before;
}

} // namespace graven
