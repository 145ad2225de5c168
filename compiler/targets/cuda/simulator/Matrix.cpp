//===- Matrix.cpp - matrices of simulated warps ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements what a warp does with matrices, whose elements are
// spread over the registers of its lanes as PTX says.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/simulator/Block.h"
#include "compiler/targets/cuda/simulator/Elements.h"
#include "compiler/targets/cuda/simulator/Services.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"
#include <cstring>

using namespace graven::cuda::simulator;

namespace {

/*===- 8x8 matrices of 16 bits in shared memory -----------------------------*/

constexpr uint32_t kSide = 8;
constexpr int64_t kRowBytes = 16;

struct MatrixAccess {
  Thread *thread;
  char *row;
  char *registers;
  uint32_t count;
  bool isTransposed;
  AccessKind kind;
};

/// Each lane's row is one of a matrix.
void checkRows(Block &block, const Collective &collective) {
  const auto &first = *static_cast<MatrixAccess *>(collective.data[0]);
  for (uint32_t matrix = 0; matrix < first.count; ++matrix) {
    llvm::SmallVector<int64_t, kSide> offsets;
    for (uint32_t row = 0; row < kSide; ++row) {
      auto &lane =
          *static_cast<MatrixAccess *>(collective.data[matrix * kSide + row]);
      block.access(*lane.thread, collective.site, lane.row, kRowBytes,
                   kRowBytes, lane.kind);
      offsets.push_back(block.shared.offsetOf(lane.row));
    }
    block.banks.rows(offsets);
  }
}

/// A lane has two elements of each matrix: those at (lane / 4, lane % 4 * 2 and
/// the next), of the transposed one if it is.
void computeMatrixAccess(Block &block, const Collective &collective) {
  checkRows(block, collective);
  for (uint32_t lane = 0; lane < kWarp; ++lane) {
    const auto &access = *static_cast<MatrixAccess *>(collective.data[lane]);
    for (uint32_t matrix = 0; matrix < access.count; ++matrix)
      for (uint32_t half = 0; half < 2; ++half) {
        uint32_t row = lane / 4, column = lane % 4 * 2 + half;
        if (access.isTransposed)
          std::swap(row, column);
        const auto &owner =
            *static_cast<MatrixAccess *>(collective.data[matrix * kSide + row]);
        char *element = owner.row + 2 * static_cast<size_t>(column);
        char *part = access.registers + 4 * static_cast<size_t>(matrix) +
                     2 * static_cast<size_t>(half);
        if (access.kind == AccessKind::Read)
          std::memcpy(part, element, 2);
        else
          std::memcpy(element, part, 2);
      }
  }
}

/*===- Products -------------------------------------------------------------*/

constexpr uint32_t kRows = 16, kColumns = 8, kMostDepth = 32;

struct Product {
  uint32_t *registers;
  Element a, b, c;
  uint32_t k;
};

uint32_t perRegister(Element type) {
  switch (type) {
  case Element::S8:
  case Element::U8:
    return 4;
  case Element::F16:
  case Element::BF16:
    return 2;
  default:
    return 1;
  }
}

uint32_t floatToHalf(float value) {
  llvm::APFloat half(value);
  bool losesInfo;
  half.convert(llvm::APFloat::IEEEhalf(), llvm::APFloat::rmNearestTiesToEven,
               &losesInfo);
  return static_cast<uint32_t>(half.bitcastToAPInt().getZExtValue());
}

/// Where C's registers of a lane begin.
uint32_t *accumulatorsOf(const Product &product) {
  size_t registers = product.k / (4 * perRegister(product.a));
  return product.registers + 3 * registers;
}

/// The rows and columns of C that a lane has, in the order of its elements.
constexpr std::pair<uint32_t, uint32_t> placeOf(uint32_t lane, uint32_t i) {
  return {lane / 4 + 8 * (i >> 1), lane % 4 * 2 + (i & 1)};
}

void computeProduct(Block &, const Collective &collective) {
  // Element types and depth are the place's, so they are all lanes'.
  const auto &first = *static_cast<Product *>(collective.data[0]);
  uint32_t per = perRegister(first.a), depth = first.k;
  uint32_t numB = depth / (4 * per), numA = 2 * numB;
  double a[kRows][kMostDepth], b[kMostDepth][kColumns];
  for (uint32_t lane = 0; lane < kWarp; ++lane) {
    const auto &own = *static_cast<Product *>(collective.data[lane]);
    uint32_t group = lane / 4, position = lane % 4 * per;
    for (uint32_t i = 0; i < numA; ++i)
      for (uint32_t e = 0; e < per; ++e)
        a[group + 8 * (i & 1)][position + e + 4 * per * (i >> 1)] =
            elementOf(own.registers[i], first.a, e);
    for (uint32_t i = 0; i < numB; ++i)
      for (uint32_t e = 0; e < per; ++e)
        b[position + e + 4 * per * i][group] =
            elementOf(own.registers[numA + i], first.b, e);
  }
  double sums[kRows][kColumns] = {};
  for (uint32_t row = 0; row < kRows; ++row)
    for (uint32_t k = 0; k < depth; ++k)
      for (uint32_t column = 0; column < kColumns; ++column)
        sums[row][column] += a[row][k] * b[k][column];
  for (uint32_t lane = 0; lane < kWarp; ++lane) {
    const auto &own = *static_cast<Product *>(collective.data[lane]);
    uint32_t *c = accumulatorsOf(own);
    for (uint32_t i = 0; i < 4; ++i) {
      auto [row, column] = placeOf(lane, i);
      double sum = sums[row][column];
      if (own.c == Element::F16) {
        uint32_t shift = 16 * (i & 1), &both = c[i / 2];
        auto total =
            static_cast<float>(halfToDouble(both >> shift & 0xffff) + sum);
        both = (both & ~(uint32_t(0xffff) << shift)) | floatToHalf(total)
                                                           << shift;
      } else if (own.c == Element::S32) {
        c[i] += static_cast<uint32_t>(static_cast<int64_t>(sum));
      } else {
        c[i] = llvm::bit_cast<uint32_t>(
            static_cast<float>(llvm::bit_cast<float>(c[i]) + sum));
      }
    }
  }
}

} // namespace

static void accessMatrix(Thread *thread, int32_t site, Service service,
                         MatrixAccess access) {
  meetAligned(thread, site, service, computeMatrixAccess, &access);
}

void services::loadMatrix(Thread *thread, int32_t site, void *row,
                          void *registers, int32_t count,
                          int32_t isTransposed) {
  accessMatrix(thread, site, Service::loadMatrix,
               {thread, static_cast<char *>(row),
                static_cast<char *>(registers), static_cast<uint32_t>(count),
                isTransposed != 0, AccessKind::Read});
}

void services::storeMatrix(Thread *thread, int32_t site, void *row,
                           void *registers, int32_t count,
                           int32_t isTransposed) {
  accessMatrix(thread, site, Service::storeMatrix,
               {thread, static_cast<char *>(row),
                static_cast<char *>(registers), static_cast<uint32_t>(count),
                isTransposed != 0, AccessKind::Write});
}

void services::multiply(Thread *thread, int32_t site, void *registers,
                        int32_t a, int32_t b, int32_t c, int32_t k) {
  Product product = {static_cast<uint32_t *>(registers),
                     static_cast<Element>(a), static_cast<Element>(b),
                     static_cast<Element>(c), static_cast<uint32_t>(k)};
  meetAligned(thread, site, Service::multiply, computeProduct, &product);
}
