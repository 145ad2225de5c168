//===- Pieces.cpp - @prepare in parts ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the division, by which launches share an output or a
// temporary, and the run: pieces that are large one after the other with all
// threads, the rest side by side.
//===----------------------------------------------------------------------===//

#include "compiler/session/Pieces.h"
#include "compiler/session/Session.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/ThreadPool.h"
#include <mutex>
#include <sys/mman.h>

using namespace mlir;

namespace graven {

//===----------------------------------------------------------------------===//
// The division
//===----------------------------------------------------------------------===//

/// Bytes of weights that are worth a piece of their own.
static constexpr uint64_t leastBytes = 4 << 20;
/// From here on a piece gets all threads.
static constexpr uint64_t largeBytes = 32 << 20;

/// The memory behind a view: an argument or a constant. All temporaries are the
/// workspace, since what is one buffer may be seen through several views.
static Value rootOf(Value value) {
  while (auto view = value.getDefiningOp<ViewLikeOpInterface>())
    value = view.getViewSource();
  return value;
}

namespace {
/// Launches and copies, by what they have in common.
struct Connections {
  Connections(func::FuncOp function, unsigned numInputs);

  unsigned numInputs;
  /// What has effects and stands in the function itself, in order.
  SmallVector<Operation *> steps;
  llvm::EquivalenceClasses<void *> classes;
  bool isWhole = false;
};
} // namespace

Connections::Connections(func::FuncOp function, unsigned numInputs)
    : numInputs(numInputs) {
  Block &body = function.front();
  auto idOf = [](Value value) { return value.getAsOpaquePointer(); };
  for (BlockArgument output :
       body.getArguments().drop_front(numInputs).drop_back(2))
    classes.insert(idOf(output));
  for (Operation &op : body.without_terminator()) {
    if (isMemoryEffectFree(&op))
      continue;
    steps.push_back(&op);
    classes.insert(&op);
    op.walk([&](Operation *inner) {
      for (Value operand : inner->getOperands()) {
        if (!isa<MemRefType>(operand.getType()))
          continue;
        Value root = rootOf(operand);
        auto argument = dyn_cast<BlockArgument>(root);
        bool isInput = argument && argument.getOwner() == &body &&
                       argument.getArgNumber() < numInputs;
        bool isConstant =
            isa_and_nonnull<memref::GetGlobalOp>(root.getDefiningOp());
        if (!isInput && !isConstant)
          classes.unionSets(&op, idOf(root));
      }
    });
    // What is known only while it runs, such as a status, keeps all together.
    isWhole |= op.getNumResults() > 0;
  }
}

SmallVector<Piece> splitIntoPieces(func::FuncOp prepare,
                                   ArrayRef<cpu::WeightsPlace> places) {
  Block &body = prepare.front();
  unsigned numInputs = body.getNumArguments() - places.size() - 2;
  Connections connections(prepare, numInputs);
  auto classOf = [&](void *member) {
    return connections.classes.getOrInsertLeaderValue(member);
  };
  // Outputs in the order of the weights, those of a class together.
  SmallVector<unsigned> order = llvm::to_vector(
      llvm::seq<unsigned>(0, static_cast<unsigned>(places.size())));
  llvm::sort(order, [&](unsigned a, unsigned b) {
    return places[a].offset < places[b].offset;
  });
  SmallVector<Piece> pieces;
  DenseMap<void *, size_t> pieceOf;
  for (unsigned output : order) {
    void *leader =
        classOf(body.getArgument(numInputs + output).getAsOpaquePointer());
    bool isFull = pieces.empty() ||
                  (pieces.back().bytes >= leastBytes && !connections.isWhole);
    auto [known, isNew] =
        pieceOf.try_emplace(leader, pieces.size() - (isFull ? 0 : 1));
    if (isNew && isFull)
      pieces.emplace_back();
    Piece &piece = pieces[known->second];
    piece.outputs.push_back(output);
    piece.bytes += llvm::alignTo(places[output].size, 64);
  }
  // What makes no output is nobody's, and left out.
  OpBuilder b = OpBuilder::atBlockBegin(&body);
  Location loc = prepare.getLoc();
  auto number = MemRefType::get({1}, b.getI64Type());
  (void)prepare.insertArgument(numInputs, number, b.getDictionaryAttr({}), loc);
  prepare->setAttr("graven.num_inputs", b.getI64IntegerAttr(numInputs + 1));
  if (pieces.size() <= 1)
    return pieces;
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value chosen = memref::LoadOp::create(b, loc, body.getArgument(numInputs),
                                        ValueRange{zero});
  b.setInsertionPoint(body.getTerminator());
  SmallVector<Operation *> ends;
  for (size_t i = 0; i < pieces.size(); ++i) {
    Value mine = arith::ConstantOp::create(
        b, loc, b.getI64IntegerAttr(static_cast<int64_t>(i)));
    Value isMine =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, chosen, mine);
    auto branch = scf::IfOp::create(b, loc, isMine, /*withElseRegion=*/false);
    ends.push_back(branch.thenBlock()->getTerminator());
  }
  for (Operation *step : connections.steps) {
    auto piece = pieceOf.find(classOf(step));
    if (piece != pieceOf.end())
      step->moveBefore(ends[piece->second]);
  }
  return pieces;
}

//===----------------------------------------------------------------------===//
// The run
//===----------------------------------------------------------------------===//

namespace {

/// Memory that is used again and again.
class Stage {
public:
  explicit Stage(uint64_t size) : size(size) {
    void *mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED)
      return;
    memory = static_cast<char *>(mapped);
    // Only advice.
    ::madvise(memory, size, MADV_HUGEPAGE);
  }
  ~Stage() {
    if (memory)
      ::munmap(memory, size);
  }
  Stage(const Stage &) = delete;
  /// Null when the system refuses.
  char *data() const { return memory; }

private:
  char *memory = nullptr;
  uint64_t size;
};

class Run {
public:
  Run(const rt::LoadedModel &model, ArrayRef<Piece> pieces,
      ArrayRef<void *> inputs, ArrayRef<cpu::WeightsPlace> places,
      cpu::Artifact &artifact, llvm::ThreadPoolInterface *pool)
      : model(model), pieces(pieces), inputs(inputs), places(places),
        artifact(artifact), pool(pool) {}

  void runAll();
  LogicalResult finish(MLIRContext *context);

private:
  bool isLarge(const Piece &piece) const {
    return pool && piece.bytes >= largeBytes;
  }
  void runLarge(const Piece &piece, std::unique_ptr<Stage> &stage,
                llvm::ThreadPoolTaskGroup &writes);
  void runSmall(const Piece &piece);
  bool compute(const Piece &piece, char *memory,
               const GravenParallel *parallel);
  void forEachRun(const Piece &piece, char *memory,
                  llvm::function_ref<void(uint64_t, ArrayRef<char>)> write);
  void write(uint64_t offset, ArrayRef<char> bytes);
  void fail(std::error_code problem);

  const rt::LoadedModel &model;
  ArrayRef<Piece> pieces;
  ArrayRef<void *> inputs;
  ArrayRef<cpu::WeightsPlace> places;
  cpu::Artifact &artifact;
  llvm::ThreadPoolInterface *pool;

  std::mutex mutex;
  SmallVector<std::unique_ptr<Stage>> idle;
  std::error_code error;
  std::optional<rt::Error> problem;
};

} // namespace

void Run::fail(std::error_code problem) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!error)
    error = problem;
}

void Run::write(uint64_t offset, ArrayRef<char> bytes) {
  if (std::error_code refused = artifact.writeWeights(offset, bytes))
    fail(refused);
}

/// Where an output of a piece is in its memory: one after the other, aligned as
/// they are in the weights.
bool Run::compute(const Piece &piece, char *memory,
                  const GravenParallel *parallel) {
  if (!memory) {
    fail(std::make_error_code(std::errc::not_enough_memory));
    return false;
  }
  int64_t number = &piece - pieces.begin();
  SmallVector<void *> in(inputs), out(places.size(), memory);
  in.push_back(&number);
  uint64_t position = 0;
  for (unsigned output : piece.outputs) {
    out[output] = memory + position;
    uint64_t end = position + places[output].size;
    position = llvm::alignTo(end, 64);
    // What lies between weights is the same in each file.
    std::fill(memory + end, memory + position, 0);
  }
  rt::Status status =
      model.call({in.data(), in.size()}, {out.data(), out.size()},
                 /*workspace=*/nullptr, parallel);
  if (status)
    return true;
  std::lock_guard<std::mutex> lock(mutex);
  if (!problem)
    problem = status.error();
  return false;
}

/// The parts of the file that a piece fills, as long as they go.
void Run::forEachRun(const Piece &piece, char *memory,
                     llvm::function_ref<void(uint64_t, ArrayRef<char>)> write) {
  uint64_t position = 0;
  for (size_t i = 0; i < piece.outputs.size();) {
    uint64_t first = places[piece.outputs[i]].offset, size = 0;
    do {
      size = llvm::alignTo(size, 64) + places[piece.outputs[i]].size;
      ++i;
    } while (i < piece.outputs.size() && places[piece.outputs[i]].offset ==
                                             llvm::alignTo(first + size, 64));
    write(first, {memory + position, size});
    position = llvm::alignTo(position + size, 64);
  }
}

void Run::runSmall(const Piece &piece) {
  std::unique_ptr<Stage> stage;
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (error || problem)
      return;
    if (!idle.empty())
      stage = idle.pop_back_val();
  }
  if (!stage) {
    uint64_t most = 0;
    for (const Piece &other : pieces)
      if (!isLarge(other))
        most = std::max(most, other.bytes);
    stage = std::make_unique<Stage>(most);
  }
  if (compute(piece, stage->data(), /*parallel=*/nullptr))
    forEachRun(
        piece, stage->data(),
        [&](uint64_t offset, ArrayRef<char> bytes) { write(offset, bytes); });
  std::lock_guard<std::mutex> lock(mutex);
  idle.push_back(std::move(stage));
}

/// A kernel's tasks on the threads of a pool.
static void splitTasks(void *pool, int64_t tasks,
                       void (*body)(void *, int64_t, int64_t), void *args) {
  auto &threads = *static_cast<llvm::ThreadPoolInterface *>(pool);
  int64_t parts =
      std::min<int64_t>(tasks, int64_t(4) * threads.getMaxConcurrency());
  llvm::ThreadPoolTaskGroup group(threads);
  for (int64_t i = 0; i < parts; ++i)
    group.async(body, args, tasks * i / parts, tasks * (i + 1) / parts);
  group.wait();
}

void Run::runLarge(const Piece &piece, std::unique_ptr<Stage> &stage,
                   llvm::ThreadPoolTaskGroup &writes) {
  stage = std::make_unique<Stage>(piece.bytes);
  GravenParallel parallel = {
      pool, std::max<int64_t>(2, pool->getMaxConcurrency()), splitTasks};
  if (!compute(piece, stage->data(), &parallel))
    return;
  forEachRun(piece, stage->data(), [&](uint64_t offset, ArrayRef<char> bytes) {
    for (; !bytes.empty(); offset += largeBytes) {
      ArrayRef<char> part = bytes.take_front(largeBytes);
      writes.async([this, offset, part] { write(offset, part); });
      bytes = bytes.drop_front(part.size());
    }
  });
}

void Run::runAll() {
  if (!pool) {
    for (const Piece &piece : pieces)
      runSmall(piece);
    return;
  }
  // While a large piece is written the next one may be computed, no more.
  std::unique_ptr<Stage> stage;
  llvm::ThreadPoolTaskGroup group(*pool);
  for (const Piece &piece : pieces)
    if (isLarge(piece)) {
      group.wait();
      runLarge(piece, stage, group);
    }
  for (const Piece &piece : pieces)
    if (!isLarge(piece))
      group.async([this, &piece] { runSmall(piece); });
  group.wait();
}

LogicalResult Run::finish(MLIRContext *context) {
  if (problem)
    return report(context, *problem);
  return artifact.report(error);
}

LogicalResult runPieces(const rt::LoadedModel &prepare, ArrayRef<Piece> pieces,
                        ArrayRef<void *> inputs,
                        ArrayRef<cpu::WeightsPlace> places,
                        cpu::Artifact &artifact,
                        llvm::ThreadPoolInterface *pool, MLIRContext *context) {
  Run run(prepare, pieces, inputs, places, artifact, pool);
  run.runAll();
  return run.finish(context);
}

} // namespace graven
