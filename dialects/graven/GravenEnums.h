//===- GravenEnums.h - enumerations of the graven dialect -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file includes what TableGen made of GravenEnums.td.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_GRAVENENUMS_H
#define DIALECTS_GRAVEN_GRAVENENUMS_H

#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/DenseMapInfo.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>

#include "dialects/graven/GravenOpsEnums.h.inc"

#endif // DIALECTS_GRAVEN_GRAVENENUMS_H
