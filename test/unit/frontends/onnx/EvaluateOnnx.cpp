//===- EvaluateOnnx.cpp - imports and evaluates ONNX models ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file is a program for tests: for each folder named on a line of standard
// input it imports model.onnx, runs it with the reference evaluator on
// input_<i>.pb, writes output_<i>.pb and answers with one line: "ok", or
// "error" and the first diagnostic. A folder without inputs is imported only.
// What cannot be imported because a value decides about a shape is imported
// again with that input given by value. Where data decide extents, it is
// imported again with the counts that the evaluation came to.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "frontends/onnx/ExternalFiles.h"
#include "frontends/onnx/Import.h"
#include "frontends/onnx/TensorData.h"
#include "mlir/IR/MLIRContext.h"
#include "onnx/onnx.pb.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <fstream>
#include <iostream>

using namespace mlir;
using namespace graven;

namespace {

struct NamedTensor {
  std::string name;
  eval::Tensor tensor;
};

class Runner {
public:
  explicit Runner(std::string folder) : folder(std::move(folder)) {
    context.loadDialect<GravenDialect>();
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
      if (message.empty())
        llvm::raw_string_ostream(message)
            << diagnostic.getLocation() << ": " << diagnostic.str();
      return success();
    });
  }

  /// "ok" or "error ...", without line ends.
  std::string run() {
    std::string answer = succeeded(runAll()) ? "ok" : "error " + message;
    std::replace(answer.begin(), answer.end(), '\n', ' ');
    return answer;
  }

private:
  LogicalResult readInputs() {
    for (int i = 0;; ++i) {
      std::ifstream file(folder + "/input_" + std::to_string(i) + ".pb",
                         std::ios::binary);
      if (!file)
        return success();
      ::onnx::TensorProto proto;
      std::string bytes((std::istreambuf_iterator<char>(file)),
                        std::istreambuf_iterator<char>());
      if (!proto.ParseFromString(bytes))
        return emitError(UnknownLoc::get(&context), "no TensorProto");
      BlobStore blobs;
      graven::onnx::ExternalFiles files(blobs, "");
      auto data = graven::onnx::readTensor(UnknownLoc::get(&context), proto,
                                           nullptr, files);
      if (failed(data))
        return failure();
      inputs.push_back({proto.name(), data->toTensor()});
    }
  }

  /// Imports with the inputs from `firstByValue` on that are lists or scalars
  /// as constants.
  FailureOr<OwningOpRef<ModuleOp>> import(size_t firstByValue) {
    message.clear();
    ImportOptions options;
    options.extentOfData = [this, next = size_t(0)](int64_t most) mutable {
      size_t i = next++;
      return i < counts.size() ? std::min(counts[i], most) : most;
    };
    for (size_t i = firstByValue; i < inputs.size(); ++i)
      if (inputs[i].tensor.getRank() <= 1)
        options.inputs.push_back(
            {inputs[i].name, "", {}, inputs[i].tensor.toElements()});
    return importOnnx(&context, folder + "/model.onnx", options);
  }

  LogicalResult runAll() {
    if (failed(readInputs()))
      return failure();
    while (true) {
      size_t known = counts.size();
      if (failed(runOnce()))
        return failure();
      if (counts.size() == known)
        return success();
    }
  }

  /// Writes the outputs unless an extent was assumed that is another one, which
  /// then is known.
  LogicalResult runOnce() {
    auto module = import(inputs.size());
    auto isByValue = [&] {
      return failed(module) && llvm::StringRef(message).contains("GRV0204");
    };
    for (size_t first : {1, 0})
      if (isByValue())
        module = import(first);
    if (failed(module) || (inputs.empty() && !hasExpectedOutputs()))
      return failure(failed(module));
    auto graph = cast<GraphOp>((*module)->lookupSymbol("forward"));
    SmallVector<eval::Tensor> arguments;
    for (unsigned i = 0; i < graph.getNumArguments(); ++i)
      for (const NamedTensor &input : inputs)
        if (input.name == graph.getInputName(i))
          arguments.push_back(input.tensor);
    // The counts as more results.
    Block &block = graph.getBody().front();
    Operation *end = block.getTerminator();
    size_t own = end->getNumOperands();
    llvm::SetVector<Value> wanted;
    for (PrefixOp prefix : block.getOps<PrefixOp>())
      wanted.insert(prefix.getCount());
    end->insertOperands(own, wanted.getArrayRef());
    eval::Evaluator evaluator;
    auto outputs = evaluator.runBlock(block, arguments);
    if (failed(outputs))
      return failure();
    if (counts.size() < wanted.size()) {
      counts.push_back((*outputs)[own + counts.size()].getInt(0));
      return success();
    }
    for (auto [i, output] :
         llvm::enumerate(llvm::ArrayRef(*outputs).take_front(own)))
      write(i, output);
    return success();
  }

  bool hasExpectedOutputs() { return llvm::sys::fs::exists(folder + "/run"); }

  void write(size_t i, const eval::Tensor &tensor) {
    ::onnx::TensorProto proto;
    for (int type = 1; type <= ::onnx::TensorProto::DataType_MAX; ++type)
      if (graven::onnx::elementTypeOf(&context, type) ==
          tensor.getElementType())
        proto.set_data_type(type);
    for (int64_t extent : tensor.getShape())
      proto.add_dims(extent);
    proto.set_raw_data(tensor.getBytes().data(), tensor.getBytes().size());
    std::ofstream file(folder + "/output_" + std::to_string(i) + ".pb",
                       std::ios::binary);
    file << proto.SerializeAsString();
  }

  std::string folder, message;
  MLIRContext context{MLIRContext::Threading::DISABLED};
  std::vector<NamedTensor> inputs;
  std::vector<int64_t> counts; ///< in the order in which they are asked for
};

} // namespace

int main() {
  std::string folder;
  while (std::getline(std::cin, folder))
    std::cout << Runner(folder).run() << std::endl;
  return 0;
}
