//===- Export.cpp - graven export -----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven export MODEL -o m.onnx`.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace llvm;

namespace graven::cli {
namespace {

bool isOnnx(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  return buffer && detectFormat((*buffer)->getBuffer()) == ModelFormat::Onnx;
}

class ExportCommand : public ModelCommand {
public:
  ExportCommand()
      : ModelCommand("export", "any format -> ONNX"),
        outputFlag("o", cl::desc("output file"), cl::value_desc("m.onnx"),
                   cl::Required, cl::sub(sub)),
        opsetFlag("opset", cl::desc("version of the operators, 9 to 28"),
                  cl::init(OnnxExportOptions().opset), cl::sub(sub)),
        inputNamesFlag("input-names", cl::CommaSeparated,
                       cl::desc("names of the inputs, in their order"),
                       cl::value_desc("a,b"), cl::sub(sub)),
        outputNamesFlag("output-names", cl::CommaSeparated,
                        cl::desc("names of the outputs, in their order"),
                        cl::value_desc("c,d"), cl::sub(sub)),
        dynamicAxesFlag("dynamic-axes", cl::CommaSeparated,
                        cl::desc("names of dynamic extents of inputs and "
                                 "outputs"),
                        cl::value_desc("a:0=batch"), cl::sub(sub)),
        noFoldingFlag("no-constant-folding",
                      cl::desc("keep what depends on constants alone"),
                      cl::sub(sub)),
        requireDynamicFlag("require-dynamic",
                           cl::desc("an error where an extent that the model "
                                    "declares dynamic is fixed, also by --dim"),
                           cl::sub(sub)),
        externalFlag(sub), passes(sub) {}

  void read() override {
    ModelCommand::read();
    passes.read(outs());
    output = outputFlag;
    options.opset = opsetFlag;
    options.inputNames.assign(inputNamesFlag.begin(), inputNamesFlag.end());
    options.outputNames.assign(outputNamesFlag.begin(), outputNamesFlag.end());
    options.externalData = externalFlag;
    dynamicAxes.assign(dynamicAxesFlag.begin(), dynamicAxesFlag.end());
    folding = noFoldingFlag ? Folding::Off : Folding::On;
    requireDynamic = requireDynamicFlag;
  }

private:
  PassFlags *passFlags() override { return &passes; }

  /// NAME:AXIS=SYMBOL; the last colon divides, so names may have colons.
  LogicalResult readDynamicAxes(MLIRContext *context) {
    for (const std::string &text : dynamicAxes) {
      auto [place, symbol] = StringRef(text).rsplit('=');
      auto [name, axis] = place.rsplit(':');
      OnnxDynamicAxis given{name.str(), 0, symbol.str()};
      if (name.empty() || symbol.empty() || axis.getAsInteger(10, given.axis))
        return emitCoded(UnknownLoc::get(context), Code::BadOption)
               << "--dynamic-axes takes NAME:AXIS=SYMBOL, got '" << text << "'";
      options.dynamicAxes.push_back(std::move(given));
    }
    return success();
  }

  int runOn(Session &session) override {
    if (failed(readDynamicAxes(&session.getContext())))
      return Usage;
    auto imported = importOptions(session);
    auto dims = flags.dimSpecs(&session.getContext());
    if (failed(imported) || failed(dims))
      return Usage;
    // What a Node of the model fixes is refused in any case.
    for (const DimSpec &dim : *dims)
      if (requireDynamic && !dim.range && dim.sizes.size() == 1) {
        emitCoded(UnknownLoc::get(&session.getContext()), Code::BadOption)
            << "--dim " << dim.name << "=" << dim.sizes.front()
            << " fixes an extent, which --require-dynamic does not allow";
        return Usage;
      }
    auto module = session.importGeneral(flags.model, *imported, *dims, options);
    if (failed(module))
      return BadInput;
    // Weights of a framework stay what the framework calls by their names.
    if (folding == Folding::On && isOnnx(flags.model) &&
        failed(session.simplify(**module, passes.explanations())))
      return BadInput;
    auto summary = session.exportOnnx(**module, options, folding, output,
                                      /*check=*/nullptr, passes.explanations());
    if (failed(summary))
      return BadInput;
    report["output"] = output;
    report["opset"] = options.opset;
    report["nodes"] = summary->nodes;
    report["weights_bytes"] = static_cast<int64_t>(summary->weightBytes);
    if (!summary->dataFile.empty())
      report["external_data"] = summary->dataFile;
    return Ok;
  }

  OnnxExportOptions options;
  Folding folding = Folding::On;
  bool requireDynamic = false;
  std::string output;
  std::vector<std::string> dynamicAxes;
  cl::opt<std::string> outputFlag;
  cl::opt<int64_t> opsetFlag;
  cl::list<std::string> inputNamesFlag, outputNamesFlag, dynamicAxesFlag;
  cl::opt<bool> noFoldingFlag, requireDynamicFlag;
  ExternalDataFlag externalFlag;
  PassFlags passes;
};

} // namespace

std::unique_ptr<Command> makeExport() {
  return std::make_unique<ExportCommand>();
}

} // namespace graven::cli
