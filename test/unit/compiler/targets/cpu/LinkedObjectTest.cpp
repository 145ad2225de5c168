//===- LinkedObjectTest.cpp - objects and archives in C --------*- C++ -*-===//
//-*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests objects and archives as a C programmer uses them: with a
// compiler of the host, the generated header, and a program that calls the
// typed entry.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/HeaderEmitter.h"
#include "test/unit/compiler/targets/cpu/TestModels.h"
#include <fstream>

using namespace graven::cpu;
using namespace graven::cpu::test;

namespace {

constexpr char program[] = R"c(
#include "scale.h"
#include <stdio.h>
int main(void) {
  float x[4][16], y[64];
  for (int i = 0; i < 64; ++i)
    x[i / 16][i % 16] = (float)i;
  int status = scale_run((const float(*)[16])x, y, NULL);
  if (status)
    return status;
  for (int i = 0; i < SCALE_y_ELEMENTS; ++i)
    if (y[i] != (float)i * 2.0f + 1.0f)
      return 100;
  puts("good");
  return 0;
}
)c";

class LinkedObjectTest : public CpuTargetTest {
protected:
  void SetUp() override {
    std::ofstream(path("main.c")) << program;
    ASSERT_TRUE(succeeded(writeHeader(scaleSignature(), path("scale.h"),
                                      mlir::UnknownLoc::get(&context))));
  }
  void expectRuns(const std::string &model, std::vector<std::string> extra) {
    std::vector<float> weights(64, 2.0f);
    ASSERT_TRUE(
        succeeded(compile(scaleSource, scaleSignature(), model, weights)))
        << errors;
    std::string output;
    std::vector<std::string> command = {
        GRAVEN_TEST_CC, "-std=c99",   path("main.c"), model,
        "-o",           path("main"), "-lm"};
    command.insert(command.end(), extra.begin(), extra.end());
    ASSERT_EQ(run(command, output), 0) << output;
    EXPECT_EQ(run({path("main")}, output), 0) << output;
    EXPECT_EQ(output, "good\n");
  }
};

} // namespace

TEST_F(LinkedObjectTest, objectLinksWithTheHostsLinker) {
  expectRuns(path("scale.o"), {});
}

TEST_F(LinkedObjectTest, objectLinksIntoAFixedAddressProgram) {
  expectRuns(path("scale.o"), {"-no-pie"});
}

TEST_F(LinkedObjectTest, archiveLinks) { expectRuns(path("scale.a"), {}); }

TEST_F(LinkedObjectTest, sharedObjectLinks) {
  expectRuns(path("scale.so"), {});
}

TEST_F(LinkedObjectTest, twoModelsLinkIntoOneProgram) {
  std::vector<float> weights(64, 2.0f);
  ASSERT_TRUE(succeeded(
      compile(scaleSource, scaleSignature("other"), path("other.o"), weights)));
  expectRuns(path("scale.o"), {path("other.o")});
}

TEST_F(LinkedObjectTest, archivesAndObjectsAreReproducible) {
  for (const char *extension : {".o", ".a", ".s", ".ll"}) {
    std::vector<float> weights(64, 2.0f);
    std::string first = path(std::string("first") + extension);
    std::string second = path(std::string("second") + extension);
    ASSERT_TRUE(
        succeeded(compile(scaleSource, scaleSignature(), first, weights)))
        << errors;
    ASSERT_TRUE(
        succeeded(compile(scaleSource, scaleSignature(), second, weights)))
        << errors;
    EXPECT_TRUE(read(first) == read(second)) << extension;
    EXPECT_FALSE(read(first).empty());
  }
}
