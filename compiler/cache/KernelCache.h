//===- KernelCache.h - object code kept between compiles -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares KernelCache, a folder of object code by the content it was
// made of. Entries are checked before they are used; whatever the folder's
// state, a compile only gets slower by it.
//===----------------------------------------------------------------------===//
#ifndef COMPILER_CACHE_KERNELCACHE_H
#define COMPILER_CACHE_KERNELCACHE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/Error.h"
#include <mutex>
#include <optional>
#include <string>

namespace graven {

/// The hash of all that an object depends on.
using CacheKey = llvm::BLAKE3Result<>;
CacheKey cacheKeyOf(llvm::StringRef text);

class KernelCache {
public:
  /// The folder of a user who names none: `GRAVEN_CACHE_DIR`, else
  /// `$XDG_CACHE_HOME/graven/kernels`, else `~/.cache/graven/kernels`; empty
  /// when the first is, or when there is no home.
  static std::string defaultFolder();
  /// The most bytes a folder may hold: `GRAVEN_CACHE_SIZE` with an optional K,
  /// M or G, else 512 MiB.
  static uint64_t defaultLimit();

  /// Opens a folder, making it and those above it, for this user alone, where
  /// they are missing. An error says why the folder cannot be used: others may
  /// write to it, it belongs to another user, or it cannot be made.
  static llvm::Expected<std::unique_ptr<KernelCache>>
  open(llvm::StringRef folder, uint64_t limit);

  /// Drops what was used longest ago when this object has stored something and
  /// the folder is over its limit.
  ~KernelCache();

  /// The object of `key`. An entry that is damaged is removed and noted in
  /// problems(). May be called by several threads at a time.
  std::optional<llvm::SmallVector<char, 0>> find(const CacheKey &key);

  /// Keeps an object. An entry appears whole or not at all, also when other
  /// processes store the same one; what a disk refuses is not kept.
  void store(const CacheKey &key, llvm::ArrayRef<char> object);

  /// What was wrong with entries, a sentence each.
  llvm::SmallVector<std::string> takeProblems();

private:
  KernelCache(llvm::StringRef folder, uint64_t limit)
      : folder(folder), limit(limit) {}
  std::string pathOf(const CacheKey &key) const;

  std::string folder;
  uint64_t limit;
  std::mutex mutex;
  bool hasStored = false;
  llvm::SmallVector<std::string> problems;
};

} // namespace graven

#endif // COMPILER_CACHE_KERNELCACHE_H
