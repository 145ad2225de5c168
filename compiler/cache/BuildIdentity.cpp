//===- BuildIdentity.cpp - which compiler this is --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements buildIdentity: the notes that linkers leave in an image
// are mapped with it, so that nothing is read from the disk.
//===----------------------------------------------------------------------===//
#include "compiler/cache/BuildIdentity.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cstring>
#include <elf.h>
#include <link.h>
#include <string>
#include <vector>

using llvm::StringRef;

namespace {

/// The build ID in the notes of an image, as digits; empty without one.
std::string idOf(const dl_phdr_info &image) {
  for (int i = 0; i < image.dlpi_phnum; ++i) {
    const ElfW(Phdr) &segment = image.dlpi_phdr[i];
    if (segment.p_type != PT_NOTE)
      continue;
    const char *at =
        reinterpret_cast<const char *>(image.dlpi_addr + segment.p_vaddr);
    const char *end = at + segment.p_memsz;
    while (end - at >= ptrdiff_t(sizeof(ElfW(Nhdr)))) {
      ElfW(Nhdr) note;
      std::memcpy(&note, at, sizeof(note));
      uint64_t nameBytes = llvm::alignTo(uint64_t(note.n_namesz), 4),
               bytes = llvm::alignTo(uint64_t(note.n_descsz), 4);
      const char *name = at + sizeof(note);
      if (nameBytes + bytes > uint64_t(end - name))
        break;
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
          std::memcmp(name, "GNU", 4) == 0)
        return llvm::toHex(StringRef(name + nameBytes, note.n_descsz));
      at = name + nameBytes + bytes;
    }
  }
  return "";
}

bool holds(const dl_phdr_info &image, const void *address) {
  auto wanted = reinterpret_cast<ElfW(Addr)>(address);
  for (int i = 0; i < image.dlpi_phnum; ++i) {
    const ElfW(Phdr) &segment = image.dlpi_phdr[i];
    ElfW(Addr) begin = image.dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && wanted >= begin &&
        wanted - begin < segment.p_memsz)
      return true;
  }
  return false;
}

struct Identities {
  std::string own;
  std::vector<std::string> libraries;
};

int visit(dl_phdr_info *image, size_t, void *data) {
  auto &found = *static_cast<Identities *>(data);
  StringRef name(image->dlpi_name ? image->dlpi_name : "");
  if (holds(*image, reinterpret_cast<const void *>(&visit)))
    found.own = idOf(*image);
  else if (name.contains("libLLVM") || name.contains("libMLIR"))
    found.libraries.push_back(idOf(*image));
  return 0;
}

std::string makeIdentity() {
  Identities found;
  ::dl_iterate_phdr(visit, &found);
  if (found.own.empty())
    return "";
  std::sort(found.libraries.begin(), found.libraries.end());
  std::string identity = found.own;
  for (const std::string &library : found.libraries)
    identity += "+" + library;
  return identity;
}

} // namespace

StringRef graven::buildIdentity() {
  static const std::string identity = makeIdentity();
  return identity;
}
