//===- Services.h - what simulated code calls ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the functions that simulated code calls, which finds them
// in a table: an artifact is linked with nothing of the compiler.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_SERVICES_H
#define GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_SERVICES_H

#include <cstdint>

namespace graven::cuda::simulator {

class Simulator;
struct Thread;

/// An element type of matrices.
enum class Element : int32_t { F16, BF16, TF32, S8, U8, F32, S32 };

namespace services {

/// Blocks `lo` to `hi` of a kernel. `function` is a Simulator::ThreadFunction.
void launch(Simulator *simulator, int32_t kernel, void *function,
            void *arguments, int64_t lo, int64_t hi);

/// Before an access, of the site's size; of `bytes`; of the elements of a
/// vector whose bits are set.
void access(Thread *thread, int32_t site, void *address);
void accessRange(Thread *thread, int32_t site, void *address, int64_t bytes);
void accessMasked(Thread *thread, int32_t site, void *address, int64_t mask);

/// The barrier `id` of `count` threads.
void barrier(Thread *thread, int32_t site, int32_t id, int32_t count);
void arrive(Thread *thread, int32_t site, int32_t id, int32_t count);

/// `kind` as in NVVM. `value` is replaced by another lane's; whether there was
/// such a lane.
int32_t shuffle(Thread *thread, int32_t site, int32_t kind, int32_t mask,
                void *value, int32_t offset, int32_t clamp);
int32_t vote(Thread *thread, int32_t site, int32_t kind, int32_t mask,
             int32_t predicate);
int32_t reduce(Thread *thread, int32_t site, int32_t kind, int32_t mask,
               int32_t value);
int32_t elect(Thread *thread, int32_t site, int32_t mask);
void syncWarp(Thread *thread, int32_t site, int32_t mask);

/// The site of what is read is the next one.
void copyAsync(Thread *thread, int32_t site, void *to, void *from,
               int32_t bytes, int32_t sourceBytes);
void commitCopies(Thread *thread);
void waitCopies(Thread *thread, int32_t pending);

/// `count` matrices of 8x8 elements of 16 bits, a register of each.
void loadMatrix(Thread *thread, int32_t site, void *row, void *registers,
                int32_t count, int32_t isTransposed);
void storeMatrix(Thread *thread, int32_t site, void *row, void *registers,
                 int32_t count, int32_t isTransposed);
/// What the thread has written may be read by descriptors.
void fenceProxy(Thread *thread);
/// 64 x columns += 64x16 * 16 x columns, of which the sums of the thread are
/// given: both operands are in shared memory, the left one by rows, the right
/// one by depth. The type is an Element.
void multiplyShared(Thread *thread, int32_t site, void *sums, int64_t left,
                    int64_t right, int32_t columns, int32_t type);
void commitProducts(Thread *thread);
void waitProducts(Thread *thread, int32_t pending);

/// 16x8 += 16xk * kx8. The registers of A, of B and of C, which becomes the
/// result. The types are Elements.
void multiply(Thread *thread, int32_t site, void *registers, int32_t a,
              int32_t b, int32_t c, int32_t k);

} // namespace services

/// All of them, in the order of the table.
#define GRAVEN_SIMULATOR_SERVICES(SERVICE)                                     \
  SERVICE(launch)                                                              \
  SERVICE(access)                                                              \
  SERVICE(accessRange)                                                         \
  SERVICE(accessMasked)                                                        \
  SERVICE(barrier)                                                             \
  SERVICE(arrive)                                                              \
  SERVICE(shuffle)                                                             \
  SERVICE(vote)                                                                \
  SERVICE(reduce)                                                              \
  SERVICE(elect)                                                               \
  SERVICE(syncWarp)                                                            \
  SERVICE(copyAsync)                                                           \
  SERVICE(commitCopies)                                                        \
  SERVICE(waitCopies)                                                          \
  SERVICE(loadMatrix)                                                          \
  SERVICE(storeMatrix)                                                         \
  SERVICE(multiply)                                                            \
  SERVICE(fenceProxy)                                                          \
  SERVICE(multiplyShared)                                                      \
  SERVICE(commitProducts)                                                      \
  SERVICE(waitProducts)

/// Their places in the table.
enum class Service : int32_t {
#define GRAVEN_SERVICE_NUMBER(name) name,
  GRAVEN_SIMULATOR_SERVICES(GRAVEN_SERVICE_NUMBER)
#undef GRAVEN_SERVICE_NUMBER
};

void *const *serviceTable();

} // namespace graven::cuda::simulator

#endif // GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_SERVICES_H
