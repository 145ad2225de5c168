//===- HeaderEmitterTest.cpp - headers that compile -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests generated headers: their text, and that compilers for C and
// C++ take them without a warning, whatever the tensors are called.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/HeaderEmitter.h"
#include "mlir/IR/Builders.h"
#include "test/unit/compiler/targets/cpu/TestModels.h"
#include <fstream>

using namespace graven::cpu;
using namespace graven::cpu::test;

namespace {

class HeaderEmitterTest : public CpuTargetTest {
protected:
  /// Compiles the header in C99, C11 and C++, with and without runtime.h before
  /// it.
  void expectCompiles(const ModelSignature &signature) {
    std::string header = makeHeader(signature), output;
    ASSERT_TRUE(succeeded(
        writeHeader(signature, path("m.h"), mlir::UnknownLoc::get(&context))));
    std::ofstream(path("alone.c")) << "#include \"m.h\"\n#include \"m.h\"\n";
    std::ofstream(path("both.c"))
        << "#include \"runtime/include/graven/runtime.h\"\n#include \"m.h\"\n"
        << "const GravenModel *f(void);\nconst GravenModel *f(void) { return &"
        << symbolPrefix(signature.name) << "_model; }\n";
    for (const char *file : {"alone.c", "both.c"}) {
      auto compileAs = [&](const char *compiler, const char *language,
                           const char *standard) {
        return run({compiler, "-x", language, standard, "-Wall", "-Wextra",
                    "-Wpedantic", "-Werror", "-Wno-empty-translation-unit",
                    std::string("-I") + folder, "-I" GRAVEN_TEST_SOURCE,
                    "-fsyntax-only", path(file)},
                   output);
      };
      EXPECT_EQ(compileAs(GRAVEN_TEST_CC, "c", "-std=c99"), 0)
          << output << header;
      EXPECT_EQ(compileAs(GRAVEN_TEST_CC, "c", "-std=gnu11"), 0)
          << output << header;
      EXPECT_EQ(compileAs(GRAVEN_TEST_CXX, "c++", "-std=c++11"), 0)
          << output << header;
      EXPECT_EQ(compileAs(GRAVEN_TEST_CXX, "c++", "-std=gnu++20"), 0)
          << output << header;
    }
  }
};

} // namespace

TEST_F(HeaderEmitterTest, declaresShapes) {
  std::string header = makeHeader(scaleSignature("net-1"));
  EXPECT_NE(
      header.find(
          "int net_1_run(const float x[4][16], float y[64], void *workspace);"),
      std::string::npos)
      << header;
  EXPECT_NE(header.find("#define NET_1_WORKSPACE_SIZE 256\n"),
            std::string::npos);
  EXPECT_NE(header.find("#define NET_1_x_ELEMENTS 64\n"), std::string::npos);
  EXPECT_NE(header.find("extern const struct GravenModel net_1_model;"),
            std::string::npos);
  expectCompiles(scaleSignature("net-1"));
}

TEST_F(HeaderEmitterTest, everyElementTypeHasACType) {
  mlir::Builder b(&context);
  ModelSignature signature;
  signature.name = "types";
  for (mlir::Type type :
       {mlir::Type(b.getF16Type()), mlir::Type(b.getBF16Type()),
        mlir::Type(b.getF32Type()), mlir::Type(b.getF64Type()),
        mlir::Type(b.getI1Type()), mlir::Type(b.getIntegerType(8)),
        mlir::Type(b.getIntegerType(8, false)),
        mlir::Type(b.getIntegerType(16)), mlir::Type(b.getIntegerType(32)),
        mlir::Type(b.getIntegerType(64)),
        mlir::Type(b.getIntegerType(64, false))})
    signature.inputs.push_back({"", type, {2}});
  signature.outputs = {tensor("scalar", {}), tensor("none", {0, 3})};
  std::string header = makeHeader(signature);
  EXPECT_NE(header.find("const uint16_t input0[2], const uint16_t input1[2], "
                        "const float input2[2], "
                        "const double input3[2], const uint8_t input4[2], "
                        "const int8_t input5[2], "
                        "const uint8_t input6[2]"),
            std::string::npos)
      << header;
  EXPECT_NE(header.find("float *scalar, float *none"), std::string::npos);
  expectCompiles(signature);
}

TEST_F(HeaderEmitterTest, namesCannotBreakTheHeader) {
  ModelSignature signature;
  signature.name = "*/ int x; /* \\\n#error";
  for (const char *name :
       {"int",      "class",  "linux", "NULL", "INT8_MAX", "workspace", "x.1",
        "x 1",      "x_1",    "*/",    "/*",   "9lives",   "__linux__", "_",
        "\xc3\xa9", "?\?/\n", "a\nb",  "\\",   "new",      "x_1"})
    signature.inputs.push_back(tensor(name, {1}));
  signature.outputs = {tensor("x 1", {1}),
                       tensor(std::string(100000, 'y'), {1})};
  expectCompiles(signature);
}

TEST_F(HeaderEmitterTest, noTensorsIsAHeaderToo) {
  ModelSignature signature;
  signature.name = "";
  EXPECT_NE(makeHeader(signature).find("int model_run(void *workspace);"),
            std::string::npos);
  expectCompiles(signature);
}

TEST_F(HeaderEmitterTest, refusesAFolder) {
  EXPECT_TRUE(failed(
      writeHeader(scaleSignature(), folder, mlir::UnknownLoc::get(&context))));
  EXPECT_NE(errors.find("[GRV0003]"), std::string::npos) << errors;
}
