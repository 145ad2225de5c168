//===- Contraction.cpp - tiles of products on tensor cores ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the products of a block. Elements of 32 bits are
// multiplied as sums of two with fewer bits, so that no bits of f32 are lost.
//===----------------------------------------------------------------------===//
#include "passes/gpu/Contraction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven {

/// Bytes of all banks of shared memory.
static constexpr int64_t kBankBytes = 128;

ContractionEmitter::ContractionEmitter(BlockBuilder &u,
                                       const ContractionShape &shape,
                                       const ContractionTile &tile,
                                       const LeftSide &left, Value right,
                                       int64_t panelStride, Value row)
    : u(u), shape(shape), tile(tile), left(left), right(right),
      panelStride(panelStride), firstRow(row),
      type(shape.left.isF16()    ? NVVM::MMATypes::f16
           : shape.left.isBF16() ? NVVM::MMATypes::bf16
                                 : NVVM::MMATypes::tf32),
      leftBytes(bytesOf(shape.left)), rightBytes(bytesOf(shape.right)),
      leftRow(tile.depth * leftBytes), rightRow(shape.panel * rightBytes),
      panelBytes(tile.depth * rightRow), stageBytes(bytesOfStage(shape, tile)),
      rowTiles(tile.rows / tile.warpRows / 16),
      columnTiles(tile.columns / tile.warpColumns / 8) {
  assert(leftRow == kLeftChunks * kChunkBytes && "a row is all banks");
  u.useShared();
  thread = u.threadId();
  lane = u.bitAnd(thread, kWarpSize - 1);
  Value warp = u.div(thread, kWarpSize);
  warpRow = u.rem(warp, tile.warpRows);
  warpColumn = u.div(warp, tile.warpRows);
  prepareCopies();
  if (tile.units == MatrixUnits::Warps)
    prepareFragments();
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// The chunk of row k of the right-hand side that takes the place of the first
/// one. What a warp loads at a time, 8 columns of 4 rows or the 8 rows of a
/// matrix, then lies in different banks.
Value ContractionEmitter::swizzleOfRight(Value k) {
  int64_t rowsPerLine = std::max<int64_t>(1, kBankBytes / rightRow),
          rows = type == NVVM::MMATypes::tf32 ? 4 : 8,
          chunks = type == NVVM::MMATypes::tf32 ? 8 * rightBytes : kChunkBytes;
  Value line = u.bitAnd(u.div(k, rowsPerLine), rows / rowsPerLine - 1);
  return u.mul(line, std::max<int64_t>(1, chunks / kChunkBytes));
}

void ContractionEmitter::prepareCopies() {
  // Left: each thread copies one chunk of each `threads / chunks`-th row.
  int64_t rowStep = tile.threads() / kLeftChunks;
  Value row = u.div(thread, kLeftChunks), chunk = u.rem(thread, kLeftChunks);
  leftChunk = u.mul(chunk, kChunkBytes / leftBytes);
  leftTo = u.add(u.mul(row, leftRow),
                 u.mul(u.bitXor(chunk, u.rem(row, kLeftChunks)), kChunkBytes));
  for (int64_t i = 0; i < tile.rows; i += rowStep) {
    Value at = u.add(firstRow, u.add(row, i));
    rowOffsets.push_back(left.rowOffset(u, at));
    rowExists.push_back(shape.rows % tile.rows == 0 ? Value()
                                                    : u.isLess(at, shape.rows));
  }
  // Right: the chunks of a panel in their order.
  int64_t chunks = rightRow / kChunkBytes;
  rightK = u.div(thread, chunks);
  rightTo = u.add(u.mul(rightK, rightRow),
                  u.mul(u.bitXor(u.rem(thread, chunks), swizzleOfRight(rightK)),
                        kChunkBytes));
}

void ContractionEmitter::prepareFragments() {
  // A matrix instruction gets the addresses of rows from threads: of
  // the 8 rows of the first matrix from the first 8 threads, and so on.
  Value row8 = u.bitAnd(lane, 7), matrix = u.div(lane, 8);
  Value leftLine = u.mul(u.add(u.mul(warpRow, 16 * rowTiles),
                               u.add(row8, u.mul(u.bitAnd(matrix, 1), 8))),
                         leftRow);
  for (int64_t step = 0; step < kLeftChunks / 2; ++step)
    leftFrom.push_back(
        u.add(leftLine, u.mul(u.bitXor(u.add(u.div(matrix, 2), 2 * step), row8),
                              kChunkBytes)));
  Value column = u.mul(warpColumn, 8 * columnTiles);
  Value panel = u.mul(u.div(column, shape.panel), panelBytes);
  Value inPanel =
      u.div(u.mul(u.rem(column, shape.panel), rightBytes), kChunkBytes);
  Value start = u.add(panel, tile.rows * leftRow);
  if (type != NVVM::MMATypes::tf32) {
    // Two tiles of 8 columns at a time, the halves of the depth first.
    Value k = u.add(row8, u.mul(u.bitAnd(matrix, 1), 8));
    for (int64_t j = 0; j < columnTiles; j += 2) {
      Value chunk = u.add(u.add(inPanel, u.div(matrix, 2)), j);
      rightFrom.push_back(
          u.add(u.add(start, u.mul(k, rightRow)),
                u.mul(u.bitXor(chunk, swizzleOfRight(k)), kChunkBytes)));
    }
    return;
  }
  Value k = u.bitAnd(lane, 3), inTile = u.mul(u.div(lane, 4), rightBytes);
  for (int64_t j = 0; j < columnTiles; ++j) {
    Value chunk = u.add(u.add(inPanel, u.div(inTile, kChunkBytes)),
                        8 * j * rightBytes / kChunkBytes);
    rightFrom.push_back(u.add(
        u.add(u.add(start, u.mul(k, rightRow)), u.rem(inTile, kChunkBytes)),
        u.mul(u.bitXor(chunk, swizzleOfRight(k)), kChunkBytes)));
  }
}

/// Elements that are less than what can be copied on the way.
void ContractionEmitter::copyElement(Value to, Value offset, Value exists) {
  Type bits = u.b.getIntegerType(8 * leftBytes);
  Value zero =
      arith::ConstantOp::create(u.b, u.loc, u.b.getIntegerAttr(bits, 0));
  if (exists)
    offset = u.select(exists, offset, u.number(0));
  Value element = u.load(bits, u.at(left.pointer, offset, bits), leftBytes);
  u.store(exists ? u.select(exists, element, zero) : element, to, leftBytes);
}

void ContractionEmitter::issueLeft(Value stage, Value k) {
  int64_t runs = kChunkBytes / (left.run * leftBytes),
          rowStep = tile.threads() / kLeftChunks, bytes = left.run * leftBytes;
  for (int64_t part = 0; part < runs; ++part) {
    LeftSide::Run run =
        left.stepOffset(u, u.add(k, u.add(leftChunk, part * left.run)));
    for (auto [i, rowOffset] : llvm::enumerate(rowOffsets)) {
      Value to = u.shared(
          u.add(stage, u.add(leftTo, i * rowStep * leftRow + part * bytes)));
      Value offset = u.add(rowOffset, run.offset);
      if (bytes < 4) {
        Value exists = run.valid ? u.isLess(u.number(0), run.valid) : Value();
        copyElement(to, offset, u.both(exists, rowExists[i]));
        continue;
      }
      Value valid = run.valid ? u.mul(run.valid, leftBytes) : Value();
      if (rowExists[i])
        valid = u.select(rowExists[i], valid ? valid : u.number(bytes),
                         u.number(0));
      u.copyAsync(to, u.at(left.pointer, offset, shape.left), bytes, valid);
    }
  }
}

void ContractionEmitter::issueRight(Value stage, Value k) {
  int64_t chunks = rightRow / kChunkBytes, total = tile.depth * chunks,
          perChunk = kChunkBytes / rightBytes, threads = tile.threads();
  auto copies = [&] {
    for (int64_t panel = 0; panel < tile.columns / shape.panel; ++panel)
      for (int64_t i = 0; i < total; i += threads) {
        int64_t kStep = i / chunks;
        Value offset =
            u.add(u.add(u.mul(k, shape.panel), u.mul(thread, perChunk)),
                  panel * panelStride + i * perChunk);
        Value valid;
        if (shape.depth % tile.depth != 0)
          valid =
              u.select(u.isLess(u.add(k, u.add(rightK, kStep)), shape.depth),
                       u.number(kChunkBytes), u.number(0));
        Value to = u.add(rightTo, tile.rows * leftRow + panel * panelBytes +
                                      kStep * rightRow);
        u.copyAsync(u.shared(u.add(stage, to)),
                    u.at(right, offset, shape.right), kChunkBytes, valid);
      }
  };
  if (total >= threads)
    return copies();
  auto some = scf::IfOp::create(u.b, u.loc, u.isLess(thread, total),
                                /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(u.b);
  u.b.setInsertionPointToStart(some.thenBlock());
  copies();
}

void ContractionEmitter::issue(Value stage, Value k) {
  issueLeft(stage, k);
  issueRight(stage, k);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Four registers for each tile of 16 rows.
ContractionEmitter::Values ContractionEmitter::leftFragments(Value stage,
                                                             int64_t step) {
  Values all;
  Value from = u.add(stage, leftFrom[step]);
  for (int64_t i = 0; i < rowTiles; ++i)
    llvm::append_range(all,
                       u.loadMatrices(u.shared(u.add(from, 16 * i * leftRow)),
                                      4, NVVM::MMALayout::row));
  return all;
}

/// Two registers for each tile of 8 columns.
ContractionEmitter::Values ContractionEmitter::rightFragments(Value stage,
                                                              int64_t step) {
  Values all;
  if (type != NVVM::MMATypes::tf32) {
    for (Value from : rightFrom)
      llvm::append_range(
          all, u.loadMatrices(
                   u.shared(u.add(u.add(stage, from), 16 * step * rightRow)), 4,
                   NVVM::MMALayout::col));
    return all;
  }
  Type i32 = u.b.getI32Type();
  for (Value from : rightFrom)
    for (int64_t half = 0; half < 2; ++half) {
      Value at =
          u.shared(u.add(u.add(stage, from), (8 * step + 4 * half) * rightRow));
      if (rightBytes == 4) {
        all.push_back(u.load(i32, at, 4));
        continue;
      }
      // As what is multiplied has 10 bits after the point, nothing is lost.
      Value narrow = u.load(shape.right, at, 2);
      Value wide = arith::ExtFOp::create(u.b, u.loc, u.b.getF32Type(), narrow);
      all.push_back(arith::BitcastOp::create(u.b, u.loc, i32, wide));
    }
  return all;
}

ContractionEmitter::Values
ContractionEmitter::stageProducts(Value stage, ValueRange carried) {
  Values sums(carried);
  // Neighbouring instructions share a fragment: every second row of tiles goes
  // backwards.
  auto products = [&](ArrayRef<Value> as, ArrayRef<Value> bs) {
    for (int64_t i = 0; i < rowTiles; ++i)
      for (int64_t n = 0; n < columnTiles; ++n) {
        int64_t j = i % 2 == 0 ? n : columnTiles - 1 - n,
                at = 4 * (i * columnTiles + j);
        Values sum = u.multiplyAdd(as.slice(4 * i, 4), bs.slice(2 * j, 2),
                                   ArrayRef(sums).slice(at, 4), type);
        llvm::copy(sum, sums.begin() + at);
      }
  };
  for (int64_t step = 0; step < kLeftChunks / 2; ++step) {
    Values as = leftFragments(stage, step), bs = rightFragments(stage, step);
    if (type != NVVM::MMATypes::tf32) {
      products(as, bs);
      continue;
    }
    Values aRests = u.splitAll(as), bRests;
    if (rightBytes == 4)
      bRests = u.splitAll(bs);
    // The small products first.
    products(aRests, bs);
    if (!bRests.empty())
      products(as, bRests);
    products(as, bs);
  }
  return sums;
}

std::pair<Value, Value> ContractionEmitter::firstPair() {
  return {u.add(u.mul(warpRow, 16 * rowTiles), u.div(lane, 4)),
          u.add(u.mul(warpColumn, 8 * columnTiles), u.mul(u.rem(lane, 4), 2))};
}

std::pair<Value, Value> ContractionEmitter::placeOfPair(Value pair) {
  auto [row, column] = firstPair();
  // Of each tile of 16 rows the upper half and the lower one.
  return {u.add(u.mul(u.div(pair, columnTiles), 8), row),
          u.add(u.mul(u.rem(pair, columnTiles), 8), column)};
}

Value ContractionEmitter::placeOfSum(Value row, Value column) {
  return u.mul(u.add(u.mul(row, tile.columns + kSumPadding), column),
               sizeof(float));
}

void ContractionEmitter::storeSums(ValueRange sums) {
  int64_t stride = tile.columns + kSumPadding;
  auto [row, column] = firstPair();
  Value start = placeOfSum(row, column);
  auto pair = VectorType::get({2}, u.b.getF32Type());
  for (int64_t i = 0; i < rowTiles; ++i)
    for (int64_t j = 0; j < columnTiles; ++j)
      for (int64_t half = 0; half < 2; ++half) {
        auto of = sums.slice(4 * (i * columnTiles + j) + 2 * half, 2);
        Value both =
            vector::FromElementsOp::create(u.b, u.loc, pair, ValueRange(of));
        int64_t offset = (16 * i + 8 * half) * stride + 8 * j;
        u.store(both, u.shared(u.add(start, offset * int64_t(sizeof(float)))),
                2 * sizeof(float));
      }
}

ContractionEmitter::Values
ContractionEmitter::overStages(int64_t ahead, ValueRange inits, Step body) {
  int64_t steps = llvm::divideCeilSigned(shape.depth, tile.depth);
  for (int64_t s = 0; s < ahead; ++s) {
    if (s < steps)
      issue(u.number(s * stageBytes), u.number(s * tile.depth));
    u.commitCopies();
  }
  // And where the next stages to be read and to be written lie.
  Values all(inits);
  all.push_back(u.number(0));
  all.push_back(u.number(ahead * stageBytes));
  auto next = [&](Value stage) {
    Value last = u.number((tile.stages - 1) * stageBytes);
    return u.select(u.isLess(stage, last), u.add(stage, stageBytes),
                    u.number(0));
  };
  auto loop = scf::ForOp::create(
      u.b, u.loc, u.number(0), u.number(steps), u.number(1), all,
      [&](OpBuilder &, Location, Value step, ValueRange carried) {
        Value read = carried[carried.size() - 2], write = carried.back();
        u.waitForCopies(ahead - 1);
        auto issueNext = [&] {
          if (steps > ahead) {
            auto more =
                scf::IfOp::create(u.b, u.loc, u.isLess(step, steps - ahead),
                                  /*withElseRegion=*/false);
            OpBuilder::InsertionGuard guard(u.b);
            u.b.setInsertionPointToStart(more.thenBlock());
            issue(write, u.mul(u.add(step, ahead), tile.depth));
          }
          u.commitCopies();
        };
        Values results = body(read, carried.drop_back(2), issueNext);
        results.push_back(next(read));
        results.push_back(next(write));
        scf::YieldOp::create(u.b, u.loc, results);
      });
  return Values(loop.getResults().drop_back(2));
}

ContractionEmitter::Values ContractionEmitter::multiplyByWarps() {
  Value zero = arith::ConstantOp::create(u.b, u.loc, u.b.getF32FloatAttr(0));
  Values inits(4 * rowTiles * columnTiles, zero);
  return overStages(
      tile.stages - 1, inits,
      [&](Value stage, ValueRange sums, function_ref<void()> issueNext) {
        u.barrier();
        issueNext();
        return stageProducts(stage, sums);
      });
}

void ContractionEmitter::multiply() {
  Values sums = tile.units == MatrixUnits::Warps ? multiplyByWarps()
                                                 : multiplyByWarpgroups();
  // The stages become room for the sums.
  u.waitForCopies(0);
  u.barrier();
  storeSums(sums);
  if (type == NVVM::MMATypes::tf32)
    repair(sums);
  u.barrier();
}

void ContractionEmitter::store(
    int64_t lanes, Order order,
    function_ref<void(Value row, Value column, Value sums)> body) {
  int64_t perRow = tile.columns / lanes, total = tile.rows * perRow,
          threads = tile.threads();
  scf::ForOp::create(
      u.b, u.loc, thread, u.number(total), u.number(threads), ValueRange(),
      [&](OpBuilder &, Location, Value unit, ValueRange) {
        Value row = u.div(unit, perRow),
              column = u.mul(u.rem(unit, perRow), lanes);
        if (order == Order::Columns) {
          row = u.rem(unit, tile.rows);
          column = u.mul(u.div(unit, tile.rows), lanes);
        } else if (order == Order::Blocks) {
          constexpr int64_t block = 16;
          Value inBlock = u.mul(u.rem(unit, block / lanes), lanes),
                rest = u.div(unit, block / lanes);
          row = u.rem(rest, tile.rows);
          column = u.add(u.mul(u.div(rest, tile.rows), block), inBlock);
        }
        auto type = VectorType::get({lanes}, u.b.getF32Type());
        body(row, column,
             u.load(type, u.shared(placeOfSum(row, column)),
                    lanes * int64_t(sizeof(float))));
        scf::YieldOp::create(u.b, u.loc);
      });
}

} // namespace graven
