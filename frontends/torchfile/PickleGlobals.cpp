//===- PickleGlobals.cpp - the globals a pickle may name ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the constructors behind the allowed names: tensors over
// storages, tagged containers, devices and complex numbers.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchfile/PickleGlobals.h"

#include "frontends/torchfile/Errors.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace graven;
using namespace graven::torch;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using Kind = PickleValue::Kind;

/// Ranks above this appear in no model.
static constexpr size_t kMaxRank = 64;

/// The type of a dtype object: "float32".
static std::optional<aten::ScalarType> scalarTypeFromName(StringRef name) {
  for (int64_t number = 0; number < 64; ++number)
    if (auto type = aten::scalarTypeFromNumber(number);
        type && aten::name(*type) == name)
      return type;
  return std::nullopt;
}

bool torch::isAllowedGlobal(StringRef module, StringRef name) {
  std::string full = (module + " " + name).str();
  if (module == "torch" &&
      (aten::scalarTypeFromStorage(name) || scalarTypeFromName(name)))
    return true;
  return llvm::StringSwitch<bool>(full)
      .Cases({"torch._utils _rebuild_tensor_v2",
              "torch._utils _rebuild_qtensor",
              "torch._utils _rebuild_sparse_tensor",
              "torch._utils _rebuild_parameter"},
             true)
      .Cases({"torch._utils _rebuild_tensor", "torch._utils _rebuild_tensor_v3",
              "torch._utils _rebuild_parameter_with_state",
              "torch._utils _rebuild_meta_tensor_no_storage",
              "torch._tensor _rebuild_from_type_v2",
              "torch.storage UntypedStorage"},
             true)
      .Cases({"torch Size", "torch Tensor", "torch.nn.parameter Parameter",
              "torch.serialization _get_layout", "builtins set",
              "__builtin__ set", "builtins complex", "__builtin__ complex",
              "collections defaultdict"},
             true)
      .Cases({"torch.jit._pickle build_intlist",
              "torch.jit._pickle build_doublelist",
              "torch.jit._pickle build_boollist",
              "torch.jit._pickle build_tensorlist",
              "torch.jit._pickle restore_type_tag"},
             true)
      .Cases({"collections OrderedDict", "torch device",
              "torch per_tensor_affine", "torch per_channel_affine",
              "torch per_channel_affine_float_qparams"},
             true)
      .Default(false);
}

static bool isIntList(const PickleValue *value) {
  if (!value->is(Kind::Tuple) && !value->is(Kind::List))
    return false;
  return llvm::all_of(value->items, [](const PickleValue *item) {
    return item->is(Kind::Int);
  });
}

/// The last element a view touches must lie in its storage. Arithmetic is in
/// 128 bits: rank <= 64 products of 63-bit numbers summed do not overflow it.
static Error checkGeometry(const PickleTensor &tensor) {
  unsigned __int128 last = tensor.offset;
  bool empty = false;
  if (tensor.offset < 0)
    return parseError("tensor has storage offset ", tensor.offset);
  for (auto [size, stride] : llvm::zip(tensor.sizes, tensor.strides)) {
    if (size < 0 || stride < 0)
      return parseError("tensor has size ", size, " with stride ", stride);
    empty |= size == 0;
    if (size > 0)
      last += static_cast<unsigned __int128>(size - 1) * stride;
  }
  int64_t count = 1;
  for (int64_t size : tensor.sizes)
    if (!empty && llvm::MulOverflow(count, size, count))
      return parseError("tensor has more than 2^63 elements");
  if (!empty && last >= tensor.storage.numel)
    return parseError("tensor leaves its storage '",
                      printable(tensor.storage.key), "' of ",
                      tensor.storage.numel, " elements");
  return Error::success();
}

static Expected<PickleValue *>
rebuildTensor(PickleValue &arguments, PickleArena &arena, StringRef unsupported,
              std::optional<size_t> gradIndex,
              std::optional<aten::ScalarType> newType = std::nullopt) {
  auto &items = arguments.items;
  if (items.size() <= gradIndex.value_or(3) || !items[0]->is(Kind::Storage) ||
      !items[1]->is(Kind::Int) || !isIntList(items[2]) ||
      !isIntList(items[3]) ||
      (gradIndex && !items[*gradIndex]->is(Kind::Bool)) ||
      items[2]->items.size() != items[3]->items.size() ||
      items[2]->items.size() > kMaxRank)
    return parseError("tensor is built from arguments of wrong kinds");
  PickleValue *result = arena.make(Kind::Tensor);
  result->tensor = std::make_unique<PickleTensor>();
  PickleTensor &tensor = *result->tensor;
  tensor.storage = items[0]->tensor->storage;
  // Later PyTorch names the type apart from a storage of bytes.
  if (newType) {
    tensor.storage.type = *newType;
    tensor.storage.numel /= aten::itemSize(*newType);
  }
  tensor.offset = items[1]->integer;
  for (PickleValue *size : items[2]->items)
    tensor.sizes.push_back(size->integer);
  for (PickleValue *stride : items[3]->items)
    tensor.strides.push_back(stride->integer);
  tensor.requiresGrad = gradIndex && items[*gradIndex]->integer;
  tensor.unsupported = unsupported.str();
  if (tensor.offset >= 0 &&
      llvm::AddOverflow(tensor.offset,
                        static_cast<int64_t>(tensor.storage.first),
                        tensor.offset))
    return parseError("tensor has storage offset ", items[1]->integer);
  if (Error error = checkGeometry(tensor))
    return std::move(error);
  // A seventh argument marks lazily conjugated or negated views.
  if (unsupported.empty() && items.size() > 6 && items[6]->is(Kind::Dict) &&
      !items[6]->items.empty())
    tensor.unsupported = "conjugated or negated view";
  return result;
}

/// (per_tensor_affine, scale, zero point), or
/// (per_channel_affine, scales, zero points, axis).
static Expected<PickleValue *> rebuildQuantized(PickleValue &arguments,
                                                PickleArena &arena) {
  auto result = rebuildTensor(arguments, arena, "quantized", 5);
  if (!result)
    return result;
  const PickleValue &scheme = *arguments.items[4];
  PickleTensor &tensor = *(*result)->tensor;
  auto has = [&](size_t index, Kind kind) {
    return index < scheme.items.size() && scheme.items[index]->is(kind);
  };
  if (!scheme.is(Kind::Tuple) || !has(0, Kind::Global))
    return parseError("quantized tensor without a scheme");
  StringRef name = scheme.items[0]->text;
  PickleQuantization quantization;
  if (name == "torch per_tensor_affine" && has(1, Kind::Float) &&
      has(2, Kind::Int)) {
    quantization.scale = scheme.items[1]->real;
    quantization.zeroPoint = scheme.items[2]->integer;
  } else if (name == "torch per_channel_affine" && has(1, Kind::Tensor) &&
             has(2, Kind::Tensor) && has(3, Kind::Int)) {
    quantization.scales = scheme.items[1];
    quantization.zeroPoints = scheme.items[2];
    quantization.axis = scheme.items[3]->integer;
    size_t axis = quantization.axis;
    for (const PickleValue *one : {scheme.items[1], scheme.items[2]})
      if (axis >= tensor.sizes.size() || one->tensor->sizes.size() != 1 ||
          one->tensor->sizes[0] != tensor.sizes[axis])
        return parseError("quantized tensor has scales that do not fit axis ",
                          quantization.axis);
  } else {
    return result; // a scheme that nobody reads
  }
  tensor.quantization = quantization;
  return result;
}

/// A tensor of which the file says nothing but that it is there.
static PickleValue *tensorWithout(PickleArena &arena, StringRef unsupported) {
  PickleValue *result = arena.make(Kind::Tensor);
  result->tensor = std::make_unique<PickleTensor>();
  result->tensor->unsupported = unsupported.str();
  return result;
}

/// _rebuild_tensor_v3(storage, offset, size, stride, grad, hooks, dtype, ...)
static Expected<PickleValue *> rebuildTypedTensor(PickleValue &arguments,
                                                  PickleArena &arena) {
  auto &items = arguments.items;
  if (items.size() < 7 || !items[0]->is(Kind::Storage) ||
      !items[6]->is(Kind::Global))
    return parseError("tensor is built from arguments of wrong kinds");
  StringRef name = items[6]->text;
  auto type =
      name.consume_front("torch ") ? scalarTypeFromName(name) : std::nullopt;
  if (!type || items[0]->tensor->storage.type != aten::ScalarType::Byte)
    return parseError("tensor is built with type '", printable(items[6]->text),
                      "' over a storage of ",
                      aten::name(items[0]->tensor->storage.type));
  return rebuildTensor(arguments, arena, "", 4, type);
}

/// _rebuild_from_type_v2(function, class, arguments, state): the tensor without
/// what its class adds.
static Expected<PickleValue *> rebuildFromType(PickleValue &arguments,
                                               PickleArena &arena) {
  auto &items = arguments.items;
  if (items.size() < 3 || !items[0]->is(Kind::Global) ||
      !StringRef(items[0]->text).starts_with("torch._utils _rebuild"))
    return parseError("tensor of a class is built by something that builds no "
                      "tensor");
  return callGlobal(*items[0], *items[2], arena);
}

/// build_*list([items]) and restore_type_tag(container, type) give the
/// container itself: identity matters.
static Expected<PickleValue *> callJitPickle(StringRef name,
                                             PickleValue &arguments) {
  auto &items = arguments.items;
  bool tagged = name.ends_with("restore_type_tag");
  if (items.size() != (tagged ? 2u : 1u) ||
      !(items[0]->is(Kind::List) || (tagged && items[0]->is(Kind::Dict))) ||
      (tagged && !items[1]->is(Kind::String)))
    return parseError(name, " has arguments of wrong kinds");
  if (tagged)
    items[0]->typeTag = items[1]->text;
  return items[0];
}

Expected<PickleValue *> torch::callGlobal(const PickleValue &global,
                                          PickleValue &arguments,
                                          PickleArena &arena) {
  StringRef name = global.text;
  // A class of the archive called on a value is an enum member.
  if (name.starts_with("__torch__")) {
    PickleValue *result = arena.make(Kind::Enum);
    result->text = global.text;
    result->items.push_back(&arguments);
    return result;
  }
  if (!arguments.is(Kind::Tuple))
    return parseError(name, " is called with something that is no tuple");
  auto &items = arguments.items;
  if (name == "torch._utils _rebuild_tensor_v2")
    return rebuildTensor(arguments, arena, "", 4);
  if (name == "torch._utils _rebuild_qtensor")
    return rebuildQuantized(arguments, arena);
  if (name == "torch._utils _rebuild_tensor")
    return rebuildTensor(arguments, arena, "", std::nullopt);
  if (name == "torch._utils _rebuild_tensor_v3")
    return rebuildTypedTensor(arguments, arena);
  if (name == "torch._tensor _rebuild_from_type_v2")
    return rebuildFromType(arguments, arena);
  if (name == "torch._utils _rebuild_sparse_tensor")
    return tensorWithout(arena, "sparse");
  if (name == "torch._utils _rebuild_meta_tensor_no_storage")
    return tensorWithout(arena, "without data (device meta)");
  if (name == "torch._utils _rebuild_parameter" ||
      name == "torch._utils _rebuild_parameter_with_state") {
    if (items.empty() || !items[0]->is(Kind::Tensor))
      return parseError(name, " is called without a tensor");
    if (items.size() > 1 && items[1]->is(Kind::Bool) && items[1]->integer)
      items[0]->tensor->requiresGrad = true;
    return items[0];
  }
  if (name.starts_with("torch.jit._pickle "))
    return callJitPickle(name, arguments);
  if (name == "collections OrderedDict") {
    if (!items.empty())
      return parseError(name, " is called with ", items.size(),
                        " arguments, expected none");
    return arena.make(Kind::Dict);
  }
  // Of a defaultdict the dict, of a set its items.
  if (name == "collections defaultdict")
    return arena.make(Kind::Dict);
  if (name == "torch Size" || name.ends_with(" set")) {
    if (items.empty() ? name == "torch Size"
                      : !items[0]->is(Kind::Tuple) && !items[0]->is(Kind::List))
      return parseError(name, " is called without items");
    return items.empty() ? arena.make(Kind::List) : items[0];
  }
  if (name == "torch.serialization _get_layout")
    return arena.make(Kind::None);
  if (name == "torch device") {
    if (items.empty() || !items[0]->is(Kind::String))
      return parseError(name, " is called without a name");
    PickleValue *result = arena.make(Kind::Device);
    result->text = items[0]->text;
    return result;
  }
  if (name.ends_with(" complex")) {
    if (items.size() != 2 || !items[0]->is(Kind::Float) ||
        !items[1]->is(Kind::Float))
      return parseError(name, " is called without two floats");
    PickleValue *result = arena.make(Kind::Complex);
    result->real = items[0]->real;
    result->imaginary = items[1]->real;
    return result;
  }
  return parseError("global '", printable(name), "' cannot be called");
}

Expected<PickleValue *> torch::loadPersistent(const PickleValue &id,
                                              PickleArena &arena) {
  const auto &items = id.items;
  if (!id.is(Kind::Tuple) || items.size() < 5 || !items[0]->is(Kind::String) ||
      items[0]->text != "storage" || !items[1]->is(Kind::Global) ||
      !items[2]->is(Kind::String) || !items[3]->is(Kind::String) ||
      !items[4]->is(Kind::Int) || items[4]->integer < 0)
    return parseError("persistent id is no storage");
  StringRef storageClass = items[1]->text;
  auto type =
      storageClass == "torch.storage UntypedStorage"
          ? std::optional(aten::ScalarType::Byte)
          : aten::scalarTypeFromStorage(storageClass.rsplit(' ').second);
  if (!type)
    return parseError("storage class '", printable(items[1]->text),
                      "' is unknown");
  // The key names a record: nothing that could leave its folder.
  if (items[2]->text.empty() || !llvm::all_of(items[2]->text, llvm::isAlnum))
    return parseError("storage key '", printable(items[2]->text),
                      "' is not alphanumeric");
  PickleValue *result = arena.make(Kind::Storage);
  result->tensor = std::make_unique<PickleTensor>();
  result->tensor->storage = {*type, items[2]->text,
                             static_cast<uint64_t>(items[4]->integer)};
  // The legacy format tells of a storage that is a part of another.
  if (items.size() > 5 && !items[5]->is(Kind::None)) {
    const auto &view = items[5]->items;
    if (!items[5]->is(Kind::Tuple) || view.size() != 3 ||
        !view[1]->is(Kind::Int) || !view[2]->is(Kind::Int) ||
        view[1]->integer < 0 || view[1]->integer > items[4]->integer ||
        view[2]->integer < 0 ||
        view[2]->integer > items[4]->integer - view[1]->integer)
      return parseError("storage '", printable(items[2]->text),
                        "' is a view that leaves it");
    result->tensor->storage.first = view[1]->integer;
  }
  return result;
}
