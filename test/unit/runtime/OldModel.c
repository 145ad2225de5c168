/*===- OldModel.c - a model table of another ABI -------------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file defines the start of a table that a loader must refuse.
 *===---------------------------------------------------------------------===*/
#include <stdint.h>

__attribute__((visibility("default"))) const uint32_t graven_model[2] = {0, 8};
