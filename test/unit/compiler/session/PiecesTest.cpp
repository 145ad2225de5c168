//===- PiecesTest.cpp - the division of @prepare ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests what may and what may not be computed apart when a main
// function that makes weights is divided.
//===----------------------------------------------------------------------===//

#include "compiler/session/Pieces.h"
#include "compiler/session/Session.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace graven;

namespace {

/// Two weights of 8 MB, which `body` makes, and two of 256 bytes after them.
std::string source(const std::string &body) {
  return R"(
func.func private @twice(memref<2097152xf32>, memref<2097152xf32>, index, index) attributes {kernel.entry}
func.func private @small(memref<64xf32>, memref<64xf32>, index, index) attributes {kernel.entry}
func.func @prepare(%x: memref<2097152xf32>, %s: memref<64xf32>,
                   %a: memref<2097152xf32>, %b: memref<2097152xf32>,
                   %c: memref<64xf32>, %d: memref<64xf32>,
                   %workspace: memref<8388608xi8>, %weights: memref<0xi8>)
    attributes {graven.num_inputs = 2 : i64, graven.num_outputs = 4 : i64} {
  %zero = arith.constant 0 : index
)" + body +
         R"(
  kernel.launch @small(%s, %c : memref<64xf32>, memref<64xf32>) tasks(4)
  kernel.launch @small(%s, %d : memref<64xf32>, memref<64xf32>) tasks(4)
  return
})";
}

class PiecesTest : public testing::Test {
protected:
  SmallVector<Piece> split(const std::string &body) {
    module = parseSourceString<ModuleOp>(source(body),
                                         ParserConfig(&session.getContext()));
    if (!module)
      return {};
    constexpr uint64_t large = 8 << 20;
    return splitIntoPieces(
        module->lookupSymbol<func::FuncOp>("prepare"),
        {{0, large}, {large, large}, {2 * large, 256}, {2 * large + 256, 256}});
  }
  /// Launches of each piece, in the order of pieces.
  SmallVector<size_t> launches() {
    SmallVector<size_t> counts;
    module->walk([&](scf::IfOp piece) {
      counts.push_back(piece.thenBlock()->getOperations().size() - 1);
    });
    return counts;
  }

  Session session;
  OwningOpRef<ModuleOp> module;
};

TEST_F(PiecesTest, largeOutputsAreApartAndSmallOnesTogether) {
  auto pieces = split(R"(
  kernel.launch @twice(%x, %b : memref<2097152xf32>, memref<2097152xf32>) tasks(4)
  kernel.launch @twice(%x, %a : memref<2097152xf32>, memref<2097152xf32>) tasks(4))");
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(pieces[0].outputs, (SmallVector<unsigned>{0}));
  EXPECT_EQ(pieces[0].bytes, 8u << 20);
  EXPECT_EQ(pieces[2].outputs, (SmallVector<unsigned>{2, 3}));
  EXPECT_EQ(launches(), (SmallVector<size_t>{1, 1, 2}));
  auto prepare = module->lookupSymbol<func::FuncOp>("prepare");
  EXPECT_EQ(prepare->getAttrOfType<IntegerAttr>("graven.num_inputs").getInt(),
            3);
  EXPECT_TRUE(succeeded(verify(*module)));
}

TEST_F(PiecesTest, commonTemporaryKeepsLaunchesTogether) {
  auto pieces = split(R"(
  %t = memref.view %workspace[%zero][] : memref<8388608xi8> to memref<2097152xf32>
  kernel.launch @twice(%x, %t : memref<2097152xf32>, memref<2097152xf32>) tasks(4)
  kernel.launch @twice(%t, %a : memref<2097152xf32>, memref<2097152xf32>) tasks(4)
  kernel.launch @twice(%t, %b : memref<2097152xf32>, memref<2097152xf32>) tasks(4))");
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[0].outputs, (SmallVector<unsigned>{0, 1}));
  EXPECT_EQ(launches(), (SmallVector<size_t>{3, 2}));
}

TEST_F(PiecesTest, outputReadByAnotherLaunchKeepsThemTogether) {
  auto pieces = split(R"(
  kernel.launch @twice(%x, %a : memref<2097152xf32>, memref<2097152xf32>) tasks(4)
  kernel.launch @twice(%a, %b : memref<2097152xf32>, memref<2097152xf32>) tasks(4))");
  EXPECT_EQ(pieces.size(), 2u);
}

// One temporary may be seen through views of its parts.
TEST_F(PiecesTest, overlappingTemporariesKeepLaunchesTogether) {
  auto pieces = split(R"(
  %t = memref.view %workspace[%zero][] : memref<8388608xi8> to memref<2097152xf32>
  %u = memref.view %workspace[%zero][] : memref<8388608xi8> to memref<64xf32>
  kernel.launch @small(%s, %u : memref<64xf32>, memref<64xf32>) tasks(4)
  kernel.launch @twice(%t, %a : memref<2097152xf32>, memref<2097152xf32>) tasks(4)
  kernel.launch @twice(%x, %b : memref<2097152xf32>, memref<2097152xf32>) tasks(4))");
  EXPECT_EQ(pieces.size(), 3u);
  EXPECT_EQ(launches(), (SmallVector<size_t>{2, 1, 2}));
}

} // namespace
