//===- Verify.cpp - graven verify -----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven verify A [B]`: whether two files, or a file by
// two runtimes, give the same results, how far they are apart, and from which
// Node on.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Sides.h"
#include "compiler/session/DiagnosticPrinter.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace llvm;

namespace graven::cli {
namespace {

class VerifyCommand : public ModelCommand {
public:
  VerifyCommand()
      : ModelCommand("verify", "whether two models, artifacts or runtimes give "
                               "the same results, and where they differ"),
        compile(sub), otherFlag(cl::Positional, cl::desc("[OTHER]"),
                                cl::init("evaluator"), cl::sub(sub)),
        perNodeFlag("per-node",
                    cl::desc("also compare the values of Nodes, and name the "
                             "first that differs"),
                    cl::sub(sub)),
        toleranceFlag("tolerance",
                      cl::desc("how far results may be apart, in parts of the "
                               "greatest element; default: by type"),
                      cl::sub(sub)) {}

  void read() override {
    ModelCommand::read();
    compile.read();
    first = Side::parse(flags.model);
    second = Side::parse(otherFlag);
    if (first.path.empty())
      first.path = second.path;
    if (second.path.empty())
      second.path = first.path;
    flags.model = first.path;
    depth = perNodeFlag ? Depth::Nodes : Depth::Outputs;
    if (toleranceFlag.getNumOccurrences() > 0)
      tolerance = toleranceFlag;
  }

private:
  int runOn(Session &session) override {
    MLIRContext *context = &session.getContext();
    if (failed(compile.check(context)) || failed(checkOptions(context)))
      return Usage;
    auto options = importOptions(session);
    if (failed(options))
      return BadInput;
    auto inputs = inputsOf(session, *options);
    if (failed(inputs))
      return BadInput;
    SideRunner runner{session, *options, compile.options};
    auto got = runner.run(first, *inputs, depth);
    if (failed(got))
      return BadInput;
    auto expected = runner.run(second, *inputs, depth);
    if (failed(expected))
      return BadInput;
    if (!isJson())
      outs() << first.describe() << "\nbeside " << second.describe() << "\n";
    report["first"] = json::fixUTF8(first.describe());
    report["second"] = json::fixUTF8(second.describe());
    bool isSame = compareOutputs(expected->outputs, got->outputs);
    if (depth == Depth::Nodes)
      compareNodes(expected->nodes, got->nodes);
    report["same"] = isSame;
    if (!isJson())
      outs() << (isSame ? "the same\n" : "different\n");
    return isSame ? Ok : CheckFailed;
  }

  LogicalResult checkOptions(MLIRContext *context) const {
    Location loc = UnknownLoc::get(context);
    if (first.path.empty())
      return emitCoded(loc, Code::BadOption)
             << "expected a file, got two names of runtimes";
    if (tolerance && !(*tolerance >= 0))
      return emitCoded(loc, Code::BadOption)
             << "--tolerance takes a number that is not negative";
    for (const Side *side : {&first, &second}) {
      bool isModelsOnly = side->runner != Runner::Native;
      if (isModelsOnly && cli::isArtifact(side->path))
        return emitCoded(loc, Code::BadOption)
               << "'" << side->path
               << "' is an artifact: name the model to compare it with";
      if (depth == Depth::Nodes && side->isArtifact())
        return emitCoded(loc, Code::BadOption)
               << "--per-node needs the values of Nodes, which an artifact "
                  "does "
                  "not give; compare a model with the evaluator, PyTorch or "
                  "ONNX Runtime";
    }
    return success();
  }

  /// What the first side takes, as the flags give it, else random.
  FailureOr<std::vector<rt::Array>> inputsOf(Session &session,
                                             const ImportOptions &options) {
    MLIRContext *context = &session.getContext();
    if (first.isArtifact()) {
      auto opened = rt::LoadedModel::load(first.path);
      if (!opened)
        return emitCoded(UnknownLoc::get(context), Code::BadArtifact)
               << opened.error().message;
      auto infos = opened->inputs();
      return gatherInputs(context, flags, ArrayRef(infos.data(), infos.size()),
                          Missing::IsRandom);
    }
    auto module = session.import(first.path, options);
    if (failed(module))
      return failure();
    auto graph = requireGraph(**module);
    if (failed(graph))
      return failure();
    return gatherInputs(context, flags, *graph, Missing::IsRandom);
  }

  bool isWithin(const Errors &errors, Type elementType) const {
    return errors.relative() <= tolerance.value_or(usualTolerance(elementType));
  }

  static json::Object toJson(const Errors &errors) {
    json::Object histogram;
    for (auto [bin, count] : llvm::enumerate(errors.histogram))
      if (count > 0)
        histogram[binName(bin)] = count;
    json::Object entry{{"greatest_difference", errors.greatest},
                       {"greatest_element", errors.scale},
                       {"not_finite", errors.numNotFinite()},
                       {"histogram", std::move(histogram)}};
    if (errors.worst >= 0)
      entry["element"] = errors.worst;
    return entry;
  }

  /// "3.1e-07 of its greatest element" and how many elements are how far off.
  static void print(const Errors &errors) {
    outs() << formatv("{0:e1} of its greatest element", errors.relative());
    if (errors.worst >= 0)
      outs() << " at element " << errors.worst;
    const char *separator = "\n  ";
    for (auto [bin, count] : llvm::enumerate(errors.histogram))
      if (count > 0) {
        outs() << separator << binName(bin) << ": " << count;
        separator = ", ";
      }
    outs() << "\n";
  }

  bool compareOutputs(ArrayRef<eval::Tensor> expected,
                      ArrayRef<eval::Tensor> got) {
    bool isSame = expected.size() == got.size();
    if (!isSame && !isJson())
      outs() << "expected " << expected.size() << " outputs, got " << got.size()
             << "\n";
    json::Array entries;
    for (auto [i, pair] : llvm::enumerate(llvm::zip(expected, got))) {
      auto &[wanted, found] = pair;
      bool isEqual = wanted.getType() == found.getType();
      std::string label = formatv("output {0}", i);
      if (!isEqual) {
        std::string text =
            formatv("is {0}, expected {1}", Type(found.getType()),
                    Type(wanted.getType()));
        entries.push_back(json::Object{{"same", false}, {"type", text}});
        if (!isJson())
          outs() << label << " " << text << "\n";
      } else {
        Errors errors = errorsOf(wanted, found);
        isEqual = isWithin(errors, wanted.getElementType());
        json::Object entry = toJson(errors);
        entry["same"] = isEqual;
        entries.push_back(std::move(entry));
        if (!isJson()) {
          outs() << label << ": ";
          print(errors);
        }
      }
      isSame &= isEqual;
    }
    report["outputs"] = std::move(entries);
    return isSame;
  }

  void compareNodes(ArrayRef<NodeValue> expected, ArrayRef<NodeValue> got) {
    std::vector<NodeComparison> nodes = compareTraces(expected, got);
    json::Array entries;
    const NodeComparison *diverging = firstDivergence(got, nodes, tolerance);
    int64_t others = 0;
    for (const NodeComparison &node : nodes) {
      bool isEqual = node.isWithin(tolerance);
      others += !isEqual;
      json::Object entry = toJson(node.errors);
      entry["op"] = node.got->kind;
      entry["place"] = json::fixUTF8(graven::describe(node.got->loc));
      entry["same"] = isEqual;
      entries.push_back(std::move(entry));
    }
    if (diverging)
      report["first_diverging"] = json::Object{
          {"op", diverging->got->kind},
          {"place", json::fixUTF8(graven::describe(diverging->got->loc))}};
    report["nodes"] = std::move(entries);
    if (isJson())
      return;
    outs() << nodes.size() << " of " << got.size() << " Nodes compared";
    if (!diverging) {
      outs() << (others == 0 ? ": none differs\n"
                             : "; what differs in " + std::to_string(others) +
                                   " of them, others make up for\n");
      return;
    }
    std::string place = graven::describe(diverging->got->loc);
    outs() << "; the first that differs is '" << diverging->got->kind << "'"
           << (place.empty() ? "" : " at ") << place << ": ";
    print(diverging->errors);
  }

  CompileFlags compile;
  Side first, second;
  Depth depth = Depth::Outputs;
  std::optional<double> tolerance;
  cl::opt<std::string> otherFlag;
  cl::opt<bool> perNodeFlag;
  cl::opt<double> toleranceFlag;
};

} // namespace

std::unique_ptr<Command> makeVerify() {
  return std::make_unique<VerifyCommand>();
}

} // namespace graven::cli
