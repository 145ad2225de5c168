//===- Elements.cpp - elements of arrays as numbers -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the conversion of elements.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Elements.h"
#include "llvm/ADT/APFloat.h"
#include <cstring>

using namespace llvm;

namespace graven::cli {

static const fltSemantics &semanticsOf(int32_t dtype) {
  return dtype == GRAVEN_F16 ? APFloat::IEEEhalf() : APFloat::BFloat();
}

double number(const rt::Array &array, int64_t i) {
  switch (array.dtype()) {
  case GRAVEN_F32:
    return array.as<float>()[i];
  case GRAVEN_F64:
    return array.as<double>()[i];
  case GRAVEN_I8:
    return array.as<int8_t>()[i];
  case GRAVEN_I16:
    return array.as<int16_t>()[i];
  case GRAVEN_I32:
    return array.as<int32_t>()[i];
  case GRAVEN_I64:
    return static_cast<double>(array.as<int64_t>()[i]);
  case GRAVEN_U16:
    return array.as<uint16_t>()[i];
  case GRAVEN_U32:
    return array.as<uint32_t>()[i];
  case GRAVEN_U64:
    return static_cast<double>(array.as<uint64_t>()[i]);
  case GRAVEN_F16:
  case GRAVEN_BF16: {
    APFloat value(semanticsOf(array.dtype()),
                  APInt(16, array.as<uint16_t>()[i]));
    bool inexact;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                  &inexact);
    return value.convertToDouble();
  }
  default:
    return array.as<uint8_t>()[i];
  }
}

void setNumber(rt::Array &array, int64_t i, double value) {
  switch (array.dtype()) {
  case GRAVEN_F32:
    array.as<float>()[i] = static_cast<float>(value);
    return;
  case GRAVEN_F64:
    array.as<double>()[i] = value;
    return;
  case GRAVEN_F16:
  case GRAVEN_BF16: {
    APFloat narrow(value);
    bool inexact;
    narrow.convert(semanticsOf(array.dtype()), APFloat::rmNearestTiesToEven,
                   &inexact);
    array.as<uint16_t>()[i] =
        static_cast<uint16_t>(narrow.bitcastToAPInt().getZExtValue());
    return;
  }
  default: {
    // Little-endian: the low bytes are the narrower types'.
    auto integer = static_cast<int64_t>(value);
    size_t bytes = graven_dtype_size(array.dtype());
    std::memcpy(array.data() + static_cast<size_t>(i) * bytes, &integer, bytes);
  }
  }
}

} // namespace graven::cli
