//===- FuzzTarget.cpp - one hostile file after another --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the program that test/fuzz/fuzz.py drives: each line of
// standard input names a stage and a file; a forked child, which has a warm
// context and limits on memory and time, takes the file through that stage; the
// answer says how the child ended. Uncoded errors count as bugs where the stage
// speaks to users.
//
// Request: STAGE \t PATH \t INPUT-SPEC,...    Answer: "exit N" or "signal N"
//===----------------------------------------------------------------------===//

#include "compiler/session/Dialects.h"
#include "compiler/session/Session.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "runtime/host/Npy.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdio>
#include <fcntl.h>
#include <iostream>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace graven;
using namespace mlir;

namespace {

/// How a child ends when nothing kills it.
enum Outcome : int { Accepted = 0, Refused = 2, Usage = 3, Uncoded = 70 };

constexpr rlim_t memoryLimit = rlim_t(3) << 30;
constexpr rlim_t secondsLimit = 20;

struct Request {
  std::string stage, path;
  ImportOptions options;
};

/// What the diagnostics of one child say about whose fault it is.
struct Errors {
  int64_t coded = 0, uncoded = 0;
};

std::optional<Request> parseRequest(StringRef line) {
  SmallVector<StringRef> fields;
  line.split(fields, '\t');
  if (fields.size() != 3)
    return std::nullopt;
  Request request{fields[0].str(), fields[1].str(), {}};
  SmallVector<StringRef> specs;
  // A space separates specifications, because commas separate extents.
  fields[2].split(specs, ' ', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef text : specs) {
    auto spec = parseInputSpec(text);
    if (!spec) {
      llvm::consumeError(spec.takeError());
      return std::nullopt;
    }
    request.options.inputs.push_back(*spec);
  }
  return request;
}

/// "a,b" of "passes:a,b"; empty for other stages.
StringRef passesOf(StringRef stage) {
  return stage.consume_front("passes:") ? stage : StringRef();
}

LogicalResult evaluate(Session &session, ModuleOp module) {
  auto graph = module.lookupSymbol<GraphOp>("forward");
  if (!graph)
    return success();
  std::vector<rt::Array> arrays;
  for (Type type : graph.getArgumentTypes()) {
    auto tensor = cast<RankedTensorType>(type);
    if (!tensor.hasStaticShape() || tensor.getNumElements() > (1 << 20))
      return success();
    auto array =
        rt::Array::create(dtypeOf(tensor.getElementType()),
                          {tensor.getShape().begin(), tensor.getShape().end()});
    if (!array)
      return success();
    arrays.push_back(std::move(*array));
  }
  return success(succeeded(session.evaluate(module, arrays)));
}

LogicalResult runStage(Session &session, const Request &request) {
  if (request.stage == "npy")
    return success(bool(rt::readNpy(request.path)));
  auto module = session.import(request.path, request.options);
  if (failed(module) || request.stage == "import")
    return success(succeeded(module));
  if (request.stage == "evaluate")
    return evaluate(session, **module);
  if (request.stage == "compile")
    return success(
        succeeded(session.compile(**module, {}, request.path + ".so")));
  if (auto phase = parsePhase(request.stage))
    return session.runPhases(**module, *phase, {});
  // Passes by their names, on the operations they are for.
  PassManager manager(&session.getContext(), ModuleOp::getOperationName(),
                      OpPassManager::Nesting::Implicit);
  if (failed(parsePassPipeline(passesOf(request.stage), manager)))
    return failure();
  return manager.run(**module);
}

/// The child: runs the stage and never returns.
[[noreturn]] void runChild(Session &session, const Request &request) {
  struct rlimit memory = {memoryLimit, memoryLimit};
  struct rlimit seconds = {secondsLimit, secondsLimit};
  struct rlimit core = {0, 0};
  ::setrlimit(RLIMIT_AS, &memory);
  ::setrlimit(RLIMIT_CPU, &seconds);
  ::setrlimit(RLIMIT_CORE, &core);
  int log = ::open((request.path + ".log").c_str(),
                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (log >= 0) {
    ::dup2(log, STDERR_FILENO);
    ::dup2(log, STDOUT_FILENO);
  }
  Errors errors;
  session.getContext().getDiagEngine().registerHandler(
      [&errors](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == DiagnosticSeverity::Error) {
          std::string text = diagnostic.str();
          ++(StringRef(text).starts_with("[GRV") ? errors.coded
                                                 : errors.uncoded);
          llvm::errs() << diagnostic.getLocation() << ": " << text << "\n";
        }
        return success();
      });
  LogicalResult result = runStage(session, request);
  if (succeeded(result))
    ::_exit(Accepted);
  // The text forms and single passes speak MLIR's own language.
  bool coded = errors.coded > 0 || request.stage == "npy" ||
               !passesOf(request.stage).empty();
  ::_exit(coded ? Refused : Uncoded);
}

void answer(const char *how, int number) {
  std::printf("%s %d\n", how, number);
  std::fflush(stdout);
}

} // namespace

int main() {
  registerPasses();
  Session session;
  std::string line;
  while (std::getline(std::cin, line)) {
    std::optional<Request> request = parseRequest(line);
    if (!request) {
      answer("exit", Usage);
      continue;
    }
    pid_t child = ::fork();
    if (child < 0) {
      std::perror("fuzz-target: fork");
      return 1;
    }
    if (child == 0)
      runChild(session, *request);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
      answer("signal", WTERMSIG(status));
    else
      answer("exit", WEXITSTATUS(status));
  }
  return 0;
}
