//===- Weights.cpp - the initializers of a model --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements listing the initializers of an ONNX model's graph, with
// their elements where they lie.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/Import.h"
#include "frontends/onnx/ModelFile.h"
#include "onnx/onnx.pb.h"

using namespace mlir;

namespace graven {

FailureOr<Weights> onnxWeights(MLIRContext *context,
                               std::unique_ptr<llvm::MemoryBuffer> buffer,
                               StringRef directory) {
  auto file = onnx::ModelFile::parse(context, std::move(buffer), directory);
  if (failed(file))
    return failure();
  Weights weights;
  weights.format = "ONNX";
  for (const auto &proto : (*file)->getModel().graph().initializer()) {
    auto data = (*file)->read(
        NameLoc::get(StringAttr::get(context, proto.name())), proto);
    if (failed(data))
      return failure();
    auto type = aten::fromMLIR(data->type.getElementType());
    if (!type)
      continue;
    WeightTensor tensor;
    tensor.name = proto.name();
    tensor.type = *type;
    tensor.sizes.assign(data->type.getShape().begin(),
                        data->type.getShape().end());
    setDense(tensor);
    tensor.role =
        aten::isFloating(*type) ? WeightRole::Parameter : WeightRole::Optional;
    // Bytes of a blob stay where they are as long as the context does; each
    // tensor is a file of its own.
    tensor.file = weights.files.size();
    tensor.length = data->bytes.size();
    weights.files.push_back(
        data->blob.empty()
            ? llvm::MemoryBuffer::getMemBufferCopy(data->bytes)
            : llvm::MemoryBuffer::getMemBuffer(
                  data->bytes, "", /*RequiresNullTerminator=*/false));
    weights.tensors.push_back(std::move(tensor));
  }
  return weights;
}

} // namespace graven
