//===- Export.cpp - graphs as ONNX models ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the writing of a model. Messages are protobuf's, but
// for the initializers: their bytes go from the mapped files to the stream,
// between headers that say how many there are.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/Export.h"

#include "frontends/onnx/exports/Exporter.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven {

using namespace onnx;

namespace {

/// Initializers of fewer bytes stay in the model.
constexpr uint64_t kMinExternal = 1024;
/// Tensors begin at multiples of this, so that they can be mapped.
constexpr uint64_t kAlignment = 64;
/// What a protobuf message may have, with room for what is no weight.
constexpr uint64_t kMaxMessage = (uint64_t(1) << 31) - (uint64_t(1) << 26);

/// onnx.proto: fields of length-delimited type.
constexpr char kModelGraph = 7 << 3 | 2, kGraphInitializer = 5 << 3 | 2,
               kTensorRawData = 9 << 3 | 2;

/// The oldest version of the format for an opset (onnx.helper.VERSION_TABLE).
int64_t irVersionOf(int64_t opset) {
  static constexpr int8_t kVersions[] = {
      /*9*/ 4,  5, 6,  7,  7,  7,  8,  8,  8,  8,
      /*19*/ 9, 9, 10, 10, 11, 12, 13, 13, 13, 14};
  return kVersions[opset - OnnxExportOptions::oldestOpset];
}

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7)
    bytes.push_back(static_cast<char>(value | 128));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

uint64_t bytesOf(const Initializer &initializer) {
  return initializer.type.getNumElements() *
         eval::storageBytes(initializer.type.getElementType());
}

/// Gives the graph inputs for weights, and forgets those that are no more.
void addInputs(ExportedWeights role, std::vector<Initializer> &initializers,
               pb::GraphProto &graph) {
  if (role == ExportedWeights::Initializers)
    return;
  for (const Initializer &initializer : initializers)
    if (initializer.param || role == ExportedWeights::DefaultsOfInputs)
      Exporter::declare(*graph.add_input(), initializer.name, initializer.type,
                        {});
  if (role == ExportedWeights::Inputs)
    llvm::erase_if(initializers,
                   [](const Initializer &each) { return bool(each.param); });
}

/// Says which opset the model could be exported with.
void tellOldestOpset(ModuleOp module, GraphOp forward,
                     OnnxExportOptions options) {
  while (++options.opset <= OnnxExportOptions::newestOpset) {
    ScopedDiagnosticHandler quiet(module.getContext(),
                                  [](Diagnostic &) { return success(); });
    pb::GraphProto graph;
    if (succeeded(Exporter(module, options).run(forward, graph)))
      break;
  }
  auto diagnostic = emitCoded(module.getLoc(), Code::UnsupportedFeature);
  if (options.opset > OnnxExportOptions::newestOpset)
    diagnostic << "no opset of ONNX up to " << OnnxExportOptions::newestOpset
               << " has a form for the whole model";
  else
    diagnostic << "the lowest opset of ONNX that has a form for the whole "
                  "model is "
               << options.opset;
}

/// The elements, in place where they lie as ONNX has them.
class Elements {
public:
  static FailureOr<Elements> of(const Initializer &initializer) {
    Elements elements;
    ParamOp param = initializer.param;
    auto blob = param ? dyn_cast<BlobAttr>(param.getValue()) : BlobAttr();
    if (!param) {
      elements.bytes = initializer.bytes;
      return elements;
    }
    bool isBool = initializer.type.getElementType().isInteger(1);
    if (!blob || !blob.getStrides().empty() || blob.getBigEndian() || isBool) {
      auto tensor = eval::readParam(param);
      if (failed(tensor))
        return failure();
      elements.tensor = *tensor;
      elements.bytes = {elements.tensor.getBytes().data(),
                        elements.tensor.getBytes().size()};
      return elements;
    }
    auto &store = cast<GravenDialect>(param->getDialect())->getBlobStore();
    auto bytes = store.read(blob.getFile(), blob.getOffset(), blob.getLength());
    if (!bytes)
      return emitCoded(param.getLoc(), Code::BadTensor)
             << llvm::toString(bytes.takeError());
    elements.bytes = bytes->take_front(bytesOf(initializer));
    elements.store = &store;
    elements.file = blob.getFile();
    return elements;
  }

  llvm::StringRef bytes;
  /// What was written is not needed soon.
  void release() const {
    if (store)
      store->release(file);
  }

private:
  eval::Tensor tensor;
  BlobStore *store = nullptr;
  llvm::StringRef file;
};

/// Where an initializer is written.
struct Place {
  std::string header; ///< the TensorProto but for its raw data
  uint64_t length = 0;
  bool isExternal = false;
  uint64_t offset = 0;

  /// Bytes of the whole TensorProto.
  uint64_t size() const {
    return header.size() +
           (isExternal ? 0 : 1 + varint(length).size() + length);
  }
};

} // namespace

struct OnnxModel::Contents {
  pb::ModelProto model;
  pb::GraphProto graph;
  std::vector<Initializer> initializers;
  std::vector<Place> places;
  uint64_t dataBytes = 0;
  int64_t nodes = 0;
};

OnnxModel::OnnxModel(std::unique_ptr<Contents> contents)
    : contents(std::move(contents)) {}
OnnxModel::OnnxModel(OnnxModel &&) = default;
OnnxModel::~OnnxModel() = default;

bool OnnxModel::hasExternalData() const { return contents->dataBytes > 0; }
int64_t OnnxModel::nodeCount() const { return contents->nodes; }

uint64_t OnnxModel::weightBytes() const {
  uint64_t total = 0;
  for (const Initializer &initializer : contents->initializers)
    total += bytesOf(initializer);
  return total;
}

FailureOr<OnnxModel> OnnxModel::make(ModuleOp module,
                                     const OnnxExportOptions &options) {
  Location loc = module.getLoc();
  if (options.opset < OnnxExportOptions::oldestOpset ||
      options.opset > OnnxExportOptions::newestOpset)
    return emitCoded(loc, Code::BadOption)
           << "opset " << options.opset << " is none of "
           << OnnxExportOptions::oldestOpset << " to "
           << OnnxExportOptions::newestOpset;
  auto forward = module.lookupSymbol<GraphOp>("forward");
  if (!forward)
    return emitCoded(loc, Code::BadGraph) << "the module has no graph @forward";
  auto contents = std::make_unique<Contents>();
  Exporter exporter(module, options);
  if (failed(exporter.run(forward, contents->graph))) {
    if (exporter.lacksOps())
      tellOldestOpset(module, forward, options);
    return failure();
  }
  contents->initializers = std::move(exporter.initializers);
  addInputs(options.weights, contents->initializers, contents->graph);
  contents->nodes = exporter.nodes;
  OnnxModel result(std::move(contents));
  Contents &made = *result.contents;
  pb::ModelProto &model = made.model;
  model.set_ir_version(irVersionOf(options.opset));
  model.set_producer_name("graven");
  model.set_producer_version(options.producerVersion);
  model.add_opset_import()->set_version(options.opset);

  uint64_t weights = result.weightBytes();
  bool isTooBig = weights > kMaxMessage;
  if (isTooBig && options.externalData == ExternalData::Never)
    return emitCoded(loc, Code::BadOption)
           << "the model has " << weights
           << " bytes of weights, which need a file of their own: a protobuf "
              "message has at most 2147483648";
  bool isExternal = options.externalData == ExternalData::Always ||
                    (isTooBig && options.externalData == ExternalData::Auto);
  for (const Initializer &initializer : made.initializers) {
    pb::TensorProto tensor;
    for (int64_t extent : initializer.type.getShape())
      tensor.add_dims(extent);
    tensor.set_data_type(dataTypeOf(initializer.type.getElementType()));
    tensor.set_name(initializer.name);
    Place place;
    place.length = bytesOf(initializer);
    place.isExternal = isExternal && place.length >= kMinExternal;
    if (place.isExternal) {
      place.offset = llvm::alignTo(made.dataBytes, kAlignment);
      made.dataBytes = place.offset + place.length;
      tensor.set_data_location(pb::TensorProto::EXTERNAL);
      auto add = [&](const char *key, std::string value) {
        auto &entry = *tensor.add_external_data();
        entry.set_key(key);
        entry.set_value(std::move(value));
      };
      add("location", options.dataFile);
      add("offset", std::to_string(place.offset));
      add("length", std::to_string(place.length));
    }
    place.header = tensor.SerializeAsString();
    made.places.push_back(std::move(place));
  }
  return result;
}

LogicalResult OnnxModel::write(llvm::raw_ostream &os) const {
  std::string graph = contents->graph.SerializeAsString();
  uint64_t length = graph.size();
  for (const Place &place : contents->places)
    length += 1 + varint(place.size()).size() + place.size();
  os << contents->model.SerializeAsString() << kModelGraph << varint(length)
     << graph;
  for (auto [initializer, place] :
       llvm::zip(contents->initializers, contents->places)) {
    os << kGraphInitializer << varint(place.size()) << place.header;
    if (place.isExternal)
      continue;
    auto elements = Elements::of(initializer);
    if (failed(elements))
      return failure();
    os << kTensorRawData << varint(place.length) << elements->bytes;
    elements->release();
  }
  return success();
}

LogicalResult OnnxModel::writeData(llvm::raw_ostream &os) const {
  uint64_t at = 0;
  for (auto [initializer, place] :
       llvm::zip(contents->initializers, contents->places)) {
    if (!place.isExternal)
      continue;
    auto elements = Elements::of(initializer);
    if (failed(elements))
      return failure();
    os.write_zeros(place.offset - at);
    os << elements->bytes;
    at = place.offset + place.length;
    elements->release();
  }
  return success();
}

} // namespace graven
