/*===- Stub.c - a shared library of names only ---------------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file implements a stub of libc or libm: the build compiles it once for
 * each list of names, GRAVEN_STUB_SYMBOLS. The code is never loaded.
 *===---------------------------------------------------------------------===*/
#define GRAVEN_SYMBOL(name)                                                    \
  void name(void);                                                             \
  void name(void) {}
#include GRAVEN_STUB_SYMBOLS
