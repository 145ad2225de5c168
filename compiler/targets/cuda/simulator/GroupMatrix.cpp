//===- GroupMatrix.cpp - products of simulated warpgroups ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements wgmma: groups of four warps multiply matrices in shared
// memory, which descriptors say the places of, and go on meanwhile. A warp's 16
// rows are computed when it comes there; until it has waited, nobody may write
// what the product reads.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/simulator/Elements.h"
#include "llvm/ADT/Hashing.h"
#include <cstring>

using namespace graven::cuda::simulator;

namespace {

constexpr uint32_t kWarpsOfGroup = 4, kRows = 16, kDepth = 16, kLines = 8;
constexpr int64_t kChunk = 16;
constexpr uint32_t kPerChunk = 8;

/// Where a matrix is in shared memory (PTX ISA, matrix descriptor format).
struct Descriptor {
  int64_t start;  ///< offset in the block's shared memory
  int64_t beside; ///< bytes to what is side by side
  int64_t below;  ///< bytes to the next lines
  int64_t line;   ///< bytes of a line in which chunks change places; 0: none do

  explicit Descriptor(uint64_t bits) {
    auto field = [&](unsigned shift) {
      return static_cast<int64_t>(bits >> shift & 0x3fff) * kChunk;
    };
    // Addresses of simulated shared memory begin at 0.
    start = field(0);
    beside = field(16);
    below = field(32);
    constexpr int64_t lines[] = {0, 128, 64, 32};
    line = lines[bits >> 62];
  }

  /// A chunk of a line, of a line of eight.
  int64_t place(int64_t group, int64_t at, int64_t chunk) const {
    int64_t plain = start + group * below + at * line +
                    chunk / chunks() * beside + chunk % chunks() * kChunk;
    // The bits above a line of all banks choose the place in a line.
    return plain ^ (plain >> 7 & (chunks() - 1)) * kChunk;
  }

private:
  int64_t chunks() const { return line / kChunk; }
};

struct Lane {
  Thread *thread;
  float *sums;
  uint64_t left, right;
  uint32_t columns;
  Element type;
};

double elementAt(const char *chunk, int64_t i, Element type) {
  uint16_t bits;
  std::memcpy(&bits, chunk + 2 * i, sizeof(bits));
  return elementOf(bits, type, 0);
}

void computeProduct(Block &block, const Collective &collective) {
  const auto &first = *static_cast<Lane *>(collective.data[0]);
  auto fail = [&](const char *detail) {
    block.fail(*first.thread, {.fault = Fault::BadOperand,
                               .site = collective.site,
                               .detail = detail});
  };
  for (void *data : collective.data) {
    const auto &lane = *static_cast<Lane *>(data);
    if (lane.left != first.left || lane.right != first.right)
      fail("the lanes of a warp have different descriptors");
  }
  Descriptor left(first.left), right(first.right);
  if (left.line == 0 || right.line == 0)
    fail("a matrix whose chunks stay in their places is not simulated");
  uint32_t columns = first.columns;
  Element type = first.type;
  uint32_t row = first.thread->warp() % kWarpsOfGroup * kRows;
  llvm::SmallVector<int32_t, 0> chunks;
  for (uint32_t r = 0; r < kRows; ++r)
    for (int64_t c = 0; c < int64_t(kDepth) / kPerChunk; ++c)
      chunks.push_back(static_cast<int32_t>(
          left.place((row + r) / kLines, (row + r) % kLines, c)));
  for (uint32_t k = 0; k < kDepth; ++k)
    for (int64_t c = 0; c < columns / kPerChunk; ++c)
      chunks.push_back(
          static_cast<int32_t>(right.place(k / kLines, k % kLines, c)));
  block.beginProduct(*first.thread, collective.site, {first.left, first.right},
                     chunks);

  // Element `i` of the line that begins with a chunk.
  auto at = [&](size_t line, size_t i) {
    return elementAt(block.shared.begin() + chunks[line + i / kPerChunk],
                     i % kPerChunk, type);
  };
  double a[kRows][kDepth];
  for (uint32_t r = 0; r < kRows; ++r)
    for (uint32_t k = 0; k < kDepth; ++k)
      a[r][k] = at(r * kDepth / kPerChunk, k);
  std::vector<double> sums(size_t(kRows) * columns);
  size_t rightChunks = kRows * kDepth / kPerChunk;
  for (uint32_t k = 0; k < kDepth; ++k)
    for (uint32_t column = 0; column < columns; ++column) {
      double b = at(rightChunks + k * columns / kPerChunk, column);
      for (uint32_t r = 0; r < kRows; ++r)
        sums[r * columns + column] += a[r][k] * b;
    }
  for (uint32_t lane = 0; lane < kWarp; ++lane) {
    float *own = static_cast<Lane *>(collective.data[lane])->sums;
    for (uint32_t i = 0; i < columns / 2; ++i) {
      uint32_t r = lane / 4 + 8 * (i >> 1 & 1),
               column = 8 * (i / 4) + lane % 4 * 2 + (i & 1);
      own[i] = static_cast<float>(own[i] + sums[r * columns + column]);
    }
  }
}

} // namespace

size_t Block::hashOf(llvm::ArrayRef<int32_t> chunks) {
  llvm::hash_code hash = 0;
  for (int32_t chunk : chunks)
    hash = llvm::hash_combine(hash,
                              llvm::StringRef(shared.begin() + chunk, kChunk));
  return hash;
}

void Block::beginProduct(Thread &thread, uint32_t site,
                         std::pair<uint64_t, uint64_t> operands,
                         llvm::SmallVector<int32_t, 0> chunks) {
  auto &known = groupProducts[thread.warp() / kWarpsOfGroup];
  if (thread.numProducts == known.size())
    known.push_back(operands);
  if (known[thread.numProducts++] != operands)
    fail(thread, {.fault = Fault::BadOperand,
                  .site = site,
                  .detail = "warps of a group have different descriptors"});
  for (int32_t chunk : chunks) {
    access(thread, site, shared.begin() + chunk, kChunk, kChunk,
           AccessKind::Read);
    if (auto conflict = shared.unpublished(
            chunk, kChunk, [&](uint32_t id) { return threads[id].fences; }))
      report(thread, site, *conflict);
  }
  size_t hash = hashOf(chunks);
  thread.products.push_back(
      {site, thread.productGroup, std::move(chunks), hash});
}

void Block::waitProducts(Thread &thread, int64_t pending) {
  while (!thread.products.empty() &&
         thread.products.front().group < thread.productGroup - pending) {
    const GroupProduct &product = thread.products.front();
    for (int32_t chunk : product.chunks)
      access(thread, product.site, shared.begin() + chunk, kChunk, kChunk,
             AccessKind::Read);
    if (hashOf(product.chunks) != product.hash)
      report(thread, product.site,
             {Fault::Overwritten, product.chunks.front()});
    thread.products.pop_front();
  }
}

void services::fenceProxy(Thread *thread) { ++thread->fences; }

void services::multiplyShared(Thread *thread, int32_t site, void *sums,
                              int64_t left, int64_t right, int32_t columns,
                              int32_t type) {
  Lane lane = {thread,
               static_cast<float *>(sums),
               static_cast<uint64_t>(left),
               static_cast<uint64_t>(right),
               static_cast<uint32_t>(columns),
               static_cast<Element>(type)};
  meetAligned(thread, site, Service::multiplyShared, computeProduct, &lane);
}

void services::commitProducts(Thread *thread) { ++thread->productGroup; }

void services::waitProducts(Thread *thread, int32_t pending) {
  thread->block->waitProducts(*thread, pending);
}
