/*===- foreign_host.c - a program with a compiled model ------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file implements the host program of test_aarch64.py: it reads the
 * model's inputs as bare bytes and writes its only output. Linked with a model
 * it calls the typed entry (MODEL_HEADER, MODEL_RUN); otherwise it loads the
 * shared object that it is given, and runs that on some threads.
 *
 * usage: host OUTPUT BYTES INPUT...                   with a model
 *        host OUTPUT BYTES INPUT... MODEL.so THREADS  without one
 *===---------------------------------------------------------------------===*/
#include "runtime/include/graven/runtime.h"
#ifdef MODEL_HEADER
#include MODEL_HEADER
#else
#include <dlfcn.h>
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INPUTS = 8 };

static void *readFile(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file)
    exit(101);
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  void *bytes = malloc((size_t)size);
  if (!bytes || fread(bytes, 1, (size_t)size, file) != (size_t)size)
    exit(102);
  fclose(file);
  return bytes;
}

#ifdef MODEL_HEADER
static int run(void **inputs, void *output, char **more) {
  (void)more;
  return MODEL_RUN;
}
#else
static int run(void **inputs, void *output, char **more) {
  void *library = dlopen(more[0], RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    return 103;
  }
  const GravenModel *model =
      (const GravenModel *)dlsym(library, "graven_model");
  if (!model || model->abi_version != GRAVEN_ABI_VERSION)
    return 104;
  GravenTensor in[MAX_INPUTS], out;
  for (int64_t i = 0; i < model->num_inputs; ++i)
    in[i] = (GravenTensor){inputs[i], model->inputs[i].extents,
                           model->inputs[i].dtype, model->inputs[i].rank};
  out = (GravenTensor){output, model->outputs[0].extents,
                       model->outputs[0].dtype, model->outputs[0].rank};
  GravenPool *pool = model->support->pool_create(atoi(more[1]));
  char error[256] = "";
  int status = model->support->run(model, in, model->num_inputs, &out, 1, NULL,
                                   model->support->pool_parallel(pool), error,
                                   sizeof(error));
  model->support->pool_destroy(pool);
  if (status)
    fprintf(stderr, "%s: %s\n", model->support->status_string(status), error);
  return status;
}
#endif

int main(int argc, char **argv) {
  if (argc < NUM_INPUTS + 3)
    return 100;
  void *inputs[MAX_INPUTS] = {0};
  for (int i = 0; i < NUM_INPUTS; ++i)
    inputs[i] = readFile(argv[3 + i]);
  size_t size = strtoul(argv[2], NULL, 10);
  void *output = calloc(size, 1);
  int status = run(inputs, output, argv + 3 + NUM_INPUTS);
  if (status)
    return status;
  FILE *file = fopen(argv[1], "wb");
  if (!file || fwrite(output, 1, size, file) != size || fclose(file))
    return 105;
  return 0;
}
