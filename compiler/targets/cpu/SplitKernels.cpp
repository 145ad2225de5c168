//===- SplitKernels.cpp - one module as several -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements splitKernels. Kernels are compiled on their own anyway
// (they are never inlined), so that nothing but constant arguments is lost at
// the cut.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/SplitKernels.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace llvm;

namespace {

/// Setting up a code generator costs as much as compiling a few hundred
/// instructions.
constexpr unsigned instructionsPerPart = 1500;
constexpr unsigned mostParts = 16;

SmallVector<char, 0>
writePart(const Module &module,
          const DenseMap<const Function *, unsigned> &partOf, unsigned part) {
  auto isIn = [&](const GlobalValue *value) {
    if (auto *function = dyn_cast<Function>(value)) {
      auto it = partOf.find(function);
      return (it == partOf.end() ? 0 : it->second) == part;
    }
    // Every part has its own copy of the model's constants, and drops what it
    // does not use; the table and its strings ("graven.") are the first part's.
    auto *variable = dyn_cast<GlobalVariable>(value);
    return part == 0 ||
           (variable && variable->isConstant() && variable->hasLocalLinkage() &&
            !variable->getName().starts_with("graven."));
  };
  ValueToValueMapTy map;
  std::unique_ptr<Module> clone = CloneModule(module, map, isIn);
  if (part != 0)
    clone->setModuleInlineAsm("");
  // What another part defines and this one does not use need not be declared.
  for (Function &function : make_early_inc_range(*clone))
    if (function.isDeclaration() && function.use_empty())
      function.eraseFromParent();
  for (GlobalVariable &variable : make_early_inc_range(clone->globals()))
    if (variable.use_empty() &&
        (variable.isDeclaration() || variable.hasLocalLinkage()))
      variable.eraseFromParent();
  SmallVector<char, 0> bitcode;
  raw_svector_ostream stream(bitcode);
  WriteBitcodeToFile(*clone, stream);
  return bitcode;
}

} // namespace

SmallVector<SmallVector<char, 0>>
graven::cpu::splitKernels(Module &module, ArrayRef<Function *> kernels,
                          StringRef prefix) {
  // Size, and the position among equals: the order must not depend on
  // addresses.
  SmallVector<std::pair<unsigned, size_t>> bySize;
  unsigned total = 0;
  for (auto [index, kernel] : enumerate(kernels)) {
    bySize.emplace_back(kernel->getInstructionCount(), index);
    total += kernel->getInstructionCount();
  }
  unsigned numGroups =
      std::min<unsigned>({mostParts, static_cast<unsigned>(kernels.size()),
                          total / instructionsPerPart});
  if (numGroups < 2)
    return SmallVector<SmallVector<char, 0>>(1);

  // The largest first, each to the group with the least work so far.
  sort(bySize, [](const auto &a, const auto &b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  SmallVector<unsigned> load(numGroups);
  DenseMap<const Function *, unsigned> partOf;
  for (auto [size, index] : bySize) {
    Function *kernel = kernels[index];
    unsigned group = std::distance(load.begin(), min_element(load));
    load[group] += size;
    partOf[kernel] = group + 1;
    kernel->setName(prefix + "." + kernel->getName());
    kernel->setLinkage(GlobalValue::ExternalLinkage);
    kernel->setVisibility(GlobalValue::HiddenVisibility);
  }
  SmallVector<SmallVector<char, 0>> parts;
  for (unsigned part = 0; part <= numGroups; ++part)
    parts.push_back(writePart(module, partOf, part));
  return parts;
}
