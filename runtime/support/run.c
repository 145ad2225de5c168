/*===- run.c - running a compiled model ----------------------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file implements a run: checks, the workspace, waking the threads and the
 * call of the compiled entry; and the table by which hosts that load an
 * artifact find these functions. With the caller's workspace nothing is
 * allocated.
 *===---------------------------------------------------------------------===*/
#define _POSIX_C_SOURCE 200112L
#include "runtime/support/Support.h"

#include <stdlib.h>

/* A run with at most this many tensors keeps its pointers in a small frame. */
#define FEW_TENSORS 64

/* Null where the message says why. */
static void *allocateWorkspace(const GravenModel *model) {
  size_t alignment = (size_t)model->workspace_alignment;
  void *memory = NULL;
  if (alignment < sizeof(void *))
    alignment = sizeof(void *);
  if (posix_memalign(&memory, alignment, (size_t)model->workspace_size))
    return NULL;
  return memory;
}

GRAVEN_SUPPORT int graven_model_call(const GravenModel *model,
                                     void *const *inputs, void *const *outputs,
                                     void *workspace,
                                     const GravenParallel *parallel,
                                     char *error, size_t error_size) {
  GravenMessage message = {error, error_size};
  const GravenVariant *variant = graven_model_variant(model);
  if (!variant)
    return graven_check_table(model, message);
  int status;
  if (parallel && !parallel->parallel_for)
    return graven_fail(message, GRAVEN_ERROR_NULL_POINTER,
                       "model '%s': parallel_for is null", model->name);
  if (parallel && parallel->threads <= 1)
    parallel = NULL;

  void *own = NULL;
  if (!workspace && model->workspace_size > 0) {
    workspace = own = allocateWorkspace(model);
    if (!own)
      return graven_fail(message, GRAVEN_ERROR_OUT_OF_MEMORY,
                         "model '%s': no memory for a workspace of %lld bytes",
                         model->name, (long long)model->workspace_size);
  }
  if (model->workspace_alignment > 1 &&
      ((uintptr_t)workspace & ((uintptr_t)model->workspace_alignment - 1)))
    return graven_fail(message, GRAVEN_ERROR_MISALIGNED,
                       "model '%s': expected a workspace aligned to %lld "
                       "bytes, got %p",
                       model->name, (long long)model->workspace_alignment,
                       workspace);

  if (parallel)
    parallel->parallel_for(parallel->context, 0, NULL, NULL);
  status = variant->entry(inputs, outputs, workspace, model->weights, parallel);
  free(own);
  if (status)
    return graven_fail(message, status, "model '%s': %s", model->name,
                       graven_status_string(status));
  return GRAVEN_OK;
}

/* What graven_model_run was given, once checked. */
typedef struct Run {
  const GravenModel *model;
  const GravenTensor *inputs;
  const GravenTensor *outputs;
  void *workspace;
  const GravenParallel *parallel;
  GravenMessage message;
} Run;

/* `pointers` has room for all inputs and outputs. */
static int runThrough(const Run *run, void **pointers) {
  int64_t numInputs = run->model->num_inputs;
  for (int64_t i = 0; i < numInputs; ++i)
    pointers[i] = run->inputs[i].data;
  for (int64_t i = 0; i < run->model->num_outputs; ++i)
    pointers[numInputs + i] = run->outputs[i].data;
  return graven_model_call(run->model, pointers, pointers + numInputs,
                           run->workspace, run->parallel, run->message.text,
                           run->message.size);
}

/* Functions of their own, so that the usual run has a small stack frame. */
static __attribute__((noinline)) int runFew(const Run *run) {
  void *pointers[FEW_TENSORS];
  return runThrough(run, pointers);
}

static __attribute__((noinline)) int runMany(const Run *run) {
  void *pointers[GRAVEN_RUN_MAX_TENSORS];
  return runThrough(run, pointers);
}

GRAVEN_SUPPORT int graven_model_run(const GravenModel *model,
                                    const GravenTensor *inputs,
                                    int64_t num_inputs, GravenTensor *outputs,
                                    int64_t num_outputs, void *workspace,
                                    const GravenParallel *parallel, char *error,
                                    size_t error_size) {
  Run run = {model, inputs, outputs, workspace, parallel, {error, error_size}};
  int status = graven_model_check(model, inputs, num_inputs, outputs,
                                  num_outputs, error, error_size);
  if (status)
    return status;
  int64_t count = num_inputs + num_outputs;
  if (count > GRAVEN_RUN_MAX_TENSORS)
    return graven_fail(run.message, GRAVEN_ERROR_ARGUMENT_COUNT,
                       "model '%s': expected at most %d inputs and outputs, "
                       "got %lld",
                       model->name, GRAVEN_RUN_MAX_TENSORS, (long long)count);
  return count <= FEW_TENSORS ? runFew(&run) : runMany(&run);
}

GRAVEN_SUPPORT const GravenSupport graven_support = {
    GRAVEN_ABI_VERSION,   sizeof(GravenSupport), graven_model_check,
    graven_model_call,    graven_model_run,      graven_status_string,
    graven_pool_create,   graven_pool_destroy,   graven_pool_parallel,
    graven_model_variant,
};
