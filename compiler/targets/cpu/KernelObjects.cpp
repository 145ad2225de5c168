//===- KernelObjects.cpp - an object for each kernel ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements KernelBuild. A kernel is looked up by its text
// before it is expanded, so that what is found costs no more than its printing.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/KernelObjects.h"
#include "compiler/cache/BuildIdentity.h"
#include "compiler/cache/KernelCache.h"
#include "compiler/targets/cpu/Passes.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace graven::cpu;

namespace {

using Bytes = llvm::SmallVector<char, 0>;

/// A kernel that becomes an object.
struct Job {
  graven::CacheKey key;
  std::string symbol;
  /// The functions of the module that it is.
  llvm::SmallVector<std::string, 1> names;
  /// Holds the kernel until it is compiled; null when it was found.
  OwningOpRef<ModuleOp> module;
  Bytes object;
  llvm::SmallVector<std::string> problems;
  std::optional<FunctionReport> report;
};

/// Machines that threads take and give back: to make one takes as long as to
/// compile a small kernel.
class Machines {
public:
  Machines(const CpuTarget &target, OptLevel level)
      : target(target), level(level) {}

  std::unique_ptr<llvm::TargetMachine> take() {
    {
      std::lock_guard<std::mutex> lock(mutex);
      if (!idle.empty())
        return idle.pop_back_val();
    }
    return target.createTargetMachine(codegenLevel(level));
  }
  void give(std::unique_ptr<llvm::TargetMachine> machine) {
    std::lock_guard<std::mutex> lock(mutex);
    idle.push_back(std::move(machine));
  }

private:
  const CpuTarget &target;
  OptLevel level;
  std::mutex mutex;
  llvm::SmallVector<std::unique_ptr<llvm::TargetMachine>> idle;
};

class Kernels : public KernelBuild {
public:
  Kernels(ModuleOp module, const CpuTarget &target, const EmitOptions &options)
      : module(module), target(target), options(options),
        machines(target, options.optLevel) {}
  ~Kernels() override { wait(); }

  void separate();
  void look();
  LogicalResult compile();
  const llvm::StringSet<> &symbols() const override { return names; }
  FailureOr<KernelObjects> finish() override;

private:
  std::optional<SmallVector<memref::GlobalOp>>
  constantsOf(func::FuncOp kernel, const SymbolTable &table);
  std::string textOf(func::FuncOp kernel, ArrayRef<memref::GlobalOp> constants);
  LogicalResult lower(ArrayRef<Job *> missing);
  void generate(Job &job);
  void wait() {
    if (tasks)
      tasks->wait();
    timing.stop();
  }

  ModuleOp module;
  const CpuTarget &target;
  const EmitOptions &options;
  Machines machines;
  llvm::SmallVector<Job> jobs;
  llvm::StringSet<> names;
  unsigned numCached = 0;
  TimingScope timing;
  /// None on a context without threads.
  std::optional<llvm::ThreadPoolTaskGroup> tasks;
};

/// The constants that a kernel reads; nullopt when it refers to anything else.
std::optional<SmallVector<memref::GlobalOp>>
Kernels::constantsOf(func::FuncOp kernel, const SymbolTable &table) {
  auto uses = SymbolTable::getSymbolUses(kernel);
  if (!uses)
    return std::nullopt;
  llvm::SetVector<Operation *> used;
  for (const SymbolTable::SymbolUse &use : *uses)
    used.insert(table.lookup(use.getSymbolRef().getRootReference()));
  SmallVector<memref::GlobalOp> constants;
  for (Operation *op : used) {
    auto constant = dyn_cast_or_null<memref::GlobalOp>(op);
    if (!constant || !constant.getConstant() || !constant.isPrivate() ||
        constant.isExternal())
      return std::nullopt;
    constants.push_back(constant);
  }
  return constants;
}

/// All that the object depends on.
std::string Kernels::textOf(func::FuncOp kernel,
                            ArrayRef<memref::GlobalOp> constants) {
  const graven::TargetInfo &info = target.info;
  std::string text;
  llvm::raw_string_ostream os(text);
  os << graven::buildIdentity() << '\n'
     << target.triple << '\n'
     << target.cpu << '\n'
     << target.features << '\n'
     << static_cast<int>(options.optLevel) << ' '
     << static_cast<int>(options.inputAlignment) << ' ' << info.vectorBytes
     << ' ' << info.vectorRegisters << ' ' << info.hasFMA << ' '
     << info.hasInt8Dot << ' ' << info.hasBF16Dot << ' ' << info.hasF16Convert
     << ' ' << info.l1Bytes << ' ' << info.l2Bytes << ' ' << info.l3Bytes
     << '\n';
  OpPrintingFlags flags;
  flags.printGenericOpForm();
  flags.useLocalScope();
  for (memref::GlobalOp constant : constants) {
    constant->print(os, flags);
    os << '\n';
  }
  kernel->print(os, flags);
  return text;
}

/// What the kernel does, for whoever reads a profile: the name of its first
/// structured operation.
std::string labelOf(func::FuncOp kernel) {
  for (Operation &op : kernel.front()) {
    StringRef dialect = op.getName().getDialectNamespace();
    if (dialect == "kernel" || dialect == "linalg" || isa<memref::CopyOp>(op))
      return op.getName().stripDialect().str();
  }
  return "kernel";
}

/// Moves kernels into modules of their own and gives them their symbols.
void Kernels::separate() {
  annotateKernels(module);
  SymbolTable table(module);
  llvm::StringMap<StringAttr> renamed;
  llvm::StringMap<size_t> known;
  for (func::FuncOp kernel :
       llvm::make_early_inc_range(module.getOps<func::FuncOp>())) {
    if (!kernel->hasAttr(graven::kernel::kEntryAttr) || kernel.isExternal())
      continue;
    auto constants = constantsOf(kernel, table);
    if (!constants)
      continue;
    std::string name = kernel.getName().str();
    kernel.setSymName("k");
    Job job;
    job.key = graven::cacheKeyOf(textOf(kernel, *constants));
    job.names = {name};
    job.symbol =
        labelOf(kernel) + "." +
        llvm::toHex(ArrayRef(job.key).take_front(16), /*LowerCase=*/true);
    auto symbol = StringAttr::get(module.getContext(), job.symbol);
    renamed[name] = symbol;
    table.remove(kernel);
    auto [same, isNew] = known.try_emplace(job.symbol, jobs.size());
    if (!isNew) {
      jobs[same->second].names.push_back(name);
      kernel.erase();
      continue;
    }
    OpBuilder b(kernel);
    auto declaration =
        cast<func::FuncOp>(b.cloneWithoutRegions(*kernel.getOperation()));
    declaration.setSymNameAttr(symbol);
    declaration->setAttr(kObjectAttr, b.getUnitAttr());
    kernel.setSymNameAttr(symbol);
    job.module = ModuleOp::create(kernel.getLoc());
    Block *body = job.module->getBody();
    b.setInsertionPointToEnd(body);
    for (memref::GlobalOp constant : *constants)
      b.clone(*constant);
    kernel->moveBefore(body, body->end());
    names.insert(job.symbol);
    jobs.push_back(std::move(job));
  }
  module.walk([&](graven::kernel::LaunchOp launch) {
    if (StringAttr symbol = renamed.lookup(launch.getCallee()))
      launch.setCalleeAttr(FlatSymbolRefAttr::get(symbol));
  });
}

/// Fills in what was compiled before.
void Kernels::look() {
  if (!options.cache || options.reports)
    return;
  TimingScope timing(mlir::Timer(options.timer).nest("look up kernels"));
  for (Job &job : jobs)
    if (auto object = options.cache->find(job.key)) {
      job.object = std::move(*object);
      job.module = nullptr;
      ++numCached;
    }
}

/// Takes the kernels that were not found to the LLVM dialect, several at a
/// time.
LogicalResult Kernels::lower(ArrayRef<Job *> missing) {
  OwningOpRef<ModuleOp> all(ModuleOp::create(module.getLoc()));
  for (Job *job : missing) {
    job->module->getOperation()->setAttrs(module->getAttrDictionary());
    all->push_back(job->module.release());
  }
  PassManager manager(module.getContext());
  TimingScope timing(mlir::Timer(options.timer).nest("lower kernels"));
  manager.enableTiming(timing);
  manager.enableVerifier(false);
  OpPassManager &each = manager.nest<ModuleOp>();
  if (options.expandKernels)
    options.expandKernels(each, target.info);
  buildLLVMPhase(each, Launches::Silent);
  if (failed(manager.run(*all)) || failed(verify(*all)))
    return failure();
  auto *next = missing.begin();
  for (auto lowered : llvm::make_early_inc_range(all->getOps<ModuleOp>())) {
    if (options.inputAlignment == InputAlignment::Byte)
      assumeNoAlignment(lowered);
    lowered->remove();
    (*next++)->module = lowered;
  }
  return success();
}

void Kernels::generate(Job &job) {
  llvm::LLVMContext context;
  CodegenProblems problems(context);
  auto code = translateModuleToLLVMIR(*job.module, context, job.symbol);
  if (!code) {
    job.problems.push_back("the LLVM dialect could not be translated");
    return;
  }
  llvm::Function *kernel = code->getFunction(job.symbol);
  kernel->setLinkage(llvm::GlobalValue::WeakODRLinkage);
  kernel->setVisibility(llvm::GlobalValue::HiddenVisibility);
  kernel->setComdat(code->getOrInsertComdat(job.symbol));
  std::unique_ptr<llvm::TargetMachine> machine = machines.take();
  prepareFunctions(*code, *machine, target.info.vectorBytes, problems);
  optimize(*code, *machine, options.optLevel);
  llvm::SmallVector<FunctionReport> reports;
  generateCode(*code, *machine, llvm::CodeGenFileType::ObjectFile, job.object,
               problems, options.reports ? &reports : nullptr);
  job.problems.assign(problems.all().begin(), problems.all().end());
  for (FunctionReport &report : reports)
    if (report.name == job.symbol)
      job.report = std::move(report);
  machines.give(std::move(machine));
}

LogicalResult Kernels::compile() {
  SmallVector<Job *> missing;
  for (Job &job : jobs)
    if (job.module)
      missing.push_back(&job);
  if (missing.empty())
    return success();
  if (failed(lower(missing)))
    return failure();
  // The largest first, so that no thread is left with one at the end.
  DenseMap<Job *, size_t> size;
  for (Job *job : missing)
    job->module->walk([&](Operation *) { ++size[job]; });
  llvm::sort(missing, [&](Job *a, Job *b) {
    return std::tie(size[b], a->symbol) < std::tie(size[a], b->symbol);
  });
  mlir::Timer timer = mlir::Timer(options.timer).nest("compile kernels");
  timing = TimingScope(timer);
  auto run = [this, timer](Job &job) {
    TimingScope timing(mlir::Timer(timer).nest("kernels"));
    generate(job);
    if (options.cache && job.problems.empty())
      options.cache->store(job.key, job.object);
  };
  MLIRContext *context = module.getContext();
  if (context->isMultithreadingEnabled())
    tasks.emplace(context->getThreadPool());
  for (Job *job : missing)
    if (tasks)
      tasks->async([run, job] { run(*job); });
    else
      run(*job);
  return success();
}

FailureOr<KernelObjects> Kernels::finish() {
  wait();
  KernelObjects result;
  result.numCached = numCached;
  bool good = true;
  for (Job &job : jobs) {
    // Modules are taken apart one by one.
    job.module = nullptr;
    for (const std::string &problem : job.problems) {
      emitError(module.getLoc()) << "cannot generate code: " << problem;
      good = false;
    }
    result.objects.push_back(std::move(job.object));
    for (const std::string &name : job.names)
      if (job.report)
        result.reports.emplace_back(*job.report).name = name;
  }
  if (!good)
    return failure();
  return result;
}

} // namespace

FailureOr<std::unique_ptr<KernelBuild>>
KernelBuild::start(ModuleOp module, const CpuTarget &target,
                   const EmitOptions &options) {
  auto kernels = std::make_unique<Kernels>(module, target, options);
  kernels->separate();
  kernels->look();
  if (failed(kernels->compile()))
    return failure();
  return std::unique_ptr<KernelBuild>(std::move(kernels));
}
