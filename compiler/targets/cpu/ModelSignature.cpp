//===- ModelSignature.cpp - what a compiled model looks like ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the small facts about a signature: element counts, the
// ABI's numbers of element types, and C identifiers from names that may hold
// any bytes.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/ModelSignature.h"
#include "mlir/IR/BuiltinTypeInterfaces.h"
#include "mlir/IR/BuiltinTypes.h"
#include "runtime/include/graven/runtime.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"

using namespace graven::cpu;
using llvm::StringRef;

bool TensorSpec::isDynamic() const {
  return llvm::any_of(extents, mlir::ShapedType::isDynamic);
}

ModelSignature ModelSignature::atSize(size_t index) const {
  ModelSignature one = *this;
  const SizeSpec &size = sizes[index];
  auto fill = [](llvm::SmallVector<TensorSpec> &specs,
                 llvm::ArrayRef<llvm::SmallVector<int64_t>> extents) {
    for (auto [spec, own] : llvm::zip_equal(specs, extents)) {
      spec.extents = own;
      spec.symbols.clear();
      spec.most.clear();
    }
  };
  fill(one.inputs, size.inputs);
  fill(one.outputs, size.outputs);
  one.workspaceSize = size.workspaceSize;
  if (size.room) {
    one.inputs = size.room->inputs;
    one.outputs = size.room->outputs;
    one.workspaceSize = size.room->workspaceSize;
  }
  one.symbols.clear();
  one.sizes.clear();
  one.splitUnits.clear();
  one.split.reset();
  return one;
}

int64_t TensorSpec::numElements() const {
  int64_t count = 1;
  for (int64_t extent : extents)
    count *= extent;
  return count;
}

int32_t graven::cpu::dtypeOf(mlir::Type type) {
  if (type.isF16())
    return GRAVEN_F16;
  if (type.isBF16())
    return GRAVEN_BF16;
  if (type.isF32())
    return GRAVEN_F32;
  if (type.isF64())
    return GRAVEN_F64;
  auto integer = llvm::dyn_cast<mlir::IntegerType>(type);
  if (!integer)
    return llvm::TypeSwitch<mlir::Type, int32_t>(type)
        .Case([](mlir::Float8E4M3FNType) { return GRAVEN_F8E4M3FN; })
        .Case([](mlir::Float8E4M3FNUZType) { return GRAVEN_F8E4M3FNUZ; })
        .Case([](mlir::Float8E5M2Type) { return GRAVEN_F8E5M2; })
        .Case([](mlir::Float8E5M2FNUZType) { return GRAVEN_F8E5M2FNUZ; })
        .Case([](mlir::Float8E8M0FNUType) { return GRAVEN_F8E8M0FNU; })
        .Case([](mlir::Float4E2M1FNType) { return GRAVEN_F4E2M1FN; })
        .Default(0);
  bool isUnsigned = integer.isUnsigned();
  switch (integer.getWidth()) {
  case 1:
    return GRAVEN_I1;
  case 2:
    return isUnsigned ? GRAVEN_U2 : GRAVEN_I2;
  case 4:
    return isUnsigned ? GRAVEN_U4 : GRAVEN_I4;
  case 8:
    return isUnsigned ? GRAVEN_U8 : GRAVEN_I8;
  case 16:
    return isUnsigned ? GRAVEN_U16 : GRAVEN_I16;
  case 32:
    return isUnsigned ? GRAVEN_U32 : GRAVEN_I32;
  case 64:
    return isUnsigned ? GRAVEN_U64 : GRAVEN_I64;
  default:
    return 0;
  }
}

std::string graven::cpu::symbolPrefix(StringRef name) {
  constexpr size_t longest = 48;
  std::string result;
  for (char c : name.take_front(longest))
    result += llvm::isAlnum(c) ? c : '_';
  if (result.empty())
    return "model";
  if (name.size() > longest)
    result += "_" + llvm::utohexstr(llvm::xxh3_64bits(name), /*LowerCase=*/true)
                        .substr(0, 12);
  // graven_model is the alias that loaders look for, graven_* the support code;
  // a leading underscore belongs to the C library.
  if (llvm::isDigit(result.front()) || result.front() == '_' ||
      StringRef(result).starts_with("graven"))
    result = "m_" + result;
  return result;
}
