//===- ResultCopiesTest.cpp - copies into the result arguments --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the order of result copies on functions written by hand, by
// following where the value of each argument ends up.
//===----------------------------------------------------------------------===//
#include "passes/memory/ResultCopies.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <map>

using namespace mlir;
using namespace graven::memory;

namespace {

/// The value that argument i holds at the end, given as the argument that held
/// it at first, after the copies of "i -> j" in `text` were ordered.
std::map<int, int> finalValues(StringRef copies) {
  MLIRContext context;
  context.loadDialect<arith::ArithDialect, func::FuncDialect,
                      linalg::LinalgDialect, memref::MemRefDialect>();
  std::string text =
      "func.func @f(%0: memref<4xf32>, %1: memref<4xf32>, %2: memref<4xf32>,"
      " %3: memref<4xf32>) {\n"
      "  %m = arith.constant {graven.results_begin} false\n";
  SmallVector<StringRef> pairs;
  copies.split(pairs, ' ');
  for (StringRef pair : pairs)
    text +=
        ("  linalg.copy ins(%" + pair.take_front(1) +
         " : memref<4xf32>) outs(%" + pair.take_back(1) + " : memref<4xf32>)\n")
            .str();
  text += "  return\n}\n";
  auto module = parseSourceString<ModuleOp>(text, &context);
  auto function = *module->getOps<func::FuncOp>().begin();
  orderResultCopies(function, takeResultCopies(function));

  DenseMap<Value, int> held;
  for (BlockArgument argument : function.getArguments())
    held[argument] = argument.getArgNumber();
  for (auto copy : function.getOps<linalg::CopyOp>())
    held[copy.getOutputs().front()] = held.lookup(copy.getInputs().front());
  std::map<int, int> result;
  for (BlockArgument argument : function.getArguments())
    result[argument.getArgNumber()] = held[argument];
  EXPECT_TRUE(succeeded(module->verify()));
  return result;
}

using Values = std::map<int, int>;

TEST(ResultCopies, AnOrderThatWorksStays) {
  EXPECT_EQ(finalValues("0>1 0>2"), (Values{{0, 0}, {1, 0}, {2, 0}, {3, 3}}));
}

TEST(ResultCopies, AReaderGoesBeforeTheWriter) {
  EXPECT_EQ(finalValues("0>1 1>2 2>3"),
            (Values{{0, 0}, {1, 0}, {2, 1}, {3, 2}}));
}

TEST(ResultCopies, ACircleIsStaged) {
  EXPECT_EQ(finalValues("1>2 2>1"), (Values{{0, 0}, {1, 2}, {2, 1}, {3, 3}}));
  EXPECT_EQ(finalValues("1>2 2>3 3>1"),
            (Values{{0, 0}, {1, 3}, {2, 1}, {3, 2}}));
}

TEST(ResultCopies, TwoCirclesAndAChain) {
  EXPECT_EQ(finalValues("0>1 1>0 2>3 3>2"),
            (Values{{0, 1}, {1, 0}, {2, 3}, {3, 2}}));
}

} // namespace
