//===- Elements.h - elements of arrays as numbers -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how elements of any type are read and set.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_CLI_ELEMENTS_H
#define COMPILER_CLI_ELEMENTS_H

#include "runtime/host/Array.h"

namespace graven::cli {

/// Element i as a double, whatever the type.
double number(const rt::Array &array, int64_t i);
/// Makes element i the value, which its type has or rounds to.
void setNumber(rt::Array &array, int64_t i, double value);

} // namespace graven::cli

#endif // COMPILER_CLI_ELEMENTS_H
