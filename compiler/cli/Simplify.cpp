//===- Simplify.cpp - graven simplify -------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven simplify in.onnx out.onnx`: the passes of an
// export, and a run of both models on the same random inputs.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "compiler/cli/Elements.h"
#include "dialects/support/Diagnostics.h"
#include "frontends/onnx/Surgery.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace llvm;

namespace graven::cli {
namespace {

/// How far results may be off, of the greatest of them.
constexpr double kTolerance = 1e-4;
/// The extent that a symbol has in the check when --dim does not say.
constexpr int64_t kUsualExtent = 2;
/// Multiplications from which on compiling a model for the check takes less
/// time than evaluating it.
constexpr double kMuchWork = 2e10;
/// Elements of weights from which on a compile, which packs one after the
/// other, needs less memory.
constexpr double kManyWeights = 1 << 26;

double elements(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  double count = 1;
  for (int64_t extent : type.getShape())
    count *= static_cast<double>(std::max<int64_t>(extent, 1));
  return count;
}

/// How often an element of the result takes part in a product.
double depthOf(Operation *op) {
  auto extent = [](Value value, int64_t axis) {
    return static_cast<double>(
        cast<RankedTensorType>(value.getType()).getDimSize(axis));
  };
  if (auto conv = dyn_cast<ConvOp>(op))
    return elements(conv.getW()) / extent(conv.getW(), 0);
  if (auto conv = dyn_cast<ConvTransposeOp>(op))
    return elements(conv.getW()) / extent(conv.getW(), 1);
  if (auto attention = dyn_cast<AttentionOp>(op))
    return 2 * extent(attention.getK(), 2);
  if (auto matmul = dyn_cast<MatmulOp>(op))
    return elements(matmul.getA()) / elements(matmul.getResult()) *
           extent(matmul.getResult(),
                  cast<RankedTensorType>(matmul.getType()).getRank() - 1);
  return 1;
}

/// Trips of a loop that nobody waits for.
constexpr int64_t kEndlessTrips = int64_t(1) << 40;

/// A check of a model that runs forever would, too.
LogicalResult refuseEndlessLoops(ModuleOp module) {
  auto isTrue = [](Value value) {
    return !value || matchPattern(value, m_One());
  };
  WalkResult result = module.walk([&](LoopOp loop) {
    APInt trips;
    bool isEndless =
        (!loop.getTrip() ||
         (matchPattern(loop.getTrip(), m_ConstantInt(&trips)) &&
          trips.sgt(kEndlessTrips))) &&
        isTrue(loop.getCond()) &&
        isTrue(loop.getBody().front().getTerminator()->getOperand(0));
    if (!isEndless)
      return WalkResult::advance();
    (void)(emitCoded(loop.getLoc(), Code::UnsupportedFeature)
           << "the loop has no end, and so has the check; --no-check leaves it "
              "out");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

/// Whether the reference evaluator is to run the model: it needs no code, and
/// shares none with the passes that are checked.
bool isForEvaluator(ModuleOp module) {
  double work = 0, weights = 0;
  bool isCounted = false;
  module.walk([&](Operation *op) {
    isCounted |= isa<PrefixOp>(op);
    if (auto param = dyn_cast<ParamOp>(op))
      weights += static_cast<double>(param.getTensorType().getNumElements());
    if (op->getNumResults() > 0 &&
        isa<RankedTensorType>(op->getResult(0).getType()))
      work += elements(op->getResult(0)) * depthOf(op);
  });
  // Of extents that data decide the evaluator takes the most.
  return !isCounted && work < kMuchWork && weights < kManyWeights;
}

enum class Check { On, Off };

class SimplifyCommand : public ModelCommand {
public:
  SimplifyCommand()
      : ModelCommand("simplify", "an ONNX model with fewer nodes, checked "
                                 "against the original"),
        outputFlag(cl::Positional, cl::Required, cl::desc("OUTPUT"),
                   cl::sub(sub)),
        noCheckFlag("no-check", cl::desc("do not run the models"),
                    cl::sub(sub)),
        externalFlag(sub), passes(sub) {}

  void read() override {
    ModelCommand::read();
    passes.read(outs());
    output = outputFlag;
    wantsCheck = noCheckFlag ? Check::Off : Check::On;
    externalData = externalFlag;
  }

private:
  PassFlags *passFlags() override { return &passes; }

  int runOn(Session &session) override {
    MLIRContext *context = &session.getContext();
    auto before = summarizeOnnx(context, flags.model);
    auto imported = importOptions(session);
    auto dims = flags.dimSpecs(context);
    if (failed(before) || failed(imported) || failed(dims))
      return BadInput;
    OnnxExportOptions options;
    options.opset = before->opset;
    options.externalData = externalData;
    auto module = session.importGeneral(flags.model, *imported, *dims, options);
    if (failed(module) ||
        failed(session.simplify(**module, passes.explanations())))
      return BadInput;
    int exit = Ok;
    // OUTPUT may be the model itself, or stand there: it is replaced by what
    // was checked.
    auto check = [&](StringRef path) {
      exit = compareModels(session, *imported, path);
      return success(exit == Ok);
    };
    ExportCheck wanted = nullptr;
    if (wantsCheck == Check::On)
      wanted = check;
    auto summary = session.exportOnnx(**module, options, Folding::On, output,
                                      wanted, passes.explanations());
    if (failed(summary))
      return exit == Ok ? BadInput : exit;
    auto after = summarizeOnnx(context, output);
    if (failed(after))
      return BadInput;
    describe(*before, *after);
    return Ok;
  }

  /// The model and what was made of it, on the same inputs.
  int compareModels(Session &session, const ImportOptions &options,
                    StringRef made) {
    auto results = runModel(session, flags.model, options);
    if (failed(results))
      return BadInput;
    auto others = runModel(session, made, options);
    if (failed(others))
      return BadInput;
    if (results->size() != others->size()) {
      emitCoded(UnknownLoc::get(&session.getContext()), Code::Mismatch)
          << "the simplified model has " << others->size()
          << " outputs, expected " << results->size();
      return CheckFailed;
    }
    double worst = 0;
    for (size_t i = 0; i < results->size(); ++i)
      if (failed(compare(session, i, (*others)[i], (*results)[i], worst)))
        return CheckFailed;
    report["checked_outputs"] = static_cast<int64_t>(results->size());
    report["greatest_difference"] = worst;
    return Ok;
  }

  /// A model on the inputs that --input gives or random ones.
  FailureOr<std::vector<rt::Array>> runModel(Session &session, StringRef path,
                                             ImportOptions options) {
    MLIRContext *context = &session.getContext();
    options.extentOf = [own = options.extentOf](StringRef symbol) {
      int64_t extent = own ? own(symbol) : InputExtent::kDynamic;
      return extent == InputExtent::kDynamic ? kUsualExtent : extent;
    };
    auto module = session.import(path, options);
    if (failed(module) || failed(refuseEndlessLoops(**module)))
      return failure();
    auto graph = module->get().lookupSymbol<GraphOp>("forward");
    if (graph && isForEvaluator(**module)) {
      auto inputs = gatherInputs(context, flags, graph, Missing::IsRandom);
      if (failed(inputs))
        return failure();
      return session.evaluate(**module, *inputs);
    }
    CompileOptions compile;
    compile.level = OptLevel::O1;
    auto model = session.load(**module, compile);
    if (failed(model))
      return failure();
    auto infos = model->inputs();
    auto inputs =
        gatherInputs(context, flags, ArrayRef(infos.data(), infos.size()),
                     Missing::IsRandom);
    if (failed(inputs))
      return failure();
    auto outputs = model->run(*inputs);
    if (!outputs)
      return LogicalResult(graven::report(context, outputs.error()));
    return std::move(*outputs);
  }

  static LogicalResult compare(Session &session, size_t index,
                               const rt::Array &got, const rt::Array &wanted,
                               double &worst) {
    auto fail = [&] {
      return emitCoded(UnknownLoc::get(&session.getContext()), Code::Mismatch)
             << "output " << index << " of the simplified model ";
    };
    if (got.dtype() != wanted.dtype() ||
        !std::ranges::equal(got.extents(), wanted.extents()))
      return fail() << "is " << rt::describe(got.dtype(), got.extents())
                    << ", expected "
                    << rt::describe(wanted.dtype(), wanted.extents());
    double greatest = 0;
    for (int64_t i = 0, e = wanted.numElements(); i < e; ++i)
      if (double size = std::fabs(number(wanted, i)); std::isfinite(size))
        greatest = std::max(greatest, size);
    for (int64_t i = 0, e = got.numElements(); i < e; ++i) {
      double g = number(got, i), w = number(wanted, i);
      if (g == w || (std::isnan(g) && std::isnan(w)))
        continue;
      double difference = std::fabs(g - w);
      if (!(difference <= kTolerance * greatest))
        return fail() << "differs: element " << i << " is " << std::to_string(g)
                      << ", expected " << std::to_string(w);
      worst = std::max(worst, difference);
    }
    return success();
  }

  static int64_t total(const OnnxSummary &summary) {
    int64_t count = 0;
    for (const auto &[name, own] : summary.ops)
      count += own;
    return count;
  }

  void describe(const OnnxSummary &before, const OnnxSummary &after) {
    std::map<std::string, std::pair<int64_t, int64_t>> rows;
    for (const auto &[name, count] : before.ops)
      rows[name].first = count;
    for (const auto &[name, count] : after.ops)
      rows[name].second = count;
    json::Object ops;
    for (const auto &[name, counts] : rows)
      ops[name] =
          json::Object{{"before", counts.first}, {"after", counts.second}};
    report["output"] = output;
    report["opset"] = after.opset;
    report["ops"] = std::move(ops);
    report["nodes"] =
        json::Object{{"before", total(before)}, {"after", total(after)}};
    if (isJson())
      return;
    auto line = [](StringRef name, int64_t first, int64_t second) {
      outs() << format("%-28s %7lld %7lld\n", name.str().c_str(),
                       static_cast<long long>(first),
                       static_cast<long long>(second));
    };
    outs() << format("%-28s %7s %7s\n", "op", "before", "after");
    for (const auto &[name, counts] : rows)
      line(name, counts.first, counts.second);
    line("all nodes", total(before), total(after));
    if (wantsCheck == Check::Off)
      return;
    outs() << "checked on random inputs: "
           << *report.getInteger("checked_outputs")
           << " outputs, greatest difference "
           << format("%g\n", *report.getNumber("greatest_difference"));
  }

  std::string output;
  Check wantsCheck = Check::On;
  ExternalData externalData = ExternalData::Auto;
  cl::opt<std::string> outputFlag;
  cl::opt<bool> noCheckFlag;
  ExternalDataFlag externalFlag;
  PassFlags passes;
};

} // namespace

std::unique_ptr<Command> makeSimplify() {
  return std::make_unique<SimplifyCommand>();
}

} // namespace graven::cli
