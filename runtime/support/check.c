/*===- check.c - is this call what the model expects ---------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file implements the checks before a run: the table's version, the CPU,
 * and each tensor's element type, rank, extents, address and overlap, each with
 * a message that says what was expected and what came.
 *===---------------------------------------------------------------------===*/
#include "runtime/support/Support.h"

#include <stdlib.h>
#include <string.h>

/* Compilers of Graven emit these structs by hand: their layout is the ABI. */
_Static_assert(sizeof(void *) == 8, "the tables are laid out for 64 bits");
_Static_assert(sizeof(GravenTensor) == 32, "GravenTensor is part of the ABI");
_Static_assert(sizeof(GravenTensorInfo) == 32, "part of the ABI");
_Static_assert(offsetof(GravenTensorInfo, dtype) == 24, "part of the ABI");
_Static_assert(sizeof(GravenParallel) == 24, "part of the ABI");
_Static_assert(sizeof(GravenModel) == 168, "part of the ABI");
_Static_assert(offsetof(GravenModel, name) == 8, "part of the ABI");
_Static_assert(offsetof(GravenModel, workspace_size) == 48, "part of the ABI");
_Static_assert(offsetof(GravenModel, cpu_features) == 80, "part of the ABI");
_Static_assert(offsetof(GravenModel, support) == 112, "part of the ABI");
_Static_assert(offsetof(GravenModel, split_units) == 160, "part of the ABI");
_Static_assert(sizeof(GravenVariant) == 24, "part of the ABI");
_Static_assert(sizeof(GravenSymbol) == 24, "part of the ABI");
_Static_assert(sizeof(GravenSize) == 40, "part of the ABI");
_Static_assert(sizeof(GravenFunction) == 16, "part of the ABI");
_Static_assert(sizeof(GravenFactor) == 24, "part of the ABI");
_Static_assert(sizeof(GravenCount) == 24, "part of the ABI");
_Static_assert(sizeof(GravenRoom) == 72, "part of the ABI");

/* One call's arguments, as the checks below pass them around. */
typedef struct Call {
  const GravenModel *model;
  const GravenTensor *inputs;
  const GravenTensor *outputs;
  GravenMessage message;
  /* Of the symbols, once the inputs are checked; only for models with sizes. */
  int64_t extents[GRAVEN_MAX_SYMBOLS];
} Call;

/* A tensor with what the model says about it. */
typedef struct Argument {
  const char *kind; /* "input" or "output" */
  int64_t index;
  const GravenTensorInfo *info;
  const GravenTensor *tensor;
} Argument;

static const char inputKind[] = "input", outputKind[] = "output";

static Argument inputAt(const Call *call, int64_t index) {
  return (Argument){inputKind, index, &call->model->inputs[index],
                    &call->inputs[index]};
}

static Argument outputAt(const Call *call, int64_t index) {
  return (Argument){outputKind, index, &call->model->outputs[index],
                    &call->outputs[index]};
}

static int isGpuThere(const GravenVariant *variant) {
  return variant->entry(NULL, NULL, NULL, NULL, NULL) == GRAVEN_OK;
}

static const GravenVariant *findVariant(const GravenModel *model) {
  for (int64_t i = 0; i < model->num_variants; ++i) {
    const GravenVariant *variant = &model->variants[i];
    uint64_t needed = variant->cpu_features & ~GRAVEN_NEEDS_GPU;
    uint64_t features = needed ? graven_cpu_features() : 0;
    if (features == GRAVEN_CPU_BAD_LIMIT)
      return NULL;
    if ((needed & ~features) == 0 &&
        (!(variant->cpu_features & GRAVEN_NEEDS_GPU) || isGpuThere(variant)))
      return variant;
  }
  return NULL;
}

/* No variant fits: says what the one that asks for least lacks. */
static int refuseCpu(const GravenModel *model, GravenMessage message) {
  uint64_t features = graven_cpu_features();
  if (features == GRAVEN_CPU_BAD_LIMIT)
    return graven_fail(message, GRAVEN_ERROR_CPU_UNSUPPORTED,
                       "model '%s': GRAVEN_MAX_CPU is '%s', which is no level",
                       model->name, getenv("GRAVEN_MAX_CPU"));
  if (model->num_variants < 1)
    return graven_fail(message, GRAVEN_ERROR_ABI_MISMATCH,
                       "model '%s' has no code", model->name);
  const GravenVariant *least = &model->variants[model->num_variants - 1];
  return graven_fail(
      message, GRAVEN_ERROR_CPU_UNSUPPORTED,
      "model '%s' was compiled for a cpu with %s%s, which this cpu does not "
      "have",
      model->name, graven_cpu_feature_name(least->cpu_features & ~features),
      model->num_variants > 1 ? " or more" : "");
}

GRAVEN_SUPPORT int graven_check_table(const GravenModel *model,
                                      GravenMessage message) {
  if (!model)
    return graven_fail(message, GRAVEN_ERROR_NULL_POINTER,
                       "the model table is null");
  if (model->abi_version != GRAVEN_ABI_VERSION)
    return graven_fail(
        message, GRAVEN_ERROR_ABI_MISMATCH, "expected abi version %u, got %u",
        (unsigned)GRAVEN_ABI_VERSION, (unsigned)model->abi_version);
  if (model->struct_size != sizeof(GravenModel))
    return graven_fail(message, GRAVEN_ERROR_ABI_MISMATCH,
                       "expected a model table of %u bytes, got %u",
                       (unsigned)sizeof(GravenModel),
                       (unsigned)model->struct_size);
  return findVariant(model) ? GRAVEN_OK : refuseCpu(model, message);
}

GRAVEN_SUPPORT const GravenVariant *
graven_model_variant(const GravenModel *model) {
  GravenMessage none = {NULL, 0};
  return graven_check_table(model, none) ? NULL : findVariant(model);
}

/* The extent that an input gives to the symbol: of the inputs before `end`, and
 * of input `end` before its axis `axis`. Negative when there is none. */
static int64_t boundExtent(const Call *call, const char *symbol, int64_t end,
                           int32_t axis) {
  for (int64_t i = 0; i <= end && i < call->model->num_inputs; ++i) {
    const GravenTensorInfo *info = &call->model->inputs[i];
    int32_t axes = i == end ? axis : info->rank;
    for (int32_t a = 0; info->symbols && a < axes; ++a)
      if (info->symbols[a] && strcmp(info->symbols[a], symbol) == 0)
        return call->inputs[i].extents[a];
  }
  return -1;
}

GRAVEN_SUPPORT int graven_is_counted(const GravenTensorInfo *info) {
  for (int32_t axis = 0; axis < info->rank; ++axis)
    if (info->extents[axis] == GRAVEN_COUNTED)
      return 1;
  return 0;
}

/* The extents of an output of a model with sizes follow from the symbols. */
static int checkSizedOutput(const Call *call, Argument arg) {
  int64_t expected[GRAVEN_MAX_RANK];
  int status = graven_model_output_extents(
      call->model, call->extents, arg.index, expected, call->message.text,
      call->message.size);
  for (int32_t axis = 0; !status && axis < arg.info->rank; ++axis)
    if (arg.tensor->extents[axis] != expected[axis])
      return graven_fail(call->message, GRAVEN_ERROR_EXTENT,
                         "%s '%s': expected extent %lld on axis %d, got %lld",
                         arg.kind, arg.info->name, (long long)expected[axis],
                         (int)axis, (long long)arg.tensor->extents[axis]);
  if (!status && graven_is_counted(arg.info) && !arg.tensor->used)
    return graven_fail(call->message, GRAVEN_ERROR_NULL_POINTER,
                       "%s '%s': expected a place for the extents that data "
                       "decide, got a null pointer",
                       arg.kind, arg.info->name);
  return status;
}

static int checkExtent(const Call *call, Argument arg, int32_t axis) {
  int64_t expected = arg.info->extents[axis];
  int64_t got = arg.tensor->extents[axis];
  if (expected != GRAVEN_SYMBOLIC) {
    if (got == expected)
      return GRAVEN_OK;
    return graven_fail(call->message, GRAVEN_ERROR_EXTENT,
                       "%s '%s': expected extent %lld on axis %d, got %lld",
                       arg.kind, arg.info->name, (long long)expected, (int)axis,
                       (long long)got);
  }
  if (got < 0)
    return graven_fail(call->message, GRAVEN_ERROR_EXTENT,
                       "%s '%s': expected an extent of at least 0 on axis %d, "
                       "got %lld",
                       arg.kind, arg.info->name, (int)axis, (long long)got);

  const char *symbol = arg.info->symbols ? arg.info->symbols[axis] : NULL;
  int isInput = arg.info == &call->model->inputs[arg.index];
  int64_t bound = -1;
  if (symbol)
    bound = isInput ? boundExtent(call, symbol, arg.index, axis)
                    : boundExtent(call, symbol, call->model->num_inputs, 0);
  if (bound >= 0 ? got == bound : isInput)
    return GRAVEN_OK;
  if (bound < 0)
    return graven_fail(call->message, GRAVEN_ERROR_EXTENT,
                       "%s '%s': no input gives the extent '%s' of axis %d",
                       arg.kind, arg.info->name, symbol ? symbol : "?",
                       (int)axis);
  return graven_fail(call->message, GRAVEN_ERROR_EXTENT,
                     "%s '%s': expected extent %s = %lld on axis %d, got %lld",
                     arg.kind, arg.info->name, symbol, (long long)bound,
                     (int)axis, (long long)got);
}

/* Bytes of a tensor whose dtype, rank and extents were checked; negative when
 * that number does not fit. */
static int64_t byteSize(const GravenTensor *tensor) {
  int64_t bytes = (int64_t)graven_dtype_size(tensor->dtype);
  for (int32_t axis = 0; axis < tensor->rank; ++axis)
    if (tensor->extents[axis] == 0)
      return 0;
  for (int32_t axis = 0; axis < tensor->rank; ++axis)
    if (__builtin_mul_overflow(bytes, tensor->extents[axis], &bytes))
      return -1;
  return bytes;
}

/* Rank and extents. */
static int checkShape(const Call *call, Argument arg) {
  const GravenTensorInfo *info = arg.info;
  const GravenTensor *tensor = arg.tensor;
  if (tensor->rank != info->rank)
    return graven_fail(call->message, GRAVEN_ERROR_RANK,
                       "%s '%s': expected rank %d, got %d", arg.kind,
                       info->name, (int)info->rank, (int)tensor->rank);
  if (info->rank > 0 && !tensor->extents)
    return graven_fail(call->message, GRAVEN_ERROR_NULL_POINTER,
                       "%s '%s': expected %d extents, got a null pointer",
                       arg.kind, info->name, (int)info->rank);
  if (arg.kind == outputKind && call->model->num_sizes > 0)
    return checkSizedOutput(call, arg);
  for (int32_t axis = 0; axis < info->rank; ++axis) {
    int status = checkExtent(call, arg, axis);
    if (status)
      return status;
  }
  return GRAVEN_OK;
}

static int checkArgument(const Call *call, Argument arg) {
  const GravenTensorInfo *info = arg.info;
  const GravenTensor *tensor = arg.tensor;
  if (tensor->dtype != info->dtype)
    return graven_fail(call->message, GRAVEN_ERROR_DTYPE,
                       "%s '%s': expected %s, got %s", arg.kind, info->name,
                       graven_dtype_name(info->dtype),
                       graven_dtype_name(tensor->dtype));
  int status = checkShape(call, arg);
  if (status)
    return status;
  int64_t bytes = byteSize(tensor);
  if (bytes < 0)
    return graven_fail(call->message, GRAVEN_ERROR_EXTENT,
                       "%s '%s': the extents exceed 2^63 bytes", arg.kind,
                       info->name);
  if (bytes > 0 && !tensor->data)
    return graven_fail(call->message, GRAVEN_ERROR_NULL_POINTER,
                       "%s '%s': expected %lld bytes, got a null pointer",
                       arg.kind, info->name, (long long)bytes);
  size_t alignment = graven_dtype_size(tensor->dtype);
  if ((uintptr_t)tensor->data & (alignment - 1))
    return graven_fail(call->message, GRAVEN_ERROR_MISALIGNED,
                       "%s '%s': expected data aligned to %d bytes, got %p",
                       arg.kind, info->name, (int)alignment, tensor->data);
  return GRAVEN_OK;
}

/* Compiled code counts on outputs being memory of their own. */
static int checkDisjoint(const Call *call, Argument output, Argument other) {
  uintptr_t a = (uintptr_t)output.tensor->data;
  uintptr_t b = (uintptr_t)other.tensor->data;
  uintptr_t aSize = (uintptr_t)byteSize(output.tensor);
  uintptr_t bSize = (uintptr_t)byteSize(other.tensor);
  if (!aSize || !bSize || a >= b + bSize || b >= a + aSize)
    return GRAVEN_OK;
  return graven_fail(call->message, GRAVEN_ERROR_OVERLAP,
                     "output '%s': expected memory of its own, got bytes of %s "
                     "'%s'",
                     output.info->name, other.kind, other.info->name);
}

static int checkOverlaps(const Call *call) {
  for (int64_t i = 0; i < call->model->num_outputs; ++i) {
    for (int64_t j = 0; j < call->model->num_inputs; ++j) {
      int status = checkDisjoint(call, outputAt(call, i), inputAt(call, j));
      if (status)
        return status;
    }
    for (int64_t j = 0; j < i; ++j) {
      int status = checkDisjoint(call, outputAt(call, i), outputAt(call, j));
      if (status)
        return status;
    }
  }
  return GRAVEN_OK;
}

static int checkCount(const Call *call, const char *kind, int64_t expected,
                      int64_t got, const GravenTensor *tensors) {
  if (got != expected)
    return graven_fail(call->message, GRAVEN_ERROR_ARGUMENT_COUNT,
                       "model '%s': expected %lld %s, got %lld",
                       call->model->name, (long long)expected, kind,
                       (long long)got);
  if (got > 0 && !tensors)
    return graven_fail(call->message, GRAVEN_ERROR_NULL_POINTER,
                       "model '%s': the array of %s is null", call->model->name,
                       kind);
  return GRAVEN_OK;
}

GRAVEN_SUPPORT int
graven_model_check(const GravenModel *model, const GravenTensor *inputs,
                   int64_t num_inputs, const GravenTensor *outputs,
                   int64_t num_outputs, char *error, size_t error_size) {
  Call call = {model, inputs, outputs, {error, error_size}, {0}};
  int status = graven_check_table(model, call.message);
  if (!status)
    status = checkCount(&call, "inputs", model->num_inputs, num_inputs, inputs);
  if (!status)
    status =
        checkCount(&call, "outputs", model->num_outputs, num_outputs, outputs);
  for (int64_t i = 0; !status && i < num_inputs; ++i)
    status = checkArgument(&call, inputAt(&call, i));
  if (!status && model->num_sizes > 0) {
    graven_read_symbols(model, inputs, call.extents);
    status = graven_check_symbols(model, inputs, call.extents, call.message);
    if (!status)
      status = graven_check_sizes(model, call.extents, call.message);
  }
  for (int64_t i = 0; !status && i < num_outputs; ++i)
    status = checkArgument(&call, outputAt(&call, i));
  return status ? status : checkOverlaps(&call);
}

GRAVEN_SUPPORT int graven_model_extents(const GravenModel *model,
                                        const GravenTensor *inputs,
                                        int64_t num_inputs, int64_t *extents,
                                        char *error, size_t error_size) {
  Call call = {model, inputs, NULL, {error, error_size}, {0}};
  int status = graven_check_table(model, call.message);
  if (!status)
    status = checkCount(&call, "inputs", model->num_inputs, num_inputs, inputs);
  for (int64_t i = 0; !status && i < num_inputs; ++i)
    status = checkShape(&call, inputAt(&call, i));
  if (status || model->num_sizes == 0)
    return status;
  graven_read_symbols(model, inputs, extents);
  status = graven_check_symbols(model, inputs, extents, call.message);
  return status ? status : graven_check_sizes(model, extents, call.message);
}
