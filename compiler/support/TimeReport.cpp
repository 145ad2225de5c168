//===- TimeReport.cpp - where the time of a compile goes -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements TimeReport. Each timer of each thread is a record of its
// own, written by that thread alone; the report merges those of one parent that
// have one identifier.
//===----------------------------------------------------------------------===//
#include "compiler/support/TimeReport.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Threading.h"
#include <chrono>
#include <ctime>
#include <sys/resource.h>

using namespace llvm;

namespace graven {
namespace {

/// What a record needs to cost of the whole to be printed.
constexpr double leastShare = 1e-3;

double wallClock() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

double threadClock() {
  struct timespec time = {0, 0};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

int64_t peakBytes() {
  struct rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  return int64_t(usage.ru_maxrss) << 10;
}

} // namespace

struct TimeReport::Record {
  using Key = std::pair<const void *, uint64_t>;

  std::string name;
  uint64_t thread = 0;
  bool hidden = false;
  int64_t count = 0, peak = 0;
  double wall = 0, cpu = 0, wallStart = 0, cpuStart = 0;
  MapVector<Key, std::unique_ptr<Record>> children;
};

/// Records of one name and parent, of all threads.
struct TimeReport::Entry {
  std::string name;
  uint64_t thread = 0;
  int64_t count = 0, peak = 0;
  /// `cpu` is of all threads, `foreign` of others than the record's own.
  double wall = 0, cpu = 0, foreign = 0;
  std::vector<Entry> children;

  static void merge(std::vector<Entry> &entries, Entry &&entry);

  void print(raw_ostream &os, unsigned depth, double least) const;
  json::Object json() const;
};

TimeReport::TimeReport() : root(std::make_unique<Record>()) {
  root->name = "total";
}
TimeReport::~TimeReport() = default;

std::optional<void *> TimeReport::rootTimer() { return root.get(); }

void TimeReport::startTimer(void *handle) {
  auto *record = static_cast<Record *>(handle);
  record->thread = get_threadid();
  record->wallStart = wallClock();
  record->cpuStart = threadClock();
}

void TimeReport::stopTimer(void *handle) {
  auto *record = static_cast<Record *>(handle);
  record->wall += wallClock() - record->wallStart;
  record->cpu += threadClock() - record->cpuStart;
  ++record->count;
  if (record->thread == root->thread)
    record->peak = peakBytes();
}

void *TimeReport::nestTimer(void *handle, const void *id,
                            function_ref<std::string()> nameBuilder) {
  std::lock_guard<std::mutex> lock(mutex);
  auto *parent = static_cast<Record *>(handle);
  std::unique_ptr<Record> &child = parent->children[{id, get_threadid()}];
  if (!child) {
    child = std::make_unique<Record>();
    child->name = nameBuilder();
  }
  return child.get();
}

void TimeReport::hideTimer(void *handle) {
  static_cast<Record *>(handle)->hidden = true;
}

/// Adds `entry` to the one of its name. Threads work side by side: what they
/// take is what the longest takes.
void TimeReport::Entry::merge(std::vector<Entry> &entries, Entry &&entry) {
  auto known = find_if(
      entries, [&](const Entry &other) { return other.name == entry.name; });
  if (known == entries.end()) {
    entries.push_back(std::move(entry));
    return;
  }
  known->count += entry.count;
  known->cpu += entry.cpu;
  known->peak = std::max(known->peak, entry.peak);
  known->wall = known->thread == entry.thread
                    ? known->wall + entry.wall
                    : std::max(known->wall, entry.wall);
  for (Entry &child : entry.children)
    merge(known->children, std::move(child));
}

TimeReport::Entry TimeReport::summarize(const Record &record) {
  Entry entry;
  entry.name = record.name;
  entry.thread = record.thread;
  entry.count = record.count;
  entry.peak = record.peak;
  entry.wall = record.wall;
  for (const auto &[key, child] : record.children) {
    Entry summary = summarize(*child);
    entry.foreign +=
        child->thread == record.thread ? summary.foreign : summary.cpu;
    if (!child->hidden) {
      Entry::merge(entry.children, std::move(summary));
      continue;
    }
    for (Entry &grandchild : summary.children)
      Entry::merge(entry.children, std::move(grandchild));
  }
  entry.cpu = record.cpu + entry.foreign;
  return entry;
}

void TimeReport::Entry::print(raw_ostream &os, unsigned depth,
                              double least) const {
  if (wall < least && cpu < least)
    return;
  os << format("%9.4f %9.4f ", wall, cpu);
  if (peak > 0)
    os << format("%9.1f  ", double(peak) / (1 << 20));
  else
    os << "           ";
  os.indent(2 * depth) << name;
  if (count > 1)
    os << " (" << count << ")";
  os << '\n';
  for (const Entry &child : children)
    child.print(os, depth + 1, least);
}

void TimeReport::print(raw_ostream &os) const {
  Entry entry = summarize(*root);
  os << "   wall s     cpu s  peak MiB  what\n";
  entry.print(os, 0, leastShare * std::max(entry.wall, entry.cpu));
}

json::Object TimeReport::Entry::json() const {
  json::Object object{{"name", json::fixUTF8(name)},
                      {"count", count},
                      {"wall_seconds", wall},
                      {"cpu_seconds", cpu}};
  if (peak > 0)
    object["peak_bytes"] = peak;
  json::Array array;
  for (const Entry &child : children)
    array.push_back(child.json());
  object["children"] = std::move(array);
  return object;
}

json::Object TimeReport::json() const { return summarize(*root).json(); }

} // namespace graven
