/*===- run.c - running a compiled model ----------------------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file implements a run: checks, the workspace, waking the threads and the
 * call of the compiled entry; and the table by which hosts that load an
 * artifact find these functions. With the caller's workspace nothing is
 * allocated.
 *===---------------------------------------------------------------------===*/
#define _DEFAULT_SOURCE
#include "runtime/support/Support.h"

#include <stdlib.h>
#include <sys/mman.h>

/* What the kernel gives at once where it is asked to. */
#define HUGE_PAGE ((size_t)2 << 20)

/* Null where there is no memory. */
static void *allocateWorkspace(const GravenModel *model, size_t size) {
  size_t alignment = (size_t)model->workspace_alignment;
  void *memory = NULL;
  int isLarge = size >= HUGE_PAGE;
  if (alignment < sizeof(void *))
    alignment = sizeof(void *);
  if (isLarge) {
    alignment = alignment < HUGE_PAGE ? HUGE_PAGE : alignment;
    size = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
  }
  if (posix_memalign(&memory, alignment, size))
    return NULL;
  /* Only advice: the first use of each page is a fault, which takes longer than
   * many a layer does. */
  if (isLarge)
    madvise(memory, size, MADV_HUGEPAGE);
  return memory;
}

/* What a run of a model with sizes is made of. */
typedef struct Parts {
  const GravenModel *model;
  const int64_t *extents;
  void *const *inputs;
  void *const *outputs;
  int64_t *const *used;
  void *workspace;
  const GravenParallel *parallel;
  int64_t variant; /* which of a size's variants */
  GravenMessage message;
} Parts;

static int isStream(const GravenParallel *parallel) {
  return parallel && parallel->threads == GRAVEN_STREAM;
}

/* One size on these tensors. */
static int runSize(const Parts *parts, const GravenSize *size,
                   void *const *inputs, void *const *outputs) {
  if (!size->room)
    return size->variants[parts->variant].entry(
        inputs, outputs, parts->workspace, parts->model->weights,
        parts->parallel);
  if (isStream(parts->parallel))
    return graven_fail(parts->message, GRAVEN_ERROR_DEVICE,
                       "model '%s': its code has room for several extents, "
                       "whose tensors the host copies: expected no stream",
                       parts->model->name);
  GravenPart part = {
      parts->model,   size,        parts->extents,   inputs,
      outputs,        parts->used, parts->workspace, parts->parallel,
      parts->variant, NULL};
  return graven_run_room(&part, parts->message);
}

/* `pointers` and `bytes` have room for all inputs and outputs. */
static int runPartsWith(const Parts *parts, void **pointers, int64_t *bytes) {
  const GravenModel *model = parts->model;
  int64_t count = model->num_inputs + model->num_outputs;
  for (int64_t i = 0; i < count; ++i) {
    bytes[i] =
        model->split_units[i]
            ? graven_row_bytes(model, parts->extents, i) * model->split_units[i]
            : 0;
    pointers[i] = i < model->num_inputs ? parts->inputs[i]
                                        : parts->outputs[i - model->num_inputs];
  }
  int64_t left = parts->extents[model->split];
  do {
    const GravenSize *size = graven_find_size(model, parts->extents, left);
    int64_t part = size->extents[model->split];
    int status = runSize(parts, size, pointers, pointers + model->num_inputs);
    if (status)
      return status;
    left -= part;
    for (int64_t i = 0; i < count; ++i)
      pointers[i] = (char *)pointers[i] + part * bytes[i];
  } while (left > 0);
  return GRAVEN_OK;
}

/* Functions of their own, so that the usual run has a small stack frame. */
static __attribute__((noinline)) int runFewParts(const Parts *parts) {
  void *pointers[GRAVEN_FEW_TENSORS];
  int64_t bytes[GRAVEN_FEW_TENSORS];
  return runPartsWith(parts, pointers, bytes);
}

static __attribute__((noinline)) int runManyParts(const Parts *parts) {
  void *pointers[GRAVEN_RUN_MAX_TENSORS];
  int64_t bytes[GRAVEN_RUN_MAX_TENSORS];
  return runPartsWith(parts, pointers, bytes);
}

/* The run itself, once all is checked: one call where there is code for just
 * these extents. */
static int runParts(const Parts *parts) {
  const GravenModel *model = parts->model;
  int64_t left = model->split < 0 ? 0 : parts->extents[model->split];
  const GravenSize *size = graven_find_size(model, parts->extents, left);
  if (model->split < 0 || size->extents[model->split] == left)
    return runSize(parts, size, parts->inputs, parts->outputs);
  return model->num_inputs + model->num_outputs <= GRAVEN_FEW_TENSORS
             ? runFewParts(parts)
             : runManyParts(parts);
}

/* The bytes of workspace for a run, or a status. */
static int findWorkspaceSize(const GravenModel *model, const int64_t *extents,
                             GravenMessage message, int64_t *size) {
  *size = model->workspace_size;
  if (model->num_sizes == 0)
    return GRAVEN_OK;
  if (!extents && model->num_symbols > 0)
    return graven_fail(message, GRAVEN_ERROR_EXTENT,
                       "model '%s': the extents of its %lld symbols are not "
                       "given",
                       model->name, (long long)model->num_symbols);
  int status = graven_check_sizes(model, extents, message);
  if (!status)
    *size = graven_model_workspace_size(model, extents);
  return status;
}

/* Outputs of extents that nobody knows would be of no use. */
static int checkUsed(const GravenModel *model, int64_t *const *used,
                     GravenMessage message) {
  for (int64_t i = 0; model->num_sizes > 0 && i < model->num_outputs; ++i)
    if (graven_is_counted(&model->outputs[i]) && (!used || !used[i]))
      return graven_fail(message, GRAVEN_ERROR_NULL_POINTER,
                         "output '%s': expected a place for the extents that "
                         "data decide, got a null pointer",
                         model->outputs[i].name);
  return GRAVEN_OK;
}

/* Of code for GPUs and CPUs, what is for GPUs needs one. */
static int isForCpu(const GravenModel *model, const GravenVariant *variant) {
  return !graven_device_failure ||
         (model->num_variants > 1 &&
          !(variant->cpu_features & GRAVEN_NEEDS_GPU));
}

GRAVEN_SUPPORT int graven_model_call(const GravenModel *model,
                                     void *const *inputs, void *const *outputs,
                                     void *workspace,
                                     const GravenParallel *parallel,
                                     char *error, size_t error_size) {
  return graven_model_call_sized(model, NULL, inputs, outputs, NULL, workspace,
                                 parallel, error, error_size);
}

GRAVEN_SUPPORT int graven_model_call_sized(
    const GravenModel *model, const int64_t *extents, void *const *inputs,
    void *const *outputs, int64_t *const *used, void *workspace,
    const GravenParallel *parallel, char *error, size_t error_size) {
  GravenMessage message = {error, error_size};
  const GravenVariant *variant = graven_model_variant(model);
  if (!variant)
    return graven_check_table(model, message);
  int64_t workspaceSize;
  int status = findWorkspaceSize(model, extents, message, &workspaceSize);
  if (!status)
    status = checkUsed(model, used, message);
  if (status)
    return status;
  if (parallel && !parallel->parallel_for)
    return graven_fail(message, GRAVEN_ERROR_NULL_POINTER,
                       "model '%s': parallel_for is null", model->name);
  if (isStream(parallel) && isForCpu(model, variant))
    return graven_fail(message, GRAVEN_ERROR_DEVICE,
                       "model '%s': expected threads for code for CPUs, got a "
                       "stream",
                       model->name);
  if (parallel && parallel->threads <= 1)
    parallel = NULL;

  void *own = NULL;
  if (!workspace && workspaceSize > 0) {
    workspace = own = allocateWorkspace(model, (size_t)workspaceSize);
    if (!own)
      return graven_fail(message, GRAVEN_ERROR_OUT_OF_MEMORY,
                         "model '%s': no memory for a workspace of %lld bytes",
                         model->name, (long long)workspaceSize);
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
  if (model->num_sizes == 0) {
    status =
        variant->entry(inputs, outputs, workspace, model->weights, parallel);
  } else {
    Parts parts = {model,  extents,   inputs,   outputs,
                   used,   workspace, parallel, variant - model->variants,
                   message};
    /* So that what is said of a count can be told from silence. */
    if (message.size > 0)
      message.text[0] = 0;
    status = runParts(&parts);
  }
  free(own);
  const char *why = NULL, *what = status && graven_device_failure
                                      ? graven_device_failure(&why)
                                      : NULL;
  if (what)
    return graven_fail(message, status, "model '%s': %s: %s: %s", model->name,
                       graven_status_string(status), what, why);
  if (status && message.size > 0 && message.text[0])
    return status;
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

/* `pointers` and `used` have room for all inputs and outputs. */
static int runThrough(const Run *run, void **pointers, int64_t **used) {
  int64_t numInputs = run->model->num_inputs;
  for (int64_t i = 0; i < numInputs; ++i)
    pointers[i] = run->inputs[i].data;
  for (int64_t i = 0; i < run->model->num_outputs; ++i) {
    pointers[numInputs + i] = run->outputs[i].data;
    used[i] = run->outputs[i].used;
  }
  int64_t extents[GRAVEN_MAX_SYMBOLS];
  if (run->model->num_sizes > 0)
    graven_read_symbols(run->model, run->inputs, extents);
  return graven_model_call_sized(
      run->model, run->model->num_sizes > 0 ? extents : NULL, pointers,
      pointers + numInputs, used, run->workspace, run->parallel,
      run->message.text, run->message.size);
}

static __attribute__((noinline)) int runFew(const Run *run) {
  void *pointers[GRAVEN_FEW_TENSORS];
  int64_t *used[GRAVEN_FEW_TENSORS];
  return runThrough(run, pointers, used);
}

static __attribute__((noinline)) int runMany(const Run *run) {
  void *pointers[GRAVEN_RUN_MAX_TENSORS];
  int64_t *used[GRAVEN_RUN_MAX_TENSORS];
  return runThrough(run, pointers, used);
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
  return count <= GRAVEN_FEW_TENSORS ? runFew(&run) : runMany(&run);
}

GRAVEN_SUPPORT const GravenSupport graven_support = {
    GRAVEN_ABI_VERSION,
    sizeof(GravenSupport),
    graven_model_check,
    graven_model_call,
    graven_model_run,
    graven_status_string,
    graven_pool_create,
    graven_pool_destroy,
    graven_pool_parallel,
    graven_model_variant,
    graven_model_extents,
    graven_model_workspace_size,
    graven_model_output_extents,
    graven_model_call_sized,
};
