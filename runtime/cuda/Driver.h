/*===- Driver.h - the part of the CUDA driver that is used ---------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file declares the types and functions of NVIDIA's driver API that an
 * artifact calls, by their public ABI: there is no header of the toolkit on the
 * machine of a user, and the library is loaded when it is first needed.
 *===---------------------------------------------------------------------===*/
#ifndef GRAVEN_RUNTIME_CUDA_DRIVER_H
#define GRAVEN_RUNTIME_CUDA_DRIVER_H

#include <stddef.h>
#include <stdint.h>

typedef int CudaResult; /* 0 is success */
typedef int CudaDevice;
typedef uint64_t CudaAddress;
typedef struct CudaContextState *CudaContext;
typedef struct CudaModuleState *CudaModule;
typedef struct CudaFunctionState *CudaFunction;
typedef struct CudaStreamState *CudaStream;
typedef struct CudaEventState *CudaEvent;
typedef struct CudaGraphState *CudaGraph;
typedef struct CudaGraphExecState *CudaGraphExec;

enum {
  CUDA_OUT_OF_MEMORY = 2,
  CUDA_CAPABILITY_MAJOR = 75, /* attributes of a device */
  CUDA_CAPABILITY_MINOR = 76,
  CUDA_STREAM_NON_BLOCKING = 1,
  CUDA_EVENT_NO_TIMING = 2,
  CUDA_CAPTURE_RELAXED = 2,     /* other threads may do as they like */
  CUDA_POINTER_MEMORY_TYPE = 2, /* attributes of an address */
  CUDA_POINTER_DEVICE = 9,
  CUDA_MEMORY_OF_DEVICE = 2,
  CUDA_MOST_SHARED_BYTES = 8 /* attribute of a function */
};

/* FUNCTION(member, symbol, parameters): the symbols are those of the newest
 * version of each that all drivers for the GPUs we compile for have. */
#define CUDA_FUNCTIONS(FUNCTION)                                               \
  FUNCTION(init, "cuInit", (unsigned))                                         \
  FUNCTION(deviceCount, "cuDeviceGetCount", (int *))                           \
  FUNCTION(deviceGet, "cuDeviceGet", (CudaDevice *, int))                      \
  FUNCTION(deviceAttribute, "cuDeviceGetAttribute", (int *, int, CudaDevice))  \
  FUNCTION(contextRetain, "cuDevicePrimaryCtxRetain",                          \
           (CudaContext *, CudaDevice))                                        \
  FUNCTION(contextRelease, "cuDevicePrimaryCtxRelease_v2", (CudaDevice))       \
  FUNCTION(contextPush, "cuCtxPushCurrent_v2", (CudaContext))                  \
  FUNCTION(contextPop, "cuCtxPopCurrent_v2", (CudaContext *))                  \
  FUNCTION(contextDevice, "cuCtxGetDevice", (CudaDevice *))                    \
  FUNCTION(moduleLoad, "cuModuleLoadData", (CudaModule *, const void *))       \
  FUNCTION(moduleUnload, "cuModuleUnload", (CudaModule))                       \
  FUNCTION(moduleFunction, "cuModuleGetFunction",                              \
           (CudaFunction *, CudaModule, const char *))                         \
  FUNCTION(functionAttribute, "cuFuncSetAttribute", (CudaFunction, int, int))  \
  FUNCTION(streamCreate, "cuStreamCreate", (CudaStream *, unsigned))           \
  FUNCTION(streamDestroy, "cuStreamDestroy_v2", (CudaStream))                  \
  FUNCTION(streamWait, "cuStreamSynchronize", (CudaStream))                    \
  FUNCTION(streamWaitEvent, "cuStreamWaitEvent",                               \
           (CudaStream, CudaEvent, unsigned))                                  \
  FUNCTION(eventCreate, "cuEventCreate", (CudaEvent *, unsigned))              \
  FUNCTION(eventDestroy, "cuEventDestroy_v2", (CudaEvent))                     \
  FUNCTION(eventRecord, "cuEventRecord", (CudaEvent, CudaStream))              \
  FUNCTION(captureBegin, "cuStreamBeginCapture_v2", (CudaStream, int))         \
  FUNCTION(captureEnd, "cuStreamEndCapture", (CudaStream, CudaGraph *))        \
  FUNCTION(captureState, "cuStreamIsCapturing", (CudaStream, int *))           \
  FUNCTION(graphInstantiate, "cuGraphInstantiateWithFlags",                    \
           (CudaGraphExec *, CudaGraph, unsigned long long))                   \
  FUNCTION(graphDestroy, "cuGraphDestroy", (CudaGraph))                        \
  FUNCTION(graphLaunch, "cuGraphLaunch", (CudaGraphExec, CudaStream))          \
  FUNCTION(graphExecDestroy, "cuGraphExecDestroy", (CudaGraphExec))            \
  FUNCTION(pointerAttribute, "cuPointerGetAttribute",                          \
           (void *, int, CudaAddress))                                         \
  FUNCTION(allocate, "cuMemAlloc_v2", (CudaAddress *, size_t))                 \
  FUNCTION(release, "cuMemFree_v2", (CudaAddress))                             \
  FUNCTION(toDevice, "cuMemcpyHtoDAsync_v2",                                   \
           (CudaAddress, const void *, size_t, CudaStream))                    \
  FUNCTION(toHost, "cuMemcpyDtoHAsync_v2",                                     \
           (void *, CudaAddress, size_t, CudaStream))                          \
  FUNCTION(within, "cuMemcpyDtoDAsync_v2",                                     \
           (CudaAddress, CudaAddress, size_t, CudaStream))                     \
  FUNCTION(launch, "cuLaunchKernel",                                           \
           (CudaFunction, unsigned, unsigned, unsigned, unsigned, unsigned,    \
            unsigned, unsigned, CudaStream, void **, void **))                 \
  FUNCTION(errorText, "cuGetErrorString", (CudaResult, const char **))

typedef struct CudaDriver {
#define MEMBER(member, symbol, parameters) CudaResult(*member) parameters;
  CUDA_FUNCTIONS(MEMBER)
#undef MEMBER
} CudaDriver;

#endif /* GRAVEN_RUNTIME_CUDA_DRIVER_H */
