//===- RandomGraphs.cpp - random graphs of all ops ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the program that draws, compiles and compares random
// graphs, each in a forked child with limits on memory and time, so that a
// crash is one finding and not the end.
//
// usage: random-graphs --seed N --count M [--keep FOLDER] | --draw --seed N
// Prints one line of JSON: the findings, and how many Nodes of each op there
// were. Exit code: 0 when there is no finding, 1 otherwise.
//===----------------------------------------------------------------------===//

#include "test/fuzz/random/Rows.h"
#include "test/fuzz/random/Trial.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdio>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace graven;
using namespace graven::fuzz;
using namespace mlir;

namespace {

/// How a child ends when nothing kills it.
enum Outcome : int { Passed = 0, Found = 1 };

/// What shows that findings are found.
enum class Spoil { Nothing, Value, Process };

constexpr rlim_t memoryLimit = rlim_t(8) << 30;
constexpr rlim_t secondsLimit = 20;

struct Finding {
  uint64_t seed;
  std::string what, log;
};

class Driver {
public:
  Driver(std::string keep, Spoil spoil) : keep(std::move(keep)), spoil(spoil) {
    for (auto [i, row] : llvm::enumerate(getRows()))
      rowOf[row.op] = i;
    // Children count in memory that they share with their parent.
    size_t bytes = getRows().size() * sizeof(int64_t);
    void *memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      llvm::report_fatal_error("random-graphs: mmap");
    counts = static_cast<int64_t *>(memory);
  }

  void run(uint64_t seed) {
    std::string log;
    int status = inChild([&] { return attempt(seed); }, log);
    if (WIFEXITED(status) && WEXITSTATUS(status) == Passed)
      return;
    StringRef text = StringRef(log).rtrim();
    std::string what = text.substr(text.rfind('\n') + 1).str();
    if (WIFSIGNALED(status))
      what = llvm::formatv("signal {0} ({1})", WTERMSIG(status),
                           strsignal(WTERMSIG(status)));
    if (!keep.empty())
      inChild([&] { return write(seed); }, log);
    llvm::errs() << "seed " << seed << ": " << what << "\n";
    findings.push_back({seed, what, log});
  }

  bool report() {
    llvm::json::Array list;
    for (const Finding &finding : findings)
      list.push_back(
          llvm::json::Object{{"seed", finding.seed},
                             {"what", llvm::json::fixUTF8(finding.what)},
                             {"log", llvm::json::fixUTF8(finding.log)}});
    llvm::json::Object nodes;
    for (auto [i, row] : llvm::enumerate(getRows()))
      nodes[row.op] = counts[i];
    llvm::json::Object result{{"findings", std::move(list)},
                              {"nodes", std::move(nodes)}};
    llvm::outs() << llvm::json::Value(std::move(result)) << "\n";
    return findings.empty();
  }

private:
  Outcome attempt(uint64_t seed) {
    Trial trial(session, seed);
    trial.getModule().walk([&](Operation *node) {
      auto row = rowOf.find(node->getName().getStringRef());
      if (row != rowOf.end())
        ++counts[row->second];
    });
    if (spoil == Spoil::Value)
      trial.spoil();
    if (spoil == Spoil::Process)
      std::abort();
    std::optional<std::string> problem = trial.run();
    if (problem)
      llvm::errs() << *problem << "\n";
    return problem ? Found : Passed;
  }

  /// Drawn again: what was found may have ended the child that drew it first.
  Outcome write(uint64_t seed) {
    llvm::errs() << Trial(session, seed).write(keep) << "\n";
    return Passed;
  }

  /// Its status; what it writes to standard error is added to `log`.
  static int inChild(llvm::function_ref<Outcome()> body, std::string &log) {
    std::FILE *file = std::tmpfile();
    pid_t child = file ? ::fork() : -1;
    if (child < 0)
      llvm::report_fatal_error("random-graphs: no child");
    if (child == 0) {
      struct rlimit memory = {memoryLimit, memoryLimit};
      struct rlimit seconds = {secondsLimit, secondsLimit};
      struct rlimit core = {0, 0};
      ::setrlimit(RLIMIT_AS, &memory);
      ::setrlimit(RLIMIT_CPU, &seconds);
      ::setrlimit(RLIMIT_CORE, &core);
      ::dup2(::fileno(file), STDERR_FILENO);
      ::_exit(body());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    log += readBack(file);
    return status;
  }

  static std::string readBack(std::FILE *log) {
    std::string text;
    std::rewind(log);
    char buffer[4096];
    while (size_t size = std::fread(buffer, 1, sizeof(buffer), log))
      text.append(buffer, size);
    std::fclose(log);
    return text;
  }

  Session session;
  std::string keep;
  Spoil spoil;
  llvm::StringMap<size_t> rowOf;
  int64_t *counts = nullptr;
  std::vector<Finding> findings;
};

/// Every op of the dialect is drawn, or there is a reason why not.
bool checkTable() {
  Session session;
  llvm::StringSet<> known;
  for (const Row &row : getRows())
    known.insert(row.op);
  for (const Exempt &exempt : getExempt())
    if (!known.insert(exempt.op).second) {
      llvm::errs() << exempt.op << " has a row and a reason to have none\n";
      return false;
    }
  bool isWhole = true;
  for (RegisteredOperationName op :
       session.getContext().getRegisteredOperations())
    if (op.getDialectNamespace() == "graven" &&
        !known.contains(op.getStringRef())) {
      llvm::errs() << op.getStringRef()
                   << " has no row in test/fuzz/random/Rows*.cpp\n";
      isWhole = false;
    }
  return isWhole;
}

} // namespace

int main(int argc, char **argv) {
  llvm::cl::OptionCategory category("random-graphs");
  llvm::cl::opt<uint64_t> seed("seed", llvm::cl::desc("first seed"),
                               llvm::cl::init(1), llvm::cl::cat(category));
  llvm::cl::opt<uint64_t> count("count", llvm::cl::desc("how many seeds"),
                                llvm::cl::init(1), llvm::cl::cat(category));
  llvm::cl::opt<std::string> keep(
      "keep", llvm::cl::desc("write graphs and their values to this folder"),
      llvm::cl::cat(category));
  llvm::cl::opt<Spoil> spoil(
      "spoil", llvm::cl::desc("make findings, for a test"),
      llvm::cl::values(
          clEnumValN(Spoil::Value, "value", "by an expected element"),
          clEnumValN(Spoil::Process, "process", "by ending a process")),
      llvm::cl::init(Spoil::Nothing), llvm::cl::cat(category));
  llvm::cl::opt<bool> draw("draw", llvm::cl::desc("print the graph only"),
                           llvm::cl::cat(category));
  llvm::cl::HideUnrelatedOptions(category);
  llvm::cl::ParseCommandLineOptions(argc, argv, "random graphs of all ops\n");
  if (!checkTable())
    return 1;
  if (draw) {
    Session session;
    Trial(session, seed).getModule().print(llvm::outs());
    return 0;
  }
  Driver driver(keep, spoil);
  for (uint64_t i = 0; i < count; ++i)
    driver.run(seed + i);
  return driver.report() ? 0 : 1;
}
