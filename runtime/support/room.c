/*===- room.c - code that has room for several extents -------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file implements a run of code whose tensors have places for the most
 * extents: what the caller gives is copied to where the code expects it, and
 * what is used of the results is copied back. All memory is the workspace's.
 *===---------------------------------------------------------------------===*/
#include "runtime/support/Support.h"

#include <string.h>

static int64_t valueOf(const GravenPart *part, int64_t function) {
  const GravenFunction *f = &part->size->room->functions[function];
  if (!f->values)
    return part->counts ? part->counts[f->symbol]
                        : part->size->room->counts[f->symbol].most;
  return f->values[part->extents[f->symbol] -
                   part->model->symbols[f->symbol].lowest];
}

static int64_t padded(int64_t bytes) { return (bytes + 63) & ~INT64_C(63); }

/* A tensor in its room. */
typedef struct Place {
  const GravenFactor *factors;
  int64_t count;
  int64_t elementSize;
  int32_t varies; /* whether it is copied, because a factor varies */
  int64_t bytes;  /* of the room, a multiple of 64 */
} Place;

static Place placeAt(const GravenPart *part, int64_t tensor,
                     const GravenFactor *factors) {
  const GravenModel *model = part->model;
  const GravenTensorInfo *info =
      tensor < model->num_inputs ? &model->inputs[tensor]
                                 : &model->outputs[tensor - model->num_inputs];
  Place place = {factors, part->size->room->factor_counts[tensor],
                 (int64_t)graven_dtype_size(info->dtype), 0, 0};
  int64_t varying = 0;
  place.bytes = place.elementSize;
  for (int64_t i = 0; i < place.count; ++i) {
    place.bytes *= factors[i].most;
    if (factors[i].function >= 0)
      ++varying;
  }
  /* Rows that are not used come last, and the caller's memory has a place for
   * them. */
  int isRows = varying == 1 && factors[0].function >= 0 &&
               !part->size->room->functions[factors[0].function].values;
  place.varies = varying > 0 && !isRows;
  place.bytes = padded(place.bytes);
  return place;
}

/* Which way elements go. */
typedef enum Way { IntoRoom, OutOfRoom } Way;

/* `plain` has the elements of a run side by side. */
static void copy(const GravenPart *part, const Place *place, char *room,
                 char *plain, Way way) {
  int64_t used[GRAVEN_MAX_RANK], index[GRAVEN_MAX_RANK] = {0};
  int64_t last = 0;
  for (int64_t i = 0; i < place->count; ++i) {
    int64_t function = place->factors[i].function;
    used[i] = function < 0 ? place->factors[i].most : valueOf(part, function);
    if (used[i] == 0)
      return;
    if (function >= 0)
      last = i;
  }
  /* What lies side by side in both: the last factor that varies, and all that
   * is inside of it. */
  int64_t run = place->elementSize, step = place->elementSize;
  for (int64_t i = last; i < place->count; ++i) {
    run *= used[i];
    step *= place->factors[i].most;
  }
  for (;;) {
    int64_t offset = 0;
    for (int64_t i = 0; i < last; ++i)
      offset = offset * place->factors[i].most + index[i];
    if (way == IntoRoom)
      memcpy(room + offset * step, plain, (size_t)run);
    else
      memcpy(plain, room + offset * step, (size_t)run);
    plain += run;
    int64_t i = last;
    while (i > 0 && ++index[i - 1] == used[i - 1])
      index[--i] = 0;
    if (i == 0)
      return;
  }
}

/* Whether there is right code for what the data have decided. */
static int checkCounts(const GravenPart *part, GravenMessage message) {
  const GravenRoom *room = part->size->room;
  for (int64_t i = 0; i < room->num_counts; ++i) {
    const GravenCount *count = &room->counts[i];
    if (part->counts[i] < count->lowest || part->counts[i] > count->most)
      return graven_fail(message, GRAVEN_ERROR_EXTENT,
                         "model '%s': expected %lld to %lld elements at %s, "
                         "got %lld",
                         part->model->name, (long long)count->lowest,
                         (long long)count->most, count->place,
                         (long long)part->counts[i]);
  }
  return GRAVEN_OK;
}

/* What the data have made of the extents of an output. */
static void tellUsed(const GravenPart *part, int64_t output,
                     const Place *place) {
  const GravenTensorInfo *info = &part->model->outputs[output];
  if (!graven_is_counted(info))
    return;
  for (int32_t axis = 0; axis < info->rank; ++axis)
    part->used[output][axis] = 1;
  for (int64_t i = 0; i < place->count; ++i)
    part->used[output][place->factors[i].axis] *=
        place->factors[i].function < 0
            ? place->factors[i].most
            : valueOf(part, place->factors[i].function);
}

/* `pointers` has room for all tensors, what is passed and the counts. */
static int runWith(GravenPart *part, void **pointers, GravenMessage message) {
  const GravenModel *model = part->model;
  const GravenRoom *room = part->size->room;
  char *next = (char *)part->workspace + room->scratch;
  int64_t *counts = (int64_t *)next, *values = counts + room->num_counts;
  next += padded(8 * (room->num_counts + room->num_passed));
  const GravenFactor *factors = room->factors;
  for (int64_t i = 0; i < model->num_inputs; ++i) {
    Place place = placeAt(part, i, factors);
    factors += place.count;
    pointers[i] = part->inputs[i];
    if (!place.varies)
      continue;
    memset(next, 0, (size_t)place.bytes);
    copy(part, &place, next, (char *)part->inputs[i], IntoRoom);
    pointers[i] = next;
    next += place.bytes;
  }
  for (int64_t i = 0; i < room->num_passed; ++i) {
    values[i] = valueOf(part, room->passed[i]);
    pointers[model->num_inputs + i] = &values[i];
  }
  void **outputs = pointers + model->num_inputs + room->num_passed;
  const GravenFactor *first = factors;
  for (int64_t i = 0; i < model->num_outputs; ++i) {
    Place place = placeAt(part, model->num_inputs + i, factors);
    factors += place.count;
    outputs[i] = place.varies ? next : part->outputs[i];
    next += place.varies ? place.bytes : 0;
  }
  outputs[model->num_outputs] = counts;
  int status = part->size->variants[part->variant].entry(
      pointers, outputs, part->workspace, model->weights, part->parallel);
  part->counts = counts;
  if (!status)
    status = checkCounts(part, message);
  if (status)
    return status;
  factors = first;
  for (int64_t i = 0; i < model->num_outputs; ++i) {
    Place place = placeAt(part, model->num_inputs + i, factors);
    factors += place.count;
    if (place.varies)
      copy(part, &place, outputs[i], (char *)part->outputs[i], OutOfRoom);
    tellUsed(part, i, &place);
  }
  return GRAVEN_OK;
}

/* Functions of their own, so that the usual run has a small stack frame. */
static __attribute__((noinline)) int runFew(GravenPart *part,
                                            GravenMessage message) {
  void *pointers[GRAVEN_FEW_TENSORS + GRAVEN_MAX_PASSED + 1];
  return runWith(part, pointers, message);
}

static __attribute__((noinline)) int runMany(GravenPart *part,
                                             GravenMessage message) {
  void *pointers[GRAVEN_RUN_MAX_TENSORS + GRAVEN_MAX_PASSED + 1];
  return runWith(part, pointers, message);
}

GRAVEN_SUPPORT int graven_run_room(const GravenPart *part,
                                   GravenMessage message) {
  GravenPart own = *part;
  return part->model->num_inputs + part->model->num_outputs <=
                 GRAVEN_FEW_TENSORS
             ? runFew(&own, message)
             : runMany(&own, message);
}

GRAVEN_SUPPORT void graven_sized_extents(const GravenModel *model,
                                         const GravenSize *size,
                                         const int64_t *extents, int64_t output,
                                         int64_t *result) {
  int32_t rank = model->outputs[output].rank;
  if (!size->room) {
    const int64_t *row = size->output_extents;
    for (int64_t i = 0; i < output; ++i)
      row += model->outputs[i].rank;
    for (int32_t axis = 0; axis < rank; ++axis)
      result[axis] = row[axis];
    return;
  }
  GravenPart part = {model, size, extents, NULL, NULL,
                     NULL,  NULL, NULL,    0,    NULL};
  const int64_t *counts = size->room->factor_counts;
  const GravenFactor *factors = size->room->factors;
  for (int64_t i = 0; i < model->num_inputs + output; ++i)
    factors += *counts++;
  for (int32_t axis = 0; axis < rank; ++axis)
    result[axis] = 1;
  for (int64_t i = 0; i < *counts; ++i)
    result[factors[i].axis] *= factors[i].function < 0
                                   ? factors[i].most
                                   : valueOf(&part, factors[i].function);
}
