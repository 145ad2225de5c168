//===- BlobsTest.cpp - the embedded files -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests that the embedded files are what the linker needs, and that
// the stubs promise only symbols that this system's libraries have.
//
//===----------------------------------------------------------------------===//
#include "runtime/blobs/Blobs.h"

#include "gtest/gtest.h"

#include <cstring>
#include <elf.h>
#include <string_view>

#include <dlfcn.h>

using namespace graven::rt;

namespace {

Elf64_Ehdr headerOf(Blob blob) {
  Elf64_Ehdr header{};
  EXPECT_GT(blob.size, sizeof(header));
  std::memcpy(&header, blob.data, sizeof(header));
  EXPECT_EQ(std::memcmp(header.e_ident, ELFMAG, SELFMAG), 0);
  return header;
}

std::string_view textOf(Blob blob) {
  return {reinterpret_cast<const char *>(blob.data), blob.size};
}

constexpr Machine machines[] = {Machine::X86_64, Machine::AArch64};

TEST(Blobs, areElfFilesOfTheirMachine) {
  for (Machine machine : machines) {
    int wanted = machine == Machine::X86_64 ? EM_X86_64 : EM_AARCH64;
    EXPECT_EQ(headerOf(supportObject(machine)).e_type, ET_REL);
    EXPECT_EQ(headerOf(supportObject(machine)).e_machine, wanted);
    for (Blob stub : {libcStub(machine), libmStub(machine)}) {
      EXPECT_EQ(headerOf(stub).e_type, ET_DYN);
      EXPECT_EQ(headerOf(stub).e_machine, wanted);
    }
  }
}

TEST(Blobs, areAlignedAndSmall) {
  for (Machine machine : machines)
    for (Blob blob :
         {supportObject(machine), libcStub(machine), libmStub(machine)}) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(blob.data) % 64, 0u);
      EXPECT_LT(blob.size, 96u << 10);
    }
}

TEST(Blobs, holdTheirNames) {
  for (Machine machine : machines) {
    EXPECT_NE(textOf(libcStub(machine)).find("libc.so.6"),
              std::string_view::npos);
    EXPECT_NE(textOf(libmStub(machine)).find("libm.so.6"),
              std::string_view::npos);
  }
  EXPECT_NE(textOf(runtimeHeader()).find("#define GRAVEN_ABI_VERSION"),
            std::string_view::npos);
}

#define GRAVEN_SYMBOL(name) #name,
constexpr const char *libcNames[] = {
#include "runtime/blobs/LibcSymbols.def"
};
constexpr const char *libmNames[] = {
#include "runtime/blobs/LibmSymbols.def"
};
#undef GRAVEN_SYMBOL

TEST(Stubs, promiseOnlyWhatTheLibrariesHave) {
  void *libc = dlopen("libc.so.6", RTLD_NOW);
  void *libm = dlopen("libm.so.6", RTLD_NOW);
  ASSERT_TRUE(libc && libm);
  for (const char *name : libcNames)
    EXPECT_TRUE(dlsym(libc, name)) << name;
  for (const char *name : libmNames)
    EXPECT_TRUE(dlsym(libm, name)) << name;
}

} // namespace
