//===- Export.h - graphs as ONNX models ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the ONNX exporter: from a module, as it is imported or
// canonical, to the bytes of a ModelProto. Weights are written from where they
// are, without a copy of all of them in memory.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_EXPORT_H
#define FRONTENDS_ONNX_EXPORT_H

#include "dialects/graven/Graven.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/raw_ostream.h"

#include <memory>
#include <string>
#include <vector>

namespace graven {

/// Where weights are written: in the model's file, or in a file of their own
/// beside it. Auto: in the model's as long as protobuf can hold them, which is
/// up to 2 GB.
enum class ExternalData { Auto, Always, Never };

/// What weights are to a model: initializers, which inputs may stand in for
/// (torch.onnx.export's keep_initializers_as_inputs), or inputs alone, which
/// are given when it runs (its export_params=False).
enum class ExportedWeights { Initializers, DefaultsOfInputs, Inputs };

/// The name of a dynamic extent of an input or output.
struct OnnxDynamicAxis {
  std::string tensor;
  int64_t axis = 0;
  std::string symbol;
};

struct OnnxExportOptions {
  static constexpr int64_t oldestOpset = 9, newestOpset = 28;
  int64_t opset = 17;
  /// Names of the inputs and outputs, in their order, instead of the graph's;
  /// fewer than there are rename the first of them.
  std::vector<std::string> inputNames, outputNames;
  /// Extents of the graph that are dynamic get these names.
  std::vector<OnnxDynamicAxis> dynamicAxes;
  ExternalData externalData = ExternalData::Auto;
  ExportedWeights weights = ExportedWeights::Initializers;
  /// What the model calls the file of its external data.
  std::string dataFile = "model.onnx.data";
  /// Version of the compiler, for the model's producer_version.
  std::string producerVersion;
};

/// Whether the Node only puts extents of 1 before the others, and all that read
/// it broadcast as ONNX does, where these go without saying, and get their rank
/// from what else they read. It needs no node.
bool isBroadcastAnyway(ReshapeOp op);

/// A model that is made and can be written.
class OnnxModel {
public:
  /// Makes the model of the Graph @forward. Errors are reported, all of them:
  /// UnsupportedOp and UnsupportedFeature at each Node that ONNX, or the opset,
  /// cannot express; BadOption for options that do not fit; BadTensor for
  /// Parameters that cannot be read.
  static mlir::FailureOr<OnnxModel> make(mlir::ModuleOp module,
                                         const OnnxExportOptions &options);
  OnnxModel(OnnxModel &&);
  ~OnnxModel();

  bool hasExternalData() const;
  int64_t nodeCount() const;
  /// Bytes of all weights.
  uint64_t weightBytes() const;

  /// Writes the model, and the file of its external data; the module must
  /// still be there.
  mlir::LogicalResult write(llvm::raw_ostream &os) const;
  mlir::LogicalResult writeData(llvm::raw_ostream &os) const;

private:
  struct Contents;
  explicit OnnxModel(std::unique_ptr<Contents> contents);
  std::unique_ptr<Contents> contents;
};

} // namespace graven

#endif // FRONTENDS_ONNX_EXPORT_H
