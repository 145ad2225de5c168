#!/usr/bin/env python3
"""How long an artifact takes to load, and its first call against later ones, each in a process of its own.

usage: test/bench/load.py m.so [m2.so ...] [--processes 5]
Bars: load <= 10 ms, first call <= 1.5 x the median of later calls, each the least of all processes. The exit code is 1
where one is missed.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

LOAD_MS, FIRST_RATIO = 10.0, 1.5
ROOT = pathlib.Path(__file__).resolve().parents[2]
HOST = r"""
#include "runtime/include/graven/runtime.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
}
static int byTime(const void *a, const void *b) { return *(double *)a < *(double *)b ? -1 : 1; }
static void *memoryOf(const GravenTensorInfo *info) {
  size_t size = 8;
  for (int32_t i = 0; i < info->rank; ++i)
    size *= (size_t)info->extents[i];
  void *memory = aligned_alloc(64, (size + 63) / 64 * 64);
  return memset(memory, 0, size);
}
int main(int argc, char **argv) {
  double start = now();
  void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  const GravenModel *model = library ? dlsym(library, "graven_model") : NULL;
  double loaded = now();
  if (!model)
    return 2;
  void **tensors = calloc((size_t)(model->num_inputs + model->num_outputs), sizeof(void *));
  for (int64_t i = 0; i < model->num_inputs; ++i)
    tensors[i] = memoryOf(&model->inputs[i]);
  for (int64_t i = 0; i < model->num_outputs; ++i)
    tensors[model->num_inputs + i] = memoryOf(&model->outputs[i]);
  double first = 0, later[9];
  for (int i = 0; i < 10; ++i) {
    double begin = now();
    if (model->support->call(model, tensors, tensors + model->num_inputs, NULL, NULL, NULL, 0))
      return 3;
    *(i ? &later[i - 1] : &first) = now() - begin;
  }
  qsort(later, 9, sizeof(double), byTime);
  printf("{\"load_ms\": %.3f, \"first_ms\": %.3f, \"median_ms\": %.3f}\n", loaded - start, first, later[4]);
  return argc > 2;
}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("artifact", nargs="+", type=pathlib.Path)
    parser.add_argument("--processes", type=int, default=5)
    options = parser.parse_args()
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        source, host = pathlib.Path(folder, "host.c"), pathlib.Path(folder, "host")
        source.write_text(HOST)
        subprocess.run(["cc", "-std=gnu11", "-O1", "-I", ROOT, source, "-o", host, "-ldl"], check=True)
        for artifact in options.artifact:
            runs = [json.loads(subprocess.run([host, artifact.resolve()], check=True, capture_output=True, text=True).stdout)
                    for _ in range(options.processes)]
            load = min(run["load_ms"] for run in runs)
            ratio = min(run["first_ms"] for run in runs) / min(run["median_ms"] for run in runs)
            missed |= load > LOAD_MS or ratio > FIRST_RATIO
            print(f"{artifact.name}: load {load:.2f} ms (bar {LOAD_MS:g}), first call {ratio:.2f} x later ones (bar {FIRST_RATIO:g})")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
