//===- ScalarType.cpp - PyTorch's element types ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the conversions between PyTorch's element types and
// MLIR's, and promotion of two types, as one table and a few rules.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/ScalarType.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"

using namespace graven::aten;

namespace {
enum class Category : uint8_t { Bool, Integral, Floating, Complex, Quantized };

struct Row {
  ScalarType type;
  const char *name;
  const char *storage;
  int8_t itemSize;
  Category category;
};
} // namespace

static constexpr Row kRows[] = {
    {ScalarType::Byte, "uint8", "ByteStorage", 1, Category::Integral},
    {ScalarType::Char, "int8", "CharStorage", 1, Category::Integral},
    {ScalarType::Short, "int16", "ShortStorage", 2, Category::Integral},
    {ScalarType::Int, "int32", "IntStorage", 4, Category::Integral},
    {ScalarType::Long, "int64", "LongStorage", 8, Category::Integral},
    {ScalarType::Half, "float16", "HalfStorage", 2, Category::Floating},
    {ScalarType::Float, "float32", "FloatStorage", 4, Category::Floating},
    {ScalarType::Double, "float64", "DoubleStorage", 8, Category::Floating},
    {ScalarType::ComplexHalf, "complex32", "ComplexHalfStorage", 4,
     Category::Complex},
    {ScalarType::ComplexFloat, "complex64", "ComplexFloatStorage", 8,
     Category::Complex},
    {ScalarType::ComplexDouble, "complex128", "ComplexDoubleStorage", 16,
     Category::Complex},
    {ScalarType::Bool, "bool", "BoolStorage", 1, Category::Bool},
    {ScalarType::QInt8, "qint8", "QInt8Storage", 1, Category::Quantized},
    {ScalarType::QUInt8, "quint8", "QUInt8Storage", 1, Category::Quantized},
    {ScalarType::QInt32, "qint32", "QInt32Storage", 4, Category::Quantized},
    {ScalarType::BFloat16, "bfloat16", "BFloat16Storage", 2,
     Category::Floating},
    {ScalarType::Float8E5M2, "float8_e5m2", "Float8_e5m2Storage", 1,
     Category::Floating},
    {ScalarType::Float8E4M3FN, "float8_e4m3fn", "Float8_e4m3fnStorage", 1,
     Category::Floating},
    {ScalarType::Float8E5M2FNUZ, "float8_e5m2fnuz", "Float8_e5m2fnuzStorage", 1,
     Category::Floating},
    {ScalarType::Float8E4M3FNUZ, "float8_e4m3fnuz", "Float8_e4m3fnuzStorage", 1,
     Category::Floating},
    {ScalarType::UInt16, "uint16", "UInt16Storage", 2, Category::Integral},
    {ScalarType::UInt32, "uint32", "UInt32Storage", 4, Category::Integral},
    {ScalarType::UInt64, "uint64", "UInt64Storage", 8, Category::Integral},
};

static const Row &row(ScalarType type) {
  return *llvm::find_if(kRows, [&](const Row &r) { return r.type == type; });
}

std::optional<ScalarType> graven::aten::scalarTypeFromNumber(int64_t number) {
  for (const Row &r : kRows)
    if (static_cast<int64_t>(r.type) == number)
      return r.type;
  return std::nullopt;
}

std::optional<ScalarType>
graven::aten::scalarTypeFromStorage(llvm::StringRef storageClass) {
  for (const Row &r : kRows)
    if (storageClass == r.storage)
      return r.type;
  return std::nullopt;
}

int64_t graven::aten::itemSize(ScalarType type) { return row(type).itemSize; }
llvm::StringRef graven::aten::name(ScalarType type) { return row(type).name; }

bool graven::aten::isFloating(ScalarType type) {
  return row(type).category == Category::Floating;
}
bool graven::aten::isComplex(ScalarType type) {
  return row(type).category == Category::Complex;
}
bool graven::aten::isIntegral(ScalarType type) {
  return row(type).category == Category::Integral;
}

mlir::Type graven::aten::toMLIR(mlir::MLIRContext *context, ScalarType type) {
  switch (type) {
  case ScalarType::Half:
    return mlir::Float16Type::get(context);
  case ScalarType::BFloat16:
    return mlir::BFloat16Type::get(context);
  case ScalarType::Float:
    return mlir::Float32Type::get(context);
  case ScalarType::Double:
    return mlir::Float64Type::get(context);
  case ScalarType::Float8E5M2:
    return mlir::Float8E5M2Type::get(context);
  case ScalarType::Float8E4M3FN:
    return mlir::Float8E4M3FNType::get(context);
  case ScalarType::Float8E5M2FNUZ:
    return mlir::Float8E5M2FNUZType::get(context);
  case ScalarType::Float8E4M3FNUZ:
    return mlir::Float8E4M3FNUZType::get(context);
  case ScalarType::Bool:
    return mlir::IntegerType::get(context, 1);
  case ScalarType::Char:
  case ScalarType::Short:
  case ScalarType::Int:
  case ScalarType::Long:
    return mlir::IntegerType::get(context, 8 * itemSize(type));
  case ScalarType::Byte:
  case ScalarType::UInt16:
  case ScalarType::UInt32:
  case ScalarType::UInt64:
    return mlir::IntegerType::get(context, 8 * itemSize(type),
                                  mlir::IntegerType::Unsigned);
  case ScalarType::ComplexHalf:
  case ScalarType::ComplexFloat:
  case ScalarType::ComplexDouble:
  case ScalarType::QInt8:
  case ScalarType::QUInt8:
  case ScalarType::QInt32:
    return {};
  }
  return {};
}

std::optional<ScalarType> graven::aten::fromMLIR(mlir::Type type) {
  for (const Row &r : kRows)
    if (mlir::Type mlirType = toMLIR(type.getContext(), r.type);
        mlirType && mlirType == type)
      return r.type;
  return std::nullopt;
}

std::optional<ScalarType> graven::aten::promote(ScalarType a, ScalarType b) {
  if (a == b)
    return a;
  Category ca = row(a).category, cb = row(b).category;
  if (ca == Category::Quantized || cb == Category::Quantized ||
      ca == Category::Complex || cb == Category::Complex)
    return std::nullopt;
  if (ca != cb)
    return ca > cb ? a : b;
  int64_t wa = itemSize(a), wb = itemSize(b);
  if (ca == Category::Floating) {
    // Two one-byte floats do not promote; half and bfloat16 meet in float.
    if (wa == 1 && wb == 1)
      return std::nullopt;
    if (wa == wb)
      return ScalarType::Float;
    return wa > wb ? a : b;
  }
  auto isUnsigned = [](ScalarType t) {
    return t == ScalarType::Byte || t >= ScalarType::UInt16;
  };
  if (isUnsigned(a) == isUnsigned(b))
    return wa > wb ? a : b;
  // A byte fits into every wider signed type; wider unsigned types promote with
  // nothing signed, as in PyTorch.
  ScalarType plain = isUnsigned(a) ? a : b, sign = isUnsigned(a) ? b : a;
  if (plain != ScalarType::Byte)
    return std::nullopt;
  return sign == ScalarType::Char ? ScalarType::Short : sign;
}
