/*===- run.c - runs of a model on a GPU ----------------------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file implements a run on a GPU: tensors of the host are copied, those of
 * the device used where they are, and the host code queues its kernels, which
 * become one graph where a run is repeated.
 *===---------------------------------------------------------------------===*/
#define _GNU_SOURCE
#include "runtime/cuda/State.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What a kernel expects the address of a tensor to be a multiple of. */
#define TENSOR_ALIGNMENT 16

/* Launches for which a graph is worth its memory. */
#define FEW_LAUNCHES 4

/*===- For host code ---------------------------------------------------------*/

GRAVEN_SUPPORT void graven_device_launch(struct GravenDevice *device,
                                         int32_t kernel, void *arguments) {
  if (device->status)
    return;
  ++device->numLaunches;
  const GravenKernel *info = &device->kernels[kernel];
  void *pointers[GRAVEN_DEVICE_MAX_ARGUMENTS];
  for (int32_t i = 0; i < info->num_arguments; ++i)
    pointers[i] = (char *)arguments + 8 * (size_t)i;
  CudaResult result = device->driver.launch(
      device->functions[kernel], (unsigned)info->blocks, 1, 1,
      (unsigned)info->threads, 1, 1, (unsigned)info->shared_bytes,
      device->stream, pointers, NULL);
  if (result)
    device->status = graven_device_check(&device->driver, result, info->name);
}

GRAVEN_SUPPORT void graven_device_read(struct GravenDevice *device, void *host,
                                       const void *address, int64_t bytes) {
  ++device->numReads;
  if (!device->status)
    device->status = graven_device_check(
        &device->driver,
        device->driver.toHost(host, (CudaAddress)(uintptr_t)address,
                              (size_t)bytes, device->stream),
        "cuMemcpyDtoHAsync");
  if (!device->status)
    device->status = graven_device_check(
        &device->driver, device->driver.streamWait(device->stream),
        "cuStreamSynchronize");
  if (device->status)
    memset(host, 0, (size_t)bytes);
}

/*===- Tensors ---------------------------------------------------------------*/

static void *tensorOf(void *const *inputs, void *const *outputs,
                      const GravenDeviceCode *code, int64_t number) {
  return number < code->num_inputs ? inputs[number]
                                   : outputs[number - code->num_inputs];
}

/* Whether the tensor is in memory of a device; a failure for another device's.
 */
static int isOnDevice(struct GravenDevice *device, const void *tensor,
                      int32_t *status) {
  const CudaDriver *driver = &device->driver;
  CudaAddress address = (CudaAddress)(uintptr_t)tensor;
  unsigned kind = 0;
  int number = device->number;
  /* Of memory that the driver knows nothing of, this fails. */
  if (driver->pointerAttribute(&kind, CUDA_POINTER_MEMORY_TYPE, address) ||
      kind != CUDA_MEMORY_OF_DEVICE)
    return 0;
  *status = graven_device_check(
      driver, driver->pointerAttribute(&number, CUDA_POINTER_DEVICE, address),
      "cuPointerGetAttribute");
  if (!*status && number != device->number)
    *status = graven_device_fail(GRAVEN_ERROR_DEVICE, "a tensor",
                                 "it is in the memory of another device");
  return 1;
}

/* Decides where the kernels have each tensor. Without a stream of the caller's,
 * tensors are the host's. */
static int32_t placeTensors(struct GravenDevice *device, void *const *inputs,
                            void *const *outputs, int isCallers) {
  const GravenDeviceCode *code = device->code;
  int32_t status = GRAVEN_OK;
  device->hasHostTensors = 0;
  for (int64_t i = 0; !status && i < code->num_inputs + code->num_outputs;
       ++i) {
    void *tensor = tensorOf(inputs, outputs, code, i);
    device->places[i] = device->tensors[i];
    device->copies[i] = COPY_NONE;
    if (code->tensor_bytes[i] == 0)
      continue;
    if (!isCallers || !isOnDevice(device, tensor, &status)) {
      device->copies[i] = COPY_HOST;
      device->hasHostTensors = 1;
    } else if ((uintptr_t)tensor % TENSOR_ALIGNMENT != 0) {
      device->copies[i] = COPY_DEVICE;
    } else {
      device->places[i] = (CudaAddress)(uintptr_t)tensor;
    }
  }
  return status;
}

static int32_t copyIn(struct GravenDevice *device, int64_t number,
                      void *tensor) {
  const CudaDriver *driver = &device->driver;
  CudaAddress place = device->places[number];
  size_t bytes = (size_t)device->code->tensor_bytes[number];
  if (device->copies[number] == COPY_HOST)
    return graven_device_check(
        driver, driver->toDevice(place, tensor, bytes, device->stream),
        "cuMemcpyHtoDAsync");
  return graven_device_check(driver,
                             driver->within(place,
                                            (CudaAddress)(uintptr_t)tensor,
                                            bytes, device->stream),
                             "cuMemcpyDtoDAsync");
}

static int32_t copyOut(struct GravenDevice *device, int64_t number,
                       void *tensor) {
  const CudaDriver *driver = &device->driver;
  CudaAddress place = device->places[number];
  size_t bytes = (size_t)device->code->tensor_bytes[number];
  if (device->copies[number] == COPY_HOST)
    return graven_device_check(
        driver, driver->toHost(tensor, place, bytes, device->stream),
        "cuMemcpyDtoHAsync");
  return graven_device_check(driver,
                             driver->within((CudaAddress)(uintptr_t)tensor,
                                            place, bytes, device->stream),
                             "cuMemcpyDtoDAsync");
}

/* Copies those tensors from number `first` on that are elsewhere, with `copy`.
 */
static int32_t copyTensors(struct GravenDevice *device, int64_t first,
                           int64_t count, void *const *tensors,
                           int32_t (*copy)(struct GravenDevice *, int64_t,
                                           void *)) {
  int32_t status = GRAVEN_OK;
  for (int64_t i = 0; !status && i < count; ++i)
    if (device->copies[first + i] != COPY_NONE)
      status = copy(device, first + i, tensors[i]);
  return status;
}

/*===- Launches --------------------------------------------------------------*/

/* The host code, which queues all kernels on the stream; what it asserted. */
static int32_t runHostCode(struct GravenDevice *device) {
  const GravenDeviceCode *code = device->code;
  device->numLaunches = device->numReads = 0;
  return code->entry((void *const *)device->places,
                     (void *const *)(device->places + code->num_inputs),
                     (void *)(uintptr_t)device->workspace,
                     (const void *)(uintptr_t)device->weights, device);
}

static void forgetGraph(struct GravenDevice *device) {
  if (device->graph)
    device->driver.graphExecDestroy(device->graph);
  device->graph = NULL;
}

/* Makes a graph of what the host code queues; without one where the driver
 * makes none, which is no failure of the run. */
static void record(struct GravenDevice *device) {
  const CudaDriver *driver = &device->driver;
  CudaStream stream = device->stream;
  CudaGraph graph = NULL;
  forgetGraph(device);
  if (driver->captureBegin(device->own, CUDA_CAPTURE_RELAXED))
    return;
  device->stream = device->own;
  runHostCode(device);
  device->stream = stream;
  int32_t status = device->status;
  device->status = GRAVEN_OK;
  if (driver->captureEnd(device->own, &graph) || !graph)
    return;
  if (status || driver->graphInstantiate(&device->graph, graph, 0))
    device->graph = NULL;
  driver->graphDestroy(graph);
}

/* All kernels of a run, what the host code asserted. Where the run before had
 * its tensors at the same places, and nothing that the device computed decided
 * what was launched, this one is recorded, and those after it are one launch.
 */
static int32_t launchAll(struct GravenDevice *device) {
  const GravenDeviceCode *code = device->code;
  const CudaDriver *driver = &device->driver;
  size_t bytes =
      (size_t)(code->num_inputs + code->num_outputs) * sizeof(CudaAddress);
  int isRepeated = device->numRuns > 0 &&
                   memcmp(device->places, device->recorded, bytes) == 0;
  if (!isRepeated)
    forgetGraph(device);
  memcpy(device->recorded, device->places, bytes);
  if (isRepeated && !device->graph && device->numRuns == 1 &&
      device->numReads == 0 && device->numLaunches >= FEW_LAUNCHES)
    record(device);
  device->numRuns = isRepeated ? 2 : 1;
  if (!device->graph)
    return runHostCode(device);
  device->status = graven_device_check(
      driver, driver->graphLaunch(device->graph, device->stream),
      "cuGraphLaunch");
  return GRAVEN_OK;
}

/*===- A run -----------------------------------------------------------------*/

/* The workspace is the last run's until that is over. */
static int32_t waitForLast(struct GravenDevice *device) {
  if (!device->isQueued || device->last == device->stream)
    return GRAVEN_OK;
  return graven_device_check(
      &device->driver,
      device->driver.streamWaitEvent(device->stream, device->finished, 0),
      "cuStreamWaitEvent");
}

/* Marks the end of a run that may still be under way. */
static int32_t markEnd(struct GravenDevice *device) {
  device->isQueued = 1;
  device->last = device->stream;
  return graven_device_check(
      &device->driver,
      device->driver.eventRecord(device->finished, device->stream),
      "cuEventRecord");
}

/* In a caller's capture, what is queued becomes a part of the caller's graph,
 * and the order of runs the caller's affair. */
static int isCapturing(struct GravenDevice *device) {
  int state = 0;
  return !device->driver.captureState(device->stream, &state) && state != 0;
}

static int32_t runOn(struct GravenDevice *device, void *const *inputs,
                     void *const *outputs, int isCallers) {
  const GravenDeviceCode *code = device->code;
  int isCaptured = isCallers && isCapturing(device);
  device->status = placeTensors(device, inputs, outputs, isCallers);
  if (!device->status && !isCaptured)
    device->status = waitForLast(device);
  if (!device->status)
    device->status = copyTensors(device, 0, code->num_inputs, inputs, copyIn);
  int32_t asserted = GRAVEN_OK;
  if (!device->status)
    asserted = isCaptured ? runHostCode(device) : launchAll(device);
  int32_t status = device->status;
  if (!status)
    status = copyTensors(device, code->num_inputs, code->num_outputs, outputs,
                         copyOut);
  if (isCaptured)
    return status ? status : asserted;
  int32_t marked = markEnd(device);
  /* What is queued is over before anybody looks at tensors of the host, or
   * frees them, whatever happened. */
  int32_t waited = GRAVEN_OK;
  if (device->hasHostTensors || status || marked)
    waited = graven_device_check(&device->driver,
                                 device->driver.streamWait(device->stream),
                                 "a kernel or copy");
  if (status)
    return status;
  if (waited)
    return waited;
  return marked ? marked : asserted;
}

GRAVEN_SUPPORT int32_t graven_device_run(const GravenDeviceCode *code,
                                         void *const *inputs,
                                         void *const *outputs,
                                         const void *weights,
                                         const GravenParallel *parallel) {
  const GravenParallel *stream =
      parallel && parallel->threads == GRAVEN_STREAM ? parallel : NULL;
  if (!inputs && !outputs)
    return graven_device_find(code);
  graven_device_fail(GRAVEN_OK, NULL, NULL);
  int32_t status = GRAVEN_OK;
  struct GravenDevice *device =
      graven_device_open(code, weights, stream, &status);
  if (!device)
    return status;
  int expected = 0;
  while (!atomic_compare_exchange_weak_explicit(&device->busy, &expected, 1,
                                                memory_order_acquire,
                                                memory_order_relaxed)) {
    expected = 0;
    syscall(SYS_sched_yield);
  }
  status = graven_device_enter(device);
  if (!status) {
    device->stream = stream ? (CudaStream)stream->context : device->own;
    status = runOn(device, inputs, outputs, stream != NULL);
    graven_device_leave(device);
  }
  atomic_store_explicit(&device->busy, 0, memory_order_release);
  return status;
}
