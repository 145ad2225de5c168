/*===- status.c - names of status codes and element types ----------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file implements the text of status codes, the names and sizes of element
 * types, and the one function that formats an error message.
 *===---------------------------------------------------------------------===*/
#include "runtime/support/Support.h"

#include <stdarg.h>
#include <stdio.h>

GRAVEN_SUPPORT const char *graven_status_string(int status) {
  switch (status) {
  case GRAVEN_OK:
    return "ok";
  case GRAVEN_ERROR_ABI_MISMATCH:
    return "abi mismatch";
  case GRAVEN_ERROR_ARGUMENT_COUNT:
    return "wrong number of arguments";
  case GRAVEN_ERROR_DTYPE:
    return "wrong element type";
  case GRAVEN_ERROR_RANK:
    return "wrong rank";
  case GRAVEN_ERROR_EXTENT:
    return "wrong extent";
  case GRAVEN_ERROR_NULL_POINTER:
    return "null pointer";
  case GRAVEN_ERROR_MISALIGNED:
    return "misaligned pointer";
  case GRAVEN_ERROR_OVERLAP:
    return "overlapping tensors";
  case GRAVEN_ERROR_CPU_UNSUPPORTED:
    return "cpu unsupported";
  case GRAVEN_ERROR_OUT_OF_MEMORY:
    return "out of memory";
  case GRAVEN_ERROR_INDEX_OUT_OF_RANGE:
    return "index out of range";
  case GRAVEN_ERROR_CHECK_FAILED:
    return "check failed";
  case GRAVEN_ERROR_DEVICE:
    return "device failure";
  default:
    return "unknown status";
  }
}

GRAVEN_SUPPORT size_t graven_dtype_size(int32_t dtype) {
  switch (dtype) {
  case GRAVEN_I1:
  case GRAVEN_I8:
  case GRAVEN_U8:
  case GRAVEN_F8E4M3FN:
  case GRAVEN_F8E4M3FNUZ:
  case GRAVEN_F8E5M2:
  case GRAVEN_F8E5M2FNUZ:
  case GRAVEN_F8E8M0FNU:
  case GRAVEN_F4E2M1FN:
  case GRAVEN_I4:
  case GRAVEN_U4:
  case GRAVEN_I2:
  case GRAVEN_U2:
    return 1;
  case GRAVEN_F16:
  case GRAVEN_BF16:
  case GRAVEN_I16:
  case GRAVEN_U16:
    return 2;
  case GRAVEN_F32:
  case GRAVEN_I32:
  case GRAVEN_U32:
    return 4;
  case GRAVEN_F64:
  case GRAVEN_I64:
  case GRAVEN_U64:
    return 8;
  default:
    return 0;
  }
}

GRAVEN_SUPPORT const char *graven_dtype_name(int32_t dtype) {
  static const char names[][11] = {
      "?",         "f16",      "bf16",     "f32",        "f64",    "i1",
      "i8",        "u8",       "i16",      "u16",        "i32",    "u32",
      "i64",       "u64",      "f8e4m3fn", "f8e4m3fnuz", "f8e5m2", "f8e5m2fnuz",
      "f8e8m0fnu", "f4e2m1fn", "i4",       "u4",         "i2",     "u2"};
  return dtype >= GRAVEN_F16 && dtype <= GRAVEN_U2 ? names[dtype] : names[0];
}

GRAVEN_SUPPORT int graven_fail(GravenMessage message, int status,
                               const char *format, ...) {
  if (message.text && message.size) {
    va_list args;
    va_start(args, format);
    vsnprintf(message.text, message.size, format, args);
    va_end(args);
  }
  return status;
}
