/*===- sizes.c - models with code for several sizes ----------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file implements the choice of the code for the extents of a run, and
 * what follows from them: the extents of outputs and the workspace. Along the
 * model's split any extent is a sum of those that there is code for.
 *===---------------------------------------------------------------------===*/
#include "runtime/support/Support.h"

#include <stdio.h>
#include <string.h>

/* An extent of an input: `scale` times a symbol, plus `offset`. */
typedef struct Extent {
  int64_t symbol; /* num_symbols when there is none */
  int64_t scale, offset;
} Extent;

/* Index of the symbol whose name has these bytes. */
static int64_t findSymbol(const GravenModel *model, const char *name,
                          size_t length) {
  int64_t i = 0;
  while (i < model->num_symbols &&
         (strncmp(model->symbols[i].name, name, length) != 0 ||
          model->symbols[i].name[length] != 0))
    ++i;
  return i;
}

/* The digits up to `end`. */
static int64_t numberAt(const char *text, const char *end) {
  int64_t value = 0;
  while (text < end)
    value = value * 10 + (*text++ - '0');
  return value;
}

/* What the table says of an axis: "s", or "4*s", "s-1", "4*s+1" where that is
 * no symbol's name. */
static Extent extentOf(const GravenModel *model, const char *text) {
  const char *end = text + strlen(text);
  Extent extent = {findSymbol(model, text, (size_t)(end - text)), 1, 0};
  if (extent.symbol < model->num_symbols)
    return extent;
  const char *digits = text, *sign = end;
  while (*digits >= '0' && *digits <= '9')
    ++digits;
  if (*digits == '*' && digits > text) {
    extent.scale = numberAt(text, digits);
    text = digits + 1;
  }
  while (sign > text && *sign != '+' && *sign != '-')
    --sign;
  if (sign > text) {
    extent.offset = numberAt(sign + 1, end) * (*sign == '-' ? -1 : 1);
    end = sign;
  }
  extent.symbol = findSymbol(model, text, (size_t)(end - text));
  return extent;
}

/* The symbol of an axis of an input; 0 when it has none. */
static int isSymbolic(const GravenModel *model, int64_t input, int32_t axis,
                      Extent *extent) {
  const GravenTensorInfo *info = &model->inputs[input];
  if (info->extents[axis] != GRAVEN_SYMBOLIC || !info->symbols[axis])
    return 0;
  *extent = extentOf(model, info->symbols[axis]);
  return extent->symbol < model->num_symbols;
}

GRAVEN_SUPPORT void graven_read_symbols(const GravenModel *model,
                                        const GravenTensor *inputs,
                                        int64_t *extents) {
  for (int64_t s = 0; s < model->num_symbols; ++s)
    extents[s] = -1;
  Extent extent;
  for (int64_t i = 0; i < model->num_inputs; ++i)
    for (int32_t axis = 0;
         model->inputs[i].symbols && axis < model->inputs[i].rank; ++axis)
      if (isSymbolic(model, i, axis, &extent) && extents[extent.symbol] < 0)
        extents[extent.symbol] =
            (inputs[i].extents[axis] - extent.offset) / extent.scale;
}

GRAVEN_SUPPORT int graven_check_symbols(const GravenModel *model,
                                        const GravenTensor *inputs,
                                        const int64_t *extents,
                                        GravenMessage message) {
  Extent extent;
  for (int64_t i = 0; i < model->num_inputs; ++i)
    for (int32_t axis = 0;
         model->inputs[i].symbols && axis < model->inputs[i].rank; ++axis) {
      if (!isSymbolic(model, i, axis, &extent))
        continue;
      int64_t wanted = extents[extent.symbol], got = inputs[i].extents[axis];
      if (!__builtin_mul_overflow(wanted, extent.scale, &wanted) &&
          !__builtin_add_overflow(wanted, extent.offset, &wanted) &&
          wanted == got)
        continue;
      const GravenSymbol *symbol = &model->symbols[extent.symbol];
      return graven_fail(message, GRAVEN_ERROR_EXTENT,
                         "input '%s': expected extent %s with %s = %lld on "
                         "axis %d, got %lld",
                         model->inputs[i].name, model->inputs[i].symbols[axis],
                         symbol->name, (long long)extents[extent.symbol],
                         (int)axis, (long long)got);
    }
  return GRAVEN_OK;
}

/* Whether `size` is the better one of two that fit. */
static int isBetter(const GravenModel *model, const GravenSize *size,
                    const GravenSize *best) {
  if (!best)
    return 1;
  if (model->split >= 0 &&
      size->extents[model->split] != best->extents[model->split])
    return size->extents[model->split] > best->extents[model->split];
  if (!size->room != !best->room)
    return !size->room;
  return size->room && size->workspace_size < best->workspace_size;
}

/* The least extent of the split symbol that there is code for. */
static int64_t leastPart(const GravenModel *model) {
  int64_t least = INT64_MAX;
  for (int64_t i = 0; i < model->num_sizes; ++i) {
    int64_t own = model->sizes[i].extents[model->split];
    if (own > 0 && own < least)
      least = own;
  }
  return least;
}

GRAVEN_SUPPORT const GravenSize *graven_find_size(const GravenModel *model,
                                                  const int64_t *extents,
                                                  int64_t left) {
  const GravenSize *best = NULL;
  /* What is left behind a part must be something there is code for. */
  int64_t least = model->split < 0 ? 0 : leastPart(model);
  for (int64_t i = 0; i < model->num_sizes; ++i) {
    const GravenSize *size = &model->sizes[i];
    int fits = 1;
    for (int64_t s = 0; fits && s < model->num_symbols; ++s) {
      int64_t own = size->extents[s];
      if (s == model->split)
        fits = own == left || (own > 0 && own <= left - least);
      else
        fits = extents[s] <= own &&
               extents[s] >= (size->room ? size->room->lowest[s] : own);
    }
    if (fits && isBetter(model, size, best))
      best = size;
  }
  return best;
}

/* Bytes of workspace for these extents; negative when there is no code. */
static int64_t workspaceFor(const GravenModel *model, const int64_t *extents) {
  int64_t left = model->split < 0 ? 0 : extents[model->split];
  int64_t most = 0;
  do {
    const GravenSize *size = graven_find_size(model, extents, left);
    if (!size)
      return -1;
    if (size->workspace_size > most)
      most = size->workspace_size;
    if (model->split < 0 || left == size->extents[model->split])
      break;
    /* As often as this size is taken. */
    int64_t part = size->extents[model->split];
    left -= (left - leastPart(model)) / part * part;
  } while (left > 0);
  return most;
}

/* " batch = 3, seq = 5" */
static void nameExtents(const GravenModel *model, const int64_t *extents,
                        char *text, size_t size) {
  size_t used = 0;
  text[0] = 0;
  for (int64_t s = 0; s < model->num_symbols && used < size; ++s) {
    int length =
        snprintf(text + used, size - used, "%s%s = %lld", s ? ", " : "",
                 model->symbols[s].name, (long long)extents[s]);
    if (length < 0)
      return;
    used += (size_t)length;
  }
}

GRAVEN_SUPPORT int graven_check_sizes(const GravenModel *model,
                                      const int64_t *extents,
                                      GravenMessage message) {
  for (int64_t s = 0; s < model->num_symbols; ++s) {
    const GravenSymbol *symbol = &model->symbols[s];
    if (extents[s] >= symbol->lowest && extents[s] <= symbol->highest)
      continue;
    if (symbol->highest == INT64_MAX)
      return graven_fail(message, GRAVEN_ERROR_EXTENT,
                         "model '%s': expected %s of at least %lld, got %lld",
                         model->name, symbol->name, (long long)symbol->lowest,
                         (long long)extents[s]);
    return graven_fail(message, GRAVEN_ERROR_EXTENT,
                       "model '%s': expected %s from %lld to %lld, got %lld",
                       model->name, symbol->name, (long long)symbol->lowest,
                       (long long)symbol->highest, (long long)extents[s]);
  }
  if (workspaceFor(model, extents) >= 0)
    return GRAVEN_OK;
  char text[256];
  nameExtents(model, extents, text, sizeof(text));
  return graven_fail(message, GRAVEN_ERROR_EXTENT,
                     "model '%s' has no code for %s, only for the sizes it was "
                     "compiled for",
                     model->name, text);
}

GRAVEN_SUPPORT int64_t graven_model_workspace_size(const GravenModel *model,
                                                   const int64_t *extents) {
  GravenMessage none = {NULL, 0};
  if (graven_check_table(model, none))
    return -1;
  if (model->num_sizes == 0)
    return model->workspace_size;
  if ((!extents && model->num_symbols > 0) ||
      graven_check_sizes(model, extents, none))
    return -1;
  return workspaceFor(model, extents);
}

GRAVEN_SUPPORT int graven_model_output_extents(const GravenModel *model,
                                               const int64_t *extents,
                                               int64_t output, int64_t *result,
                                               char *error, size_t error_size) {
  GravenMessage message = {error, error_size};
  int status = graven_check_table(model, message);
  if (status)
    return status;
  if (output < 0 || output >= model->num_outputs)
    return graven_fail(message, GRAVEN_ERROR_ARGUMENT_COUNT,
                       "model '%s': there is no output %lld of %lld",
                       model->name, (long long)output,
                       (long long)model->num_outputs);
  const GravenTensorInfo *info = &model->outputs[output];
  if (model->num_sizes > 0) {
    status = graven_check_sizes(model, extents, message);
    if (status)
      return status;
    const GravenSize *size = graven_find_size(
        model, extents, model->split < 0 ? 0 : extents[model->split]);
    graven_sized_extents(model, size, extents, output, result);
  } else {
    for (int32_t axis = 0; axis < info->rank; ++axis)
      result[axis] = info->extents[axis];
  }
  int64_t unit = model->num_sizes > 0 && model->split >= 0
                     ? model->split_units[model->num_inputs + output]
                     : 0;
  if (unit && __builtin_mul_overflow(unit, extents[model->split], &result[0]))
    return graven_fail(message, GRAVEN_ERROR_EXTENT,
                       "output '%s': the extents exceed 2^63 bytes",
                       info->name);
  return GRAVEN_OK;
}

GRAVEN_SUPPORT int64_t graven_row_bytes(const GravenModel *model,
                                        const int64_t *extents,
                                        int64_t tensor) {
  int isInput = tensor < model->num_inputs;
  const GravenTensorInfo *info =
      isInput ? &model->inputs[tensor]
              : &model->outputs[tensor - model->num_inputs];
  int64_t row[GRAVEN_MAX_RANK];
  for (int32_t axis = 0; isInput && axis < info->rank; ++axis)
    row[axis] = info->extents[axis];
  if (!isInput)
    graven_sized_extents(
        model, graven_find_size(model, extents, extents[model->split]), extents,
        tensor - model->num_inputs, row);
  uint64_t bytes = graven_dtype_size(info->dtype);
  for (int32_t axis = 1; axis < info->rank; ++axis) {
    int64_t extent = row[axis];
    if (extent == GRAVEN_SYMBOLIC) {
      Extent own = extentOf(model, info->symbols[axis]);
      extent = own.scale * extents[own.symbol] + own.offset;
    }
    bytes *= (uint64_t)extent;
  }
  return (int64_t)bytes;
}
