//===- digits.c - stands for a compiled model that is wrong ----*- C -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// STATUS is what it returns; every image is a VALUE, or not a number.
#include "digits.h"

int digits_run(const float x[1][1][8][8], float y[1][10], void *workspace) {
  (void)workspace;
  for (int i = 0; i < 10; ++i)
    y[0][i] = i == 4 ? VALUE : x[0][0][0][0] * 0.0f;
  return STATUS;
}
