/*===- Device.h - kernels of a model on a GPU ----------------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file declares what an artifact for GPUs holds and calls: its table of
 * kernels and code, a run of it, and what its host code asks for during a run.
 * All of it is inside of the artifact.
 *===---------------------------------------------------------------------===*/
#ifndef GRAVEN_RUNTIME_CUDA_DEVICE_H
#define GRAVEN_RUNTIME_CUDA_DEVICE_H

#include "runtime/support/Support.h"

/* The most arguments of a kernel, 4 KB of them. */
#define GRAVEN_DEVICE_MAX_ARGUMENTS 512

/* A kernel and how it is launched. Layout: { ptr, i32, i32, i32, i32 }. */
typedef struct GravenKernel {
  const char *name;
  int32_t blocks, threads;
  int32_t shared_bytes;
  int32_t num_arguments;
} GravenKernel;

/* Code for GPUs: machine code for those of the same major and no lower minor
 * version, or PTX, which the driver compiles for any that is not older; either
 * may be for one version alone.
 * Layout: { i32, i32, i32, i32, ptr, ptr }. */
typedef struct GravenImage {
  int32_t major, minor;
  int32_t is_text;  /* PTX, ended by a zero */
  int32_t is_exact; /* for no other version */
  const void *data;
  const GravenKernel *kernels; /* as many, in the same order, in each image */
} GravenImage;

struct GravenDevice;

/* The host code of one size, on addresses of the device. */
typedef int32_t (*GravenDeviceEntry)(void *const *inputs, void *const *outputs,
                                     void *workspace, const void *weights,
                                     struct GravenDevice *device);

/* One size of a model, a constant of the artifact but for what `slot` points
 * to. Layout: { ptr, i64, i64, ptr, ptr, i64, i64, i64, i64, ptr }. */
typedef struct GravenDeviceCode {
  const GravenImage *images; /* the machine code before the text */
  int64_t num_images;
  int64_t num_kernels;
  GravenDeviceEntry entry;
  const int64_t *tensor_bytes; /* of the inputs, then of the outputs */
  int64_t num_inputs;
  int64_t num_outputs;
  int64_t workspace_bytes;
  int64_t weights_bytes;
  _Atomic(struct GravenDevice *) *slot; /* null until the first run */
} GravenDeviceCode;

/* A run; without tensors, whether there is a device to run on: the driver, a
 * GPU and code for it. Tensors of the host are copied to the device and back,
 * and it waits for the end. With a stream of the caller's in place of threads,
 * see graven_on_stream, tensors may be the device's, and where all of them are,
 * it returns when all is queued. Runs of one size take turns. The device is the
 * one whose number the environment variable GRAVEN_CUDA_DEVICE has, or the one
 * of a stream's caller, or the first one. */
GRAVEN_INTERNAL int32_t graven_device_run(const GravenDeviceCode *code,
                                          void *const *inputs,
                                          void *const *outputs,
                                          const void *weights,
                                          const GravenParallel *parallel);

/* For host code: queues kernel number `kernel` with arguments of 8 bytes each.
 * After a failure nothing more is queued, and the run fails. */
GRAVEN_INTERNAL void graven_device_launch(struct GravenDevice *device,
                                          int32_t kernel, void *arguments);

/* For host code: waits for what is queued and reads memory of the device; zeros
 * after a failure. */
GRAVEN_INTERNAL void graven_device_read(struct GravenDevice *device, void *host,
                                        const void *address, int64_t bytes);

#endif /* GRAVEN_RUNTIME_CUDA_DEVICE_H */
