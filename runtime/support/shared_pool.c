/*===- shared_pool.c - the threads of a typed entry ----------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file implements the call behind NAME_run of a model compiled for several
 * threads. Its pool is made by the first call and lives as long as the process:
 * the code of its threads is inside of the artifact, which for that reason is
 * never unloaded.
 *===---------------------------------------------------------------------===*/
#include "runtime/support/Support.h"

GRAVEN_SUPPORT int
graven_model_call_shared(const GravenModel *model, const int64_t *extents,
                         void *const *inputs, void *const *outputs,
                         int64_t *const *used, void *workspace,
                         _Atomic(GravenPool *) *slot, int threads) {
  GravenPool *pool = atomic_load_explicit(slot, memory_order_acquire);
  if (!pool) {
    /* Two first calls may meet here: one pool stays. Without memory or threads
     * for one, the run is this thread's. */
    GravenPool *made = graven_pool_create(threads);
    if (atomic_compare_exchange_strong(slot, &pool, made))
      pool = made;
    else
      graven_pool_destroy(made);
  }
  return graven_model_call_sized(model, extents, inputs, outputs, used,
                                 workspace, graven_pool_parallel(pool), NULL,
                                 0);
}
