//===- Elements.cpp - elements of arrays as numbers -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the conversion of elements.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Elements.h"
#include "llvm/ADT/APFloat.h"

using namespace llvm;

namespace graven::cli {

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
    const fltSemantics &semantics =
        array.dtype() == GRAVEN_F16 ? APFloat::IEEEhalf() : APFloat::BFloat();
    APFloat value(semantics, APInt(16, array.as<uint16_t>()[i]));
    bool inexact;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                  &inexact);
    return value.convertToDouble();
  }
  default:
    return array.as<uint8_t>()[i];
  }
}

} // namespace graven::cli
