//===- digits.h - stands for the header of a compiled model ----*- C -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#define DIGITS_WORKSPACE_SIZE 0
#define DIGITS_WEIGHTS_SIZE 0
int digits_run(const float x[1][1][8][8], float y[1][10], void *workspace);
