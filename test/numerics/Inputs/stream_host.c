/*===- stream_host.c - a program with a stream of its own ----------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * stream_host MODEL.so WHERE...: one run for each WHERE on one stream, tensors
 * of the model's first input and output "on" the device, "off" it (on the host),
 * "apart" (on the device at no multiple of 16 bytes), "other" (on the device at
 * another place), or "next": on the device, on another stream. Prints the
 * status and message of the last run.
 *===---------------------------------------------------------------------===*/
#include <dlfcn.h>
#include <graven/runtime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 20 };

int main(int count, char **arguments) {
  void *driver = dlopen("libcuda.so.1", RTLD_NOW);
  void *file = dlopen(arguments[1], RTLD_NOW);
  if (!driver || !file) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  const GravenModel *model = dlsym(file, "graven_model");
  int (*push)(void *), (*allocate)(uint64_t *, size_t);
  *(void **)&push = dlsym(driver, "cuCtxPushCurrent_v2");
  *(void **)&allocate = dlsym(driver, "cuMemAlloc_v2");
  uint64_t device[4];
  push(&driver);
  for (int i = 0; i < 4; ++i)
    if (allocate(&device[i], MOST))
      return 1;
  static char host[2][MOST], streams[2];
  int status = 0;
  char error[256] = "";
  for (int i = 2; i < count; ++i) {
    const char *where = arguments[i];
    int isOther = !strcmp(where, "other"), isNext = !strcmp(where, "next");
    uint64_t shift = strcmp(where, "apart") ? 0 : 4;
    void *input = (void *)(uintptr_t)(device[2 * isOther] + shift),
         *output = (void *)(uintptr_t)(device[2 * isOther + 1] + shift);
    if (!strcmp(where, "off")) {
      input = host[0];
      output = host[1];
    }
    GravenParallel stream = graven_on_stream(&streams[isNext]);
    int64_t extent = 4, *used = NULL; /* of the symbol, if there is one */
    status = model->support->call_sized(
        model, model->num_symbols ? &extent : NULL, &input, &output, &used,
        NULL, &stream, error, sizeof error);
  }
  printf("%d %s\n", status, status ? error : "");
  return 0;
}
