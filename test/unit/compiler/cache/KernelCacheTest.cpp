//===- KernelCacheTest.cpp - object code kept between compiles --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests KernelCache: entries that are damaged in every part, folders
// that cannot be used, several writers at a time, and the limit on its size.
//===----------------------------------------------------------------------===//
#include "compiler/cache/KernelCache.h"
#include "compiler/cache/BuildIdentity.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"
#include <sys/stat.h>
#include <thread>

using namespace graven;

namespace {

class KernelCacheTest : public testing::Test {
protected:
  KernelCacheTest() {
    llvm::SmallString<128> name;
    EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("graven-cache", name));
    folder = std::string(name);
  }
  ~KernelCacheTest() override {
    ::chmod(folder.c_str(), 0700);
    llvm::sys::fs::remove_directories(folder);
  }

  std::unique_ptr<KernelCache> open(uint64_t limit = 1 << 20) {
    auto cache = KernelCache::open(folder, limit);
    EXPECT_TRUE(bool(cache)) << llvm::toString(cache.takeError());
    return std::move(*cache);
  }
  std::string refusalOf(const std::string &path) {
    auto cache = KernelCache::open(path, 1 << 20);
    return cache ? "" : llvm::toString(cache.takeError());
  }
  std::vector<std::string> files() {
    std::vector<std::string> paths;
    std::error_code error;
    for (llvm::sys::fs::directory_iterator it(folder, error), end;
         it != end && !error; it.increment(error))
      if (llvm::sys::path::filename(it->path()).starts_with("llvmcache-"))
        paths.push_back(it->path());
    return paths;
  }
  static llvm::SmallVector<char, 0> object(char c, size_t size = 1000) {
    return llvm::SmallVector<char, 0>(size, c);
  }

  std::string folder;
};

std::string read(const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  return buffer ? (*buffer)->getBuffer().str() : "";
}

void write(const std::string &path, llvm::StringRef bytes) {
  std::error_code error;
  llvm::raw_fd_ostream(path, error) << bytes;
  EXPECT_FALSE(error);
}

} // namespace

TEST_F(KernelCacheTest, findsWhatWasStored) {
  CacheKey one = cacheKeyOf("one"), two = cacheKeyOf("two");
  auto cache = open();
  EXPECT_FALSE(cache->find(one));
  cache->store(one, object('a'));
  EXPECT_EQ(open()->find(one), object('a'));
  EXPECT_FALSE(cache->find(two));
  cache->store(one, object('b', 0));
  EXPECT_EQ(cache->find(one), object('b', 0));
  EXPECT_TRUE(cache->takeProblems().empty());
  struct stat status;
  ASSERT_EQ(::stat(files().front().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(KernelCacheTest, damagedEntriesAreNotTrusted) {
  CacheKey key = cacheKeyOf("one");
  open()->store(key, object('a'));
  ASSERT_EQ(files().size(), 1u);
  std::string path = files().front(), good = read(path);
  std::vector<std::string> damaged = {"", "short", good.substr(0, 500),
                                      good + "more"};
  for (size_t at : {0, 10, 41, 50, 79, 80, 1079}) {
    damaged.push_back(good);
    damaged.back()[at] ^= 1;
  }
  for (const std::string &bytes : damaged) {
    write(path, bytes);
    auto cache = open();
    EXPECT_FALSE(cache->find(key));
    EXPECT_EQ(cache->takeProblems().size(), 1u);
    EXPECT_TRUE(files().empty());
    cache->store(key, object('a'));
    EXPECT_EQ(cache->find(key), object('a'));
  }
}

TEST_F(KernelCacheTest, entriesOfOthersAreNotTrusted) {
  CacheKey one = cacheKeyOf("one"), two = cacheKeyOf("two");
  open()->store(one, object('a'));
  std::string path = files().front();
  open()->store(two, object('b'));
  for (const std::string &other : files())
    if (other != path)
      write(other, read(path));
  auto cache = open();
  EXPECT_FALSE(cache->find(two));
  EXPECT_EQ(cache->find(one), object('a'));
  ASSERT_EQ(cache->takeProblems().size(), 1u);
}

TEST_F(KernelCacheTest, linksAreNotFollowed) {
  CacheKey key = cacheKeyOf("one");
  open()->store(key, object('a'));
  std::string path = files().front(), elsewhere = folder + "/elsewhere";
  ASSERT_FALSE(llvm::sys::fs::rename(path, elsewhere));
  ASSERT_FALSE(llvm::sys::fs::create_link(elsewhere, path));
  EXPECT_FALSE(open()->find(key));
}

TEST_F(KernelCacheTest, foldersThatOthersMayWriteAreRefused) {
  EXPECT_EQ(refusalOf(folder), "");
  ::chmod(folder.c_str(), 0777);
  EXPECT_EQ(refusalOf(folder), "others may write to it");
  ::chmod(folder.c_str(), 0770);
  EXPECT_EQ(refusalOf(folder), "others may write to it");
  EXPECT_NE(refusalOf("/dev/null/folder"), "");
  write(folder + "/file", "");
  EXPECT_NE(refusalOf(folder + "/file"), "");
}

TEST_F(KernelCacheTest, newFoldersBelongToTheUserAlone) {
  auto cache = KernelCache::open(folder + "/a/b", 1 << 20);
  ASSERT_TRUE(bool(cache));
  for (const char *name : {"/a", "/a/b"}) {
    struct stat status;
    ASSERT_EQ(::stat((folder + name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0077, 0u);
  }
}

TEST_F(KernelCacheTest, storingInAFolderThatIsGoneIsNoError) {
  auto cache = open();
  ASSERT_FALSE(llvm::sys::fs::remove_directories(folder));
  cache->store(cacheKeyOf("one"), object('a'));
  EXPECT_FALSE(cache->find(cacheKeyOf("one")));
  EXPECT_TRUE(cache->takeProblems().empty());
}

TEST_F(KernelCacheTest, writersDoNotDisturbEachOther) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      auto cache = open();
      for (int i = 0; i < 50; ++i) {
        CacheKey key = cacheKeyOf(std::to_string(i % 5));
        cache->store(key, object(char('a' + i % 5), 5000));
        auto found = cache->find(key);
        wrong += !found || *found != object(char('a' + i % 5), 5000);
      }
      wrong += cache->takeProblems().size();
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(files().size(), 5u);
}

TEST_F(KernelCacheTest, theOldestEntriesGoFirst) {
  for (int i = 0; i < 10; ++i) {
    CacheKey key = cacheKeyOf(std::to_string(i));
    open(10000)->store(key, object('a'));
    // The first is used again and again.
    EXPECT_TRUE(open(10000)->find(cacheKeyOf("0"))) << i;
  }
  EXPECT_LE(files().size(), 9u);
  EXPECT_TRUE(open(10000)->find(cacheKeyOf("9")));
  EXPECT_FALSE(open(10000)->find(cacheKeyOf("1")));
}

TEST(BuildIdentityTest, knowsTheProgramAndTheLibraries) {
  EXPECT_GE(buildIdentity().size(), 40u);
  EXPECT_EQ(buildIdentity(), buildIdentity());
}
