//===- WeightsImage.cpp - room for weights at the end of a file -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the patches of section header, program header and
// archive member that give a weights section its contents. They are of files
// that lld and LLVM's archive writer made a moment ago, so a surprise is a bug,
// not bad input.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/WeightsImage.h"
#include "llvm/ADT/bit.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/Archive.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstring>

using namespace graven::cpu;
using namespace llvm::ELF;
using mlir::failure;
using mlir::FailureOr;

namespace {

/// What kernels map at once, of files that they keep in pages as large.
constexpr uint64_t hugePage = 2 << 20;
/// There is one in them wherever they begin, and more than that.
bool fillsHugePages(uint64_t size) { return size >= 2 * hugePage; }
/// What a file may grow by for that.
constexpr uint64_t mostPadding = 256 << 10;
/// As much of a file as kernels without huge pages for it keep in one piece, if
/// it begins at a multiple of its size, and map at once.
constexpr uint64_t largePiece = 128 << 10;

/// What smaller weights, and those that are no huge pages, lie at a multiple of
/// in the file: no more than they have bytes, so that it at most doubles.
uint64_t pieceOf(uint64_t size) {
  return std::min(llvm::bit_floor(std::max<uint64_t>(size, 1)), largePiece);
}

/// A file that is shorter than its header has a page, too.
uint64_t pageSizeOf(llvm::ArrayRef<char> image) {
  Elf64_Ehdr header = {};
  std::memcpy(&header, image.data(), std::min(image.size(), sizeof(header)));
  return graven::cpu::pageSize(header.e_machine == EM_AARCH64
                                   ? graven::rt::Machine::AArch64
                                   : graven::rt::Machine::X86_64);
}

/// The weights: the only section in memory that is read-only and has no
/// contents.
bool isReservedWeights(const Elf64_Shdr &section) {
  return section.sh_type == SHT_NOBITS && (section.sh_flags & SHF_ALLOC) &&
         !(section.sh_flags & (SHF_WRITE | SHF_EXECINSTR));
}

/// Reads, changes and writes back the headers of a table; false when one does
/// not fit.
template <typename Header, typename Change>
bool changeHeaders(llvm::MutableArrayRef<char> image, uint64_t offset,
                   unsigned count, Change change) {
  if (offset > image.size() || count > (image.size() - offset) / sizeof(Header))
    return false;
  for (unsigned i = 0; i < count; ++i) {
    Header header;
    char *place = image.data() + offset + i * sizeof(Header);
    std::memcpy(&header, place, sizeof(Header));
    change(header);
    std::memcpy(place, &header, sizeof(Header));
  }
  return true;
}

/// Where in memory and how large the weights are.
struct Reserved {
  uint64_t address = 0;
  uint64_t size = 0;
};

/// Points the weights section of `image` at `place(reserved)` in the file.
template <typename Place>
FailureOr<WeightsPlace> pointAt(llvm::MutableArrayRef<char> image,
                                Place place) {
  Elf64_Ehdr header;
  if (image.size() < sizeof(header))
    return failure();
  std::memcpy(&header, image.data(), sizeof(header));
  Reserved reserved;
  uint64_t offset = 0;
  unsigned sections = 0, segments = 0;
  bool good = changeHeaders<Elf64_Shdr>(
      image, header.e_shoff, header.e_shnum, [&](Elf64_Shdr &section) {
        if (!isReservedWeights(section))
          return;
        reserved = {section.sh_addr, section.sh_size};
        offset = place(reserved);
        section.sh_type = SHT_PROGBITS;
        section.sh_offset = offset;
        ++sections;
      });
  uint64_t page = pageSizeOf(image);
  if (!good || sections != 1 || reserved.address % page != 0)
    return failure();
  if (header.e_type == ET_DYN) {
    good = changeHeaders<Elf64_Phdr>(
        image, header.e_phoff, header.e_phnum, [&](Elf64_Phdr &segment) {
          if (segment.p_type != PT_LOAD ||
              segment.p_vaddr != reserved.address || segment.p_filesz != 0 ||
              segment.p_memsz != reserved.size)
            return;
          segment.p_offset = offset;
          segment.p_filesz = reserved.size;
          if (fillsHugePages(reserved.size) &&
              offset % hugePage == reserved.address % hugePage)
            segment.p_align = hugePage;
          ++segments;
        });
    if (!good || segments != 1)
      return failure();
  }
  return WeightsPlace{offset, reserved.size};
}

} // namespace

FailureOr<WeightsPlace>
graven::cpu::placeWeights(llvm::MutableArrayRef<char> image) {
  return pointAt(image, [&](const Reserved &weights) {
    uint64_t aligned =
        llvm::alignTo(image.size(), hugePage, weights.address % hugePage);
    bool isWorthIt =
        fillsHugePages(weights.size) && aligned - image.size() <= mostPadding;
    return isWorthIt
               ? aligned
               : llvm::alignTo(image.size(), std::max(pageSizeOf(image),
                                                      pieceOf(weights.size)));
  });
}

FailureOr<WeightsPlace>
graven::cpu::wrapInArchive(llvm::SmallVectorImpl<char> &image,
                           llvm::StringRef memberName, bool hasWeights) {
  std::string name = memberName.str();
  size_t objectSize = image.size();
  llvm::NewArchiveMember member(
      llvm::MemoryBufferRef(llvm::StringRef(image.data(), image.size()), name));
  auto archive = llvm::writeArchiveToBuffer(
      member, llvm::SymtabWritingMode::NormalSymtab,
      llvm::object::Archive::K_GNU,
      /*Deterministic=*/true, /*Thin=*/false,
      [](llvm::Error error) { llvm::consumeError(std::move(error)); });
  if (!archive) {
    llvm::consumeError(archive.takeError());
    return failure();
  }
  llvm::StringRef bytes = (*archive)->getBuffer();
  uint64_t page = pageSizeOf(image);
  llvm::SmallVector<char, 0> object(image.begin(), image.end());
  image.assign(bytes.begin(), bytes.end());
  if (!hasWeights)
    return WeightsPlace{};

  // The member is the last one: it may grow. Its header holds the size as
  // decimal digits, 10 bytes at 48; the header's 60 bytes are followed by the
  // object.
  size_t start = bytes.rfind(llvm::StringRef(object.data(), objectSize));
  if (start == llvm::StringRef::npos || start < 60)
    return failure();
  uint64_t offset = llvm::alignTo(image.size(), page);
  auto place =
      pointAt(llvm::MutableArrayRef<char>(image).slice(start, objectSize),
              [&](const Reserved &) { return offset - start; });
  if (mlir::failed(place))
    return failure();
  std::string digits = std::to_string(offset - start + place->size);
  if (digits.size() > 10 || place->size % 2 != 0)
    return failure();
  digits.resize(10, ' ');
  std::memcpy(image.data() + start - 60 + 48, digits.data(), digits.size());
  return WeightsPlace{offset, place->size};
}
