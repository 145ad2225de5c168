//===- main.c - Runs the compiled digit classifier ------------*- C -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the host program of the example, which needs digits.h
// and digits.o (what `graven compile` makes of digits.pt or digits.onnx), libc
// and nothing else: it classifies the held-out images, compares with what
// PyTorch answered, and measures.
//
// usage: digits FOLDER [--show N] [--save LOGITS.npy] [--compare LOGITS.npy]
//   FOLDER     holds heldout_images.npy, heldout_labels.npy, expected.json
//   --show     prints the first N images with their predictions
//   --save     writes the model's outputs, f32 [images, 10]
//   --compare  compares the outputs with a file that --save wrote
// exit code: 0 when every prediction equals PyTorch's and the outputs compared
// agree, 1 when they do not, 2 for files that cannot be read, 3 for usage.
//===----------------------------------------------------------------------===//

#define _POSIX_C_SOURCE 199309L
#include "digits.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { IMAGE_SIDE = 8, PIXELS = IMAGE_SIDE * IMAGE_SIDE, CLASSES = 10 };
enum { MAX_IMAGES = 100000, IMAGES_PER_ROW = 4, TIMED_RUNS = 2000 };

// Relative to the largest output: how far the outputs of one model that came
// by two ways may differ.
static const double tolerance = 1e-4;

static void fail(int code, const char *message, const char *subject) {
  fprintf(stderr, "digits: %s: %s\n", subject, message);
  exit(code);
}

static void *allocate(size_t bytes) {
  void *memory = malloc(bytes ? bytes : 1);
  if (!memory)
    fail(2, "out of memory", "malloc");
  return memory;
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

/// The whole file, with a terminating 0 after its `*size` bytes.
static char *readFile(const char *folder, const char *name, size_t *size) {
  char path[4096];
  int length = snprintf(path, sizeof path, "%s%s%s", folder ? folder : "",
                        folder ? "/" : "", name);
  if (length < 0 || (size_t)length >= sizeof path)
    fail(2, "the path is too long", name);
  FILE *file = fopen(path, "rb");
  if (!file)
    fail(2, "cannot be opened", path);
  if (fseek(file, 0, SEEK_END) != 0)
    fail(2, "cannot be read", path);
  long end = ftell(file);
  if (end < 0 || fseek(file, 0, SEEK_SET) != 0)
    fail(2, "cannot be read", path);
  char *bytes = allocate((size_t)end + 1);
  if (fread(bytes, 1, (size_t)end, file) != (size_t)end)
    fail(2, "cannot be read", path);
  fclose(file);
  bytes[end] = 0;
  *size = (size_t)end;
  return bytes;
}

/// The elements of a version 1 .npy file of the given dtype ("<f4", "|u1"),
/// `rowBytes` bytes to each entry of the first axis; `*rows` says how many.
static void *readNpy(const char *folder, const char *name, const char *dtype,
                     size_t rowBytes, size_t *rows) {
  size_t size;
  char *bytes = readFile(folder, name, &size);
  if (size < 10 || memcmp(bytes, "\x93NUMPY\x01\x00", 8) != 0)
    fail(2, "is not a version 1 .npy file", name);
  size_t header =
      10 + (unsigned char)bytes[8] + 256 * (size_t)(unsigned char)bytes[9];
  if (header > size)
    fail(2, "ends within its header", name);
  char saved = bytes[header - 1];
  bytes[header - 1] = 0;
  if (!strstr(bytes + 10, dtype))
    fail(2, "has an unexpected dtype", name);
  if (!strstr(bytes + 10, "'fortran_order': False"))
    fail(2, "is not in row-major order", name);
  bytes[header - 1] = saved;
  if ((size - header) % rowBytes != 0 || (size - header) / rowBytes == 0)
    fail(2, "has an unexpected shape", name);
  *rows = (size - header) / rowBytes;
  void *data = allocate(size - header);
  memcpy(data, bytes + header, size - header);
  free(bytes);
  return data;
}

static void writeNpy(const char *path, const float *values, size_t rows) {
  char header[128];
  memset(header, ' ', sizeof header);
  memcpy(header, "\x93NUMPY\x01\x00\x76\x00", 10);
  int length = snprintf(header + 10, sizeof header - 10,
                        "{'descr': '<f4', 'fortran_order': False, "
                        "'shape': (%zu, %d), }",
                        rows, CLASSES);
  header[10 + length] = ' ';
  header[sizeof header - 1] = '\n';
  FILE *file = fopen(path, "wb");
  if (!file)
    fail(2, "cannot be written", path);
  size_t count = rows * CLASSES;
  int written = fwrite(header, sizeof header, 1, file) == 1 &&
                fwrite(values, sizeof *values, count, file) == count;
  if (fclose(file) != 0 || !written)
    fail(2, "cannot be written", path);
}

/// What PyTorch predicts for each image, from the list "predictions".
static int *readExpected(const char *folder, size_t images) {
  size_t size;
  const char *name = "expected.json";
  char *text = readFile(folder, name, &size);
  const char *cursor = strstr(text, "\"predictions\": [");
  if (!cursor)
    fail(2, "has no list of predictions", name);
  cursor = strchr(cursor, '[') + 1;
  int *predictions = allocate(images * sizeof *predictions);
  for (size_t i = 0; i < images; ++i) {
    char *end;
    long value = strtol(cursor, &end, 10);
    if (end == cursor || value < 0 || value >= CLASSES)
      fail(2, "has too few predictions", name);
    predictions[i] = (int)value;
    cursor = *end == ',' ? end + 1 : end;
  }
  free(text);
  return predictions;
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

typedef const float (*Image)[1][IMAGE_SIDE][IMAGE_SIDE];
typedef float (*Logits)[CLASSES];

static void classify(const float *image, float *logits, void *workspace) {
  int status =
      digits_run((Image)(const void *)image, (Logits)(void *)logits, workspace);
  if (status != 0) {
    char message[64];
    snprintf(message, sizeof message, "status %d", status);
    fail(1, message, "digits_run");
  }
}

static int largest(const float *logits) {
  int best = 0;
  for (int i = 1; i < CLASSES; ++i)
    if (logits[i] > logits[best])
      best = i;
  return best;
}

/// Microseconds that the fastest of many runs over one image took.
static double fastestRun(const float *image, void *workspace) {
  float logits[CLASSES];
  double best = INFINITY;
  for (int i = 0; i < TIMED_RUNS; ++i) {
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    classify(image, logits, workspace);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double time = (double)(end.tv_sec - start.tv_sec) * 1e6 +
                  (double)(end.tv_nsec - start.tv_nsec) * 1e-3;
    if (time < best)
      best = time;
  }
  return best;
}

/// Whether the outputs agree with those of another artifact of the same model.
static int agree(const char *path, const float *logits, size_t images) {
  size_t rows;
  float *other = readNpy(NULL, path, "<f4", CLASSES * sizeof *other, &rows);
  if (rows != images)
    fail(2, "has outputs of another number of images", path);
  size_t count = images * CLASSES;
  int bitwise = memcmp(other, logits, count * sizeof *logits) == 0;
  double most = 0, scale = 0;
  for (size_t i = 0; i < count; ++i) {
    double difference = fabs((double)other[i] - (double)logits[i]);
    // A NaN stays, and is within no tolerance.
    if (!isnan(most) && !(difference <= most))
      most = difference;
    scale = fmax(scale, fabs((double)other[i]));
  }
  free(other);
  if (bitwise)
    printf("outputs       the same as the other artifact's, bit for bit\n");
  else
    printf("outputs       within %.2g of the other artifact's (largest "
           "output %.2g)\n",
           most, scale);
  return bitwise || most <= tolerance * scale;
}

//===----------------------------------------------------------------------===//
// Pictures
//===----------------------------------------------------------------------===//

/// Prints one line of pixels for each of `count` images side by side.
static void printImages(const float *images, size_t count) {
  static const char *const shades[] = {"  ", "░░", "▒▒", "▓▓", "██"};
  for (int row = 0; row < IMAGE_SIDE; ++row) {
    for (size_t i = 0; i < count; ++i) {
      const float *pixels = images + i * PIXELS + row * IMAGE_SIDE;
      for (int column = 0; column < IMAGE_SIDE; ++column) {
        int shade = (int)(pixels[column] * 4.0f + 0.5f);
        fputs(shades[shade < 0 ? 0 : shade > 4 ? 4 : shade], stdout);
      }
      fputs("  ", stdout);
    }
    putchar('\n');
  }
}

static void show(const float *images, const unsigned char *labels,
                 const int *predictions, size_t count) {
  for (size_t first = 0; first < count; first += IMAGES_PER_ROW) {
    size_t left = count - first;
    size_t here = left < IMAGES_PER_ROW ? left : IMAGES_PER_ROW;
    printImages(images + first * PIXELS, here);
    for (size_t i = first; i < first + here; ++i)
      printf(predictions[i] == labels[i] ? "   this is a %d     "
                                         : "   a %d, says %d      ",
             labels[i], predictions[i]);
    printf("\n\n");
  }
}

//===----------------------------------------------------------------------===//
// The command line
//===----------------------------------------------------------------------===//

typedef struct {
  const char *folder, *save, *compare;
  size_t show;
} Options;

static Options parseOptions(int argc, char **argv) {
  Options options = {NULL, NULL, NULL, 0};
  for (int i = 1; i < argc; ++i) {
    const char *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (value && strcmp(argv[i], "--show") == 0)
      options.show = strtoul(argv[++i], NULL, 10);
    else if (value && strcmp(argv[i], "--save") == 0)
      options.save = argv[++i];
    else if (value && strcmp(argv[i], "--compare") == 0)
      options.compare = argv[++i];
    else if (!options.folder && argv[i][0] != '-')
      options.folder = argv[i];
    else
      fail(3, "is not an option, or lacks its value", argv[i]);
  }
  if (!options.folder)
    fail(3, "names the folder of the images", "the first argument");
  return options;
}

int main(int argc, char **argv) {
  Options options = parseOptions(argc, argv);
  size_t images, labelCount;
  float *pixels = readNpy(options.folder, "heldout_images.npy", "<f4",
                          PIXELS * sizeof *pixels, &images);
  unsigned char *labels =
      readNpy(options.folder, "heldout_labels.npy", "|u1", 1, &labelCount);
  if (labelCount != images || images > MAX_IMAGES)
    fail(2, "does not have one label for each image", "heldout_labels.npy");
  int *expected = readExpected(options.folder, images);

  // The caller owns all memory: run() allocates nothing.
  char *memory = allocate(DIGITS_WORKSPACE_SIZE + 63);
  void *workspace = memory + (64 - (uintptr_t)memory % 64) % 64;
  float *logits = allocate(images * CLASSES * sizeof *logits);
  int *predictions = allocate(images * sizeof *predictions);
  size_t correct = 0, correctExpected = 0, different = 0;
  for (size_t i = 0; i < images; ++i) {
    classify(pixels + i * PIXELS, logits + i * CLASSES, workspace);
    predictions[i] = largest(logits + i * CLASSES);
    correct += predictions[i] == labels[i];
    correctExpected += expected[i] == labels[i];
    different += predictions[i] != expected[i];
  }

  show(pixels, labels, predictions,
       options.show < images ? options.show : images);
  printf("accuracy      %zu of %zu held-out images (%.2f %%), PyTorch %zu\n",
         correct, images, 100.0 * (double)correct / (double)images,
         correctExpected);
  printf("time          %.2f microseconds for one image, on one thread\n",
         fastestRun(pixels, workspace));
  printf("memory        %lu bytes of workspace, %lu bytes of weights\n",
         (unsigned long)DIGITS_WORKSPACE_SIZE,
         (unsigned long)DIGITS_WEIGHTS_SIZE);
  int same = !options.compare || agree(options.compare, logits, images);
  if (options.save)
    writeNpy(options.save, logits, images);
  if (different)
    printf("%zu predictions differ from PyTorch's\n", different);

  free(predictions);
  free(logits);
  free(memory);
  free(expected);
  free(labels);
  free(pixels);
  return different || !same;
}
