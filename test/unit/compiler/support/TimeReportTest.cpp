//===- TimeReportTest.cpp - where the time of a compile goes ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests TimeReport: the tree of timers, processor time of other
// threads, and timers of one name on several threads.
//===----------------------------------------------------------------------===//
#include "compiler/support/TimeReport.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"
#include <ctime>
#include <thread>

using namespace graven;

namespace {

/// Works for this much processor time of its thread.
void work(double seconds) {
  struct timespec begin, now;
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
  do
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  while (double(now.tv_sec - begin.tv_sec) +
             1e-9 * double(now.tv_nsec - begin.tv_nsec) <
         seconds);
}

const llvm::json::Object &childOf(const llvm::json::Object &parent,
                                  llvm::StringRef name) {
  for (const llvm::json::Value &child : *parent.getArray("children"))
    if (child.getAsObject()->getString("name") == name)
      return *child.getAsObject();
  ADD_FAILURE() << "no child " << name.str();
  return parent;
}

double cpuOf(const llvm::json::Object &object) {
  return *object.getNumber("cpu_seconds");
}

} // namespace

TEST(TimeReportTest, countsTheTimeOfChildren) {
  TimeReport report;
  mlir::Timer root = report.getRootTimer();
  root.start();
  for (int i = 0; i < 3; ++i) {
    mlir::TimingScope step(root.nest("step"));
    work(0.002);
  }
  root.stop();
  llvm::json::Object tree = report.json();
  const llvm::json::Object &step = childOf(tree, "step");
  EXPECT_EQ(step.getInteger("count"), 3);
  EXPECT_GE(cpuOf(step), 0.006);
  EXPECT_GE(cpuOf(tree), cpuOf(step));
  EXPECT_GE(*step.getNumber("wall_seconds"), 0.006);
  EXPECT_GT(*step.getInteger("peak_bytes"), 1 << 20);
  std::string text;
  llvm::raw_string_ostream os(text);
  report.print(os);
  EXPECT_NE(text.find("  step (3)\n"), std::string::npos) << text;
}

TEST(TimeReportTest, countsOtherThreadsForTheirParents) {
  TimeReport report;
  mlir::Timer root = report.getRootTimer();
  root.start();
  {
    mlir::Timer all = root.nest("all");
    mlir::TimingScope timing(all);
    auto one = [&] {
      mlir::Timer timer = all.nest("part");
      mlir::TimingScope timing(timer);
      mlir::TimingScope inner(timer.nest("inner"));
      work(0.004);
    };
    std::thread first(one), second(one);
    first.join();
    second.join();
  }
  root.stop();
  llvm::json::Object tree = report.json();
  const llvm::json::Object &all = childOf(tree, "all");
  const llvm::json::Object &part = childOf(all, "part");
  EXPECT_EQ(part.getInteger("count"), 2);
  EXPECT_GE(cpuOf(childOf(part, "inner")), 0.008);
  EXPECT_GE(cpuOf(all), cpuOf(part));
  EXPECT_GE(cpuOf(tree), 0.008);
}
