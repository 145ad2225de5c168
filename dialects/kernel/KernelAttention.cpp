//===- KernelAttention.cpp - verifier of kernel.attention -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the verifier and the memory effects of kernel.attention.
// The constraint numbers are those of the operation's description.

#include "dialects/kernel/AttentionShape.h"
#include "dialects/kernel/KernelVerify.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::kernel {

using namespace verify;

/// Whether the map's elements of an operand with these extents are its own.
static LogicalResult verifyMap(AttentionOp op, StringRef name, Value operand,
                               ArrayRef<int64_t> map,
                               ArrayRef<int64_t> extents) {
  if (failed(verifyEntries(op, "C3", (name + "_map").str(), map, 5, 0)))
    return failure();
  int64_t last = map[0];
  for (auto [stride, extent] : llvm::zip_equal(map.drop_front(), extents)) {
    int64_t reach = 0;
    if (llvm::MulOverflow(stride, extent - 1, reach) ||
        llvm::AddOverflow(last, reach, last))
      return op.emitOpError("C3: '") << name << "_map' overflows";
  }
  if (last >= shapeOf(operand)[0])
    return op.emitOpError("C3: expects '")
           << name << "' to have element " << last << " of its map, got "
           << operand.getType();
  return success();
}

/// Whether no two positions of a map are one element: sorted by stride, each
/// stride passes the reach of those before.
static bool isInjective(ArrayRef<int64_t> map, ArrayRef<int64_t> extents) {
  SmallVector<std::pair<int64_t, int64_t>> axes;
  for (auto [stride, extent] : llvm::zip_equal(map.drop_front(), extents))
    if (extent > 1)
      axes.emplace_back(stride, extent);
  llvm::sort(axes);
  int64_t reach = 0;
  for (auto [stride, extent] : axes) {
    if (stride <= reach)
      return false;
    reach += stride * (extent - 1);
  }
  return true;
}

LogicalResult AttentionOp::verify() {
  if (failed(verifyDestination(*this, getDpsInits())) ||
      failed(verifyElementTypes(*this)))
    return failure();
  if (Type element = getElementTypeOrSelf(getQ());
      computeType(element) != element)
    return emitOpError("C1: expects f32 or f64, got ") << element;
  else if (getPaired() && !element.isF32())
    return emitOpError("C1: expects pairs of f32, got ") << element;
  for (Value operand : getOperands())
    if (failed(verifyRank(*this, "operands", operand, 1)))
      return failure();
  if (failed(verifyEntries(*this, "C2", "extents", getExtents(), 7, 1)))
    return failure();
  int64_t mr = getMr(), panel = getPanel(), block = getBlock(),
          group = getGroup();
  if (mr < 1 || panel < 4 || panel % 4 != 0 || block < 1 || group < 1)
    return emitOpError("C4: expects mr, block and group >= 1 and a panel of a "
                       "multiple of 4, got ")
           << mr << ", " << block << ", " << group << " and " << panel;
  AttentionShape s(*this);
  if (s.heads % s.keyHeads != 0)
    return emitOpError("C2: expects heads that key heads divide, got ")
           << s.heads << " and " << s.keyHeads;
  if (s.isOnline() && block % panel != 0)
    return emitOpError("C4: expects blocks of whole panels, got ")
           << block << " keys in panels of " << panel;
  SmallVector<int64_t> q{s.batch, s.heads, s.rows, s.depth},
      k{s.batch, s.keyHeads, s.keys, s.depth},
      v{s.batch, s.keyHeads, s.keys, s.columns},
      out{s.batch, s.heads, s.rows, s.columns},
      mask{s.batch, s.heads, s.rows, s.keys};
  if (failed(verifyMap(*this, "q", getQ(), getQMap(), q)) ||
      failed(verifyMap(*this, "k", getK(), getKMap(), k)) ||
      failed(verifyMap(*this, "v", getV(), getVMap(), v)) ||
      failed(verifyMap(*this, "out", getOut(), getOutMap(), out)))
    return failure();
  if (static_cast<bool>(getMask()) != getMaskMap().has_value())
    return emitOpError("C3: expects a map for the mask, and only for a mask");
  if (getMask() &&
      failed(verifyMap(*this, "mask", getMask(), *getMaskMap(), mask)))
    return failure();
  if (getMask() && (*getMaskMap())[4] > 1)
    return emitOpError("C3: expects a mask with contiguous or equal columns");
  for (ArrayRef<int64_t> map : {getQMap(), getKMap(), getVMap(), getOutMap()})
    if (map[4] != 1)
      return emitOpError("C3: expects contiguous columns, got a stride of ")
             << map[4];
  if (!isInjective(getOutMap(), out))
    return emitOpError("C3: expects every element of 'out' to be written once");
  return verifyShape(*this, "C5", "scratch", getScratch(), {s.scratchSize()});
}

void AttentionOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  detail::addDestinationEffects(*this, effects);
}

} // namespace graven::kernel
