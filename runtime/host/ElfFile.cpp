//===- ElfFile.cpp - is a shared object whole? ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the check of a shared object's header and segments
// against the size of its file.
//===----------------------------------------------------------------------===//
#include "runtime/host/ElfFile.h"

#include <cerrno>
#include <cstring>
#include <vector>

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace graven::rt;

namespace {

/// A file that is closed at the end.
class Descriptor {
public:
  explicit Descriptor(int number) : number(number) {}
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  ~Descriptor() {
    if (number >= 0)
      ::close(number);
  }
  int get() const { return number; }

private:
  int number;
};

} // namespace

/// Reads exactly `size` bytes.
static bool readAt(int file, void *to, size_t size, off_t offset) {
  return ::pread(file, to, size, offset) == static_cast<ssize_t>(size);
}

#if defined(__aarch64__)
constexpr uint16_t thisMachine = EM_AARCH64;
#else
constexpr uint16_t thisMachine = EM_X86_64;
#endif

static std::string machineName(uint16_t machine) {
  switch (machine) {
  case EM_X86_64:
    return "x86-64";
  case EM_AARCH64:
    return "AArch64";
  default:
    return "machine " + std::to_string(machine);
  }
}

static bool isSharedObject(const Elf64_Ehdr &header) {
  return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
         header.e_ident[EI_CLASS] == ELFCLASS64 &&
         header.e_ident[EI_DATA] == ELFDATA2LSB && header.e_type == ET_DYN &&
         header.e_phentsize == sizeof(Elf64_Phdr);
}

Status graven::rt::checkSharedObject(const std::string &path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info;
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0)
    return Error{path + ": cannot be opened: " + std::strerror(errno)};
  if (!S_ISREG(info.st_mode))
    return Error{path + ": not a regular file"};
  const auto size = static_cast<uint64_t>(info.st_size);
  auto truncated = [&](uint64_t expected) {
    return Error{path + ": truncated: expected at least " +
                 std::to_string(expected) + " bytes, got " +
                 std::to_string(size)};
  };
  // 2^62 keeps every sum of an offset and a size in range.
  constexpr uint64_t limit = uint64_t(1) << 62;
  Elf64_Ehdr header;
  if (!readAt(file.get(), &header, sizeof(header), 0))
    return truncated(sizeof(header));
  if (!isSharedObject(header))
    return Error{path + ": not a shared object for " +
                 machineName(thisMachine)};
  if (header.e_machine != thisMachine)
    return Error{path + ": expected a shared object for " +
                 machineName(thisMachine) + ", got one for " +
                 machineName(header.e_machine)};
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  size_t bytes = segments.size() * sizeof(Elf64_Phdr);
  if (header.e_phoff >= limit || header.e_phoff + bytes > size ||
      !readAt(file.get(), segments.data(), bytes,
              static_cast<off_t>(header.e_phoff)))
    return truncated(header.e_phoff % limit + bytes);
  for (const Elf64_Phdr &segment : segments) {
    if (segment.p_type == PT_NULL || segment.p_type == PT_GNU_STACK)
      continue;
    if (segment.p_offset >= limit || segment.p_filesz >= limit ||
        segment.p_offset + segment.p_filesz > size)
      return truncated(segment.p_offset % limit + segment.p_filesz % limit);
  }
  return {};
}
