/*===- sapphire_rapids.c - lets bochscpu run here, with AVX-512 ----*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file defines symbols that the module of the package bochscpu-python
 * looks up in the process before its own: two functions of a C library newer
 * than Debian 12's, and the CPU to emulate, which is one with all of AVX-512.
 *===---------------------------------------------------------------------===*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

unsigned long long __isoc23_strtoull(const char *text, char **end, int base) {
  return strtoull(text, end, base);
}

int __isoc23_sscanf(const char *text, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int count = vsscanf(text, format, arguments);
  va_end(arguments);
  return count;
}

/* The module always asks for Cannon Lake, which has no bf16. */
void *_Z23create_corei3_cnl_cpuidP8BX_CPU_C(void *cpu) {
  typedef void *(*Create)(void *);
  Create create =
      (Create)dlsym(RTLD_DEFAULT, "_Z28create_sapphire_rapids_cpuidP8BX_CPU_C");
  if (!create)
    abort();
  return create(cpu);
}
