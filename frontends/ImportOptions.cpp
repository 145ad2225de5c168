//===- ImportOptions.cpp - what every importer may be told ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the reading of input specifications, which are the same
// for every importer and for the command line.
//
//===----------------------------------------------------------------------===//

#include "frontends/ImportOptions.h"
#include "frontends/LinearExtent.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace graven;

/// A rank above this is a mistake or an attack; no model has one.
static constexpr size_t kMaxRank = 16;

template <typename... Parts>
static llvm::Error specError(llvm::StringRef text, const Parts &...parts) {
  std::string message = "input specification '" + text.str() + "': ";
  ((message += parts), ...);
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

static const InputSpec *findSpec(llvm::ArrayRef<InputSpec> specs,
                                 llvm::StringRef name, size_t index,
                                 bool isForm) {
  std::string position = std::to_string(index);
  for (llvm::StringRef wanted : {name, llvm::StringRef(position)})
    for (const InputSpec &spec : specs)
      if (spec.name == wanted &&
          (spec.isSequence() || spec.isAbsent()) == isForm)
        return &spec;
  return nullptr;
}

const InputSpec *ImportOptions::find(llvm::StringRef name, size_t index) const {
  return findSpec(inputs, name, index, /*isForm=*/false);
}

const InputSpec *ImportOptions::findForm(llvm::StringRef name,
                                         size_t index) const {
  return findSpec(inputs, name, index, /*isForm=*/true);
}

int64_t ImportOptions::resolve(llvm::StringRef symbol) const {
  if (!extentOf)
    return mlir::ShapedType::kDynamic;
  // Names have dashes: "batch-1" is a symbol of its own.
  bool isFormula = symbol.find_first_of("*+") != llvm::StringRef::npos;
  auto linear = isFormula ? LinearExtent::parse(symbol) : std::nullopt;
  int64_t value = extentOf(linear ? linear->symbol : symbol);
  if (value == InputExtent::kDynamic)
    return mlir::ShapedType::kDynamic;
  if (!linear)
    return value;
  return linear->at(value).value_or(mlir::ShapedType::kDynamic);
}

std::string graven::symbolFor(llvm::StringRef symbol, llvm::StringRef input,
                              size_t axis) {
  if (!symbol.empty() && symbol != "?")
    return symbol.str();
  return (input + "." + llvm::Twine(axis)).str();
}

static bool isKnownElementType(llvm::StringRef name) {
  return llvm::StringSwitch<bool>(name)
      .Cases({"f16", "bf16", "f32", "f64"}, true)
      .Cases({"i1", "i8", "i16", "i32", "i64"}, true)
      .Cases({"u8", "u16", "u32", "u64"}, true)
      .Case("str", true)
      .Default(false);
}

llvm::Expected<InputSpec> graven::parseInputSpec(llvm::StringRef text) {
  InputSpec spec;
  auto [name, rest] = text.rsplit(':');
  if (rest.empty() || name.empty())
    return specError(text, "expected NAME:TYPE[EXTENT,...]");
  spec.name = name.str();
  auto [type, extents] = rest.split('[');
  bool isForm = type == "seq" || type == "none";
  if (!isKnownElementType(type) && !isForm)
    return specError(text, "unknown element type '", type.str(),
                     "', expected one of f16 bf16 f32 f64 i1 i8 u8 i16 u16 i32 "
                     "u32 i64 u64");
  spec.elementType = type.str();
  if (!extents.consume_back("]"))
    return specError(text, "expected extents in brackets, as in f32[1,8]");
  if (extents.trim().empty())
    return spec;
  llvm::SmallVector<llvm::StringRef> parts;
  extents.split(parts, ',');
  if (parts.size() > kMaxRank)
    return specError(text, "got rank ", std::to_string(parts.size()),
                     ", expected at most ", std::to_string(kMaxRank));
  for (llvm::StringRef part : parts) {
    part = part.trim();
    InputExtent extent;
    if (part == "?") {
      // an unnamed dynamic extent
    } else if (!part.empty() &&
               (llvm::isAlpha(part.front()) || part.front() == '_')) {
      extent.symbol = part.str();
    } else if (auto linear = LinearExtent::parse(part)) {
      extent.symbol = linear->text();
    } else if (part.contains("..")) {
      return specError(text, "an extent with a range needs a name, as in ",
                       spec.name, ":", type.str(),
                       "[n] with --dim n=", part.str());
    } else if (part.getAsInteger(10, extent.size) || extent.size < 0) {
      return specError(text,
                       "expected an extent >= 0, a symbol, a multiple of one "
                       "such as 4*h, or '?', got '",
                       part.str(), "'");
    }
    spec.shape.push_back(extent);
  }
  if (isForm && (spec.shape.size() != (spec.isSequence() ? 1 : 0) ||
                 llvm::any_of(spec.shape, [](const InputExtent &extent) {
                   return extent.isDynamic();
                 })))
    return specError(text, "expected seq[N], a sequence of N tensors, or "
                           "none[], an optional that holds nothing");
  return spec;
}

mlir::Type graven::parseElementType(mlir::MLIRContext *context,
                                    llvm::StringRef name) {
  if (name == "f16")
    return mlir::Float16Type::get(context);
  if (name == "bf16")
    return mlir::BFloat16Type::get(context);
  if (name == "f32")
    return mlir::Float32Type::get(context);
  if (name == "f64")
    return mlir::Float64Type::get(context);
  // A string is its number.
  if (name == "str")
    return mlir::IntegerType::get(context, 64);
  unsigned width = 0;
  if (!isKnownElementType(name) || name.drop_front().getAsInteger(10, width))
    return {};
  return name.front() == 'u' ? mlir::IntegerType::get(
                                   context, width, mlir::IntegerType::Unsigned)
                             : mlir::IntegerType::get(context, width);
}
