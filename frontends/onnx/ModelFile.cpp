//===- ModelFile.cpp - an ONNX file, parsed -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the parsing of an ONNX file with protobuf, under limits
// of size and depth.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/ModelFile.h"

#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "frontends/onnx/WireFormat.h"
#include "onnx/onnx.pb.h"
#include "llvm/Support/Path.h"

#include <google/protobuf/io/coded_stream.h>

#include <limits>

using namespace mlir;

namespace graven::onnx {

/// Messages nested deeper are refused: about 33 sub-graphs in each other.
static constexpr int kMaxDepth = 100;

ModelFile::ModelFile(Location loc, BlobStore &blobs, StringRef directory)
    : loc(loc), blobs(blobs), files(blobs, directory),
      model(std::make_unique<pb::ModelProto>()) {}

ModelFile::~ModelFile() = default;

FailureOr<std::unique_ptr<ModelFile>>
ModelFile::parse(MLIRContext *context,
                 std::unique_ptr<llvm::MemoryBuffer> buffer,
                 StringRef directory) {
  StringRef path = buffer->getBufferIdentifier();
  Location loc = FileLineColLoc::get(context, path, 0, 0);
  BlobStore &blobs = context->getOrLoadDialect<GravenDialect>()->getBlobStore();
  std::unique_ptr<ModelFile> file(new ModelFile(loc, blobs, directory));

  StringRef bytes = buffer->getBuffer();
  auto cut = cutRawData(bytes);
  if (!cut)
    return emitCoded(loc, Code::BadProtobuf)
           << "not a protobuf message: " << llvm::toString(cut.takeError());
  if (cut->message.size() > std::numeric_limits<int>::max())
    return emitCoded(loc, Code::BadProtobuf)
           << "the model without its tensors has " << cut->message.size()
           << " bytes, expected less than 2 GiB";
  google::protobuf::io::CodedInputStream stream(
      reinterpret_cast<const uint8_t *>(cut->message.data()),
      static_cast<int>(cut->message.size()));
  stream.SetRecursionLimit(kMaxDepth);
  if (!file->model->ParseFromCodedStream(&stream) ||
      !stream.ConsumedEntireMessage())
    return emitCoded(loc, Code::BadProtobuf)
           << "not an ONNX ModelProto, or messages are nested deeper than "
           << kMaxDepth;
  if (!file->model->has_graph())
    return emitCoded(loc, Code::BadProtobuf)
           << "not an ONNX ModelProto: there is no graph";

  StringRef name = llvm::sys::path::filename(path);
  file->blob = blobs.add(name.empty() ? "model.onnx" : name, std::move(buffer));
  const pb::GraphProto &graph = file->model->graph();
  auto remember = [&](const pb::TensorProto &tensor, ByteRange range) {
    file->cut[&tensor] = {file->blob, bytes.substr(range.offset, range.length),
                          static_cast<int64_t>(range.offset)};
  };
  for (auto [index, range] : cut->initializers)
    remember(graph.initializer(index), range);
  for (auto [index, range] : cut->attributes)
    remember(graph.node(index.first).attribute(index.second).t(), range);
  return file;
}

FailureOr<TensorData> ModelFile::read(Location at,
                                      const pb::TensorProto &tensor) {
  auto found = cut.find(&tensor);
  return readTensor(at, tensor, found == cut.end() ? nullptr : &found->second,
                    files, &strings);
}

} // namespace graven::onnx
