//===- Explanations.cpp - why passes did what they did ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `--explain`: decisions come as MLIR's optimization
// remarks, time and sizes from an instrumentation of pass managers.
//===----------------------------------------------------------------------===//

#include "compiler/session/Explanations.h"
#include "compiler/session/DiagnosticPrinter.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"
#include "passes/graph/Explain.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Threading.h"
#include <chrono>
#include <map>
#include <mutex>
#include <set>

using namespace mlir;

namespace graven {
namespace {

using Clock = std::chrono::steady_clock;

/// How much IR there is below an operation.
struct Amount {
  int64_t nodes = 0;
  /// Of the tensors and buffers that Nodes give; a dynamic extent counts as 1.
  int64_t bytes = 0;

  static Amount below(Operation *root) {
    Amount amount;
    root->walk([&](Operation *op) {
      if (op == root)
        return;
      ++amount.nodes;
      for (Type type : op->getResultTypes())
        amount.bytes += bytesOf(type);
    });
    return amount;
  }

  static int64_t bytesOf(Type type) {
    auto shaped = dyn_cast<ShapedType>(type);
    if (!shaped || !shaped.hasRank() || !shaped.getElementType().isIntOrFloat())
      return 0;
    int64_t bytes =
        llvm::divideCeil(shaped.getElementType().getIntOrFloatBitWidth(), 8);
    for (int64_t extent : shaped.getShape())
      bytes *= ShapedType::isDynamic(extent) ? 1 : extent;
    return bytes;
  }

  Amount &operator+=(const Amount &other) {
    nodes += other.nodes;
    bytes += other.bytes;
    return *this;
  }
};

/// What a pass of a pipeline did to all operations it ran on.
struct Row {
  std::string pass;
  int64_t runs = 0, candidates = 0, fired = 0;
  double seconds = 0;
  Amount before, after;
};

/// The place of a pass: its pipeline, its position there, and, of the nested
/// passes that have this position, the kind of operation and the position in
/// turn. Unlike the pass object it is the same for each thread.
struct Place {
  size_t pipeline, stage;
  std::string nest;
  size_t position;
  auto operator<=>(const Place &) const = default;
};

} // namespace

/// What is heard; the listeners of contexts keep it alive.
class Explanations::Record {
public:
  Record(ExplanationForm form, raw_ostream &os) : form(form), os(os) {}

  void add(const remark::detail::Remark &remark);
  void begin(const Place &place, Pass *pass, Operation *op);
  void end(Operation *op);
  void printTable();
  size_t indexOf(StringRef pipeline) {
    std::lock_guard<std::mutex> lock(mutex);
    return pipelines.try_emplace(pipeline.str(), pipelines.size())
        .first->second;
  }

  const ExplanationForm form;
  raw_ostream &os;
  std::vector<Explanation> decisions;
  std::map<Place, Row> rows;
  /// Pass and pattern.
  std::set<std::pair<std::string, std::string>> patterns;
  /// How often "pass: pattern" did something, and how often not.
  struct Count {
    int64_t fired = 0, refused = 0;
  };
  std::map<std::string, Count> counts;

private:
  struct Running {
    Row *row;
    Clock::time_point start;
  };
  void print(const Explanation &decision, Location loc);

  std::mutex mutex;
  std::map<std::string, size_t> pipelines;
  /// By thread.
  llvm::DenseMap<uint64_t, SmallVector<Running>> running;
};

void Explanations::Record::add(const remark::detail::Remark &remark) {
  Explanation decision;
  decision.pass = remark.getCategoryName();
  for (const remark::detail::Remark::Arg &arg : remark.getArgs()) {
    if (arg.key == kExplainedOp)
      decision.op = arg.val;
    else if (arg.key == kExplainedPattern)
      decision.pattern = arg.val;
    else if (arg.key == kExplainedWhy)
      decision.why = arg.val;
  }
  std::lock_guard<std::mutex> lock(mutex);
  if (remark.getRemarkType() == llvm::remarks::Type::Analysis) {
    patterns.emplace(decision.pass, decision.pattern);
    return;
  }
  decision.fired = remark.getRemarkType() == llvm::remarks::Type::Passed;
  auto own = running.find(llvm::get_threadid());
  if (own != running.end() && !own->second.empty()) {
    ++own->second.back().row->candidates;
    own->second.back().row->fired += decision.fired;
  }
  if (!decision.pattern.empty()) {
    Count &count = counts[decision.pass + ": " + decision.pattern];
    ++(decision.fired ? count.fired : count.refused);
  }
  if (form == ExplanationForm::Text)
    return print(decision, remark.getLocation());
  // Locations are gone with their context.
  decision.place = describePlace(remark.getLocation());
  decisions.push_back(std::move(decision));
}

void Explanations::Record::print(const Explanation &decision, Location loc) {
  std::string where = describe(loc);
  os << (where.empty() ? "model" : where) << ": " << decision.pass << ": "
     << decision.op << ":";
  if (!decision.pattern.empty())
    os << (decision.fired ? " " : " not ") << decision.pattern;
  if (!decision.pattern.empty() && !decision.fired)
    os << ": " << (decision.why.empty() ? "it gives no reason" : decision.why);
  else if (!decision.why.empty())
    os << " " << decision.why;
  os << "\n";
}

void Explanations::Record::begin(const Place &place, Pass *pass,
                                 Operation *op) {
  Amount amount = Amount::below(op);
  std::lock_guard<std::mutex> lock(mutex);
  Row &row = rows[place];
  row.pass =
      pass->getArgument().empty() ? pass->getName() : pass->getArgument();
  ++row.runs;
  row.before += amount;
  running[llvm::get_threadid()].push_back({&row, Clock::now()});
}

void Explanations::Record::end(Operation *op) {
  auto now = Clock::now();
  Amount amount = Amount::below(op);
  std::lock_guard<std::mutex> lock(mutex);
  Running own = running[llvm::get_threadid()].pop_back_val();
  own.row->seconds += std::chrono::duration<double>(now - own.start).count();
  own.row->after += amount;
}

void Explanations::Record::printTable() {
  auto line = [&](StringRef pass, auto... values) {
    os << llvm::format("%-32s", pass.str().c_str());
    ((os << "  " << values), ...);
    os << "\n";
  };
  auto head = [](const char *text, int width) {
    return llvm::format("%*s", width, text);
  };
  auto number = [](int64_t value, int width) {
    return llvm::format("%*lld", width, static_cast<long long>(value));
  };
  line("pass", head("candidates", 10), head("fired", 6), head("seconds", 8),
       head("nodes", 7), head("after", 7), head("bytes", 13),
       head("after", 13));
  for (const auto &[place, row] : rows)
    line(row.pass, number(row.candidates, 10), number(row.fired, 6),
         llvm::format("%8.3f", row.seconds), number(row.before.nodes, 7),
         number(row.after.nodes, 7), number(row.before.bytes, 13),
         number(row.after.bytes, 13));
  if (counts.empty())
    return;
  constexpr int wide = 60;
  auto pattern = [&](StringRef name, auto fired, auto refused) {
    os << llvm::format("%-*s", wide, name.str().c_str()) << "  " << fired
       << "  " << refused << "\n";
  };
  pattern("pattern", head("fired", 6), head("not", 6));
  for (const auto &[name, count] : counts)
    pattern(name, number(count.fired, 6), number(count.refused, 6));
}

class Explanations::Streamer : public remark::detail::MLIRRemarkStreamerBase {
public:
  explicit Streamer(std::shared_ptr<Record> record)
      : record(std::move(record)) {}
  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    record->add(remark);
  }

private:
  std::shared_ptr<Record> record;
};

class Explanations::Watcher : public PassInstrumentation {
public:
  Watcher(std::shared_ptr<Record> record, size_t pipeline)
      : record(std::move(record)), pipeline(pipeline) {}

private:
  /// Pipelines are passes, too; their passes are looked at one by one.
  static bool isPipeline(Pass *pass) {
    return pass->getName().ends_with("OpToOpPassAdaptor");
  }

  void runBeforePass(Pass *pass, Operation *op) override {
    Place place{pipeline, 0, "", 0};
    {
      std::lock_guard<std::mutex> lock(mutex);
      if (!op->getParentOp()) {
        ++stage;
        positions.clear();
      } else if (!isPipeline(pass)) {
        place.nest = op->getName().getStringRef();
        place.position = positions[op]++;
      }
      place.stage = stage;
    }
    if (!isPipeline(pass))
      record->begin(place, pass, op);
  }
  void runAfterPass(Pass *pass, Operation *op) override {
    if (!isPipeline(pass))
      record->end(op);
  }
  void runAfterPassFailed(Pass *pass, Operation *op) override {
    runAfterPass(pass, op);
  }

  std::shared_ptr<Record> record;
  size_t pipeline, stage = 0;
  std::mutex mutex;
  /// How many passes have begun on each operation at this stage.
  llvm::DenseMap<Operation *, size_t> positions;
};

Explanations::Explanations(ExplanationForm form, raw_ostream &os)
    : record(std::make_shared<Record>(form, os)) {}
Explanations::~Explanations() = default;

void Explanations::listenTo(MLIRContext &context) {
  remark::RemarkCategories all;
  all.passed = all.missed = all.analysis = ".*";
  // Fails only where somebody else listens already.
  (void)remark::enableOptimizationRemarks(
      context, std::make_unique<Streamer>(record),
      std::make_unique<remark::RemarkEmittingPolicyAll>(), all);
}

void Explanations::watch(PassManager &manager) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  manager.printAsTextualPipeline(stream);
  manager.addInstrumentation(
      std::make_unique<Watcher>(record, record->indexOf(text)));
}

void Explanations::finish() const {
  if (record->form == ExplanationForm::Text)
    record->printTable();
  else
    record->os << llvm::formatv("{0:2}", llvm::json::Value(toJson())) << "\n";
}

llvm::json::Object Explanations::toJson() const {
  llvm::json::Array candidates, passes;
  for (const Explanation &decision : record->decisions) {
    llvm::json::Object place = decision.place;
    place["pass"] = decision.pass;
    place["pattern"] = decision.pattern;
    place["op"] = decision.op;
    place["fired"] = decision.fired;
    place["why"] = llvm::json::fixUTF8(decision.why);
    candidates.push_back(std::move(place));
  }
  for (const auto &[place, row] : record->rows)
    passes.push_back(llvm::json::Object{{"pass", row.pass},
                                        {"runs", row.runs},
                                        {"candidates", row.candidates},
                                        {"fired", row.fired},
                                        {"seconds", row.seconds},
                                        {"nodes_before", row.before.nodes},
                                        {"nodes_after", row.after.nodes},
                                        {"bytes_before", row.before.bytes},
                                        {"bytes_after", row.after.bytes}});
  llvm::json::Object patterns;
  for (const auto &[pass, pattern] : record->patterns)
    patterns.try_emplace(pass, llvm::json::Array())
        .first->second.getAsArray()
        ->push_back(pattern);
  llvm::json::Object counts;
  for (const auto &[name, count] : record->counts)
    counts[name] =
        llvm::json::Object{{"fired", count.fired}, {"not", count.refused}};
  return llvm::json::Object{{"candidates", std::move(candidates)},
                            {"pattern_counts", std::move(counts)},
                            {"passes", std::move(passes)},
                            {"patterns", std::move(patterns)}};
}

void Explanations::visit(
    function_ref<void(const Explanation &)> visit,
    function_ref<void(StringRef, StringRef)> visitPattern) const {
  for (const Explanation &decision : record->decisions)
    visit(decision);
  for (const auto &[pass, pattern] : record->patterns)
    visitPattern(pass, pattern);
}

} // namespace graven
