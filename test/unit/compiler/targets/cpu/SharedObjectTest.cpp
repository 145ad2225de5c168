//===- SharedObjectTest.cpp - compiled, loaded and run ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests shared objects as a host sees them: results, threads,
// symbols, dependencies, weights, names that are no identifiers, and
// reproducible bytes.
//===----------------------------------------------------------------------===//
#include "test/unit/compiler/targets/cpu/TestModels.h"
#include "llvm/Object/ELFObjectFile.h"
#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>

using namespace graven::cpu;
using namespace graven::cpu::test;

namespace {

struct alignas(64) Buffers {
  float x[64], y[64], weights[64];
  char workspace[256];
  Buffers() {
    for (int i = 0; i < 64; ++i) {
      x[i] = float(i) - 20;
      weights[i] = 0.5f * float(i);
      y[i] = -1;
    }
  }
  void expectScaled() const {
    for (int i = 0; i < 64; ++i)
      EXPECT_EQ(y[i], x[i] * weights[i] + 1) << i;
  }
};

/// What a parallel_for was asked to do; it runs the tasks backwards, one by
/// one.
struct Regions {
  std::vector<int64_t> tasks;
  GravenParallel parallel = {
      this, 2,
      [](void *context, int64_t count, void (*body)(void *, int64_t, int64_t),
         void *args) {
        if (!body)
          return;
        static_cast<Regions *>(context)->tasks.push_back(count);
        for (int64_t i = count; i-- > 0;)
          body(args, i, i + 1);
      }};
};

llvm::object::OwningBinary<llvm::object::ObjectFile>
open(const std::string &file) {
  auto binary = llvm::object::ObjectFile::createObjectFile(file);
  EXPECT_TRUE(bool(binary)) << llvm::toString(binary.takeError());
  return std::move(*binary);
}

class SharedObjectTest : public CpuTargetTest {
protected:
  Buffers buffers;
  std::string library = path("scale.so");
};

} // namespace

TEST_F(SharedObjectTest, runsOnOneThread) {
  ASSERT_TRUE(succeeded(
      compile(scaleSource, scaleSignature(), library, buffers.weights)))
      << errors;
  Loaded loaded(library);
  ASSERT_TRUE(loaded.model()) << loaded.error;
  void *inputs[] = {buffers.x}, *outputs[] = {buffers.y};
  EXPECT_EQ(loaded.call(inputs, outputs, buffers.workspace, nullptr),
            GRAVEN_OK);
  buffers.expectScaled();
}

TEST_F(SharedObjectTest, sharesTasksOfTheCaller) {
  ASSERT_TRUE(succeeded(
      compile(scaleSource, scaleSignature(), library, buffers.weights)))
      << errors;
  Loaded loaded(library);
  ASSERT_TRUE(loaded.model()) << loaded.error;
  Regions regions;
  void *inputs[] = {buffers.x}, *outputs[] = {buffers.y};
  EXPECT_EQ(loaded.call(inputs, outputs, buffers.workspace, &regions.parallel),
            0);
  buffers.expectScaled();
  // The kernel of a single task is not worth a region.
  EXPECT_EQ(regions.tasks, std::vector<int64_t>{4});
}

TEST_F(SharedObjectTest, typedEntryRunsAndChecks) {
  ASSERT_TRUE(succeeded(
      compile(scaleSource, scaleSignature(), library, buffers.weights)))
      << errors;
  Loaded loaded(library);
  auto run = reinterpret_cast<int (*)(const float *, float *, void *)>(
      loaded.symbol("scale_run"));
  ASSERT_TRUE(run) << loaded.error;
  EXPECT_EQ(run(buffers.x, buffers.y, buffers.workspace), GRAVEN_OK);
  buffers.expectScaled();
  EXPECT_EQ(run(buffers.x, buffers.y, buffers.workspace + 4),
            GRAVEN_ERROR_MISALIGNED);
  EXPECT_EQ(run(buffers.x, buffers.y, nullptr), GRAVEN_OK);
}

TEST_F(SharedObjectTest, tableDescribesTheModel) {
  ASSERT_TRUE(succeeded(
      compile(scaleSource, scaleSignature(), library, buffers.weights)))
      << errors;
  Loaded loaded(library);
  const GravenModel *model = loaded.model();
  ASSERT_TRUE(model) << loaded.error;
  EXPECT_EQ(model, loaded.symbol("scale_model"));
  EXPECT_EQ(model->abi_version, uint32_t(GRAVEN_ABI_VERSION));
  EXPECT_EQ(model->struct_size, sizeof(GravenModel));
  EXPECT_STREQ(model->name, "scale");
  ASSERT_EQ(model->num_inputs, 1);
  ASSERT_EQ(model->num_outputs, 1);
  EXPECT_STREQ(model->inputs[0].name, "x");
  EXPECT_EQ(model->inputs[0].rank, 2);
  EXPECT_EQ(model->inputs[0].extents[0], 4);
  EXPECT_EQ(model->inputs[0].extents[1], 16);
  EXPECT_EQ(model->inputs[0].dtype, GRAVEN_F32);
  EXPECT_EQ(model->outputs[0].rank, 1);
  EXPECT_EQ(model->workspace_size, 256);
  EXPECT_EQ(model->workspace_alignment, 64);
  EXPECT_EQ(model->weights_size, 256);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(model->weights) % 4096, 0u);
  EXPECT_EQ(0, memcmp(model->weights, buffers.weights, 256));
  EXPECT_EQ(model->cpu_features, target().requiredFeatures);
  EXPECT_NE(std::string(model->provenance).find("\nsource=by hand"),
            std::string::npos);
  EXPECT_TRUE(model->support);
}

TEST_F(SharedObjectTest, exportsTheTableAndTheEntryOnly) {
  ASSERT_TRUE(succeeded(
      compile(scaleSource, scaleSignature(), library, buffers.weights)))
      << errors;
  auto binary = open(library);
  auto &elf = llvm::cast<llvm::object::ELFObjectFileBase>(*binary.getBinary());
  std::set<std::string> exported;
  for (llvm::object::ELFSymbolRef symbol : elf.getDynamicSymbolIterators())
    if (llvm::cantFail(symbol.getSection()) != elf.section_end())
      exported.insert(llvm::cantFail(symbol.getName()).str());
  EXPECT_EQ(exported, (std::set<std::string>{"graven_model", "scale_model",
                                             "scale_run"}));
}

TEST_F(SharedObjectTest, hasNoConstructorsAndNeedsLibcAtMost) {
  ASSERT_TRUE(succeeded(
      compile(scaleSource, scaleSignature(), library, buffers.weights)))
      << errors;
  auto binary = open(library);
  for (llvm::object::SectionRef section : binary.getBinary()->sections()) {
    std::string name = llvm::cantFail(section.getName()).str();
    EXPECT_NE(name, ".init_array");
    EXPECT_NE(name, ".ctors");
    EXPECT_NE(name, ".init");
    if (name == ".lrodata") {
      EXPECT_FALSE(section.isBSS());
      EXPECT_TRUE(section.relocations().empty());
    }
  }
  auto &elf = llvm::cast<llvm::object::ELF64LEObjectFile>(*binary.getBinary());
  for (const auto &entry : llvm::cantFail(elf.getELFFile().dynamicEntries())) {
    EXPECT_NE(entry.d_tag, llvm::ELF::DT_INIT);
    EXPECT_NE(entry.d_tag, llvm::ELF::DT_TEXTREL);
  }
  std::string listing;
  ASSERT_EQ(run({"/usr/bin/ldd", library}, listing), 0);
  for (llvm::StringRef line :
       llvm::split(llvm::StringRef(listing).trim(), '\n'))
    EXPECT_TRUE(line.contains("libc.so.6") || line.contains("linux-vdso") ||
                line.contains("ld-linux"))
        << line.str();
}

TEST_F(SharedObjectTest, largeMemoryIsInHugePages) {
  constexpr uint64_t huge = 2 << 20;
  for (uint64_t size :
       {uint64_t(256), huge / 16 - 256, huge / 2 + 256, 2 * huge + 256}) {
    ModelSignature signature = scaleSignature();
    signature.weightsSize = signature.workspaceSize =
        static_cast<int64_t>(size);
    std::vector<float> weights(size / sizeof(float));
    std::ranges::copy(buffers.weights, weights.begin());
    std::string type = "memref<" + std::to_string(size) + "xi8>";
    std::string source = scaleSource;
    for (llvm::StringRef before :
         {"%weights: ", "%weights[%c0][] : ", "%ws: ", "%ws[%c0][] : "}) {
      size_t place = source.find(before) + before.size();
      source.replace(place, std::strlen("memref<256xi8>"), type);
    }
    ASSERT_TRUE(succeeded(compile(source, signature, library, weights)))
        << errors;
    auto binary = open(library);
    auto &elf =
        llvm::cast<llvm::object::ELF64LEObjectFile>(*binary.getBinary());
    auto segments = llvm::cantFail(elf.getELFFile().program_headers());
    auto mapped = llvm::find_if(segments, [&](const auto &segment) {
      return segment.p_type == llvm::ELF::PT_LOAD && segment.p_filesz == size;
    });
    ASSERT_NE(mapped, segments.end());
    EXPECT_EQ(mapped->p_align, size < huge ? 4096 : huge);
    // Of smaller ones the kernel keeps pieces as large as they are aligned.
    uint64_t piece = std::min<uint64_t>(std::bit_floor(size), 128 << 10);
    EXPECT_TRUE(size > huge ||
                mapped->p_offset % std::max<uint64_t>(piece, 4096) == 0);
    EXPECT_LE(mapped->p_offset, size + (64 << 10));
    EXPECT_EQ(mapped->p_offset % mapped->p_align,
              mapped->p_vaddr % mapped->p_align);
    EXPECT_LE(std::filesystem::file_size(library), size + (1 << 20));
    Loaded loaded(library);
    ASSERT_TRUE(loaded.model()) << loaded.error;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(loaded.model()->weights) % 4096, 0u);
    auto run = reinterpret_cast<int (*)(const float *, float *, void *)>(
        loaded.symbol("scale_run"));
    ASSERT_TRUE(run) << loaded.error;
    EXPECT_EQ(run(buffers.x, buffers.y, nullptr), GRAVEN_OK);
    buffers.expectScaled();
  }
}

TEST_F(SharedObjectTest, libmIsNeededWhereUsed) {
  std::string file = path("pointwise.so");
  ASSERT_TRUE(succeeded(compile(pointwiseSource("%r = math.tan %v : f32"),
                                pointwiseSignature(), file)))
      << errors;
  std::string listing;
  ASSERT_EQ(run({"/usr/bin/ldd", file}, listing), 0);
  EXPECT_NE(listing.find("libm.so.6"), std::string::npos);
  Loaded loaded(file);
  ASSERT_TRUE(loaded.model()) << loaded.error;
  float x[8] = {0, 1, 2, 3, -1, -2, 0.5f, 1e10f}, y[8];
  void *inputs[] = {x}, *outputs[] = {y};
  EXPECT_EQ(loaded.call(inputs, outputs, nullptr, nullptr), 0);
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(y[i], std::tan(x[i]));
}

TEST_F(SharedObjectTest, undefinedSymbolsFailTheLink) {
  std::string source =
      pointwiseSource("%r = func.call @nowhere(%v) : (f32) -> f32") +
      "func.func private @nowhere(f32) -> f32\n";
  EXPECT_TRUE(failed(compile(source, pointwiseSignature(), path("a.so"))));
  EXPECT_NE(errors.find("undefined symbol: nowhere"), std::string::npos)
      << errors;
  EXPECT_TRUE(filesInFolder().empty());
  // The linker can be used again after a failure.
  EXPECT_TRUE(succeeded(compile(scaleSource, scaleSignature(), library)))
      << errors;
}

TEST_F(SharedObjectTest, bytesAreReproducible) {
  std::string other = path("other.so");
  ASSERT_TRUE(succeeded(
      compile(scaleSource, scaleSignature(), library, buffers.weights)));
  ASSERT_TRUE(succeeded(
      compile(scaleSource, scaleSignature(), other, buffers.weights)));
  EXPECT_TRUE(read(library) == read(other));
}

TEST_F(SharedObjectTest, namesMayHoldAnyBytes) {
  std::string longName(70000, 'n');
  for (std::string name :
       {std::string("a\"b; rm -rf $(x)\n.globl \xff"), std::string("../../etc"),
        std::string("graven"), std::string("9"), std::string(), longName}) {
    std::string file = path("odd.so");
    ModelSignature signature = scaleSignature(name);
    signature.inputs[0].name = name;
    signature.provenance = {{"source", name}};
    ASSERT_TRUE(
        succeeded(compile(scaleSource, signature, file, buffers.weights)))
        << errors;
    Loaded loaded(file);
    ASSERT_TRUE(loaded.model()) << loaded.error;
    EXPECT_EQ(loaded.model()->inputs[0].name, name);
    EXPECT_TRUE(loaded.symbol((symbolPrefix(name) + "_run").c_str()));
    EXPECT_LE(symbolPrefix(name).size(), 64u);
    void *inputs[] = {buffers.x}, *outputs[] = {buffers.y};
    EXPECT_EQ(loaded.call(inputs, outputs, buffers.workspace, nullptr),
              GRAVEN_OK);
    buffers.expectScaled();
  }
}

TEST_F(SharedObjectTest, bigWeightsLoadLazily) {
  constexpr int64_t size = int64_t(96) << 20;
  std::string source = scaleSource;
  for (size_t at;
       (at = source.find("%weights: memref<256xi8>")) != std::string::npos;)
    source.replace(at, 24, "%weights: memref<" + std::to_string(size) + "xi8>");
  for (size_t at; (at = source.find("%weights[%c0][] : memref<256xi8>")) !=
                  std::string::npos;)
    source.replace(at, 32,
                   "%weights[%c0][] : memref<" + std::to_string(size) + "xi8>");
  ModelSignature signature = scaleSignature();
  signature.weightsSize = size;
  ASSERT_TRUE(succeeded(compile(source, signature, library, buffers.weights)))
      << errors;
  auto start = std::chrono::steady_clock::now();
  Loaded loaded(library);
  double ms = std::chrono::duration<double, std::milli>(
                  std::chrono::steady_clock::now() - start)
                  .count();
  ASSERT_TRUE(loaded.model()) << loaded.error;
  EXPECT_LT(ms, 50) << "loading must not touch the weights";
  void *inputs[] = {buffers.x}, *outputs[] = {buffers.y};
  EXPECT_EQ(loaded.call(inputs, outputs, buffers.workspace, nullptr),
            GRAVEN_OK);
  buffers.expectScaled();
}

TEST_F(SharedObjectTest, signatureMustFitTheMainFunction) {
  ModelSignature wrong = scaleSignature();
  wrong.inputs[0].extents = {4, 15};
  EXPECT_TRUE(failed(compile(scaleSource, wrong, library)));
  wrong = scaleSignature();
  wrong.outputs.push_back(wrong.outputs[0]);
  EXPECT_TRUE(failed(compile(scaleSource, wrong, library)));
  wrong = scaleSignature();
  wrong.workspaceSize = 128;
  EXPECT_TRUE(failed(compile(scaleSource, wrong, library)));
  wrong = scaleSignature();
  wrong.inputs[0].elementType = mlir::Float6E2M3FNType::get(&context);
  errors.clear();
  EXPECT_TRUE(failed(compile(scaleSource, wrong, library)));
  EXPECT_NE(errors.find("[GRV0202]"), std::string::npos) << errors;
  EXPECT_TRUE(filesInFolder().empty());
}
