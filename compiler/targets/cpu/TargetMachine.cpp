//===- TargetMachine.cpp - a CPU by its name --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements CpuTarget, which asks LLVM's tables for the features of
// a CPU and derives vector width, register count and ABI bits from them. The
// name says the architecture, too: no CPU of one has the name of another's.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/TargetMachine.h"
#include "compiler/targets/cpu/CpuTables.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/AArch64TargetParser.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace graven;
using namespace graven::cpu;
using llvm::StringRef;

namespace {

StringRef tripleOf(Machine machine) {
  return machine == Machine::AArch64 ? "aarch64-unknown-linux-gnu"
                                     : "x86_64-unknown-linux-gnu";
}

/// Where constants leave no register free, the register allocator would cut
/// their ranges and hand them on from register to register around a loop, up to
/// twenty moves in each iteration; loading one again where it is used is one.
/// LLVM has an option for that, of the process: from which size on ranges of
/// constants are not cut.
void keepConstantsWhole() {
  constexpr char name[] = "huge-size-for-split";
  auto &options = llvm::cl::getRegisteredOptions();
  if (auto found = options.find(name); found != options.end())
    found->second->addOccurrence(/*pos=*/1, name, "0");
}

/// Registration is idempotent but not safe to run twice at a time.
void registerBackends() {
  [[maybe_unused]] static const bool once = [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    LLVMInitializeAArch64AsmParser();
    keepConstantsWhole();
    return true;
  }();
}

const llvm::Target &findBackend(Machine machine) {
  registerBackends();
  std::string ignored;
  return *llvm::TargetRegistry::lookupTarget(llvm::Triple(tripleOf(machine)),
                                             ignored);
}

std::unique_ptr<llvm::MCSubtargetInfo>
subtargetOf(Machine machine, StringRef cpu, StringRef features) {
  return std::unique_ptr<llvm::MCSubtargetInfo>(
      findBackend(machine).createMCSubtargetInfo(
          llvm::Triple(tripleOf(machine)), cpu, features));
}

bool has(const llvm::MCSubtargetInfo &subtarget, StringRef feature) {
  return subtarget.checkFeatures(("+" + feature).str());
}

void fillX86(TargetInfo &info, const llvm::MCSubtargetInfo &subtarget) {
  bool wide = has(subtarget, "avx512f") && has(subtarget, "avx512vl") &&
              has(subtarget, "avx512bw") && has(subtarget, "avx512dq");
  info.vectorBytes = wide ? 64 : has(subtarget, "avx") ? 32 : 16;
  info.vectorRegisters = wide ? 32 : 16;
  info.hasFMA = has(subtarget, "fma");
  info.hasInt8Dot =
      (wide && has(subtarget, "avx512vnni")) || has(subtarget, "avxvnni");
  info.hasBF16Dot = wide && has(subtarget, "avx512bf16");
  info.hasF16Convert = has(subtarget, "f16c");
  info.l2Bytes = wide ? 1 << 20 : 512 << 10;
}

/// The dot products of TargetInfo are those of x86.
void fillAArch64(TargetInfo &info) {
  info.vectorBytes = 16;
  info.vectorRegisters = 32;
  info.hasFMA = info.hasF16Convert = true;
  info.hasInt8Dot = info.hasBF16Dot = false;
  info.l2Bytes = 512 << 10;
}

void fillInfo(CpuTarget &target, const llvm::MCSubtargetInfo &subtarget) {
  TargetInfo &info = target.info;
  info.l1Bytes = 32 << 10;
  info.l3Bytes = 8 << 20;
  if (target.machine == Machine::AArch64)
    fillAArch64(info);
  else
    fillX86(info, subtarget);
  if (const CacheSizes *sizes = cacheSizesOf(info.name)) {
    info.l1Bytes = sizes->l1 << 10;
    info.l2Bytes = sizes->l2 << 10;
    // Without a third level the second one is the last.
    info.l3Bytes = (sizes->l3 ? sizes->l3 : sizes->l2) << 10;
  }
  for (const FeatureBit &entry : featureBitsOf(target.machine))
    if (has(subtarget, entry.feature))
      target.requiredFeatures |= entry.bit;
}

/// The features in which the host differs from the CPU it calls itself, sorted
/// so that the string is reproducible. It is looked up for every function many
/// times, so it is short.
std::string hostFeatures(Machine machine, StringRef cpu) {
  auto plain = subtargetOf(machine, cpu, "");
  llvm::SmallVector<std::string> features;
  for (const auto &entry : llvm::sys::getHostCPUFeatures())
    if (entry.second != has(*plain, entry.first()))
      features.push_back(((entry.second ? "+" : "-") + entry.first()).str());
  llvm::sort(features, [](StringRef a, StringRef b) {
    return a.drop_front() < b.drop_front();
  });
  return llvm::join(features, ",");
}

void addFeature(std::string &features, StringRef feature) {
  features += (features.empty() ? "" : ",") + feature.str();
}

/// "armv8.2-a" is not a CPU but what all CPUs of a version have.
bool findArmVersion(CpuTarget &target, StringRef name) {
  using namespace llvm::AArch64;
  if (!name.starts_with("armv"))
    return false;
  const ArchInfo *version = parseArch(name);
  if (!version || version->Profile != AProfile)
    return false;
  ExtensionSet extensions;
  extensions.addArchDefaults(*version);
  std::vector<std::string> features;
  extensions.toLLVMFeatureList(features);
  target.cpu = "generic";
  target.features = llvm::join(features, ",");
  return true;
}

/// Finds machine, CPU and features; false for a name that nobody has.
bool findCpu(CpuTarget &target, StringRef name) {
  target.info.name = name.str();
  target.machine = Machine::AArch64;
  if (findArmVersion(target, name))
    return true;
  target.cpu = name.str();
  for (Machine machine : {Machine::X86_64, Machine::AArch64}) {
    // LLVM only warns about a name it does not know, so ask before using it.
    bool known = !name.empty() && name != "generic" &&
                 subtargetOf(machine, "", "")->isCPUStringValid(name);
    target.machine = machine;
    // The 32-bit CPUs of x86 have names, too.
    if (known && (machine != Machine::X86_64 ||
                  has(*subtargetOf(machine, name, ""), "64bit")))
      return true;
  }
  return false;
}

bool findHost(CpuTarget &target) {
  llvm::Triple host(llvm::sys::getProcessTriple());
  if (!host.isX86() && !host.isAArch64())
    return false;
  target.machine = host.isX86() ? Machine::X86_64 : Machine::AArch64;
  target.cpu = target.info.name = llvm::sys::getHostCPUName().str();
  target.features = hostFeatures(target.machine, target.cpu);
  return true;
}

} // namespace

mlir::FailureOr<CpuTarget> CpuTarget::get(StringRef name, mlir::Location loc) {
  CpuTarget target;
  if (name == "native" ? !findHost(target) : !findCpu(target, name))
    return emitCoded(loc, Code::UnknownCpu)
           << "unknown target CPU '" << name
           << "', expected native, x86-64, x86-64-v2, x86-64-v3, x86-64-v4, a "
              "64-bit x86 CPU such as skylake-avx512, sapphirerapids, znver4, "
              "znver5, armv8-a, armv8.2-a, or an AArch64 CPU such as "
              "cortex-a76, neoverse-n1, neoverse-v2, apple-m1";
  target.triple = tripleOf(target.machine).str();
  // Tiles are made of vectors whose width is known; SVE's are not, and LLVM
  // would use them beside ours.
  if (target.machine == Machine::AArch64)
    addFeature(target.features, "-sve");
  // Loads and stores with a stride in what LLVM vectorizes: as one instruction
  // they are slower than one by one on Zen, and no faster elsewhere.
  else
    addFeature(target.features, "+prefer-no-gather,+prefer-no-scatter");
  fillInfo(target, *subtargetOf(target.machine, target.cpu, target.features));
  return target;
}

bool CpuTarget::isGeneric() const {
  return cpu == "generic" || StringRef(cpu).starts_with("x86-64");
}

mlir::FailureOr<llvm::SmallVector<CpuTarget>>
graven::cpu::findTargets(StringRef names, mlir::Location loc) {
  llvm::SmallVector<StringRef> list;
  names.split(list, ',');
  llvm::SmallVector<CpuTarget> targets;
  for (StringRef name : list) {
    auto target = CpuTarget::get(name, loc);
    if (mlir::failed(target))
      return mlir::failure();
    for (const CpuTarget &other : targets) {
      if (other.machine != target->machine)
        return emitCoded(loc, Code::UnknownCpu)
               << "'" << other.info.name << "' and '" << name
               << "' are CPUs of two architectures";
      if (other.requiredFeatures == target->requiredFeatures)
        return emitCoded(loc, Code::UnknownCpu)
               << "nothing would choose between '" << other.info.name
               << "' and '" << name << "': they have the same features";
    }
    targets.push_back(std::move(*target));
  }
  // What asks for more of everything has wider vectors or more features.
  auto rank = [](const CpuTarget &target) {
    return std::tuple(target.info.vectorBytes,
                      llvm::popcount(target.requiredFeatures),
                      StringRef(target.info.name));
  };
  llvm::sort(targets, [&](const CpuTarget &a, const CpuTarget &b) {
    return rank(a) > rank(b);
  });
  return targets;
}

std::unique_ptr<llvm::TargetMachine>
CpuTarget::createTargetMachine(llvm::CodeGenOptLevel level) const {
  llvm::TargetOptions options;
  // Multiplications and additions fuse where the IR says `contract`, nowhere
  // else.
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  options.MCOptions.AsmVerbose = true;
  options.UniqueSectionNames = true;
  return std::unique_ptr<llvm::TargetMachine>(
      findBackend(machine).createTargetMachine(
          llvm::Triple(triple), cpu, features, options, llvm::Reloc::PIC_,
          llvm::CodeModel::Small, level));
}
