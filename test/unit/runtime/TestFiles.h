//===- TestFiles.h - a folder for a test's files ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines a temporary folder that is removed with its contents.
//
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_TEST_UNIT_RUNTIME_TESTFILES_H
#define GRAVEN_TEST_UNIT_RUNTIME_TESTFILES_H

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace graven::rt {

/// An empty folder, private to one test.
class TestFolder {
public:
  TestFolder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "graven-test.XXXXXX");
    folder = ::mkdtemp(name.data());
  }
  TestFolder(const TestFolder &) = delete;
  TestFolder &operator=(const TestFolder &) = delete;
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  std::string path(const std::string &name) const { return folder / name; }

  bool makeFolder(const std::string &name) const {
    std::error_code error;
    return std::filesystem::create_directory(folder / name, error);
  }

  void write(const std::string &name, const std::string &bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
  }

  /// What the folder holds, in order.
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto &entry : std::filesystem::directory_iterator(folder))
      found.push_back(entry.path().filename());
    std::sort(found.begin(), found.end());
    return found;
  }

private:
  std::filesystem::path folder;
};

} // namespace graven::rt

#endif // GRAVEN_TEST_UNIT_RUNTIME_TESTFILES_H
