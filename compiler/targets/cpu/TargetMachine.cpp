//===- TargetMachine.cpp - a CPU by its name --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements CpuTarget, which asks LLVM's tables for the features of
// a CPU and derives vector width, register count and ABI bits from them. Cache
// sizes come from a table, so that two hosts with one CPU name make the same
// code.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/TargetMachine.h"
#include "dialects/support/Diagnostics.h"
#include "runtime/include/graven/runtime.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace graven;
using namespace graven::cpu;
using llvm::StringRef;

namespace {

constexpr llvm::StringLiteral linuxTriple = "x86_64-unknown-linux-gnu";

const llvm::Target *findTarget() {
  // Registration is idempotent but not safe to run twice at a time.
  static const llvm::Target *const target = [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    std::string ignored;
    return llvm::TargetRegistry::lookupTarget(llvm::Triple(linuxTriple),
                                              ignored);
  }();
  return target;
}

struct FeatureBit {
  llvm::StringLiteral feature;
  uint64_t bit;
};

/// LLVM's features beside the bits that the runtime tests before a call.
constexpr FeatureBit featureBits[] = {
    {"sse3", GRAVEN_CPU_SSE3},
    {"ssse3", GRAVEN_CPU_SSSE3},
    {"sse4.1", GRAVEN_CPU_SSE4_1},
    {"sse4.2", GRAVEN_CPU_SSE4_2},
    {"popcnt", GRAVEN_CPU_POPCNT},
    {"cx16", GRAVEN_CPU_CX16},
    {"sahf", GRAVEN_CPU_LAHF},
    {"avx", GRAVEN_CPU_AVX},
    {"avx2", GRAVEN_CPU_AVX2},
    {"bmi", GRAVEN_CPU_BMI},
    {"bmi2", GRAVEN_CPU_BMI2},
    {"f16c", GRAVEN_CPU_F16C},
    {"fma", GRAVEN_CPU_FMA},
    {"lzcnt", GRAVEN_CPU_LZCNT},
    {"movbe", GRAVEN_CPU_MOVBE},
    {"avx512f", GRAVEN_CPU_AVX512F},
    {"avx512bw", GRAVEN_CPU_AVX512BW},
    {"avx512cd", GRAVEN_CPU_AVX512CD},
    {"avx512dq", GRAVEN_CPU_AVX512DQ},
    {"avx512vl", GRAVEN_CPU_AVX512VL},
    {"avx512vnni", GRAVEN_CPU_AVX512VNNI},
    {"avx512bf16", GRAVEN_CPU_AVX512BF16},
    {"avx512fp16", GRAVEN_CPU_AVX512FP16},
    {"avx512vbmi", GRAVEN_CPU_AVX512VBMI},
    {"avx512vbmi2", GRAVEN_CPU_AVX512VBMI2},
    {"avx512ifma", GRAVEN_CPU_AVX512IFMA},
    {"avx512bitalg", GRAVEN_CPU_AVX512BITALG},
    {"avx512vpopcntdq", GRAVEN_CPU_AVX512VPOPCNTDQ},
    {"avxvnni", GRAVEN_CPU_AVXVNNI},
    {"amx-tile", GRAVEN_CPU_AMX_TILE},
    {"amx-int8", GRAVEN_CPU_AMX_INT8},
    {"amx-bf16", GRAVEN_CPU_AMX_BF16},
    {"gfni", GRAVEN_CPU_GFNI},
    {"vaes", GRAVEN_CPU_VAES},
    {"vpclmulqdq", GRAVEN_CPU_VPCLMULQDQ},
    {"adx", GRAVEN_CPU_ADX},
};

struct CacheSizes {
  llvm::StringLiteral cpu;
  int64_t l1, l2, l3; // KiB
};

/// Sources: the vendors' optimization manuals. The last level is the share of
/// one core complex (AMD) or 8 slices (Intel).
constexpr CacheSizes cacheSizes[] = {
    {"haswell", 32, 256, 8 << 10},
    {"broadwell", 32, 256, 8 << 10},
    {"skylake", 32, 256, 8 << 10},
    {"skylake-avx512", 32, 1024, 11 << 10},
    {"cascadelake", 32, 1024, 11 << 10},
    {"cooperlake", 32, 1024, 11 << 10},
    {"icelake-client", 48, 512, 8 << 10},
    {"icelake-server", 48, 1280, 12 << 10},
    {"tigerlake", 48, 1280, 12 << 10},
    {"sapphirerapids", 48, 2048, 15 << 10},
    {"emeraldrapids", 48, 2048, 40 << 10},
    {"graniterapids", 48, 2048, 32 << 10},
    {"alderlake", 48, 1280, 12 << 10},
    {"znver1", 32, 512, 8 << 10},
    {"znver2", 32, 512, 16 << 10},
    {"znver3", 32, 512, 32 << 10},
    {"znver4", 32, 1024, 32 << 10},
    {"znver5", 48, 1024, 32 << 10},
};

void fillInfo(CpuTarget &target, const llvm::MCSubtargetInfo &subtarget) {
  auto has = [&](StringRef feature) {
    return subtarget.checkFeatures(("+" + feature).str());
  };
  TargetInfo &info = target.info;
  info.name = target.cpu;
  bool wide =
      has("avx512f") && has("avx512vl") && has("avx512bw") && has("avx512dq");
  info.vectorBytes = wide ? 64 : has("avx") ? 32 : 16;
  info.vectorRegisters = wide ? 32 : 16;
  info.hasFMA = has("fma");
  info.hasInt8Dot = (wide && has("avx512vnni")) || has("avxvnni");
  info.hasBF16Dot = wide && has("avx512bf16");
  info.hasF16Convert = has("f16c");
  info.l1Bytes = 32 << 10;
  info.l2Bytes = wide ? 1 << 20 : 512 << 10;
  info.l3Bytes = 8 << 20;
  for (const CacheSizes &sizes : cacheSizes)
    if (target.cpu == sizes.cpu) {
      info.l1Bytes = sizes.l1 << 10;
      info.l2Bytes = sizes.l2 << 10;
      info.l3Bytes = sizes.l3 << 10;
    }
  for (const FeatureBit &entry : featureBits)
    if (has(entry.feature))
      target.requiredFeatures |= entry.bit;
}

/// The features in which the host differs from the CPU it calls itself, sorted
/// so that the string is reproducible. It is looked up for every function many
/// times, so it is short.
std::string hostFeatures(const llvm::Target &backend, StringRef cpu) {
  std::unique_ptr<llvm::MCSubtargetInfo> plain(
      backend.createMCSubtargetInfo(llvm::Triple(linuxTriple), cpu, ""));
  llvm::SmallVector<std::string> features;
  for (const auto &entry : llvm::sys::getHostCPUFeatures()) {
    bool expected = plain->checkFeatures(("+" + entry.first()).str());
    if (entry.second != expected)
      features.push_back(((entry.second ? "+" : "-") + entry.first()).str());
  }
  llvm::sort(features, [](StringRef a, StringRef b) {
    return a.drop_front() < b.drop_front();
  });
  return llvm::join(features, ",");
}

} // namespace

mlir::FailureOr<CpuTarget> CpuTarget::get(StringRef name, mlir::Location loc) {
  CpuTarget target;
  target.triple = linuxTriple.str();
  target.cpu = name.str();
  const llvm::Target *backend = findTarget();
  if (name == "native") {
    if (!llvm::Triple(llvm::sys::getProcessTriple()).isX86())
      return emitCoded(loc, Code::UnknownCpu)
             << "'native' is not an x86 CPU here, name the CPU to compile for";
    target.cpu = llvm::sys::getHostCPUName().str();
    target.features = hostFeatures(*backend, target.cpu);
  }
  llvm::Triple triple(linuxTriple);
  // LLVM only warns about a name it does not know, so ask before using it.
  std::unique_ptr<llvm::MCSubtargetInfo> generic(
      backend->createMCSubtargetInfo(triple, "", ""));
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget;
  if (!target.cpu.empty() && generic->isCPUStringValid(target.cpu))
    subtarget.reset(
        backend->createMCSubtargetInfo(triple, target.cpu, target.features));
  if (!subtarget || !subtarget->checkFeatures("+64bit"))
    return emitCoded(loc, Code::UnknownCpu)
           << "unknown target CPU '" << name
           << "', expected native, x86-64, x86-64-v2, x86-64-v3, x86-64-v4 or "
              "a 64-bit "
              "x86 CPU such as skylake-avx512, sapphirerapids, znver4, znver5";
  fillInfo(target, *subtarget);
  return target;
}

std::unique_ptr<llvm::TargetMachine>
CpuTarget::createTargetMachine(llvm::CodeGenOptLevel level) const {
  llvm::TargetOptions options;
  // Multiplications and additions fuse where the IR says `contract`, nowhere
  // else.
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  options.MCOptions.AsmVerbose = true;
  options.UniqueSectionNames = true;
  return std::unique_ptr<llvm::TargetMachine>(findTarget()->createTargetMachine(
      llvm::Triple(triple), cpu, features, options, llvm::Reloc::PIC_,
      llvm::CodeModel::Small, level));
}
