//===- GravenOps.cpp - what TableGen made of the ops ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file compiles the generated definitions of the ops; the written ones are
// in ops/, folds/ and eval/.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "dialects/graven/eval/Scalar.h"

#define GET_OP_CLASSES
#include "dialects/graven/GravenOps.cpp.inc"
