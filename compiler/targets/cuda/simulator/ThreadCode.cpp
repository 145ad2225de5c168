//===- ThreadCode.cpp - a GPU's thread as code of the host -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements what a thread does on its own, and how its accesses to
// memory are watched where threads work together.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/simulator/ThreadCode.h"
#include "compiler/targets/cuda/simulator/Origins.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace graven::cuda::simulator;

constexpr unsigned sharedSpace = 3;

static bool isShared(Type type) {
  auto pointer = dyn_cast<LLVM::LLVMPointerType>(type);
  return pointer && pointer.getAddressSpace() == sharedSpace;
}

/// What a thread does without others, and needs nobody for.
static bool isAlone(Operation *op) {
  return isa<
      NVVM::ThreadIdXOp, NVVM::ThreadIdYOp, NVVM::ThreadIdZOp, NVVM::BlockIdXOp,
      NVVM::BlockIdYOp, NVVM::BlockIdZOp, NVVM::BlockDimXOp, NVVM::BlockDimYOp,
      NVVM::BlockDimZOp, NVVM::GridDimXOp, NVVM::GridDimYOp, NVVM::GridDimZOp,
      NVVM::LaneIdOp, NVVM::WarpIdOp, NVVM::WarpSizeOp, NVVM::InlinePtxOp,
      NVVM::RcpApproxFtzF32Op, NVVM::ConvertFloatToTF32Op,
      NVVM::ConvertF32x2ToBF16x2Op, NVVM::ConvertF32x2ToF16x2Op>(op);
}

bool graven::cuda::simulator::worksTogether(LLVM::LLVMFuncOp kernel) {
  return kernel
      .walk([](Operation *op) {
        bool together =
            (isa<NVVM::NVVMDialect>(op->getDialect()) && !isAlone(op)) ||
            llvm::any_of(op->getResultTypes(), isShared);
        return together ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

ThreadCode::ThreadCode(LLVM::LLVMFuncOp thread, unsigned numArguments,
                       CodeServices &services, Program &program,
                       const Kernel &kernel)
    : thread(thread), numArguments(numArguments), services(services),
      program(program), kernel(kernel), b(thread.getContext()),
      loc(thread.getLoc()), i32(b.getI32Type()), i64(b.getI64Type()),
      ptr(LLVM::LLVMPointerType::get(thread.getContext())),
      layout(DataLayout::closest(thread)) {}

/// Registers of the largest operand: the sums of a group of warps.
static constexpr int64_t kMostSlots = 128;

/*===- Building -------------------------------------------------------------*/

Value ThreadCode::number(int64_t value) {
  return LLVM::ConstantOp::create(b, loc, i32, value);
}

Value ThreadCode::generic(Value pointer) {
  if (pointer.getType() == ptr)
    return pointer;
  return LLVM::AddrSpaceCastOp::create(b, loc, ptr, pointer);
}

Value ThreadCode::call(Service service, ValueRange arguments) {
  SmallVector<Value> all = {thread.getArgument(numArguments + Self)};
  llvm::append_range(all, arguments);
  return services.call(b, loc, service, all);
}

Value ThreadCode::site(Operation *op, AccessKind kind, uint32_t bytes,
                       uint32_t alignment, Origin origin) {
  program.sites.push_back({op->getLoc(), op->getName().getStringRef().str(),
                           kind, bytes, alignment, origin});
  return number(static_cast<int64_t>(program.sites.size()) - 1);
}

Origin ThreadCode::originOf(Value pointer) {
  return findOrigin(pointer, thread, kernel);
}

/// Memory through which registers are passed to the simulator and back.
Value ThreadCode::exchange() {
  if (!exchanged) {
    OpBuilder start = OpBuilder::atBlockBegin(&thread.getBody().front());
    Value count = LLVM::ConstantOp::create(start, loc, i32, kMostSlots);
    exchanged = LLVM::AllocaOp::create(start, loc, ptr, i32, count,
                                       /*alignment=*/16);
  }
  return exchanged;
}

Value ThreadCode::slot(int32_t index) {
  return LLVM::GEPOp::create(b, loc, ptr, i32, exchange(),
                             ArrayRef<LLVM::GEPArg>{index});
}

void ThreadCode::replace(Operation *op, Value value) {
  if (op->getNumResults() > 0)
    op->getResult(0).replaceAllUsesWith(value);
  op->erase();
}

LogicalResult ThreadCode::refuse(Operation *op) {
  return graven::emitCoded(op->getLoc(), graven::Code::UnsupportedFeature)
         << "'" << op->getName() << "' has no simulation";
}

/*===- Operations without others' help --------------------------------------*/

Value ThreadCode::registerOf(Operation *op) {
  auto of = [&](Register which) {
    return thread.getArgument(numArguments + which);
  };
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](NVVM::ThreadIdXOp) { return of(ThreadId); })
      .Case([&](NVVM::BlockIdXOp) { return of(BlockId); })
      .Case([&](NVVM::BlockDimXOp) { return of(BlockDim); })
      .Case([&](NVVM::GridDimXOp) { return of(GridDim); })
      .Case<NVVM::ThreadIdYOp, NVVM::ThreadIdZOp, NVVM::BlockIdYOp,
            NVVM::BlockIdZOp>([&](auto) { return number(0); })
      .Case<NVVM::BlockDimYOp, NVVM::BlockDimZOp, NVVM::GridDimYOp,
            NVVM::GridDimZOp>([&](auto) { return number(1); })
      .Case([&](NVVM::WarpSizeOp) { return number(32); })
      .Case([&](NVVM::LaneIdOp) {
        return LLVM::AndOp::create(b, loc, of(ThreadId), number(31));
      })
      .Case([&](NVVM::WarpIdOp) {
        return LLVM::LShrOp::create(b, loc, of(ThreadId), number(5));
      })
      .Default([](Operation *) { return Value(); });
}

/// An instruction of PTX on one f32, or an intrinsic for it: what it
/// approximates. Null for others.
static Value approximated(OpBuilder &b, Location loc, StringRef name, Value x) {
  if (!x.getType().isF32())
    return nullptr;
  auto one = [&]() -> Value {
    return LLVM::ConstantOp::create(b, loc, x.getType(),
                                    b.getF32FloatAttr(1.0F));
  };
  enum Function {
    None,
    Exp2,
    Log2,
    Tanh,
    Sine,
    Cosine,
    Reciprocal,
    Root,
    ReciprocalRoot
  };
  std::string bare = name.str();
  for (StringRef part : {".approx", ".ftz", ".f32", ".f", ".rn"})
    if (size_t at = bare.find(part.str()); at != std::string::npos)
      bare.erase(at, part.size());
  switch (llvm::StringSwitch<Function>(bare)
              .Case("ex2", Exp2)
              .Case("lg2", Log2)
              .Case("tanh", Tanh)
              .Case("sin", Sine)
              .Case("cos", Cosine)
              .Case("rcp", Reciprocal)
              .Case("sqrt", Root)
              .Case("rsqrt", ReciprocalRoot)
              .Default(None)) {
  case None:
    return nullptr;
  case Exp2:
    return LLVM::Exp2Op::create(b, loc, x);
  case Log2:
    return LLVM::Log2Op::create(b, loc, x);
  case Tanh:
    return LLVM::TanhOp::create(b, loc, x);
  case Sine:
    return LLVM::SinOp::create(b, loc, x);
  case Cosine:
    return LLVM::CosOp::create(b, loc, x);
  case Reciprocal:
    return LLVM::FDivOp::create(b, loc, one(), x);
  case Root:
    return LLVM::SqrtOp::create(b, loc, x);
  case ReciprocalRoot:
    return LLVM::FDivOp::create(b, loc, one(), LLVM::SqrtOp::create(b, loc, x));
  }
  llvm_unreachable("a function of no kind");
}

/// "NAME $0, $1;" of one result and one operand.
static Value inlinedMath(OpBuilder &b, Location loc, NVVM::InlinePtxOp op) {
  auto [name, operands] = op.getPtxCode().trim().split(' ');
  if (operands.trim() != "$0, $1;" || op.getReadOnlyArgs().size() != 1 ||
      op->getNumResults() != 1 || op->getNumOperands() != 1 ||
      !op->getResult(0).getType().isF32())
    return nullptr;
  return approximated(b, loc, name, op.getReadOnlyArgs()[0]);
}

/// Two numbers side by side in one register.
static Value packed(OpBuilder &b, Location loc, Type type, Value high,
                    Value low) {
  Type element = cast<VectorType>(type).getElementType();
  Value both = LLVM::PoisonOp::create(b, loc, type);
  Value parts[] = {low, high};
  for (auto [i, part] : llvm::enumerate(parts)) {
    Value at = LLVM::ConstantOp::create(b, loc, b.getI32Type(),
                                        static_cast<int64_t>(i));
    both = LLVM::InsertElementOp::create(
        b, loc, both, LLVM::FPTruncOp::create(b, loc, element, part), at);
  }
  return both;
}

Value ThreadCode::mathOf(Operation *op) {
  auto convert = [&](auto convert) -> Value {
    bool isNearest = convert.getRnd() == NVVM::FPRoundingMode::RN;
    bool isPlain =
        !convert.getRelu() && convert.getSat() == NVVM::SaturationMode::NONE;
    if (!isNearest || !isPlain)
      return nullptr;
    return packed(b, loc, convert.getType(), convert.getSrcHi(),
                  convert.getSrcLo());
  };
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](NVVM::InlinePtxOp op) { return inlinedMath(b, loc, op); })
      .Case([&](NVVM::RcpApproxFtzF32Op op) {
        return approximated(b, loc, "rcp", op.getArg());
      })
      .Case([&](NVVM::ConvertF32x2ToBF16x2Op op) { return convert(op); })
      .Case([&](NVVM::ConvertF32x2ToF16x2Op op) { return convert(op); })
      .Case([&](NVVM::ConvertFloatToTF32Op op) -> Value {
        // Half away from zero: half of the lowest kept bit is added.
        if (op.getRnd() != NVVM::FPRoundingMode::RNA || op.getRelu() ||
            op.getSat() != NVVM::SaturationMode::NONE)
          return nullptr;
        Value bits = LLVM::BitcastOp::create(b, loc, i32, op.getSrc());
        Value rounded = LLVM::AddOp::create(b, loc, bits, number(0x1000));
        return LLVM::AndOp::create(b, loc, rounded, number(-0x2000));
      })
      .Case([&](LLVM::CallIntrinsicOp op) -> Value {
        StringRef name = op.getIntrin();
        if (!name.consume_front("llvm.nvvm.") || op.getArgs().size() != 1)
          return nullptr;
        return approximated(b, loc, name, op.getArgs()[0]);
      })
      .Default([](Operation *) { return Value(); });
}

/*===- Memory ---------------------------------------------------------------*/

/// Arrays in shared memory are parts of one piece, and their addresses as
/// numbers begin at zero.
void ThreadCode::lowerShared(Operation *op) {
  b.setInsertionPoint(op);
  Value base = thread.getArgument(numArguments + SharedBase);
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](LLVM::AddressOfOp op) {
        auto array = findArray(op.getGlobalName(), kernel);
        auto offset = static_cast<int32_t>(kernel.arrays[*array].offset);
        replace(op, LLVM::GEPOp::create(b, loc, op.getType(), b.getI8Type(),
                                        base, ArrayRef<LLVM::GEPArg>{offset}));
      })
      .Case([&](LLVM::PtrToIntOp op) {
        Value address = LLVM::PtrToIntOp::create(b, loc, i64, op.getArg());
        Value begin = LLVM::PtrToIntOp::create(b, loc, i64, base);
        Value offset = LLVM::SubOp::create(b, loc, address, begin);
        if (op.getType() != i64)
          offset = LLVM::TruncOp::create(b, loc, op.getType(), offset);
        replace(op, offset);
      })
      .Case([&](LLVM::IntToPtrOp op) {
        replace(op,
                LLVM::GEPOp::create(b, loc, op.getType(), b.getI8Type(), base,
                                    ArrayRef<LLVM::GEPArg>{op.getArg()}));
      });
}

/// The simulator hears of an access before it is made.
LogicalResult ThreadCode::watch(Operation *op) {
  b.setInsertionPoint(op);
  auto tell = [&](Value address, Type type, std::optional<uint64_t> alignment,
                  AccessKind kind) {
    Origin origin = originOf(address);
    // The host's code generator knows what is on the stack.
    if (origin.kind == Origin::Local)
      return success();
    uint64_t natural = layout.getTypeABIAlignment(type);
    Value place = site(op, kind, layout.getTypeSize(type).getFixedValue(),
                       alignment.value_or(natural), origin);
    call(Service::access, {place, generic(address)});
    return success();
  };
  auto tellMasked = [&](Value address, Type type, Value mask,
                        AccessKind kind) -> LogicalResult {
    auto vector = cast<VectorType>(type);
    if (vector.getNumElements() > 64)
      return refuse(op);
    Type element = vector.getElementType();
    auto bytes = static_cast<uint32_t>(layout.getTypeSize(element));
    Value place = site(op, kind, bytes, bytes, originOf(address));
    Value bits = LLVM::BitcastOp::create(
        b, loc, b.getIntegerType(vector.getNumElements()), mask);
    if (bits.getType() != i64)
      bits = LLVM::ZExtOp::create(b, loc, i64, bits);
    call(Service::accessMasked, {place, generic(address), bits});
    return success();
  };
  auto tellRange = [&](Value address, Value bytes, AccessKind kind) {
    Value place =
        site(op, kind, /*bytes=*/0, /*alignment=*/1, originOf(address));
    Value length = bytes;
    if (length.getType() != i64)
      length = LLVM::ZExtOp::create(b, loc, i64, length);
    call(Service::accessRange, {place, generic(address), length});
  };
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](LLVM::LoadOp op) {
        return tell(op.getAddr(), op.getType(), op.getAlignment(),
                    AccessKind::Read);
      })
      .Case([&](LLVM::StoreOp op) {
        return tell(op.getAddr(), op.getValue().getType(), op.getAlignment(),
                    AccessKind::Write);
      })
      .Case([&](LLVM::AtomicRMWOp op) {
        return tell(op.getPtr(), op.getVal().getType(), op.getAlignment(),
                    AccessKind::Atomic);
      })
      .Case([&](LLVM::AtomicCmpXchgOp op) {
        return tell(op.getPtr(), op.getVal().getType(), op.getAlignment(),
                    AccessKind::Atomic);
      })
      .Case([&](LLVM::MaskedLoadOp op) {
        return tellMasked(op.getData(), op.getType(), op.getMask(),
                          AccessKind::Read);
      })
      .Case([&](LLVM::MaskedStoreOp op) {
        return tellMasked(op.getData(), op.getValue().getType(), op.getMask(),
                          AccessKind::Write);
      })
      .Case<LLVM::MemcpyOp, LLVM::MemmoveOp>([&](auto op) {
        tellRange(op.getSrc(), op.getLen(), AccessKind::Read);
        tellRange(op.getDst(), op.getLen(), AccessKind::Write);
        return success();
      })
      .Case([&](LLVM::MemsetOp op) {
        tellRange(op.getDst(), op.getLen(), AccessKind::Write);
        return success();
      })
      .Case<LLVM::masked_gather, LLVM::masked_scatter, LLVM::masked_expandload,
            LLVM::masked_compressstore, LLVM::MemcpyInlineOp,
            LLVM::MemsetInlineOp, LLVM::VaArgOp>(
          [&](auto op) { return refuse(op); })
      .Default([](Operation *) { return success(); });
}

/*===- All of a thread ------------------------------------------------------*/

LogicalResult ThreadCode::lower(Operation *op) {
  b.setInsertionPoint(op);
  loc = op->getLoc();
  if (isa<LLVM::CallOp, LLVM::InlineAsmOp>(op))
    return refuse(op);
  bool isIntrinsic = false;
  if (auto call = dyn_cast<LLVM::CallIntrinsicOp>(op))
    isIntrinsic = call.getIntrin().starts_with("llvm.nvvm.");
  if (!isIntrinsic && !isa<NVVM::NVVMDialect>(op->getDialect()))
    return success();
  Value value = registerOf(op);
  if (!value)
    value = mathOf(op);
  if (value)
    return replace(op, value), success();
  if (isHint(op))
    return op->erase(), success();
  return lowerMeeting(op);
}

LogicalResult ThreadCode::lower() {
  SmallVector<Operation *> all, shared;
  thread.getBody().walk([&](Operation *op) {
    all.push_back(op);
    bool isAddress = false;
    if (auto address = dyn_cast<LLVM::AddressOfOp>(op))
      isAddress = findArray(address.getGlobalName(), kernel).has_value();
    else if (auto number = dyn_cast<LLVM::PtrToIntOp>(op))
      isAddress = isShared(number.getArg().getType());
    else if (auto pointer = dyn_cast<LLVM::IntToPtrOp>(op))
      isAddress = isShared(pointer.getType());
    if (isAddress)
      shared.push_back(op);
  });
  bool together = thread.getNumArguments() == numArguments + NumTogether;
  for (Operation *op : all) {
    loc = op->getLoc();
    if ((together && failed(watch(op))) || failed(lower(op)))
      return failure();
  }
  // Only now: where an address comes from is read off these.
  for (Operation *op : shared) {
    loc = op->getLoc();
    lowerShared(op);
  }
  return success();
}
