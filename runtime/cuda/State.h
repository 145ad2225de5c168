/*===- State.h - a GPU that a model was opened on ------------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file declares what opening a GPU and running on it share.
 *===---------------------------------------------------------------------===*/
#ifndef GRAVEN_RUNTIME_CUDA_STATE_H
#define GRAVEN_RUNTIME_CUDA_STATE_H

#include "runtime/cuda/Device.h"
#include "runtime/cuda/Driver.h"

/* How a tensor comes to the kernels. */
enum {
  COPY_NONE,  /* it is on the device */
  COPY_HOST,  /* from or to the host */
  COPY_DEVICE /* on the device, and not aligned as kernels expect */
};

struct GravenDevice {
  const GravenDeviceCode *code;
  _Atomic int busy;
  CudaDriver driver;
  CudaDevice number;
  CudaContext context;
  CudaModule module;
  CudaStream own;
  const GravenKernel *kernels; /* of the code that was chosen */
  CudaFunction *functions;
  /* All memory of the device, and what it is for; `tensors` are the places of
   * those that are copied. */
  CudaAddress memory;
  CudaAddress *tensors;
  CudaAddress workspace, weights;
  /* Of the last run: its end, and the stream it is on, if there was one. */
  CudaEvent finished;
  CudaStream last;
  int isQueued;
  /* Where its tensors were, how many runs had them there (2 stands for more),
   * what its host code did, and all of its launches where they became a graph.
   */
  CudaAddress *recorded;
  int numRuns;
  int64_t numLaunches, numReads;
  CudaGraphExec graph;
  /* Of this run: the stream, the tensors, the first failure. */
  CudaStream stream;
  CudaAddress *places;
  unsigned char *copies;
  int hasHostTensors;
  int32_t status;
};

/* Keeps what is said of a failure for graven_device_failure; the status. The
 * strings live as long as the process. */
GRAVEN_INTERNAL int32_t graven_device_fail(int32_t status, const char *what,
                                           const char *why);

/* OK, or the status of a call that failed. */
GRAVEN_INTERNAL int32_t graven_device_check(const CudaDriver *driver,
                                            CudaResult result,
                                            const char *what);

/* Whether there is a driver, a device, and code for it, which is looked for
 * once; its status. After a failure no run may follow. */
GRAVEN_INTERNAL int32_t graven_device_find(const GravenDeviceCode *code);

/* The device of a size, opened by the first run: the one that the caller of a
 * stream is on, else the first; null with a status. */
GRAVEN_INTERNAL struct GravenDevice *
graven_device_open(const GravenDeviceCode *code, const void *weights,
                   const GravenParallel *stream, int32_t *status);

static inline int32_t graven_device_enter(struct GravenDevice *device) {
  return graven_device_check(&device->driver,
                             device->driver.contextPush(device->context),
                             "cuCtxPushCurrent");
}

static inline void graven_device_leave(struct GravenDevice *device) {
  CudaContext popped;
  device->driver.contextPop(&popped);
}

#endif /* GRAVEN_RUNTIME_CUDA_STATE_H */
