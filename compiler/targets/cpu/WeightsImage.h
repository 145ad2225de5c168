//===- WeightsImage.h - room for weights at the end of a file ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how weights get into an artifact without passing through
// the linker: linked files hold the weights section as space without contents,
// and these functions turn it into contents that begin where the linked file
// ends.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CPU_WEIGHTSIMAGE_H
#define GRAVEN_COMPILER_TARGETS_CPU_WEIGHTSIMAGE_H

#include "mlir/Support/LLVM.h"
#include "runtime/blobs/Blobs.h"
#include "llvm/ADT/SmallVector.h"
#include <string>

namespace graven::cpu {

/// What memory that is mapped from a file begins at multiples of, on every
/// kernel of the architecture.
constexpr uint64_t pageSize(rt::Machine machine) {
  return machine == rt::Machine::AArch64 ? 65536 : 4096;
}

/// Where weights go in a file, in bytes. The offset is a multiple of a page.
struct WeightsPlace {
  uint64_t offset = 0;
  uint64_t size = 0;
};

/// Patches `image`, an ELF file (shared or relocatable) whose weights section
/// has no contents, so that the section's contents are the bytes from a
/// multiple of a page after the end of `image` on; in a shared object also the
/// segment that loads it. Where it costs little, that is as far from a multiple
/// of 2 MB as the section is in memory: kernels that keep files in huge pages
/// then map them as such, and a first call need not wait for each small page.
/// Others lie at a multiple of 128 KB, or of the power of two they fill.
/// Fails when the file has no such section or the section shares its segment.
mlir::FailureOr<WeightsPlace> placeWeights(llvm::MutableArrayRef<char> image);

/// Makes `image`, a relocatable ELF file, the only member of an archive in
/// place, with the weights, if it has any, as its last bytes.
mlir::FailureOr<WeightsPlace> wrapInArchive(llvm::SmallVectorImpl<char> &image,
                                            llvm::StringRef memberName,
                                            bool hasWeights);

} // namespace graven::cpu

#endif // GRAVEN_COMPILER_TARGETS_CPU_WEIGHTSIMAGE_H
