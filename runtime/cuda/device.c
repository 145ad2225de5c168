/*===- device.c - kernels of a model on a GPU ----------------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file implements runs on a GPU: the driver is loaded, the code that fits
 * the GPU chosen, memory taken and the weights copied at the first run of a
 * size; each run copies its tensors and walks through the host code.
 *===---------------------------------------------------------------------===*/
#define _GNU_SOURCE
#include "runtime/cuda/Device.h"
#include "runtime/cuda/Driver.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Before glibc 2.34 these were in a library of their own. */
#pragma weak dlopen
#pragma weak dlsym

/* Places in the device's memory begin at multiples of this. */
#define ALIGNMENT 256

struct GravenDevice {
  const GravenDeviceCode *code;
  _Atomic int busy;
  CudaDriver driver;
  CudaDevice number;
  CudaContext context;
  CudaModule module;
  CudaStream stream;
  CudaFunction *functions;
  /* All memory of the device, and what it is for. */
  CudaAddress memory;
  CudaAddress *tensors;
  CudaAddress workspace, weights;
  /* Of this run. */
  int32_t status;
};

/*===- Failures --------------------------------------------------------------*/

/* Of the last failure, strings that live as long as the process: two runs that
 * fail at a time may mix them up. There is no storage for each thread, which an
 * artifact would need the dynamic linker for. */
static _Atomic(const char *) lastWhat, lastWhy;

GRAVEN_SUPPORT const char *graven_device_failure(const char **why) {
  *why = atomic_load_explicit(&lastWhy, memory_order_relaxed);
  return atomic_load_explicit(&lastWhat, memory_order_relaxed);
}

static int32_t fail(int32_t status, const char *what, const char *why) {
  atomic_store_explicit(&lastWhat, what, memory_order_relaxed);
  atomic_store_explicit(&lastWhy, why, memory_order_relaxed);
  return status;
}

/* OK, or the status of a call that failed. */
static int32_t check(const CudaDriver *driver, CudaResult result,
                     const char *what) {
  if (result == 0)
    return GRAVEN_OK;
  const char *why = NULL;
  if (driver->errorText(result, &why) != 0 || !why)
    why = "unknown error";
  return fail(result == CUDA_OUT_OF_MEMORY ? GRAVEN_ERROR_OUT_OF_MEMORY
                                           : GRAVEN_ERROR_DEVICE,
              what, why);
}

/*===- Opening a device ------------------------------------------------------*/

static int32_t loadDriver(CudaDriver *driver) {
  void *library =
      dlopen && dlsym ? dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL) : NULL;
  if (!library)
    return fail(GRAVEN_ERROR_DEVICE, "no CUDA driver",
                "libcuda.so.1 cannot be loaded");
#define LOAD(member, symbol, parameters)                                       \
  *(void **)&driver->member = dlsym(library, symbol);                          \
  if (!driver->member)                                                         \
    return fail(GRAVEN_ERROR_DEVICE, "the CUDA driver lacks a function",       \
                symbol);
  CUDA_FUNCTIONS(LOAD)
#undef LOAD
  return check(driver, driver->init(0), "cuInit");
}

/* The number in GRAVEN_CUDA_DEVICE, 0 without it, -1 for anything else. */
static int wantedDevice(void) {
  const char *text = getenv("GRAVEN_CUDA_DEVICE");
  int number = 0;
  for (; text && *text; ++text) {
    if (*text < '0' || *text > '9' || number > 9999)
      return -1;
    number = 10 * number + (*text - '0');
  }
  return number;
}

static int32_t chooseDevice(const CudaDriver *driver, CudaDevice *device) {
  int count = 0, wanted = wantedDevice();
  int32_t status =
      check(driver, driver->deviceCount(&count), "cuDeviceGetCount");
  if (status)
    return status;
  if (count < 1)
    return fail(GRAVEN_ERROR_DEVICE, "no device", "the driver counts none");
  if (wanted < 0 || wanted >= count)
    return fail(GRAVEN_ERROR_DEVICE, "no device",
                "GRAVEN_CUDA_DEVICE has no number of one");
  return check(driver, driver->deviceGet(device, wanted), "cuDeviceGet");
}

/* Machine code of the same major and the highest minor version that is not
 * above the device's, else text for a GPU that is not newer. */
static const GravenImage *findImage(const GravenDeviceCode *code, int major,
                                    int minor) {
  const GravenImage *best = NULL;
  for (int64_t i = 0; i < code->num_images; ++i) {
    const GravenImage *image = &code->images[i];
    int isOlder = image->major < major ||
                  (image->major == major && image->minor <= minor);
    if (!isOlder || (!image->is_text && image->major != major))
      continue;
    if (!best || (best->is_text && !image->is_text) ||
        (best->is_text == image->is_text &&
         (image->major > best->major ||
          (image->major == best->major && image->minor > best->minor))))
      best = image;
  }
  return best;
}

static int32_t loadCode(struct GravenDevice *device) {
  const CudaDriver *driver = &device->driver;
  CudaDevice number = device->number;
  if (device->code->num_kernels == 0)
    return GRAVEN_OK;
  int major = 0, minor = 0;
  int32_t status = check(
      driver, driver->deviceAttribute(&major, CUDA_CAPABILITY_MAJOR, number),
      "cuDeviceGetAttribute");
  if (!status)
    status = check(
        driver, driver->deviceAttribute(&minor, CUDA_CAPABILITY_MINOR, number),
        "cuDeviceGetAttribute");
  if (status)
    return status;
  const GravenImage *image = findImage(device->code, major, minor);
  if (!image)
    return fail(GRAVEN_ERROR_DEVICE, "no code for this device",
                "it is older than the GPUs that the model was compiled for");
  status = check(driver, driver->moduleLoad(&device->module, image->data),
                 "cuModuleLoadData");
  for (int64_t i = 0; !status && i < device->code->num_kernels; ++i)
    status = check(driver,
                   driver->moduleFunction(&device->functions[i], device->module,
                                          device->code->kernels[i].name),
                   "cuModuleGetFunction");
  return status;
}

static uint64_t aligned(uint64_t bytes) {
  return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* One piece of memory for everything; the weights are copied once. */
static int32_t takeMemory(struct GravenDevice *device, const void *weights) {
  const GravenDeviceCode *code = device->code;
  const CudaDriver *driver = &device->driver;
  int64_t count = code->num_inputs + code->num_outputs;
  uint64_t bytes = aligned((uint64_t)code->workspace_bytes) +
                   aligned((uint64_t)code->weights_bytes);
  for (int64_t i = 0; i < count; ++i)
    bytes += aligned((uint64_t)code->tensor_bytes[i]);
  int32_t status = check(
      driver, driver->allocate(&device->memory, bytes ? bytes : ALIGNMENT),
      "cuMemAlloc");
  if (status)
    return status;
  CudaAddress next = device->memory;
  device->workspace = next;
  next += aligned((uint64_t)code->workspace_bytes);
  device->weights = next;
  next += aligned((uint64_t)code->weights_bytes);
  for (int64_t i = 0; i < count; ++i) {
    device->tensors[i] = next;
    next += aligned((uint64_t)code->tensor_bytes[i]);
  }
  if (code->weights_bytes == 0)
    return GRAVEN_OK;
  status = check(driver,
                 driver->toDevice(device->weights, weights,
                                  (size_t)code->weights_bytes, device->stream),
                 "cuMemcpyHtoDAsync");
  return status ? status
                : check(driver, driver->streamWait(device->stream),
                        "cuStreamSynchronize");
}

static int32_t openIn(struct GravenDevice *device, const void *weights) {
  int32_t status = check(
      &device->driver,
      device->driver.streamCreate(&device->stream, CUDA_STREAM_NON_BLOCKING),
      "cuStreamCreate");
  if (!status)
    status = loadCode(device);
  return status ? status : takeMemory(device, weights);
}

/* Gives back what there is of a device, whose context is current. */
static void closeIn(struct GravenDevice *device) {
  if (device->memory)
    device->driver.release(device->memory);
  if (device->module)
    device->driver.moduleUnload(device->module);
  if (device->stream)
    device->driver.streamDestroy(device->stream);
}

static int32_t inContext(struct GravenDevice *device) {
  return check(&device->driver, device->driver.contextPush(device->context),
               "cuCtxPushCurrent");
}

static void outOfContext(struct GravenDevice *device) {
  CudaContext popped;
  device->driver.contextPop(&popped);
}

static void closeDevice(struct GravenDevice *device) {
  if (device->context) {
    if (!inContext(device)) {
      closeIn(device);
      outOfContext(device);
    }
    device->driver.contextRelease(device->number);
  }
  free(device);
}

static int32_t openDevice(struct GravenDevice *device, const void *weights) {
  int32_t status = loadDriver(&device->driver);
  if (!status)
    status = chooseDevice(&device->driver, &device->number);
  if (!status)
    status =
        check(&device->driver,
              device->driver.contextRetain(&device->context, device->number),
              "cuDevicePrimaryCtxRetain");
  if (!status)
    status = inContext(device);
  if (status)
    return status;
  status = openIn(device, weights);
  outOfContext(device);
  return status;
}

/* The device of a size, opened by the first run; null with a status. */
static struct GravenDevice *deviceOf(const GravenDeviceCode *code,
                                     const void *weights, int32_t *status) {
  struct GravenDevice *device =
      atomic_load_explicit(code->slot, memory_order_acquire);
  if (device)
    return device;
  size_t kernels = (size_t)code->num_kernels,
         tensors = (size_t)(code->num_inputs + code->num_outputs);
  struct GravenDevice *made =
      calloc(1, sizeof *made + kernels * sizeof(CudaFunction) +
                    tensors * sizeof(CudaAddress));
  if (!made) {
    *status = fail(GRAVEN_ERROR_OUT_OF_MEMORY, "no memory", "of the host");
    return NULL;
  }
  made->code = code;
  made->functions = (CudaFunction *)(made + 1);
  made->tensors = (CudaAddress *)(made->functions + kernels);
  *status = openDevice(made, weights);
  if (*status) {
    closeDevice(made);
    return NULL;
  }
  /* Two first runs may meet here: one device stays. */
  if (atomic_compare_exchange_strong(code->slot, &device, made))
    return made;
  closeDevice(made);
  return device;
}

/*===- A run -----------------------------------------------------------------*/

GRAVEN_SUPPORT void graven_device_launch(struct GravenDevice *device,
                                         int32_t kernel, void *arguments) {
  if (device->status)
    return;
  const GravenKernel *info = &device->code->kernels[kernel];
  void *pointers[GRAVEN_DEVICE_MAX_ARGUMENTS];
  for (int32_t i = 0; i < info->num_arguments; ++i)
    pointers[i] = (char *)arguments + 8 * (size_t)i;
  CudaResult result = device->driver.launch(
      device->functions[kernel], (unsigned)info->blocks, 1, 1,
      (unsigned)info->threads, 1, 1, (unsigned)info->shared_bytes,
      device->stream, pointers, NULL);
  if (result)
    device->status = check(&device->driver, result, info->name);
}

GRAVEN_SUPPORT void graven_device_read(struct GravenDevice *device, void *host,
                                       const void *address, int64_t bytes) {
  if (!device->status)
    device->status =
        check(&device->driver,
              device->driver.toHost(host, (CudaAddress)(uintptr_t)address,
                                    (size_t)bytes, device->stream),
              "cuMemcpyDtoHAsync");
  if (!device->status)
    device->status =
        check(&device->driver, device->driver.streamWait(device->stream),
              "cuStreamSynchronize");
  if (device->status)
    memset(host, 0, (size_t)bytes);
}

static int32_t copyInputs(struct GravenDevice *device, void *const *inputs) {
  const GravenDeviceCode *code = device->code;
  int32_t status = GRAVEN_OK;
  for (int64_t i = 0; !status && i < code->num_inputs; ++i)
    if (code->tensor_bytes[i] > 0)
      status = check(&device->driver,
                     device->driver.toDevice(device->tensors[i], inputs[i],
                                             (size_t)code->tensor_bytes[i],
                                             device->stream),
                     "cuMemcpyHtoDAsync");
  return status;
}

static int32_t copyOutputs(struct GravenDevice *device, void *const *outputs) {
  const GravenDeviceCode *code = device->code;
  int32_t status = GRAVEN_OK;
  for (int64_t i = 0; !status && i < code->num_outputs; ++i) {
    int64_t tensor = code->num_inputs + i;
    if (code->tensor_bytes[tensor] > 0)
      status = check(&device->driver,
                     device->driver.toHost(outputs[i], device->tensors[tensor],
                                           (size_t)code->tensor_bytes[tensor],
                                           device->stream),
                     "cuMemcpyDtoHAsync");
  }
  /* What is queued is over before anybody looks at the tensors, or frees them,
   * whatever happened. */
  int32_t waited =
      check(&device->driver, device->driver.streamWait(device->stream),
            "a kernel or copy");
  return status ? status : waited;
}

static int32_t runOn(struct GravenDevice *device, void *const *inputs,
                     void *const *outputs) {
  const GravenDeviceCode *code = device->code;
  device->status = copyInputs(device, inputs);
  int32_t asserted = GRAVEN_OK;
  if (!device->status)
    asserted = code->entry((void *const *)device->tensors,
                           (void *const *)(device->tensors + code->num_inputs),
                           (void *)(uintptr_t)device->workspace,
                           (const void *)(uintptr_t)device->weights, device);
  int32_t copied = copyOutputs(device, outputs);
  if (device->status)
    return device->status;
  return copied ? copied : asserted;
}

GRAVEN_SUPPORT int32_t graven_device_run(const GravenDeviceCode *code,
                                         void *const *inputs,
                                         void *const *outputs,
                                         const void *weights) {
  fail(GRAVEN_OK, NULL, NULL);
  int32_t status = GRAVEN_OK;
  struct GravenDevice *device = deviceOf(code, weights, &status);
  if (!device)
    return status;
  int expected = 0;
  while (!atomic_compare_exchange_weak_explicit(&device->busy, &expected, 1,
                                                memory_order_acquire,
                                                memory_order_relaxed)) {
    expected = 0;
    syscall(SYS_sched_yield);
  }
  status = inContext(device);
  if (!status) {
    status = runOn(device, inputs, outputs);
    outOfContext(device);
  }
  atomic_store_explicit(&device->busy, 0, memory_order_release);
  return status;
}
