//===- Compile.cpp - graven compile ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven compile MODEL -o m.so|m.o|m.a|m.mlir|m.ll|m.s`.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "dialects/support/Diagnostics.h"

using namespace mlir;
using namespace llvm;

namespace graven::cli {
namespace {

class CompileCommand : public Command {
public:
  CompileCommand()
      : Command("compile", "a model -> .so .o .a .s .ll .mlir"), flags(sub),
        compile(sub),
        outputFlag("o", cl::desc("output file; its extension says what it is"),
                   cl::Required, cl::sub(sub)),
        headerFlag("header", cl::desc("also write a C header"),
                   cl::value_desc("m.h"), cl::sub(sub)),
        nameFlag(
            "name",
            cl::desc("prefix of the C symbols; default: the output's name"),
            cl::sub(sub)),
        toFlag("to",
               cl::desc("stop after a phase and write IR: import graph kernel "
                        "buffer loops"),
               cl::sub(sub)) {}

  void read() override {
    flags.read();
    compile.read();
    output = outputFlag;
    header = headerFlag;
    name = nameFlag;
    to = toFlag;
  }

  int run() override {
    Session session;
    MLIRContext *context = &session.getContext();
    auto options = flags.importOptions(context);
    if (failed(options))
      return BadInput;
    std::optional<Phase> last = parsePhase(to);
    if (!to.empty() && !last) {
      emitCoded(UnknownLoc::get(context), Code::BadOption)
          << "--to takes import, graph, kernel, buffer or loops, got '" << to
          << "'";
      return Usage;
    }
    auto module = session.import(flags.model, *options);
    if (failed(module))
      return BadInput;
    CompileOptions how = compile.options;
    how.headerPath = header;
    how.name = name;
    if (last)
      return failed(session.runPhases(**module, *last, how)) ||
                     failed(session.write(**module, output))
                 ? BadInput
                 : Ok;
    return failed(session.compile(**module, how, output)) ? BadInput : Ok;
  }

private:
  ModelFlags flags;
  CompileFlags compile;
  std::string output, header, name, to;
  cl::opt<std::string> outputFlag, headerFlag, nameFlag, toFlag;
};

} // namespace

std::unique_ptr<Command> makeCompile() {
  return std::make_unique<CompileCommand>();
}

} // namespace graven::cli
