/*===- Support.h - what the files of the support object share ------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file declares the internals of the support object, which is linked into
 * every artifact: so each symbol is weak (two artifacts may meet in one
 * program) and hidden (two versions may meet in one process), and nothing but
 * libc is used.
 *===---------------------------------------------------------------------===*/
#ifndef GRAVEN_RUNTIME_SUPPORT_SUPPORT_H
#define GRAVEN_RUNTIME_SUPPORT_SUPPORT_H

#include "runtime/include/graven/runtime.h"

#include <stdatomic.h>

/* On definitions. A declaration stays strong: a weak reference would not pull
 * its definition out of an archive. */
#define GRAVEN_SUPPORT __attribute__((weak, visibility("hidden")))
/* On declarations of what runtime.h does not declare. */
#define GRAVEN_INTERNAL __attribute__((visibility("hidden")))

/* Where a call puts its one-line message; text may be null when size is 0. */
typedef struct GravenMessage {
  char *text;
  size_t size;
} GravenMessage;

/* Formats the message and returns status, so that checks are one statement. */
GRAVEN_INTERNAL __attribute__((format(printf, 3, 4))) int
graven_fail(GravenMessage message, int status, const char *format, ...);

/* What failed in the last run on a GPU, and why, of artifacts that have the
 * code for one; null when it failed elsewhere. */
__attribute__((weak, visibility("hidden"))) const char *
graven_device_failure(const char **why);

/* Checks the ABI version and that this CPU can run one of the model's variants.
 */
GRAVEN_INTERNAL int graven_check_table(const GravenModel *model,
                                       GravenMessage message);

/* The highest rank of a tensor of a model with sizes. */
#define GRAVEN_MAX_RANK 16

/* What the inputs, whose shapes were checked, make of the model's symbols. */
GRAVEN_INTERNAL void graven_read_symbols(const GravenModel *model,
                                         const GravenTensor *inputs,
                                         int64_t *extents);

/* Checks that all extents of the inputs follow from these of the symbols. */
GRAVEN_INTERNAL int graven_check_symbols(const GravenModel *model,
                                         const GravenTensor *inputs,
                                         const int64_t *extents,
                                         GravenMessage message);

/* Checks that the symbols are in their ranges and that there is code for them.
 */
GRAVEN_INTERNAL int graven_check_sizes(const GravenModel *model,
                                       const int64_t *extents,
                                       GravenMessage message);

/* The size to begin with when `left` units of the split symbol are to be done:
 * the largest that fits and leaves nothing or what there is code for, of those
 * one without room, else the one with the least workspace. Null when none does.
 * `left` is the extent itself. */
GRAVEN_INTERNAL const GravenSize *graven_find_size(const GravenModel *model,
                                                   const int64_t *extents,
                                                   int64_t left);

/* What a run of one size is given, once checked. */
typedef struct GravenPart {
  const GravenModel *model;
  const GravenSize *size;
  const int64_t *extents; /* of each symbol */
  void *const *inputs;
  void *const *outputs;
  int64_t *const *used; /* see graven_model_call_sized */
  void *workspace;
  const GravenParallel *parallel;
  int64_t variant;       /* which of the size's variants */
  const int64_t *counts; /* of the room, once the code has run */
} GravenPart;

/* Runs a size that has room: copies, calls, copies back. */
GRAVEN_INTERNAL int graven_run_room(const GravenPart *part,
                                    GravenMessage message);

/* Whether data decide an extent of an output. */
GRAVEN_INTERNAL int graven_is_counted(const GravenTensorInfo *info);

/* The extents of an output of this size at these extents of the symbols. */
GRAVEN_INTERNAL void graven_sized_extents(const GravenModel *model,
                                          const GravenSize *size,
                                          const int64_t *extents,
                                          int64_t output, int64_t *result);

/* A run with at most this many tensors keeps its pointers in a small frame. */
#define GRAVEN_FEW_TENSORS 64

/* Bytes of a tensor's elements along all axes but the first, at these extents.
 */
GRAVEN_INTERNAL int64_t graven_row_bytes(const GravenModel *model,
                                         const int64_t *extents,
                                         int64_t tensor);

/* GRAVEN_MAX_CPU has a value that names no level. */
#define GRAVEN_CPU_BAD_LIMIT (UINT64_C(1) << 62)

/* A run (see graven_model_call_sized) on the pool in `slot`, which is made with
 * that many threads (0: one for each CPU) where there is none; called by typed
 * entries. */
GRAVEN_INTERNAL int
graven_model_call_shared(const GravenModel *model, const int64_t *extents,
                         void *const *inputs, void *const *outputs,
                         int64_t *const *used, void *workspace,
                         _Atomic(GravenPool *) *slot, int threads);

/* The GRAVEN_CPU_* bits of this CPU that GRAVEN_MAX_CPU leaves, or
 * GRAVEN_CPU_BAD_LIMIT; asked once per process, since cpuid traps in virtual
 * machines. */
GRAVEN_INTERNAL uint64_t graven_cpu_features(void);

/* The name of the lowest feature in the mask, as compilers spell it. */
GRAVEN_INTERNAL const char *graven_cpu_feature_name(uint64_t mask);

#endif /* GRAVEN_RUNTIME_SUPPORT_SUPPORT_H */
