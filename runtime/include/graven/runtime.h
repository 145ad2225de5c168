/*===- runtime.h - the C ABI between compiled models and hosts -----*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file defines the only interface shared by code that Graven compiles and
 * programs that call it, which is: the table that describes a model, tensors as
 * plain memory, threads as one callback, and status codes. C99, clean as C++.
 *
 * A compiled model NAME exports
 *   const GravenModel NAME_model;     the table below
 *   const GravenModel graven_model;   in shared objects: the same table under a
 *                                     fixed name, for loaders that do not know
 * NAME int NAME_run(...);                the typed entry, declared in NAME.h
 *
 * The functions declared here are linked into every artifact as weak, hidden
 * symbols: programs linked with a NAME.o or NAME.a call them by name, programs
 * that load a NAME.so reach the same functions through `model->support`.
 *===---------------------------------------------------------------------===*/
#ifndef GRAVEN_RUNTIME_H
#define GRAVEN_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Grows by one when a struct of this file or the entry's convention changes. */
#define GRAVEN_ABI_VERSION 5

/*===- Status codes ----------------------------------------------------------*/

/* Returned by every call that can fail. The values are part of the ABI. */
enum GravenStatus {
  GRAVEN_OK = 0,
  /* The table was made for another version of this file. */
  GRAVEN_ERROR_ABI_MISMATCH = 1,
  /* The number of inputs or outputs differs from the table's. */
  GRAVEN_ERROR_ARGUMENT_COUNT = 2,
  GRAVEN_ERROR_DTYPE = 3,
  GRAVEN_ERROR_RANK = 4,
  /* An extent differs from the table's, is negative, breaks a symbol, or is one
   * that the model has no code for. One that data decide (GRAVEN_COUNTED) is
   * known after the run only: what outputs hold then is no result. */
  GRAVEN_ERROR_EXTENT = 5,
  /* No data for a tensor that has elements. */
  GRAVEN_ERROR_NULL_POINTER = 6,
  /* Data or workspace are not aligned as needed. */
  GRAVEN_ERROR_MISALIGNED = 7,
  /* An output shares bytes with another tensor. */
  GRAVEN_ERROR_OVERLAP = 8,
  /* This CPU lacks a feature that the code uses. */
  GRAVEN_ERROR_CPU_UNSUPPORTED = 9,
  /* The workspace could not be allocated. */
  GRAVEN_ERROR_OUT_OF_MEMORY = 10,
  /* Gather, scatter, slice: an index outside the data. */
  GRAVEN_ERROR_INDEX_OUT_OF_RANGE = 11,
  /* An assertion written in the model failed. */
  GRAVEN_ERROR_CHECK_FAILED = 12,
  /* An accelerator is missing or reported a failure. */
  GRAVEN_ERROR_DEVICE = 13
};

/* One lower-case line for a status, "unknown status" for any other number. */
const char *graven_status_string(int status);

/*===- Element types ---------------------------------------------------------*/

/* Little-endian; an I1 is a byte holding 0 or 1, and so is an element of the
 * types of 4 and 2 bits: a code in the low bits, of I4 and I2 the value. Values
 * are part of the ABI. */
enum GravenDType {
  GRAVEN_F16 = 1,
  GRAVEN_BF16 = 2,
  GRAVEN_F32 = 3,
  GRAVEN_F64 = 4,
  GRAVEN_I1 = 5,
  GRAVEN_I8 = 6,
  GRAVEN_U8 = 7,
  GRAVEN_I16 = 8,
  GRAVEN_U16 = 9,
  GRAVEN_I32 = 10,
  GRAVEN_U32 = 11,
  GRAVEN_I64 = 12,
  GRAVEN_U64 = 13,
  GRAVEN_F8E4M3FN = 14,
  GRAVEN_F8E4M3FNUZ = 15,
  GRAVEN_F8E5M2 = 16,
  GRAVEN_F8E5M2FNUZ = 17,
  GRAVEN_F8E8M0FNU = 18,
  GRAVEN_F4E2M1FN = 19,
  GRAVEN_I4 = 20,
  GRAVEN_U4 = 21,
  GRAVEN_I2 = 22,
  GRAVEN_U2 = 23
};

/* Bytes of one element, 0 for a number that is no GravenDType. */
size_t graven_dtype_size(int32_t dtype);

/* "f32", "i1", "u8" and so on; "?" for a number that is no GravenDType. */
const char *graven_dtype_name(int32_t dtype);

/*===- Tensors ---------------------------------------------------------------*/

/* A tensor given by the caller: row-major, contiguous, aligned to its element.
 * `extents` has `rank` entries (may be null when rank is 0); `data` may be null
 * when an extent is 0. Inputs are only read.
 *
 * An output with extents that data decide (GRAVEN_COUNTED) is given with the
 * most, those of graven_model_output_extents. A run says in `used`, which has
 * `rank` entries as well, how many there are: the elements of a tensor of these
 * extents lie side by side at the start of `data`. For all other tensors `used`
 * is not looked at. */
typedef struct GravenTensor {
  void *data;
  const int64_t *extents;
  int32_t dtype; /* GravenDType */
  int32_t rank;
  int64_t *used;
} GravenTensor;

/* An extent known only at run time, see GravenTensorInfo. */
#define GRAVEN_SYMBOLIC ((int64_t)-1)

/* An extent of an output that data decide in each run. */
#define GRAVEN_COUNTED ((int64_t)-2)

/* What a model expects at one input or gives at one output.
 * Layout (LP64): { ptr name, ptr extents, ptr symbols, i32 dtype, i32 rank }.
 * An extent of -1 is symbolic and `symbols[i]` is its name: equal names must
 * have equal extents in one run. Of an input's extent that follows from a
 * symbol of the table it says how: "4*s", "s+1", "4*s-1". `symbols` is null
 * when no extent is symbolic, and `symbols[i]` is null for a static one, and
 * for an extent of an output that follows from the symbols in another way: see
 * graven_model_output_extents. An extent of -2 is found out by the run. */
typedef struct GravenTensorInfo {
  const char *name;
  const int64_t *extents;
  const char *const *symbols;
  int32_t dtype; /* GravenDType */
  int32_t rank;
} GravenTensorInfo;

/*===- Threads ---------------------------------------------------------------*/

/* How a model may use more than the calling thread.
 * `parallel_for` runs body(args, lo, hi) over ranges that cover [0, tasks)
 * once, on any threads and in any order, and returns when all are done; what
 * the tasks wrote is then visible to the caller. Results never depend on the
 * split. A call with tasks == 0 (body null) does nothing, and tells a pool that
 * a run begins, so that sleeping workers can wake up. `threads` is how many
 * threads take part, at least 1. */
typedef struct GravenParallel {
  void *context;
  int64_t threads;
  void (*parallel_for)(void *context, int64_t tasks,
                       void (*body)(void *args, int64_t lo, int64_t hi),
                       void *args);
} GravenParallel;

/* A pool of threads that splits the tasks evenly into contiguous ranges. Its
 * workers spin for about 1 ms after the last region and then sleep in the
 * kernel. A pool serves one region at a time: a second caller, or a task that
 * calls parallel_for itself, gets its tasks run on its own thread. */
typedef struct GravenPool GravenPool;

/* `threads` counts the caller of parallel_for too, so N makes N - 1 workers;
 * 0 or less means as many as the CPUs this process may use.
 * Null when memory or threads are refused. */
GravenPool *graven_pool_create(int threads);

/* Ends the workers. No region may be running. Null is allowed. */
void graven_pool_destroy(GravenPool *pool);

/* The pool in the form a run takes; valid as long as the pool, null for null.
 */
const GravenParallel *graven_pool_parallel(GravenPool *pool);

/* `threads` of a GravenParallel that stands for a stream of a GPU. */
#define GRAVEN_STREAM INT64_MAX

static inline __attribute__((unused)) void
graven_stream_for(void *context, int64_t tasks,
                  void (*body)(void *args, int64_t lo, int64_t hi),
                  void *args) {
  (void)context;
  if (tasks > 0)
    body(args, 0, tasks);
}

/* For a model that was compiled for GPUs, in the place of threads: its runs are
 * queued on `stream`, a CUstream or cudaStream_t; null is the default stream.
 * Each tensor may then be in memory of the host or of the stream's device. If
 * all are the device's, a call returns when the run is queued, and the results
 * are there once the stream came to it; what fails on the device until then,
 * later calls report. Tensors at multiples of 16 bytes are not copied. The same
 * tensors in one call after the other make the run one graph. A model with
 * extents that vary within its code (GravenRoom) takes tensors of the host. */
static inline __attribute__((unused)) GravenParallel
graven_on_stream(void *stream) {
  GravenParallel parallel = {stream, GRAVEN_STREAM, graven_stream_for};
  return parallel;
}

/*===- Models ----------------------------------------------------------------*/

/* The compiled function: pointers to the data of inputs and outputs in the
 * order of the table, a workspace of at least workspace_size bytes aligned to
 * workspace_alignment, the table's weights, and threads or null for one thread.
 * Returns a GravenStatus. It checks nothing: call it through the functions
 * below. */
typedef int32_t (*GravenEntry)(void *const *inputs, void *const *outputs,
                               void *workspace, const void *weights,
                               const GravenParallel *parallel);

/* One version of the code. All versions of a model have one table, one
 * workspace and one copy of the weights. */
typedef struct GravenVariant {
  GravenEntry entry;
  uint64_t cpu_features; /* GRAVEN_CPU_* the code needs, 0 for none */
  const char *cpu;       /* what it was compiled for: "x86-64-v3" */
} GravenVariant;

/* CPU features that code may require (GravenModel.cpu_features). A bit counts
 * as present only when the operating system saves the registers it needs. What
 * a bit means depends on the architecture of the artifact. First x86-64. */
#define GRAVEN_CPU_SSE3 (UINT64_C(1) << 0)
#define GRAVEN_CPU_SSSE3 (UINT64_C(1) << 1)
#define GRAVEN_CPU_SSE4_1 (UINT64_C(1) << 2)
#define GRAVEN_CPU_SSE4_2 (UINT64_C(1) << 3)
#define GRAVEN_CPU_POPCNT (UINT64_C(1) << 4)
#define GRAVEN_CPU_CX16 (UINT64_C(1) << 5)
#define GRAVEN_CPU_LAHF (UINT64_C(1) << 6)
#define GRAVEN_CPU_AVX (UINT64_C(1) << 7)
#define GRAVEN_CPU_AVX2 (UINT64_C(1) << 8)
#define GRAVEN_CPU_BMI (UINT64_C(1) << 9)
#define GRAVEN_CPU_BMI2 (UINT64_C(1) << 10)
#define GRAVEN_CPU_F16C (UINT64_C(1) << 11)
#define GRAVEN_CPU_FMA (UINT64_C(1) << 12)
#define GRAVEN_CPU_LZCNT (UINT64_C(1) << 13)
#define GRAVEN_CPU_MOVBE (UINT64_C(1) << 14)
#define GRAVEN_CPU_AVX512F (UINT64_C(1) << 15)
#define GRAVEN_CPU_AVX512BW (UINT64_C(1) << 16)
#define GRAVEN_CPU_AVX512CD (UINT64_C(1) << 17)
#define GRAVEN_CPU_AVX512DQ (UINT64_C(1) << 18)
#define GRAVEN_CPU_AVX512VL (UINT64_C(1) << 19)
#define GRAVEN_CPU_AVX512VNNI (UINT64_C(1) << 20)
#define GRAVEN_CPU_AVX512BF16 (UINT64_C(1) << 21)
#define GRAVEN_CPU_AVX512FP16 (UINT64_C(1) << 22)
#define GRAVEN_CPU_AVX512VBMI (UINT64_C(1) << 23)
#define GRAVEN_CPU_AVX512VBMI2 (UINT64_C(1) << 24)
#define GRAVEN_CPU_AVX512IFMA (UINT64_C(1) << 25)
#define GRAVEN_CPU_AVX512BITALG (UINT64_C(1) << 26)
#define GRAVEN_CPU_AVX512VPOPCNTDQ (UINT64_C(1) << 27)
#define GRAVEN_CPU_AVXVNNI (UINT64_C(1) << 28)
#define GRAVEN_CPU_AMX_TILE (UINT64_C(1) << 29)
#define GRAVEN_CPU_AMX_INT8 (UINT64_C(1) << 30)
#define GRAVEN_CPU_AMX_BF16 (UINT64_C(1) << 31)
#define GRAVEN_CPU_GFNI (UINT64_C(1) << 32)
#define GRAVEN_CPU_VAES (UINT64_C(1) << 33)
#define GRAVEN_CPU_VPCLMULQDQ (UINT64_C(1) << 34)
#define GRAVEN_CPU_ADX (UINT64_C(1) << 35)

/* Of any architecture: a GPU that the code is for, of code that others follow.
 * The entry, called with null pointers alone, says by its status whether there
 * is one. */
#define GRAVEN_NEEDS_GPU (UINT64_C(1) << 61)

/* The levels of the x86-64 psABI. */
#define GRAVEN_CPU_X86_64_V2                                                   \
  (GRAVEN_CPU_SSE3 | GRAVEN_CPU_SSSE3 | GRAVEN_CPU_SSE4_1 |                    \
   GRAVEN_CPU_SSE4_2 | GRAVEN_CPU_POPCNT | GRAVEN_CPU_CX16 | GRAVEN_CPU_LAHF)
#define GRAVEN_CPU_X86_64_V3                                                   \
  (GRAVEN_CPU_X86_64_V2 | GRAVEN_CPU_AVX | GRAVEN_CPU_AVX2 | GRAVEN_CPU_BMI |  \
   GRAVEN_CPU_BMI2 | GRAVEN_CPU_F16C | GRAVEN_CPU_FMA | GRAVEN_CPU_LZCNT |     \
   GRAVEN_CPU_MOVBE)
#define GRAVEN_CPU_X86_64_V4                                                   \
  (GRAVEN_CPU_X86_64_V3 | GRAVEN_CPU_AVX512F | GRAVEN_CPU_AVX512BW |           \
   GRAVEN_CPU_AVX512CD | GRAVEN_CPU_AVX512DQ | GRAVEN_CPU_AVX512VL)

/* AArch64, the features that compilers use without being asked to. */
#define GRAVEN_CPU_ARM_SIMD (UINT64_C(1) << 0)
#define GRAVEN_CPU_ARM_FP16 (UINT64_C(1) << 1)
#define GRAVEN_CPU_ARM_RDMA (UINT64_C(1) << 2)
#define GRAVEN_CPU_ARM_FCMA (UINT64_C(1) << 3)
#define GRAVEN_CPU_ARM_SHA3 (UINT64_C(1) << 4)
#define GRAVEN_CPU_ARM_DOTPROD (UINT64_C(1) << 5)
#define GRAVEN_CPU_ARM_FP16FML (UINT64_C(1) << 6)
#define GRAVEN_CPU_ARM_FLAGM (UINT64_C(1) << 7)
#define GRAVEN_CPU_ARM_FLAGM2 (UINT64_C(1) << 8)
#define GRAVEN_CPU_ARM_FRINTTS (UINT64_C(1) << 9)
#define GRAVEN_CPU_ARM_I8MM (UINT64_C(1) << 10)
#define GRAVEN_CPU_ARM_BF16 (UINT64_C(1) << 11)
#define GRAVEN_CPU_ARM_CSSC (UINT64_C(1) << 12)
#define GRAVEN_CPU_ARM_MOPS (UINT64_C(1) << 13)

/* Versions of the Arm architecture. */
#define GRAVEN_CPU_ARMV8_A GRAVEN_CPU_ARM_SIMD
#define GRAVEN_CPU_ARMV8_2_A (GRAVEN_CPU_ARMV8_A | GRAVEN_CPU_ARM_RDMA)
#define GRAVEN_CPU_ARMV8_4_A                                                   \
  (GRAVEN_CPU_ARMV8_2_A | GRAVEN_CPU_ARM_FCMA | GRAVEN_CPU_ARM_DOTPROD |       \
   GRAVEN_CPU_ARM_FLAGM)
#define GRAVEN_CPU_ARMV8_6_A                                                   \
  (GRAVEN_CPU_ARMV8_4_A | GRAVEN_CPU_ARM_FRINTTS | GRAVEN_CPU_ARM_FLAGM2 |     \
   GRAVEN_CPU_ARM_I8MM | GRAVEN_CPU_ARM_BF16)

/* A named extent of the inputs, and the values it may have; INT64_MAX is no
 * limit. Layout: { ptr, i64, i64 }. */
typedef struct GravenSymbol {
  const char *name;
  int64_t lowest;
  int64_t highest;
} GravenSymbol;

/* The most symbols of a model. */
#define GRAVEN_MAX_SYMBOLS 16

/* An extent that follows from a symbol: its value for each of the symbol's,
 * from the symbol's lowest on. Without values, `symbol` is the index of a count
 * of the GravenRoom. Layout: { i64, ptr }. */
typedef struct GravenFunction {
  int64_t symbol;
  const int64_t *values;
} GravenFunction;

/* A part of an axis: an axis is the product of its factors, the first one
 * outermost. Code has `most` places for it, of which a run uses as many as the
 * function says, the first ones. Layout: { i64, i64, i64 }. */
typedef struct GravenFactor {
  int64_t axis;
  int64_t most;
  int64_t function; /* negative when all places are used */
} GravenFactor;

/* An extent that the code finds in its data, and says in its last output, an
 * i64 for each. Other values than from `lowest` to `most` make a run fail;
 * `place` is where the model takes it. Layout: { ptr, i64, i64 }. */
typedef struct GravenCount {
  const char *place;
  int64_t lowest;
  int64_t most;
} GravenCount;

/* The most functions that a GravenRoom passes. */
#define GRAVEN_MAX_PASSED 64

/* How the tensors of a run lie in the memory of code that has room for several
 * extents: tensors with a factor that follows from a symbol are copied to and
 * from the workspace, from `scratch` on, one after the other at multiples of 64
 * bytes; what is not used of inputs is zero. The code takes the functions that
 * `passed` names as further inputs, each a pointer to an i64. Outputs of which
 * only the first axis varies, by a count, are written where the caller wants
 * them.
 * Layout: { ptr, ptr, ptr, i64, ptr, ptr, i64, ptr, i64 }, 72 bytes. */
typedef struct GravenRoom {
  const int64_t *lowest; /* of each symbol that the code takes */
  const GravenFunction *functions;
  const int64_t *passed;
  int64_t num_passed;           /* at most GRAVEN_MAX_PASSED */
  const GravenFactor *factors;  /* of the inputs, then of the outputs */
  const int64_t *factor_counts; /* for each input, then for each output */
  int64_t scratch;              /* bytes of the workspace that are the code's */
  const GravenCount *counts;    /* null where there are none */
  int64_t num_counts;
} GravenRoom;

/* The code for one extent of each symbol or, with `room`, for all from
 * `room->lowest` to `extents`.
 * Layout: { ptr, ptr, ptr, i64, ptr }, 40 bytes. */
typedef struct GravenSize {
  const int64_t *extents;        /* of each symbol */
  const int64_t *output_extents; /* of all outputs, one after the other */
  /* num_variants of them, for the CPUs of the model's variants. */
  const GravenVariant *variants;
  int64_t workspace_size; /* bytes */
  const GravenRoom *room; /* null where the extents are the only ones */
} GravenSize;

struct GravenSupport;

/* Everything a host must know about a compiled model. A constant of the
 * artifact. Layout (LP64), 168 bytes, all members after the first two are 8
 * bytes: { i32, i32, ptr name, ptr inputs, ptr outputs, i64 num_inputs, i64
 * num_outputs, i64 workspace_size, i64 workspace_alignment, ptr weights, i64
 * weights_size, i64 cpu_features, ptr provenance, ptr variants, i64
 * num_variants, ptr support, ptr symbols, i64 num_symbols, ptr sizes, i64
 * num_sizes, i64 split, ptr split_units }.
 *
 * A model with symbols has code for several sizes, over one copy of the
 * weights; one with extents that data decide and no symbols has one size. A run
 * whose extents are those of a size takes that one, else the smallest with room
 * for them. Along the symbol `split` the model works on independent parts:
 * there a run of any other extent is put together from runs of the sizes that
 * fit, largest first. */
typedef struct GravenModel {
  uint32_t abi_version; /* GRAVEN_ABI_VERSION of the compiler */
  uint32_t struct_size; /* sizeof(GravenModel) of the compiler */
  const char *name;
  const GravenTensorInfo *inputs;
  const GravenTensorInfo *outputs;
  int64_t num_inputs;
  int64_t num_outputs;
  int64_t workspace_size; /* bytes, enough for all extents the model takes */
  int64_t workspace_alignment; /* bytes, a power of two */
  const void *weights;         /* packed weights, null when there are none */
  int64_t weights_size;        /* bytes */
  uint64_t cpu_features;       /* GRAVEN_CPU_* that every variant needs */
  /* Where the artifact comes from, as lines KEY=VALUE separated by '\n':
   * compiler=graven 0.1.0, cpu=x86-64-v3, source=sha256:... */
  const char *provenance;
  const GravenVariant *variants;       /* what asks for most features first */
  int64_t num_variants;                /* at least 1 */
  const struct GravenSupport *support; /* &graven_support of the artifact */
  const GravenSymbol *symbols;         /* null where there are none */
  int64_t num_symbols;                 /* at most GRAVEN_MAX_SYMBOLS */
  const GravenSize *sizes;             /* null where all extents are static */
  int64_t num_sizes;
  int64_t split; /* index of a symbol, negative for none */
  /* With a split, for each input and then each output: the extent of axis 0 for
   * each unit of the symbol, 0 where it does not depend on it. */
  const int64_t *split_units;
} GravenModel;

/* The code that a run uses here: the first variant whose features this machine
 * has. Null where there is none, and for tables of another version. The
 * environment variable GRAVEN_MAX_CPU, read once per process, takes features
 * away: with x86-64, x86-64-v2, x86-64-v3, x86-64-v4, armv8-a, armv8.2-a,
 * armv8.4-a or armv8.6-a the CPU has no more than that level has. With any
 * other value no variant fits, and the message of a run says so. */
const GravenVariant *graven_model_variant(const GravenModel *model);

/* Checks the ABI version, the CPU, and count, dtype, rank, extents, pointers,
 * alignment and overlap of all tensors. Allocates nothing.
 * On failure writes one line "input 'x': expected f32, got f64" (truncated and
 * terminated) into error, which may be null when error_size is 0. */
int graven_model_check(const GravenModel *model, const GravenTensor *inputs,
                       int64_t num_inputs, const GravenTensor *outputs,
                       int64_t num_outputs, char *error, size_t error_size);

/* What the inputs make of the model's symbols, num_symbols of them. Fails when
 * a count, a rank or an extent is not as the model says, when two inputs
 * disagree, when a symbol is out of its range, and when there is no code for
 * the extents. */
int graven_model_extents(const GravenModel *model, const GravenTensor *inputs,
                         int64_t num_inputs, int64_t *extents, char *error,
                         size_t error_size);

/* Bytes of workspace that a run with these extents of the symbols needs, at
 * most the model's workspace_size; -1 when the model has no code for them. */
int64_t graven_model_workspace_size(const GravenModel *model,
                                    const int64_t *extents);

/* The extents of an output, as many as its rank, for these extents of the
 * symbols; the most where data decide. */
int graven_model_output_extents(const GravenModel *model,
                                const int64_t *extents, int64_t output,
                                int64_t *result, char *error,
                                size_t error_size);

/* Runs with bare pointers, for callers who know the shapes (NAME_run does
 * this). Checks the ABI version, the CPU and the workspace's alignment, nothing
 * about the tensors. A null workspace is allocated for this call and freed
 * again; with a workspace nothing is allocated. `parallel` may be null: one
 * thread. A model with symbols, or with extents that data decide, is called by
 * graven_model_call_sized. */
int graven_model_call(const GravenModel *model, void *const *inputs,
                      void *const *outputs, void *workspace,
                      const GravenParallel *parallel, char *error,
                      size_t error_size);

/* The same for any model, with extents for its symbols, which are checked.
 * `used` has an entry for each output, GravenTensor.used of those with extents
 * that data decide; it may be null where there are none. */
int graven_model_call_sized(const GravenModel *model, const int64_t *extents,
                            void *const *inputs, void *const *outputs,
                            int64_t *const *used, void *workspace,
                            const GravenParallel *parallel, char *error,
                            size_t error_size);

/* The most inputs and outputs together that graven_model_run and models with
 * symbols take; callers with more use graven_model_check and graven_model_call.
 */
#define GRAVEN_RUN_MAX_TENSORS 4096

/* graven_model_check, then graven_model_call. Safe to call from several threads
 * at a time as long as each has its own outputs and workspace. */
int graven_model_run(const GravenModel *model, const GravenTensor *inputs,
                     int64_t num_inputs, GravenTensor *outputs,
                     int64_t num_outputs, void *workspace,
                     const GravenParallel *parallel, char *error,
                     size_t error_size);

/* The functions of this file as the artifact holds them, for hosts that loaded
 * the artifact at run time. */
typedef struct GravenSupport {
  uint32_t abi_version;
  uint32_t struct_size;
  int (*check)(const GravenModel *, const GravenTensor *, int64_t,
               const GravenTensor *, int64_t, char *, size_t);
  int (*call)(const GravenModel *, void *const *, void *const *, void *,
              const GravenParallel *, char *, size_t);
  int (*run)(const GravenModel *, const GravenTensor *, int64_t, GravenTensor *,
             int64_t, void *, const GravenParallel *, char *, size_t);
  const char *(*status_string)(int);
  GravenPool *(*pool_create)(int);
  void (*pool_destroy)(GravenPool *);
  const GravenParallel *(*pool_parallel)(GravenPool *);
  const GravenVariant *(*variant)(const GravenModel *);
  int (*extents)(const GravenModel *, const GravenTensor *, int64_t, int64_t *,
                 char *, size_t);
  int64_t (*workspace_size)(const GravenModel *, const int64_t *);
  int (*output_extents)(const GravenModel *, const int64_t *, int64_t,
                        int64_t *, char *, size_t);
  int (*call_sized)(const GravenModel *, const int64_t *, void *const *,
                    void *const *, int64_t *const *, void *,
                    const GravenParallel *, char *, size_t);
} GravenSupport;

/* Compiled tables refer to this symbol. */
extern const GravenSupport graven_support;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* GRAVEN_RUNTIME_H */
