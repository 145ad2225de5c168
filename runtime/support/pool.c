/*===- pool.c - threads that share the tasks of a run --------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file implements GravenPool, which splits tasks evenly into contiguous
 * ranges, one per thread. The caller writes each worker's range into a cache
 * line of that worker and waits on another one, so a region costs a few
 * transfers of a line per worker and no lock. Whoever of the two gets to a
 * range first takes it: a worker that is late, asleep or without a CPU holds
 * nobody up. A worker spins for 1 ms after its last region and then sleeps on a
 * futex: waking it can take a millisecond, and one that naps and polls slows
 * down the whole machine.
 *===---------------------------------------------------------------------===*/
#define _GNU_SOURCE
#include "runtime/support/Support.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Before glibc 2.34 threads were in a library of their own, which an artifact
 * does not ask for: without it in the process there is no pool. */
#pragma weak pthread_create
#pragma weak pthread_join

#define SPIN_NANOSECONDS 1000000
/* Polls between two looks at the clock, about 3 us. */
#define POLLS_PER_LOOK 64
/* Polls after which a waiting caller gives its CPU away, about 50 us. */
#define POLLS_BEFORE_YIELD 1024
/* Neighbouring lines are fetched in pairs, so what two threads write is kept
 * this far apart. */
#define LINE_PAIR 128
#define MAX_THREADS 4096

typedef void (*Body)(void *args, int64_t lo, int64_t hi);

typedef struct Worker {
  /* Written by the caller: the number of the newest range given to this worker,
   * even; plus one when somebody took it. Then the range; a null body ends the
   * worker. */
  _Alignas(LINE_PAIR) _Atomic uint32_t ticket;
  uint32_t floatControl;
  Body body;
  void *args;
  int64_t lo, hi;
  /* Written by the worker: the number of the last range it finished. */
  _Alignas(LINE_PAIR) _Atomic uint32_t finished;
  /* The worker's futex: it sets 1 and sleeps, who wakes it sets 0. */
  _Atomic uint32_t asleep;
  pthread_t thread;
  GravenPool *pool;
} Worker;

struct GravenPool {
  GravenParallel parallel;
  int64_t numWorkers;
  /* There are more threads than CPUs: spinning would hold up those who work. */
  int crowded;
  /* 1 on a page that reads 0 in a forked child, which has no workers. */
  uint32_t *alive;
  _Alignas(LINE_PAIR) _Atomic uint32_t busy;
  /* How many workers have `asleep` set. */
  _Alignas(LINE_PAIR) _Atomic uint32_t sleepers;
  Worker workers[];
};

/*===- The machine -----------------------------------------------------------*/

static void pauseCpu(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void giveCpuAway(void) { syscall(SYS_sched_yield); }

/* Rounding and denormal modes; results must not depend on the thread. */
static uint32_t readFloatControl(void) {
#if defined(__x86_64__)
  return __builtin_ia32_stmxcsr();
#elif defined(__aarch64__)
  uint64_t control;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control));
  return (uint32_t)control;
#else
  return 0;
#endif
}

static void writeFloatControl(uint32_t control) {
#if defined(__x86_64__)
  /* The low six bits are sticky exception flags. */
  if ((control ^ __builtin_ia32_stmxcsr()) & ~0x3fu)
    __builtin_ia32_ldmxcsr(control);
#elif defined(__aarch64__)
  if (control != readFloatControl())
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)control));
#else
  (void)control;
#endif
}

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* CPUs this process may run on, at least 1. */
static int countCpus(void) {
  uint64_t mask[128] = {0}; /* 8192 CPUs, the kernel's limit */
  long bytes = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
  int count = 0;
  for (long i = 0; i < bytes / 8; ++i)
    count += __builtin_popcountll(mask[i]);
  return count > 0 ? count : 1;
}

static void futexWait(_Atomic uint32_t *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futexWake(_Atomic uint32_t *word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/*===- Workers ---------------------------------------------------------------*/

/* Takes range `number` of the worker, once: for the caller or the worker. */
static int take(Worker *worker, uint32_t number) {
  return atomic_compare_exchange_strong_explicit(
      &worker->ticket, &number, number + 1, memory_order_acquire,
      memory_order_relaxed);
}

/* The number of a range that waits to be taken, or 0. */
static uint32_t waitingRange(Worker *worker) {
  uint32_t ticket = atomic_load_explicit(&worker->ticket, memory_order_relaxed);
  return ticket & 1 ? 0 : ticket;
}

/* Returns the number of a taken range, or 0 when none came for a while. */
static uint32_t spinForRange(Worker *self) {
  int64_t deadline = 0;
  for (;;) {
    for (int poll = 0; poll < POLLS_PER_LOOK; ++poll) {
      uint32_t number = waitingRange(self);
      if (number && take(self, number))
        return number;
      pauseCpu();
    }
    int64_t now = nanoseconds();
    if (!deadline)
      deadline = now + SPIN_NANOSECONDS;
    else if (now >= deadline)
      return 0;
    if (self->pool->crowded)
      giveCpuAway();
  }
}

/* Whoever clears `asleep` counts the sleeper out and wakes it. */
static void wake(Worker *worker) {
  if (!atomic_exchange(&worker->asleep, 0))
    return;
  atomic_fetch_sub(&worker->pool->sleepers, 1);
  futexWake(&worker->asleep);
}

static void sleepUntilWoken(Worker *self) {
  atomic_fetch_add(&self->pool->sleepers, 1);
  atomic_store(&self->asleep, 1);
  /* Pairs with the fence in share(): either the caller sees a sleeper, or this
   * worker sees the range that was posted. */
  atomic_thread_fence(memory_order_seq_cst);
  if (waitingRange(self))
    wake(self);
  while (atomic_load_explicit(&self->asleep, memory_order_relaxed))
    futexWait(&self->asleep, 1);
}

static void *workerMain(void *argument) {
  Worker *self = argument;
  for (;;) {
    uint32_t number = spinForRange(self);
    if (!number) {
      sleepUntilWoken(self);
      continue;
    }
    if (!self->body)
      return NULL;
    writeFloatControl(self->floatControl);
    self->body(self->args, self->lo, self->hi);
    atomic_store_explicit(&self->finished, number, memory_order_release);
  }
}

static void wakeSleepers(GravenPool *pool, int64_t count) {
  if (atomic_load_explicit(&pool->sleepers, memory_order_relaxed))
    for (int64_t i = 0; i < count; ++i)
      if (atomic_load_explicit(&pool->workers[i].asleep, memory_order_relaxed))
        wake(&pool->workers[i]);
}

/*===- Regions ---------------------------------------------------------------*/

/* The first task of part `index` when `tasks` are split into `parts`. */
static int64_t splitPoint(int64_t tasks, int64_t parts, int64_t index) {
  int64_t even = tasks / parts, rest = tasks % parts;
  return even * index + (index < rest ? index : rest);
}

/* Makes the range in the worker's line available under the next number, which
 * is even and never 0. */
static void post(Worker *worker) {
  uint32_t last = atomic_load_explicit(&worker->ticket, memory_order_relaxed);
  uint32_t number = last + 1 ? last + 1 : 2;
  atomic_store_explicit(&worker->ticket, number, memory_order_release);
}

/* Runs the worker's range here if the worker did not start, else waits. */
static void finishRange(GravenPool *pool, Worker *worker) {
  uint32_t number = waitingRange(worker);
  if (number && take(worker, number)) {
    worker->body(worker->args, worker->lo, worker->hi);
    return;
  }
  number = atomic_load_explicit(&worker->ticket, memory_order_relaxed) - 1;
  for (int poll = 0; atomic_load_explicit(&worker->finished,
                                          memory_order_acquire) != number;) {
    if (pool->crowded || poll >= POLLS_BEFORE_YIELD)
      giveCpuAway();
    else
      ++poll;
    pauseCpu();
  }
}

/* Hands ranges 1.. to the workers and runs range 0 here. */
static void share(GravenPool *pool, int64_t tasks, int64_t parts, Body body,
                  void *args) {
  uint32_t control = readFloatControl();
  for (int64_t part = 1; part < parts; ++part) {
    Worker *worker = &pool->workers[part - 1];
    worker->floatControl = control;
    worker->body = body;
    worker->args = args;
    worker->lo = splitPoint(tasks, parts, part);
    worker->hi = splitPoint(tasks, parts, part + 1);
    post(worker);
  }
  atomic_thread_fence(memory_order_seq_cst);
  wakeSleepers(pool, parts - 1);
  body(args, 0, splitPoint(tasks, parts, 1));
  for (int64_t part = 1; part < parts; ++part)
    finishRange(pool, &pool->workers[part - 1]);
}

static void poolParallelFor(void *context, int64_t tasks, Body body,
                            void *args) {
  GravenPool *pool = context;
  if (tasks <= 0) {
    if (*pool->alive)
      wakeSleepers(pool, pool->numWorkers);
    return;
  }
  int64_t threads = pool->numWorkers + 1;
  int64_t parts = tasks < threads ? tasks : threads;
  if (parts == 1 || !*pool->alive ||
      atomic_exchange_explicit(&pool->busy, 1, memory_order_acquire)) {
    body(args, 0, tasks);
    return;
  }
  share(pool, tasks, parts, body, args);
  atomic_store_explicit(&pool->busy, 0, memory_order_release);
}

/*===- The pool's life -------------------------------------------------------*/

static uint32_t *createAliveFlag(void) {
  uint32_t *flag = mmap(NULL, sizeof(*flag), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (flag == MAP_FAILED)
    return NULL;
  madvise(flag, sizeof(*flag), MADV_WIPEONFORK);
  *flag = 1;
  return flag;
}

/* Starts workers until numWorkers of them run, or a thread is refused. They
 * leave signals to the host's threads. */
static int64_t startWorkers(GravenPool *pool, int64_t wanted) {
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  int64_t started = 0;
  for (; started < wanted; ++started) {
    Worker *worker = &pool->workers[started];
    worker->pool = pool;
    atomic_init(&worker->ticket, 1); /* number 0, taken */
    if (!pthread_create ||
        pthread_create(&worker->thread, NULL, workerMain, worker))
      break;
  }
  sigprocmask(SIG_SETMASK, &before, NULL);
  return started;
}

GRAVEN_SUPPORT GravenPool *graven_pool_create(int threads) {
  int cpus = countCpus();
  int64_t wanted = (threads > 0 ? threads : cpus) - 1;
  if (wanted >= MAX_THREADS)
    return NULL;
  size_t size = sizeof(GravenPool) + (size_t)wanted * sizeof(Worker);
  void *memory = NULL;
  if (posix_memalign(&memory, LINE_PAIR, size))
    return NULL;
  memset(memory, 0, size);
  GravenPool *pool = memory;
  pool->parallel = (GravenParallel){pool, wanted + 1, poolParallelFor};
  pool->crowded = wanted + 1 > cpus;
  pool->alive = createAliveFlag();
  if (!pool->alive) {
    free(pool);
    return NULL;
  }
  pool->numWorkers = startWorkers(pool, wanted);
  if (pool->numWorkers == wanted)
    return pool;
  graven_pool_destroy(pool);
  return NULL;
}

GRAVEN_SUPPORT void graven_pool_destroy(GravenPool *pool) {
  if (!pool)
    return;
  for (int64_t i = 0; *pool->alive && i < pool->numWorkers; ++i) {
    Worker *worker = &pool->workers[i];
    worker->body = NULL;
    post(worker);
    atomic_thread_fence(memory_order_seq_cst);
    wake(worker);
    pthread_join(worker->thread, NULL);
  }
  munmap(pool->alive, sizeof(*pool->alive));
  free(pool);
}

GRAVEN_SUPPORT const GravenParallel *graven_pool_parallel(GravenPool *pool) {
  return pool ? &pool->parallel : NULL;
}
