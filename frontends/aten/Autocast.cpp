//===- Autocast.cpp - operators in another precision ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the casts of torch.autocast for the CPU.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Autocast.h"

#include "frontends/aten/Tensor.h"

#include "llvm/ADT/StringSwitch.h"

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;
using Kind = Value::Kind;

namespace {
enum class Policy : uint8_t { None, Lower, Float, Widest, Composite };
} // namespace

/// pad(self, pad, mode, ...) calls one of the pads that are cast, or another.
static Policy policyOfPad(llvm::ArrayRef<Value> arguments) {
  if (arguments.size() < 3 || !arguments[1].items() ||
      !arguments[2].is(Kind::String))
    return Policy::None;
  StringRef mode = arguments[2].string();
  size_t axes = arguments[1].items()->size() / 2;
  bool isCast = mode == "replicate" || (mode == "reflect" && axes <= 2);
  return isCast ? Policy::Float : Policy::None;
}

static Policy policyOf(StringRef name, llvm::ArrayRef<Value> arguments) {
  if (!name.consume_front("aten::"))
    return Policy::None;
  if (name == "pad")
    return policyOfPad(arguments);
  if (name.starts_with("fft_"))
    return name.ends_with("freq") || name.ends_with("shift") ? Policy::None
                                                             : Policy::Float;
  return llvm::StringSwitch<Policy>(name)
      .Cases({"conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d",
              "conv_transpose2d", "conv_transpose3d", "bmm", "mm", "matmul",
              "linear", "addmm", "addbmm", "baddbmm", "_addmm_activation",
              "linalg_vecdot", "prelu", "scaled_dot_product_attention",
              "_native_multi_head_attention"},
             Policy::Lower)
      // Made of products and nothing else that is cast.
      .Cases({"einsum", "tensordot", "bilinear", "inner", "chain_matmul",
              "linalg_multi_dot"},
             Policy::Lower)
      .Cases({"avg_pool3d",
              "adaptive_avg_pool3d",
              "max_pool3d",
              "adaptive_max_pool3d",
              "fractional_max_pool2d",
              "fractional_max_pool3d",
              "max_unpool2d",
              "max_unpool3d",
              "grid_sampler",
              "grid_sampler_2d",
              "grid_sampler_3d",
              "reflection_pad1d",
              "reflection_pad2d",
              "replication_pad1d",
              "replication_pad2d",
              "replication_pad3d",
              "prod",
              "quantile",
              "nanquantile",
              "cdist",
              "trace",
              "polar",
              "view_as_complex",
              "stft",
              "fake_quantize_per_tensor_affine"},
             Policy::Float)
      .Cases({"binary_cross_entropy",
              "binary_cross_entropy_with_logits",
              "cosine_embedding_loss",
              "cross_entropy_loss",
              "ctc_loss",
              "hinge_embedding_loss",
              "huber_loss",
              "kl_div",
              "l1_loss",
              "margin_ranking_loss",
              "mse_loss",
              "multi_margin_loss",
              "multilabel_margin_loss",
              "multilabel_margin_loss_forward",
              "nll_loss",
              "nll_loss2d",
              "poisson_nll_loss",
              "smooth_l1_loss",
              "soft_margin_loss",
              "triplet_margin_loss"},
             Policy::Float)
      .Cases({"cholesky_inverse",
              "cholesky_solve",
              "geqrf",
              "inverse",
              "linalg_cholesky",
              "linalg_cholesky_ex",
              "linalg_cond",
              "linalg_eig",
              "linalg_eigh",
              "linalg_eigvals",
              "linalg_eigvalsh",
              "linalg_householder_product",
              "linalg_inv",
              "linalg_inv_ex",
              "linalg_lstsq",
              "linalg_matrix_rank",
              "linalg_qr",
              "linalg_solve",
              "linalg_svd",
              "linalg_svdvals",
              "linalg_tensorinv",
              "linalg_tensorsolve",
              "lu_solve",
              "orgqr",
              "ormqr",
              "pinverse",
              "svd",
              "triangular_solve",
              "_lu_with_info"},
             Policy::Float)
      .Cases({"cat", "stack", "index_copy"}, Policy::Widest)
      .Cases({"lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell",
              "rnn_tanh_cell", "rnn_relu_cell", "mkldnn_rnn_layer",
              "_transformer_encoder_layer_fwd"},
             Policy::Composite)
      .Default(Policy::None);
}

/// The type of a tensor that takes part; nothing for anything else.
static std::optional<ScalarType> castType(const Value &value) {
  if (!value.is(Kind::Tensor))
    return std::nullopt;
  auto type = fromMLIR(value.tensor()->type().getElementType());
  bool takesPart = type && isFloating(*type) && *type != ScalarType::Double;
  return takesPart ? type : std::nullopt;
}

static bool hasFloat(llvm::ArrayRef<Value> values) {
  return llvm::any_of(values, [](const Value &value) {
    return castType(value) == ScalarType::Float ||
           (value.items() && hasFloat(*value.items()));
  });
}

static Value castTo(Emitter &emitter, const Value &value, ScalarType to) {
  if (const std::vector<Value> *items = value.items()) {
    std::vector<Value> cast;
    for (const Value &item : *items)
      cast.push_back(castTo(emitter, item, to));
    return Value::makeList(std::move(cast));
  }
  auto type = castType(value);
  if (!type || *type == to)
    return value;
  return Tensor::make(emitter.cast(value.tensor()->read(emitter.builder), to));
}

std::optional<llvm::SmallVector<Value>>
graven::aten::autocast(Emitter &emitter, StringRef name,
                       llvm::ArrayRef<Value> arguments, ScalarType lower) {
  llvm::SmallVector<Value> cast(arguments);
  Policy policy = policyOf(name, arguments);
  if (policy == Policy::None)
    return cast;
  if (policy == Policy::Composite)
    return std::nullopt;
  bool isWide = policy == Policy::Float ||
                (policy == Policy::Widest && hasFloat(arguments));
  for (Value &value : cast)
    value = castTo(emitter, value, isWide ? ScalarType::Float : lower);
  return cast;
}
