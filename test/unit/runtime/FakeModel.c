/*===- FakeModel.c - a compiled model written by hand --------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file implements what the compiler would emit for y[2,n] = x[2,n] * w +
 * b, w = 2 a weight, one task per row, with a workspace that it fills; linked
 * into tests and, with the support object, into a shared object that tests
 * load.
 *===---------------------------------------------------------------------===*/
#include "test/unit/runtime/FakeModel.h"

#include <string.h>

#define EXPORT __attribute__((visibility("default")))

static const float weight = 2.0f;

typedef struct RowArgs {
  const float *x, *bias;
  float *y, *workspace;
} RowArgs;

static void row(void *args, int64_t lo, int64_t hi) {
  RowArgs *a = args;
  for (int64_t r = lo; r < hi; ++r)
    for (int64_t c = 0; c < FAKE_COLUMNS; ++c) {
      a->workspace[r * FAKE_COLUMNS + c] = a->x[r * FAKE_COLUMNS + c] * weight;
      a->y[r * FAKE_COLUMNS + c] =
          a->workspace[r * FAKE_COLUMNS + c] + a->bias[c];
    }
}

/* Answers "index out of range" when the first element of x is negative, as a
 * gather would. */
static int32_t entry(void *const *inputs, void *const *outputs, void *workspace,
                     const void *weights, const GravenParallel *parallel) {
  if (weights != &weight)
    return GRAVEN_ERROR_NULL_POINTER;
  RowArgs args = {inputs[0], inputs[1], outputs[0], workspace};
  if (args.x[0] < 0)
    return GRAVEN_ERROR_INDEX_OUT_OF_RANGE;
  if (parallel)
    parallel->parallel_for(parallel->context, FAKE_ROWS, row, &args);
  else
    row(&args, 0, FAKE_ROWS);
  return GRAVEN_OK;
}

static const int64_t matrixExtents[] = {FAKE_ROWS, FAKE_COLUMNS};
static const int64_t vectorExtents[] = {FAKE_COLUMNS};
static const GravenTensorInfo inputs[] = {
    {"x", matrixExtents, NULL, GRAVEN_F32, 2},
    {"bias", vectorExtents, NULL, GRAVEN_F32, 1},
};
static const GravenTensorInfo outputs[] = {
    {"y", matrixExtents, NULL, GRAVEN_F32, 2},
};

static const GravenVariant variants[] = {{entry, 0, "x86-64"}};

EXPORT const GravenModel fake_model = {
    .abi_version = GRAVEN_ABI_VERSION,
    .struct_size = sizeof(GravenModel),
    .name = "fake",
    .inputs = inputs,
    .outputs = outputs,
    .num_inputs = 2,
    .num_outputs = 1,
    .workspace_size = FAKE_ROWS * FAKE_COLUMNS * sizeof(float),
    .workspace_alignment = 64,
    .weights = &weight,
    .weights_size = sizeof(weight),
    .cpu_features = 0,
    .provenance = "compiler=by hand\ncpu=x86-64\nsource=none",
    .variants = variants,
    .num_variants = 1,
    .support = &graven_support,
};

extern EXPORT const GravenModel graven_model
    __attribute__((weak, alias("fake_model")));
