//===- SparseTensor.cpp - tensors of a few elements -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the reading of sparse tensors, which become dense.
//===----------------------------------------------------------------------===//

#include "dialects/support/Diagnostics.h"
#include "frontends/onnx/ModelFile.h"
#include "onnx/onnx.pb.h"

using namespace mlir;

namespace graven::onnx {

/// A few bytes of a file must not become more than that.
static constexpr int64_t kMostDenseBytes = int64_t(1) << 30;

/// The position of value `i` in row-major order; nullopt where it is none.
static std::optional<int64_t> positionOf(const eval::Tensor &indices, int64_t i,
                                         ArrayRef<int64_t> shape,
                                         int64_t elements) {
  if (indices.getRank() == 1) {
    int64_t position = indices.getInt(i);
    return position >= 0 && position < elements ? std::optional(position)
                                                : std::nullopt;
  }
  int64_t position = 0;
  for (auto [axis, extent] : llvm::enumerate(shape)) {
    int64_t index = indices.getInt(i * shape.size() + axis);
    if (index < 0 || index >= extent)
      return std::nullopt;
    position = position * extent + index;
  }
  return position;
}

FailureOr<TensorData> ModelFile::read(Location at,
                                      const pb::SparseTensorProto &sparse) {
  auto fail = [&](Code code = Code::BadTensor) {
    return emitCoded(at, code) << "the sparse tensor ";
  };
  auto values = read(at, sparse.values()), where = read(at, sparse.indices());
  if (failed(values) || failed(where))
    return failure();
  if (values->narrow || where->narrow)
    return fail(Code::UnsupportedFeature)
           << "has elements of a narrow type or strings";
  SmallVector<int64_t> shape(sparse.dims().begin(), sparse.dims().end());
  std::optional<int64_t> elements =
      llvm::any_of(shape, [](int64_t extent) { return extent < 0; })
          ? std::nullopt
          : elementCount(shape);
  int64_t width = eval::storageBytes(values->type.getElementType());
  if (static_cast<int64_t>(shape.size()) > kMaxRank || !elements ||
      *elements > kMostDenseBytes / width)
    return fail() << "has more than " << kMaxRank << " axes or "
                  << kMostDenseBytes << " bytes";
  int64_t count = values->getElementCount();
  SmallVector<int64_t> paired{count, static_cast<int64_t>(shape.size())};
  if (values->type.getRank() != 1 ||
      !where->type.getElementType().isSignlessInteger(64) ||
      (where->type.getShape() != ArrayRef(count) &&
       where->type.getShape() != ArrayRef(paired)))
    return fail() << "expects values of rank 1 and i64 indices for each, got "
                  << values->type << " and " << where->type;

  TensorData dense;
  dense.type = RankedTensorType::get(shape, values->type.getElementType());
  dense.owned = std::make_shared<std::string>(*elements * width, '\0');
  eval::Tensor indices = where->toTensor();
  int64_t before = -1;
  for (int64_t i = 0; i < count; ++i) {
    std::optional<int64_t> position = positionOf(indices, i, shape, *elements);
    if (!position || *position <= before)
      return fail() << "expects indices that ascend inside of " << dense.type
                    << ", value " << i << " has none";
    before = *position;
    dense.owned->replace(*position * width, width,
                         values->bytes.substr(i * width, width).str());
  }
  dense.bytes = *dense.owned;
  return dense;
}

} // namespace graven::onnx
