//===- Lifetimes.cpp - when a buffer holds live data ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements buffer lifetimes over structured control flow. What
// aliases a buffer comes from upstream's view flow analysis; a loop keeps what
// it uses and did not allocate alive from its start to its end.
//===----------------------------------------------------------------------===//
#include "passes/memory/Lifetimes.h"

#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::memory {

FailureOr<int64_t> sizeInBytes(MemRefType type) {
  if (!type.hasStaticShape() || !type.getLayout().isIdentity() ||
      type.getMemorySpace())
    return failure();
  Type element = type.getElementType();
  int64_t size = 0;
  if (isa<IndexType>(element))
    size = 8;
  else if (auto complex = dyn_cast<ComplexType>(element))
    size = 2 * llvm::divideCeil(
                   complex.getElementType().getIntOrFloatBitWidth(), 8);
  else if (element.isIntOrFloat())
    // Sub-byte elements take a byte each in memory.
    size = llvm::PowerOf2Ceil(
        llvm::divideCeil(element.getIntOrFloatBitWidth(), 8));
  else
    return failure();
  for (int64_t extent : type.getShape())
    if (llvm::MulOverflow(size, extent, size))
      return failure();
  return size;
}

namespace {

/// The place of an op in program order, with all ops nested in it.
struct Span {
  int64_t begin;
  int64_t end;
};

class Numbering {
public:
  explicit Numbering(func::FuncOp function) {
    int64_t step = 0;
    function.walk<WalkOrder::PreOrder>([&](Operation *op) {
      spans[op] = {step, step};
      ++step;
    });
    function.walk<WalkOrder::PostOrder>([&](Operation *op) {
      if (op == function.getOperation())
        return;
      Span &parent = spans[op->getParentOp()];
      parent.end = std::max(parent.end, spans[op].end);
    });
  }

  Span of(Operation *op) const { return spans.at(op); }

private:
  DenseMap<Operation *, Span> spans;
};

} // namespace

/// The op whose whole span a use counts for: the outermost op around it, other
/// than a branch, that does not contain the alloc (a loop, or a kernel whose
/// region reads memory), or the user itself.
static Operation *scopeOfUse(Operation *user, Operation *alloc) {
  Operation *scope = user;
  for (Operation *parent = user->getParentOp();
       parent && !parent->isProperAncestor(alloc);
       parent = parent->getParentOp())
    if (isa<LoopLikeOpInterface>(parent) ||
        !isa<RegionBranchOpInterface>(parent))
      scope = parent;
  return scope;
}

static LogicalResult checkPlace(memref::AllocOp alloc) {
  for (Operation *parent = alloc->getParentOp(); parent;
       parent = parent->getParentOp())
    if (isa<scf::ParallelOp, scf::ForallOp>(parent))
      return alloc.emitError()
             << "buffer contract: a buffer is allocated in a parallel loop, "
                "whose iterations would share it";
  return success();
}

/// Whether `alias` is a value that a loop around the alloc carries from one
/// iteration to the next, in which the same room would be written again.
static bool isCarried(Value alias, Operation *alloc) {
  auto argument = dyn_cast<BlockArgument>(alias);
  if (!argument)
    return false;
  Operation *parent = argument.getOwner()->getParentOp();
  return isa<LoopLikeOpInterface>(parent) && parent->isProperAncestor(alloc);
}

static LogicalResult checkRegions(func::FuncOp function) {
  WalkResult result = function.walk([&](Operation *op) {
    for (Region &region : op->getRegions())
      if (!region.empty() && !region.hasOneBlock()) {
        op->emitError() << "buffer contract: a region has "
                        << region.getBlocks().size() << " blocks, expected 1";
        return WalkResult::interrupt();
      }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

FailureOr<SmallVector<Lifetime>>
computeLifetimes(func::FuncOp function, ArrayRef<memref::AllocOp> allocs) {
  if (failed(checkRegions(function)))
    return failure();
  Numbering numbering(function);
  BufferViewFlowAnalysis flow(function);
  SmallVector<Lifetime> lifetimes;
  for (memref::AllocOp alloc : allocs) {
    FailureOr<int64_t> size = sizeInBytes(alloc.getType());
    if (failed(size))
      return alloc.emitError()
             << "buffer contract: cannot place a buffer of type "
             << alloc.getType()
             << ", expected a static shape, the identity layout and no memory "
                "space";
    if (failed(checkPlace(alloc)))
      return failure();
    Span span = numbering.of(alloc);
    Lifetime lifetime{span.begin, span.end, 0};
    bool isUsed = false;
    for (Value alias : flow.resolve(alloc.getResult())) {
      if (isCarried(alias, alloc))
        return alloc.emitError() << "buffer contract: a buffer allocated in a "
                                    "loop is carried to the next iteration";
      for (Operation *user : alias.getUsers()) {
        Span use = numbering.of(scopeOfUse(user, alloc));
        lifetime.begin =
            isUsed ? std::min(lifetime.begin, use.begin) : use.begin;
        lifetime.end = isUsed ? std::max(lifetime.end, use.end) : use.end;
        isUsed = true;
      }
    }
    if (isUsed)
      lifetime.size = *size;
    lifetimes.push_back(lifetime);
  }
  return lifetimes;
}

} // namespace graven::memory
