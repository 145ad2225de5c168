/*===- executors_host.c - a model on threads of the host -----------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file implements the host program of test_executors.py: it runs a model
 * with its own pool and with executors that a host may have, compares the bits
 * of the outputs with those of one thread, and counts calls of the allocator
 * and of locks during runs with a workspace.
 *
 * usage: host MODEL.so RUNS INPUT...   (bare bytes)
 *===---------------------------------------------------------------------===*/
#define _GNU_SOURCE
#include "runtime/include/graven/runtime.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TENSORS = 16, MAX_THREADS = 8 };

/*===- What a run must not call ----------------------------------------------*/

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static atomic_int watching, calls;
static void seen(void) {
  if (atomic_load_explicit(&watching, memory_order_relaxed))
    atomic_fetch_add(&calls, 1);
}

void *malloc(size_t size) { return seen(), __libc_malloc(size); }
void *calloc(size_t count, size_t size) {
  return seen(), __libc_calloc(count, size);
}
void *realloc(void *old, size_t size) {
  return seen(), __libc_realloc(old, size);
}
int posix_memalign(void **result, size_t alignment, size_t size) {
  seen();
  *result = __libc_memalign(alignment, size);
  return *result ? 0 : 12;
}
int pthread_mutex_lock(pthread_mutex_t *mutex) {
  static int (*next)(pthread_mutex_t *);
  seen();
  if (!next)
    next = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_lock");
  return next(mutex);
}

/*===- Executors -------------------------------------------------------------*/

typedef void (*Body)(void *args, int64_t lo, int64_t hi);
typedef struct Region {
  Body body;
  void *args;
  int64_t tasks, lo, hi;
  _Atomic int64_t *next;
} Region;

/* One thread, the last task first. */
static void reversed(void *context, int64_t tasks, Body body, void *args) {
  (void)context;
  for (int64_t i = tasks - 1; i >= 0; --i)
    body(args, i, i + 1);
}

static void *runRange(void *argument) {
  Region *region = argument;
  region->body(region->args, region->lo, region->hi);
  return NULL;
}

/* A new thread for each range, ranges of unequal length. */
static void fresh(void *context, int64_t tasks, Body body, void *args) {
  int64_t threads = *(int64_t *)context, done = 0;
  pthread_t ids[MAX_THREADS];
  Region regions[MAX_THREADS];
  int64_t started = 0;
  for (; started < threads && done < tasks; ++started) {
    int64_t left = threads - started, rest = tasks - done;
    int64_t count = left == 1 ? rest : (rest + 2 * left - 1) / (2 * left);
    regions[started] = (Region){body, args, tasks, done, done + count, NULL};
    done += count;
    if (pthread_create(&ids[started], NULL, runRange, &regions[started]))
      exit(106);
  }
  for (int64_t i = 0; i < started; ++i)
    pthread_join(ids[i], NULL);
}

static void *takeTasks(void *argument) {
  Region *region = argument;
  for (int64_t i; (i = atomic_fetch_add(region->next, 1)) < region->tasks;)
    region->body(region->args, i, i + 1);
  return NULL;
}

/* Threads that take one task at a time, as OpenMP's schedule(dynamic). */
static void dynamic(void *context, int64_t tasks, Body body, void *args) {
  int64_t threads = *(int64_t *)context;
  _Atomic int64_t next = 0;
  pthread_t ids[MAX_THREADS];
  Region region = {body, args, tasks, 0, 0, &next};
  if (tasks == 0)
    return;
  for (int64_t i = 1; i < threads; ++i)
    if (pthread_create(&ids[i], NULL, takeTasks, &region))
      exit(106);
  takeTasks(&region);
  for (int64_t i = 1; i < threads; ++i)
    pthread_join(ids[i], NULL);
}

/*===- Runs ------------------------------------------------------------------*/

typedef struct Run {
  const GravenModel *model;
  GravenTensor inputs[MAX_TENSORS], outputs[MAX_TENSORS];
  size_t sizes[MAX_TENSORS];
  void *expected[MAX_TENSORS];
  void *workspace;
} Run;

static size_t sizeOf(const GravenTensorInfo *info) {
  size_t size = info->dtype == GRAVEN_I64 ? 8 : 4;
  for (int32_t i = 0; i < info->rank; ++i)
    size *= (size_t)info->extents[i];
  return size;
}

static void runOnce(Run *run, const GravenParallel *parallel) {
  char error[256];
  int status = run->model->support->run(
      run->model, run->inputs, run->model->num_inputs, run->outputs,
      run->model->num_outputs, run->workspace, parallel, error, sizeof(error));
  if (status) {
    fprintf(stderr, "%s\n", error);
    exit(status);
  }
}

static void compare(Run *run, const char *executor, int64_t threads) {
  for (int64_t i = 0; i < run->model->num_outputs; ++i) {
    if (memcmp(run->outputs[i].data, run->expected[i], run->sizes[i])) {
      fprintf(stderr, "output %d differs with %s of %d\n", (int)i, executor,
              (int)threads);
      exit(107);
    }
    memset(run->outputs[i].data, 0xff, run->sizes[i]);
  }
}

static void onExecutors(Run *run, int64_t threads) {
  GravenParallel executors[] = {{NULL, threads, reversed},
                                {&threads, threads, fresh},
                                {&threads, threads, dynamic}};
  const char *names[] = {"reversed", "fresh", "dynamic"};
  for (int i = 0; i < 3; ++i) {
    runOnce(run, &executors[i]);
    compare(run, names[i], threads);
  }
}

static void onPool(Run *run, int threads, int runs) {
  const GravenSupport *support = run->model->support;
  GravenPool *pool = support->pool_create(threads);
  runOnce(run, support->pool_parallel(pool));
  compare(run, "pool", threads);
  for (int i = 0; i < runs; ++i) {
    atomic_store(&watching, 1);
    runOnce(run, support->pool_parallel(pool));
    atomic_store(&watching, 0);
    compare(run, "pool", threads);
  }
  support->pool_destroy(pool);
}

static void readInput(void *data, size_t size, const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file || fread(data, 1, size, file) != size)
    exit(101);
  fclose(file);
}

int main(int argc, char **argv) {
  static Run run;
  void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return 103;
  run.model = (const GravenModel *)dlsym(library, "graven_model");
  if (!run.model || argc != 3 + run.model->num_inputs)
    return 104;
  for (int64_t i = 0; i < run.model->num_inputs; ++i) {
    const GravenTensorInfo *info = &run.model->inputs[i];
    void *data = malloc(sizeOf(info));
    readInput(data, sizeOf(info), argv[3 + i]);
    run.inputs[i] =
        (GravenTensor){data, info->extents, info->dtype, info->rank};
  }
  for (int64_t i = 0; i < run.model->num_outputs; ++i) {
    const GravenTensorInfo *info = &run.model->outputs[i];
    run.sizes[i] = sizeOf(info);
    run.expected[i] = malloc(run.sizes[i]);
    run.outputs[i] = (GravenTensor){malloc(run.sizes[i]), info->extents,
                                    info->dtype, info->rank};
  }
  if (posix_memalign(&run.workspace, (size_t)run.model->workspace_alignment,
                     (size_t)run.model->workspace_size + 1))
    return 105;
  runOnce(&run, NULL);
  for (int64_t i = 0; i < run.model->num_outputs; ++i)
    memcpy(run.expected[i], run.outputs[i].data, run.sizes[i]);
  static const int counts[] = {1, 2, 3, 4, 7};
  for (int i = 0; i < 5; ++i) {
    onExecutors(&run, counts[i]);
    onPool(&run, counts[i], atoi(argv[2]));
  }
  printf("calls %d\n", atomic_load(&calls));
  return 0;
}
