/*===- null_driver.c - a CUDA driver without a GPU -----------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file implements the functions of libcuda.so.1 that artifacts call, on
 * the memory of the host. It runs no kernel, but checks what it is given: each
 * copy lies within memory that was allocated, and so does each pointer that a
 * kernel gets, of which a module that is text says how many there are. What it
 * does goes to the file NULL_CUDA_LOG; NULL_CUDA_SM ("90"), NULL_CUDA_DEVICES
 * and NULL_CUDA_FAIL ("cuMemAlloc_v2=2") say what it pretends.
 *===---------------------------------------------------------------------===*/
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INVALID = 1, NOT_FOUND = 500, ILLEGAL_ADDRESS = 700, MOST = 4096 };

static struct {
  uint64_t start, size;
} allocations[MOST];
static int numAllocations;
static const char *text; /* of the module, null for machine code */

static void note(const char *format, ...) {
  const char *path = getenv("NULL_CUDA_LOG");
  FILE *file = path ? fopen(path, "a") : NULL;
  if (!file)
    return;
  va_list arguments;
  va_start(arguments, format);
  vfprintf(file, format, arguments);
  va_end(arguments);
  fclose(file);
}

/* What a function returns: what NULL_CUDA_FAIL says of it, or `result`. */
static int result(const char *function, int value) {
  const char *wanted = getenv("NULL_CUDA_FAIL");
  size_t length = strlen(function);
  if (wanted && !strncmp(wanted, function, length) && wanted[length] == '=')
    value = atoi(wanted + length + 1);
  if (value)
    note("%s fails with %d\n", function, value);
  return value;
}

static int isAllocated(uint64_t address, uint64_t bytes) {
  for (int i = 0; i < numAllocations; ++i)
    if (address >= allocations[i].start &&
        address + bytes <= allocations[i].start + allocations[i].size)
      return 1;
  return 0;
}

int cuInit(unsigned flags) { return result("cuInit", flags ? INVALID : 0); }

int cuDeviceGetCount(int *count) {
  const char *wanted = getenv("NULL_CUDA_DEVICES");
  *count = wanted ? atoi(wanted) : 1;
  return result("cuDeviceGetCount", 0);
}

int cuDeviceGet(int *device, int number) {
  note("device %d\n", number);
  *device = number;
  return result("cuDeviceGet", 0);
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
  const char *wanted = getenv("NULL_CUDA_SM");
  int sm = wanted ? atoi(wanted) : 80;
  *value = attribute == 75 ? sm / 10 : sm % 10;
  return result("cuDeviceGetAttribute",
                device < 0 || (attribute != 75 && attribute != 76) ? INVALID
                                                                   : 0);
}

int cuDevicePrimaryCtxRetain(void **context, int device) {
  *context = &numAllocations;
  note("retain %d\n", device);
  return result("cuDevicePrimaryCtxRetain", 0);
}
int cuDevicePrimaryCtxRelease_v2(int device) {
  note("release %d\n", device);
  return 0;
}
static int depth;
int cuCtxPushCurrent_v2(void *context) {
  ++depth;
  return result("cuCtxPushCurrent_v2", context ? 0 : INVALID);
}
int cuCtxPopCurrent_v2(void **context) {
  *context = &numAllocations;
  return result("cuCtxPopCurrent_v2", --depth < 0 ? INVALID : 0);
}

int cuModuleLoadData(void **module, const void *image) {
  text = memcmp(image, "\177ELF", 4) ? image : NULL;
  *module = &text;
  note("module %s\n", text ? "text" : "machine code");
  return result("cuModuleLoadData", 0);
}
int cuModuleUnload(void *module) {
  note("unload\n");
  return module == &text ? 0 : INVALID;
}
int cuModuleGetFunction(void **function, void *module, const char *name) {
  *function = strdup(name);
  char wanted[128];
  snprintf(wanted, sizeof wanted, ".entry %s(", name);
  return result("cuModuleGetFunction", module != &text ? INVALID
                                       : text && !strstr(text, wanted)
                                           ? NOT_FOUND
                                           : 0);
}

/* A stream that an artifact made; all others are the caller's. */
static char own;
static const char *nameOf(const void *stream) {
  return stream == &own ? "its stream" : "the caller's stream";
}
/* What is queued while `recording` becomes a part of the graph. */
static const void *recording;
static int recorded;
static int isRecorded(const void *stream) {
  return recording && stream == recording;
}

int cuCtxGetDevice(int *device) {
  *device = 1;
  return result("cuCtxGetDevice", getenv("NULL_CUDA_CURRENT") ? 0 : INVALID);
}
/* The shared memory that kernels asked for. */
static struct {
  void *function;
  unsigned bytes;
} asked[MOST];
static int numAsked;

int cuFuncSetAttribute(void *function, int attribute, int value) {
  int isValid = attribute == 8 && value > 0 && value <= 227 << 10;
  if (isValid) {
    asked[numAsked].function = function;
    asked[numAsked++].bytes = (unsigned)value;
    note("%s may have %d bytes\n", (const char *)function, value);
  }
  return result("cuFuncSetAttribute", isValid ? 0 : INVALID);
}

static unsigned mostShared(void *function) {
  unsigned most = 48 << 10;
  for (int i = 0; i < numAsked; ++i)
    if (asked[i].function == function)
      most = asked[i].bytes;
  return most;
}

int cuStreamCreate(void **stream, unsigned flags) {
  *stream = &own;
  return result("cuStreamCreate", flags == 1 ? 0 : INVALID);
}
int cuStreamDestroy_v2(void *stream) {
  note("destroy stream\n");
  return stream == &own ? 0 : INVALID;
}
int cuStreamSynchronize(void *stream) {
  if (stream != &own)
    note("wait for %s\n", nameOf(stream));
  return result("cuStreamSynchronize", recording ? INVALID : 0);
}
int cuStreamWaitEvent(void *stream, void *event, unsigned flags) {
  note("%s waits\n", nameOf(stream));
  return result("cuStreamWaitEvent", event == &depth && !flags ? 0 : INVALID);
}
int cuEventCreate(void **event, unsigned flags) {
  *event = &depth;
  return result("cuEventCreate", flags == 2 ? 0 : INVALID);
}
int cuEventDestroy_v2(void *event) { return event == &depth ? 0 : INVALID; }
int cuEventRecord(void *event, void *stream) {
  return result("cuEventRecord",
                event == &depth && !isRecorded(stream) ? 0 : INVALID);
}

int cuStreamBeginCapture_v2(void *stream, int mode) {
  int failed = result("cuStreamBeginCapture_v2", mode == 2 ? 0 : INVALID);
  if (!failed) {
    note("record\n");
    recording = stream;
    recorded = 0;
  }
  return failed;
}
int cuStreamEndCapture(void *stream, void **graph) {
  *graph = &recorded;
  int failed = result("cuStreamEndCapture", stream == recording ? 0 : INVALID);
  recording = NULL;
  return failed;
}
int cuStreamIsCapturing(void *stream, int *state) {
  *state = isRecorded(stream) || getenv("NULL_CUDA_CAPTURED");
  return result("cuStreamIsCapturing", 0);
}
int cuGraphInstantiateWithFlags(void **made, void *graph,
                                unsigned long long flags) {
  *made = graph;
  return result("cuGraphInstantiateWithFlags", flags ? INVALID : 0);
}
int cuGraphDestroy(void *graph) { return graph == &recorded ? 0 : INVALID; }
int cuGraphExecDestroy(void *graph) {
  note("forget the graph\n");
  return graph == &recorded ? 0 : INVALID;
}
int cuGraphLaunch(void *graph, void *stream) {
  note("launch a graph of %d on %s\n", recorded, nameOf(stream));
  return result("cuGraphLaunch", graph == &recorded ? 0 : INVALID);
}

/* Memory of the device is what was allocated. */
int cuPointerGetAttribute(void *value, int attribute, uint64_t address) {
  const char *wanted = getenv("NULL_CUDA_TENSORS");
  if (!isAllocated(address, 1))
    return INVALID;
  *(int *)value = attribute == 2 ? 2 : wanted ? atoi(wanted) : 0;
  return attribute == 2 || attribute == 9 ? 0 : INVALID;
}

int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  int failed = result("cuMemAlloc_v2", depth ? 0 : INVALID);
  if (failed)
    return failed;
  *address = (uint64_t)(uintptr_t)aligned_alloc(256, (bytes + 255) / 256 * 256);
  memset((void *)(uintptr_t)*address, 0, bytes);
  allocations[numAllocations].start = *address;
  allocations[numAllocations++].size = bytes;
  note("allocate %zu\n", bytes);
  return 0;
}
int cuMemFree_v2(uint64_t address) {
  note("free\n");
  free((void *)(uintptr_t)address);
  return 0;
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes,
                         void *stream) {
  if (!isAllocated(to, bytes) || isRecorded(stream))
    return result("cuMemcpyHtoDAsync_v2", INVALID);
  memcpy((void *)(uintptr_t)to, from, bytes);
  note("to device %zu\n", bytes);
  return result("cuMemcpyHtoDAsync_v2", 0);
}
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) {
  if (!isAllocated(from, bytes) || isRecorded(stream))
    return result("cuMemcpyDtoHAsync_v2", INVALID);
  memcpy(to, (const void *)(uintptr_t)from, bytes);
  note("to host %zu\n", bytes);
  return result("cuMemcpyDtoHAsync_v2", 0);
}
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes,
                         void *stream) {
  if (!isAllocated(to, bytes) || !isAllocated(from, bytes) ||
      isRecorded(stream))
    return result("cuMemcpyDtoDAsync_v2", INVALID);
  memcpy((void *)(uintptr_t)to, (const void *)(uintptr_t)from, bytes);
  note("within device %zu\n", bytes);
  return result("cuMemcpyDtoDAsync_v2", 0);
}

/* Where the text declares a parameter of a kernel, the rest of that line; null
 * for one that there is not. */
static const char *parameterLine(const char *name, int number) {
  char wanted[160];
  snprintf(wanted, sizeof wanted, "%s_param_%d", name, number);
  const char *found = text ? strstr(text, wanted) : NULL;
  while (found && found > text && found[-1] != '\n')
    --found;
  return found;
}

static int isPointer(const char *line) {
  const char *pointer = strstr(line, " .ptr ");
  return pointer && pointer < strchr(line, '\n');
}

int cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z,
                   unsigned threadsX, unsigned threadsY, unsigned threadsZ,
                   unsigned shared, void *stream, void **parameters,
                   void **extra) {
  const char *name = function;
  int count = 0;
  if (!x || y * z != 1 || threadsX > 1024 || threadsY * threadsZ != 1 ||
      shared > mostShared(function) || extra)
    return result("cuLaunchKernel", INVALID);
  const char *line;
  for (int i = 0; (line = parameterLine(name, i)); ++i) {
    if (isPointer(line) && !isAllocated(*(uint64_t *)parameters[i], 1))
      return result("cuLaunchKernel", ILLEGAL_ADDRESS);
    count += isPointer(line);
  }
  int failed = result("cuLaunchKernel", 0);
  if (!failed && isRecorded(stream))
    ++recorded;
  else if (!failed)
    note("launch %s %u x %u, %d pointers\n", name, x, threadsX, count);
  return failed;
}

int cuGetErrorString(int error, const char **message) {
  *message = error == 2     ? "out of memory"
             : error == 700 ? "an illegal memory access was encountered"
                            : "a failure of the null driver";
  return 0;
}
