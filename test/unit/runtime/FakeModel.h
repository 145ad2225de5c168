/*===- FakeModel.h - a compiled model written by hand --------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file declares the fake model's table and sizes, as NAME.h does.
 *===---------------------------------------------------------------------===*/
#ifndef GRAVEN_TEST_UNIT_RUNTIME_FAKEMODEL_H
#define GRAVEN_TEST_UNIT_RUNTIME_FAKEMODEL_H

#include "runtime/include/graven/runtime.h"

#define FAKE_ROWS 2
#define FAKE_COLUMNS 3

#ifdef __cplusplus
extern "C" {
#endif
extern const GravenModel fake_model;
#ifdef __cplusplus
}
#endif

#endif /* GRAVEN_TEST_UNIT_RUNTIME_FAKEMODEL_H */
