/*===- device.c - opening a GPU for a model ------------------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file implements what happens at the first run of a size: the driver is
 * loaded, the code that fits the GPU chosen, memory taken and the weights
 * copied.
 *===---------------------------------------------------------------------===*/
#define _GNU_SOURCE
#include "runtime/cuda/State.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* Before glibc 2.34 these were in a library of their own. */
#pragma weak dlopen
#pragma weak dlsym

/* Places in the device's memory begin at multiples of this. */
#define ALIGNMENT 256

/* Shared memory that a kernel may have without asking for it. */
#define PLAIN_SHARED_BYTES (48 << 10)

/*===- Failures --------------------------------------------------------------*/

/* Of the last failure, strings that live as long as the process: two runs that
 * fail at a time may mix them up. There is no storage for each thread, which an
 * artifact would need the dynamic linker for. */
static _Atomic(const char *) lastWhat, lastWhy;

GRAVEN_SUPPORT const char *graven_device_failure(const char **why) {
  *why = atomic_load_explicit(&lastWhy, memory_order_relaxed);
  return atomic_load_explicit(&lastWhat, memory_order_relaxed);
}

GRAVEN_SUPPORT int32_t graven_device_fail(int32_t status, const char *what,
                                          const char *why) {
  atomic_store_explicit(&lastWhat, what, memory_order_relaxed);
  atomic_store_explicit(&lastWhy, why, memory_order_relaxed);
  return status;
}

GRAVEN_SUPPORT int32_t graven_device_check(const CudaDriver *driver,
                                           CudaResult result,
                                           const char *what) {
  if (result == 0)
    return GRAVEN_OK;
  const char *why = NULL;
  if (driver->errorText(result, &why) != 0 || !why)
    why = "unknown error";
  return graven_device_fail(result == CUDA_OUT_OF_MEMORY
                                ? GRAVEN_ERROR_OUT_OF_MEMORY
                                : GRAVEN_ERROR_DEVICE,
                            what, why);
}

/*===- Opening a device ------------------------------------------------------*/

static int32_t loadDriver(CudaDriver *driver) {
  void *library =
      dlopen && dlsym ? dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL) : NULL;
  if (!library)
    return graven_device_fail(GRAVEN_ERROR_DEVICE, "no CUDA driver",
                              "libcuda.so.1 cannot be loaded");
#define LOAD(member, symbol, parameters)                                       \
  *(void **)&driver->member = dlsym(library, symbol);                          \
  if (!driver->member)                                                         \
    return graven_device_fail(GRAVEN_ERROR_DEVICE,                             \
                              "the CUDA driver lacks a function", symbol);
  CUDA_FUNCTIONS(LOAD)
#undef LOAD
  return graven_device_check(driver, driver->init(0), "cuInit");
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

static int32_t chooseDevice(const CudaDriver *driver,
                            const GravenParallel *stream, CudaDevice *device) {
  /* Whoever has a stream has a device. */
  if (stream && !getenv("GRAVEN_CUDA_DEVICE") &&
      driver->contextDevice(device) == 0)
    return GRAVEN_OK;
  int count = 0, wanted = wantedDevice();
  int32_t status = graven_device_check(driver, driver->deviceCount(&count),
                                       "cuDeviceGetCount");
  if (status)
    return status;
  if (count < 1)
    return graven_device_fail(GRAVEN_ERROR_DEVICE, "no device",
                              "the driver counts none");
  if (wanted < 0 || wanted >= count)
    return graven_device_fail(GRAVEN_ERROR_DEVICE, "no device",
                              "GRAVEN_CUDA_DEVICE has no number of one");
  return graven_device_check(driver, driver->deviceGet(device, wanted),
                             "cuDeviceGet");
}

/* Whether the device can run it. */
static int fits(const GravenImage *image, int major, int minor) {
  if (image->is_exact)
    return image->major == major && image->minor == minor;
  if (image->major != major)
    return image->is_text && image->major < major;
  return image->minor <= minor;
}

/* Machine code rather than text, then what is for this version alone, then what
 * is for the newest one. */
static int isBetter(const GravenImage *image, const GravenImage *other) {
  if (image->is_text != other->is_text)
    return !image->is_text;
  if (image->is_exact != other->is_exact)
    return image->is_exact;
  if (image->major != other->major)
    return image->major > other->major;
  return image->minor > other->minor;
}

static const GravenImage *findImage(const GravenDeviceCode *code, int major,
                                    int minor) {
  const GravenImage *best = NULL;
  for (int64_t i = 0; i < code->num_images; ++i) {
    const GravenImage *image = &code->images[i];
    if (fits(image, major, minor) && (!best || isBetter(image, best)))
      best = image;
  }
  return best;
}

static int32_t findKernel(struct GravenDevice *device, int64_t number) {
  const CudaDriver *driver = &device->driver;
  const GravenKernel *kernel = &device->kernels[number];
  int32_t status =
      graven_device_check(driver,
                          driver->moduleFunction(&device->functions[number],
                                                 device->module, kernel->name),
                          "cuModuleGetFunction");
  if (status || kernel->shared_bytes <= PLAIN_SHARED_BYTES)
    return status;
  return graven_device_check(
      driver,
      driver->functionAttribute(device->functions[number],
                                CUDA_MOST_SHARED_BYTES, kernel->shared_bytes),
      "cuFuncSetAttribute");
}

/* The code for the device, null with a status. */
static const GravenImage *chooseImage(const GravenDeviceCode *code,
                                      const CudaDriver *driver,
                                      CudaDevice number, int32_t *status) {
  int major = 0, minor = 0;
  *status = graven_device_check(
      driver, driver->deviceAttribute(&major, CUDA_CAPABILITY_MAJOR, number),
      "cuDeviceGetAttribute");
  if (!*status)
    *status = graven_device_check(
        driver, driver->deviceAttribute(&minor, CUDA_CAPABILITY_MINOR, number),
        "cuDeviceGetAttribute");
  if (*status)
    return NULL;
  const GravenImage *image = findImage(code, major, minor);
  if (!image)
    *status = graven_device_fail(
        GRAVEN_ERROR_DEVICE, "no code for this device",
        "it is older than the GPUs that the model was compiled for");
  return image;
}

static int32_t loadCode(struct GravenDevice *device) {
  const CudaDriver *driver = &device->driver;
  if (device->code->num_kernels == 0)
    return GRAVEN_OK;
  int32_t status = GRAVEN_OK;
  const GravenImage *image =
      chooseImage(device->code, driver, device->number, &status);
  if (!image)
    return status;
  device->kernels = image->kernels;
  status = graven_device_check(driver,
                               driver->moduleLoad(&device->module, image->data),
                               "cuModuleLoadData");
  for (int64_t i = 0; !status && i < device->code->num_kernels; ++i)
    status = findKernel(device, i);
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
  int32_t status = graven_device_check(
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
  status = graven_device_check(driver,
                               driver->toDevice(device->weights, weights,
                                                (size_t)code->weights_bytes,
                                                device->own),
                               "cuMemcpyHtoDAsync");
  return status ? status
                : graven_device_check(driver, driver->streamWait(device->own),
                                      "cuStreamSynchronize");
}

static int32_t openIn(struct GravenDevice *device, const void *weights) {
  int32_t status = graven_device_check(
      &device->driver,
      device->driver.streamCreate(&device->own, CUDA_STREAM_NON_BLOCKING),
      "cuStreamCreate");
  if (!status)
    status = graven_device_check(
        &device->driver,
        device->driver.eventCreate(&device->finished, CUDA_EVENT_NO_TIMING),
        "cuEventCreate");
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
  if (device->finished)
    device->driver.eventDestroy(device->finished);
  if (device->own)
    device->driver.streamDestroy(device->own);
}

static void closeDevice(struct GravenDevice *device) {
  if (device->context) {
    if (!graven_device_enter(device)) {
      closeIn(device);
      graven_device_leave(device);
    }
    device->driver.contextRelease(device->number);
  }
  free(device);
}

static int32_t openDevice(struct GravenDevice *device, const void *weights,
                          const GravenParallel *stream) {
  int32_t status = loadDriver(&device->driver);
  if (!status)
    status = chooseDevice(&device->driver, stream, &device->number);
  if (!status)
    status = graven_device_check(
        &device->driver,
        device->driver.contextRetain(&device->context, device->number),
        "cuDevicePrimaryCtxRetain");
  if (!status)
    status = graven_device_enter(device);
  if (status)
    return status;
  status = openIn(device, weights);
  graven_device_leave(device);
  return status;
}

/* In the place of a device, where one was looked for and there is none. */
static struct GravenDevice absent;

GRAVEN_SUPPORT int32_t graven_device_find(const GravenDeviceCode *code) {
  struct GravenDevice *device =
      atomic_load_explicit(code->slot, memory_order_acquire);
  if (device)
    return device == &absent ? GRAVEN_ERROR_DEVICE : GRAVEN_OK;
  CudaDriver driver;
  CudaDevice number;
  int32_t status = loadDriver(&driver);
  if (!status)
    status = chooseDevice(&driver, /*stream=*/NULL, &number);
  if (!status && code->num_kernels > 0)
    chooseImage(code, &driver, number, &status);
  if (status)
    atomic_compare_exchange_strong(code->slot, &device, &absent);
  return status;
}

GRAVEN_SUPPORT struct GravenDevice *
graven_device_open(const GravenDeviceCode *code, const void *weights,
                   const GravenParallel *stream, int32_t *status) {
  struct GravenDevice *device =
      atomic_load_explicit(code->slot, memory_order_acquire);
  if (device)
    return device;
  size_t kernels = (size_t)code->num_kernels,
         tensors = (size_t)(code->num_inputs + code->num_outputs);
  struct GravenDevice *made =
      calloc(1, sizeof *made + kernels * sizeof(CudaFunction) +
                    tensors * (3 * sizeof(CudaAddress) + 1));
  if (!made) {
    *status = graven_device_fail(GRAVEN_ERROR_OUT_OF_MEMORY, "no memory",
                                 "of the host");
    return NULL;
  }
  made->code = code;
  made->functions = (CudaFunction *)(made + 1);
  made->tensors = (CudaAddress *)(made->functions + kernels);
  made->recorded = made->tensors + tensors;
  made->places = made->recorded + tensors;
  made->copies = (unsigned char *)(made->places + tensors);
  *status = openDevice(made, weights, stream);
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
