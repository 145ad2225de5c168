//===- SampledRoom.cpp - models whose extents data decide -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the choice of the extents that a model is imported at to
// see what follows from them, and finding out how few elements it takes.
//===----------------------------------------------------------------------===//

#include "compiler/session/SampledRoom.h"

#include "dialects/graven/Graven.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/graph/EqualValues.h"
#include "runtime/include/graven/runtime.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace graven {

bool isPrime(int64_t extent) {
  for (int64_t i = 2; i * i <= extent; ++i)
    if (extent % i == 0)
      return false;
  return extent > 1;
}

bool hasKnownExtents(GraphOp graph) {
  auto walked = graph.walk([](Operation *node) {
    for (Type type : node->getResultTypes())
      if (!cast<RankedTensorType>(type).hasStaticShape())
        return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return !walked.wasInterrupted();
}

namespace {

using Module = OwningOpRef<ModuleOp>;
using Made = std::variant<RoomyModule, PartsProblem>;

/// The model at some extents.
struct Sample {
  SmallVector<int64_t> extents;
  Module module;
  /// What was assumed where data decide, in the order of the import.
  SmallVector<int64_t> assumed;
};

/// Near a part of the range, apart from `taken`, and such as hardly occurs in a
/// model otherwise. Turns are from 0 to `spreadTurns` - 1. `greatest` is what
/// `most` can be at most, where other samples have more.
constexpr unsigned spreadTurns = 6;

int64_t spread(int64_t most, int64_t greatest, unsigned turn,
               const llvm::SmallDenseSet<int64_t> &taken) {
  if (most <= 1)
    return most;
  int64_t near = turn == 0                 ? 2
                 : turn == spreadTurns - 1 ? most - 1
                                           : most * turn / (spreadTurns - 1);
  constexpr int64_t farthest = 64;
  for (bool prime : {true, false})
    for (int64_t away = 0; away < std::min(most, farthest); ++away)
      for (int64_t extent : {near + away, near - away})
        if (extent >= 2 && extent < most && (isPrime(extent) || !prime) &&
            !taken.contains(extent))
          return extent;
  // One is special, so it is usual only where there are never more than two.
  return greatest == 2 && turn % 2 == 0 ? 1 : most;
}

class RoomBuilder {
public:
  RoomBuilder(const RoomRequest &request, Location loc)
      : request(request), loc(loc) {}

  Made run();

private:
  using Choice = llvm::function_ref<int64_t(unsigned group, int64_t most)>;
  using Samples = SmallVector<const Sample *>;

  bool importMost();
  void findGroups();
  std::optional<Sample> importAt(ArrayRef<int64_t> extents, Choice choice);
  bool importSpread();
  /// Some groups have that many elements, the others are spread.
  const Sample *importEdge(ArrayRef<unsigned> groups, int64_t count);
  Made make(const Samples &samples, ArrayRef<int64_t> lowest);
  bool works(const Samples &samples, ArrayRef<int64_t> lowest) {
    return std::holds_alternative<RoomyModule>(make(samples, lowest));
  }
  Made makeAtEdges();
  bool makesNothing(const Sample &sample, const Samples &samples,
                    ArrayRef<int64_t> lowest);

  const RoomRequest &request;
  Location loc;
  Sample most;
  /// Which of what data decide is known to be equal.
  SmallVector<unsigned> groups;
  unsigned numGroups = 0;
  /// Of each group, the most elements that it may have.
  SmallVector<int64_t> greatest;
  /// With stable addresses.
  std::vector<std::unique_ptr<Sample>> owned;
  Samples usual;
  SmallVector<int64_t> least;
  std::string why;
};

} // namespace

/// Without an answer about what data decide, imports have the most.
std::optional<Sample> RoomBuilder::importAt(ArrayRef<int64_t> extents,
                                            Choice choice) {
  Sample sample{llvm::to_vector(extents), {}, {}};
  llvm::DenseMap<unsigned, int64_t> known;
  auto module = request.import(
      extents,
      [&](int64_t most) {
        size_t index = sample.assumed.size();
        unsigned group = index < groups.size() ? groups[index] : index;
        auto [entry, isNew] = known.try_emplace(group, 0);
        if (isNew)
          entry->second = std::clamp<int64_t>(choice(group, most), 0, most);
        sample.assumed.push_back(std::min(entry->second, most));
        return sample.assumed.back();
      },
      why);
  if (failed(module) || !graphOf(**module))
    return std::nullopt;
  sample.module = std::move(*module);
  return sample;
}

bool RoomBuilder::importMost() {
  auto sample =
      importAt(request.extents, [](unsigned, int64_t most) { return most; });
  if (!sample)
    return false;
  most = std::move(*sample);
  findGroups();
  return true;
}

/// Imports ask about an extent before they take it, so the counts that are
/// taken come in the order of the questions.
void RoomBuilder::findGroups() {
  GraphOp graph = graphOf(*most.module);
  EqualValues values(graph.getBody().front());
  llvm::SetVector<Value> counts;
  for (PrefixOp prefix : graph.getOps<PrefixOp>())
    counts.insert(prefix.getCount());
  bool isKnown = counts.size() == most.assumed.size();
  llvm::MapVector<unsigned, unsigned> numbers;
  for (size_t i = 0; i < most.assumed.size(); ++i) {
    unsigned number = isKnown ? values.of(counts[i]) : i;
    auto [entry, isNew] = numbers.try_emplace(number, unsigned(numbers.size()));
    groups.push_back(entry->second);
    if (isNew)
      greatest.push_back(most.assumed[i]);
  }
  numGroups = numbers.size();
}

bool RoomBuilder::importSpread() {
  size_t count = request.samples.size();
  if (!most.assumed.empty())
    count = std::max<size_t>(count, spreadTurns);
  least.assign(numGroups, 2);
  for (size_t turn = 0; turn < count; ++turn) {
    ArrayRef<int64_t> extents =
        request.samples.empty()
            ? ArrayRef<int64_t>(request.extents)
            : request.samples[turn % request.samples.size()];
    llvm::SmallDenseSet<int64_t> taken(extents.begin(), extents.end());
    auto sample = importAt(extents, [&](unsigned group, int64_t most) {
      int64_t extent =
          spread(most, greatest[group], (turn + group) % spreadTurns, taken);
      taken.insert(extent);
      return extent;
    });
    if (!sample)
      return false;
    if (sample->assumed.size() != most.assumed.size()) {
      why = "it takes " + std::to_string(sample->assumed.size()) +
            " extents from its data there, " +
            std::to_string(most.assumed.size()) +
            " where they are the most; a loop or branch that depends on such "
            "an extent has to work on all places, with a mask";
      return false;
    }
    for (auto [group, extent] : llvm::zip_equal(groups, sample->assumed))
      least[group] = std::min(least[group], extent);
    owned.push_back(std::make_unique<Sample>(std::move(*sample)));
    usual.push_back(owned.back().get());
  }
  return true;
}

const Sample *RoomBuilder::importEdge(ArrayRef<unsigned> edge, int64_t count) {
  llvm::SmallDenseSet<int64_t> taken;
  auto sample =
      importAt(request.samples.empty() ? ArrayRef<int64_t>(request.extents)
                                       : request.samples.front(),
               [&](unsigned group, int64_t most) {
                 if (llvm::is_contained(edge, group))
                   return count;
                 int64_t extent =
                     spread(most, greatest[group], 1 + group % 4, taken);
                 taken.insert(extent);
                 return extent;
               });
  if (!sample || sample->assumed.size() != most.assumed.size())
    return nullptr;
  owned.push_back(std::make_unique<Sample>(std::move(*sample)));
  return owned.back().get();
}

Made RoomBuilder::make(const Samples &samples, ArrayRef<int64_t> lowest) {
  SmallVector<RoomSample> shown;
  SmallVector<PrefixRange> ranges(most.assumed.size());
  for (const Sample *sample : samples)
    shown.push_back({sample->extents, graphOf(ModuleOp(*sample->module))});
  for (auto [i, range] : llvm::enumerate(ranges)) {
    for (const Sample *sample : samples)
      range.extents.push_back(sample->assumed[i]);
    range.extents.push_back(most.assumed[i]);
    range.lowest = lowest[groups[i]];
  }
  Module module(most.module->clone());
  auto made =
      makeRoom(graphOf(*module), request.symbols, shown, request.axes, ranges);
  if (auto *problem = std::get_if<PartsProblem>(&made))
    return *problem;
  auto &room = std::get<Room>(made);
  if (room.passed.size() > GRAVEN_MAX_PASSED)
    return PartsProblem{loc, "the code takes " +
                                 std::to_string(room.passed.size()) +
                                 " extents, expected at most " +
                                 std::to_string(GRAVEN_MAX_PASSED)};
  return RoomyModule{std::move(module), std::move(room)};
}

//===----------------------------------------------------------------------===//
// None and one
//===----------------------------------------------------------------------===//

/// Takes the outputs at these places away, and what is only for them.
static void dropOutputs(GraphOp graph, const llvm::BitVector &drop) {
  ReturnOp end = graph.getReturn();
  end->eraseOperands(drop);
  if (ArrayAttr attributes = graph.getResAttrsAttr()) {
    SmallVector<Attribute> left;
    for (auto [i, own] : llvm::enumerate(attributes))
      if (!drop[i])
        left.push_back(own);
    graph.setResAttrsAttr(ArrayAttr::get(graph.getContext(), left));
  }
  graph.updateType();
  Operation *node = graph.getReturn()->getPrevNode();
  while (node) {
    Operation *before = node->getPrevNode();
    if (isOpTriviallyDead(node))
      node->erase();
    node = before;
  }
}

/// Whether all outputs that depend on more than the samples show have no
/// elements at `sample`, and code made without it says so.
bool RoomBuilder::makesNothing(const Sample &sample, const Samples &samples,
                               ArrayRef<int64_t> lowest) {
  Made made = make(samples, lowest);
  auto *room = std::get_if<RoomyModule>(&made);
  if (!room)
    return false;
  SmallVector<std::pair<SmallVector<int64_t>, int64_t>> known;
  for (auto [i, extent] : llvm::enumerate(sample.assumed)) {
    SmallVector<int64_t> at;
    for (const Sample *other : samples)
      at.push_back(other->assumed[i]);
    at.push_back(most.assumed[i]);
    known.push_back({at, extent});
  }
  auto valueOf = [&](ArrayRef<int64_t> at) -> int64_t {
    for (const auto &[own, extent] : known)
      if (ArrayRef<int64_t>(own) == at)
        return extent;
    return -1;
  };
  ReturnOp end = graphOf(ModuleOp(*sample.module)).getReturn();
  if (end->getNumOperands() != room->room.outputs.size())
    return false;
  llvm::BitVector empty(end->getNumOperands());
  for (auto [i, value] : llvm::enumerate(end->getOperands())) {
    auto type = cast<RankedTensorType>(value.getType());
    if (type.getNumElements() != 0)
      continue;
    SmallVector<int64_t> shape =
        shapeAt(room->room, room->room.outputs[i], sample.extents, valueOf);
    if (ArrayRef<int64_t>(shape) != type.getShape())
      return false;
    empty.set(i);
  }
  if (empty.all())
    return true;
  if (empty.none())
    return false;
  // The other outputs by themselves.
  auto without = [&](const Sample &whole) {
    auto part = std::make_unique<Sample>(Sample{
        whole.extents, Module(ModuleOp(*whole.module).clone()), whole.assumed});
    dropOutputs(graphOf(*part->module), empty);
    return part;
  };
  std::vector<std::unique_ptr<Sample>> parts;
  Samples shown;
  for (const Sample *other : samples)
    parts.push_back(without(*other));
  parts.push_back(without(sample));
  for (const auto &part : parts)
    shown.push_back(part.get());
  Sample all = std::move(most);
  most = std::move(*without(all));
  bool good = works(shown, lowest);
  most = std::move(all);
  return good;
}

/// With as few elements as the model takes.
Made RoomBuilder::makeAtEdges() {
  constexpr unsigned fewGroups = 16;
  SmallVector<unsigned> all =
      llvm::to_vector(llvm::seq<unsigned>(0, numGroups));
  SmallVector<const Sample *> ones, none;
  Samples edges = usual;
  bool complete = true;
  auto add = [&](ArrayRef<unsigned> edge, int64_t count,
                 SmallVectorImpl<const Sample *> *list) {
    const Sample *sample = importEdge(edge, count);
    if (list)
      list->push_back(sample);
    complete &= sample != nullptr;
    if (sample)
      edges.push_back(sample);
  };
  for (unsigned group : all)
    if (numGroups <= fewGroups) {
      add(group, 1, &ones);
      add(group, 0, &none);
    }
  // Of many, halves such that each of any two has few elements where the other
  // one has more.
  for (unsigned bit = 1; numGroups > fewGroups && bit < numGroups; bit *= 2)
    for (unsigned side : {0u, bit}) {
      SmallVector<unsigned> half;
      llvm::copy_if(all, std::back_inserter(half),
                    [&](unsigned group) { return (group & bit) == side; });
      add(half, 1, nullptr);
      add(half, 0, nullptr);
    }
  if (numGroups > 1) {
    add(all, 1, nullptr);
    add(all, 0, nullptr);
  }
  if (complete) {
    Made made = make(edges, SmallVector<int64_t>(numGroups, 0));
    if (std::holds_alternative<RoomyModule>(made))
      return made;
  }
  // One by one, then together. What is counted of another count is at most
  // that, so the last ones come first.
  SmallVector<int64_t> lowest = least;
  Samples accepted = usual;
  for (unsigned group = ones.size(); group-- > 0;) {
    SmallVector<int64_t> tried = lowest;
    Samples shown = accepted;
    auto take = [&](const Sample *sample, int64_t count) {
      tried[group] = std::min(count, least[group]);
      shown.push_back(sample);
      if (!sample || !works(shown, tried))
        return false;
      accepted = shown;
      lowest = tried;
      return true;
    };
    if (!take(ones[group], 1) || take(none[group], 0))
      continue;
    if (none[group] && makesNothing(*none[group], accepted, tried))
      lowest = tried;
  }
  auto isRight = [&](ArrayRef<unsigned> edge) {
    const Sample *sample = importEdge(edge, 0);
    if (!sample)
      return false;
    Samples shown = accepted;
    shown.push_back(sample);
    return works(shown, lowest) || makesNothing(*sample, accepted, lowest);
  };
  // Any two of them, and all.
  SmallVector<unsigned> empty;
  for (unsigned group : all)
    if (lowest[group] == 0)
      empty.push_back(group);
  bool together = empty.size() < 2 || isRight(empty);
  for (size_t i = 0; together && empty.size() > 2 && i < empty.size(); ++i)
    for (size_t j = 0; together && j < i; ++j)
      together = isRight({empty[i], empty[j]});
  if (!together) {
    for (int64_t &own : lowest)
      own = std::max<int64_t>(own, 1);
    llvm::erase_if(accepted, [&](const Sample *sample) {
      return llvm::is_contained(none, sample);
    });
  }
  Made made = make(accepted, lowest);
  return std::holds_alternative<RoomyModule>(made) ? std::move(made)
                                                   : make(usual, least);
}

Made RoomBuilder::run() {
  if (!importMost() || !importSpread())
    return PartsProblem{loc,
                        "the model does not import at other extents: " + why};
  if (usual.empty())
    return PartsProblem{loc, "there are no other extents to compare with"};
  Made made = make(usual, least);
  if (numGroups == 0 || std::holds_alternative<PartsProblem>(made))
    return made;
  return makeAtEdges();
}

Made makeRoomFor(const RoomRequest &request, Location loc) {
  return RoomBuilder(request, loc).run();
}

} // namespace graven
