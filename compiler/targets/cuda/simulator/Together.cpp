//===- Together.cpp - what threads of a GPU do together --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the operations of the NVVM dialect in which threads
// meet, or that matter to those who do.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/simulator/ThreadCode.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace graven::cuda::simulator;

/// What orders memory that the simulator keeps in order anyway, or says
/// something about speed.
bool ThreadCode::isHint(Operation *op) const {
  return isa<NVVM::MembarOp, NVVM::FenceScClusterOp, NVVM::PrefetchOp,
             NVVM::NanosleepOp, NVVM::SetMaxRegisterOp, NVVM::GriddepcontrolOp>(
      op);
}

LogicalResult ThreadCode::lowerMeeting(Operation *op) {
  Value full = number(-1), zero = number(0);
  Value everybody = thread.getArgument(numArguments + BlockDim);
  auto truth = [&](Value number) -> Value {
    return LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::ne, number, zero);
  };
  auto kind = [&](auto kind) { return number(static_cast<int64_t>(kind)); };
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](NVVM::Barrier0Op op) {
        call(Service::barrier, {site(op), zero, everybody});
        return op.erase(), success();
      })
      .Case([&](NVVM::BarrierOp op) {
        if (op.getReductionOp())
          return refuse(op);
        Value id = op.getBarrierId(), count = op.getNumberOfThreads();
        call(Service::barrier,
             {site(op), id ? id : zero, count ? count : everybody});
        return op.erase(), success();
      })
      .Case([&](NVVM::BarrierArriveOp op) {
        Value id = op.getBarrierId();
        call(Service::arrive,
             {site(op), id ? id : zero, op.getNumberOfThreads()});
        return op.erase(), success();
      })
      .Case([&](NVVM::SyncWarpOp op) {
        call(Service::syncWarp, {site(op), op.getMask()});
        return op.erase(), success();
      })
      .Case([&](NVVM::ShflOp op) {
        LLVM::StoreOp::create(b, loc, op.getVal(), exchange());
        Value isValid =
            call(Service::shuffle,
                 {site(op), kind(op.getKind()), op.getThreadMask(), exchange(),
                  op.getOffset(), op.getMaskAndClamp()});
        Value got =
            LLVM::LoadOp::create(b, loc, op.getVal().getType(), exchange());
        if (op.getReturnValueAndIsValid()) {
          Value both = LLVM::PoisonOp::create(b, loc, op.getType());
          both = LLVM::InsertValueOp::create(b, loc, both, got,
                                             ArrayRef<int64_t>{0});
          got = LLVM::InsertValueOp::create(b, loc, both, truth(isValid),
                                            ArrayRef<int64_t>{1});
        }
        return replace(op, got), success();
      })
      .Case([&](NVVM::VoteSyncOp op) {
        Value predicate = LLVM::ZExtOp::create(b, loc, i32, op.getPred());
        Value votes = call(Service::vote, {site(op), kind(op.getKind()),
                                           op.getMask(), predicate});
        replace(op, op.getType() == i32 ? votes : truth(votes));
        return success();
      })
      .Case([&](NVVM::ReduxOp op) {
        if (op.getAbs() || op.getNan())
          return refuse(op);
        Value value = LLVM::BitcastOp::create(b, loc, i32, op.getVal());
        Value result = call(Service::reduce, {site(op), kind(op.getKind()),
                                              op.getMaskAndClamp(), value});
        replace(op, LLVM::BitcastOp::create(b, loc, op.getType(), result));
        return success();
      })
      .Case([&](NVVM::ElectSyncOp op) {
        Value mask = op.getMembermask();
        Value isElected = call(Service::elect, {site(op), mask ? mask : full});
        return replace(op, truth(isElected)), success();
      })
      .Default([&](Operation *op) { return lowerCopy(op); });
}

LogicalResult ThreadCode::lowerCopy(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](NVVM::CpAsyncOp op) {
        Value bytes = number(op.getSize());
        Value place = site(op, AccessKind::Write, op.getSize(), op.getSize(),
                           originOf(op.getDst()));
        site(op, AccessKind::Read, op.getSize(), op.getSize(),
             originOf(op.getSrc()));
        call(Service::copyAsync,
             {place, generic(op.getDst()), generic(op.getSrc()), bytes,
              op.getCpSize() ? op.getCpSize() : bytes});
        return op.erase(), success();
      })
      .Case([&](NVVM::CpAsyncCommitGroupOp op) {
        call(Service::commitCopies, {});
        return op.erase(), success();
      })
      .Case([&](NVVM::CpAsyncWaitGroupOp op) {
        call(Service::waitCopies, {number(op.getN())});
        return op.erase(), success();
      })
      .Default([&](Operation *op) { return lowerMatrix(op); });
}

LogicalResult ThreadCode::lowerMatrix(Operation *op) {
  auto isPlain = [](auto op) {
    return op.getShape().getM() == 8 && op.getShape().getN() == 8 &&
           op.getEltType() == NVVM::LdStMatrixEltType::B16;
  };
  auto isTransposed = [&](auto op) {
    return number(op.getLayout() == NVVM::MMALayout::col);
  };
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](NVVM::LdMatrixOp op) {
        if (!isPlain(op))
          return refuse(op);
        Value place = site(op, AccessKind::Read, 16, 16, originOf(op.getPtr()));
        call(Service::loadMatrix, {place, generic(op.getPtr()), exchange(),
                                   number(op.getNum()), isTransposed(op)});
        replace(op, LLVM::LoadOp::create(b, loc, op.getType(), exchange()));
        return success();
      })
      .Case([&](NVVM::StMatrixOp op) {
        if (!isPlain(op))
          return refuse(op);
        for (auto [i, value] : llvm::enumerate(op.getSources()))
          LLVM::StoreOp::create(b, loc, value, slot(i));
        Value place =
            site(op, AccessKind::Write, 16, 16, originOf(op.getPtr()));
        call(Service::storeMatrix,
             {place, generic(op.getPtr()), exchange(),
              number(op.getSources().size()), isTransposed(op)});
        return op.erase(), success();
      })
      .Default([&](Operation *op) { return lowerProduct(op); });
}

/// The type of a factor; nullopt for those that are not simulated.
static std::optional<Element> factorType(std::optional<NVVM::MMATypes> type) {
  if (!type)
    return std::nullopt;
  switch (*type) {
  case NVVM::MMATypes::f16:
    return Element::F16;
  case NVVM::MMATypes::bf16:
    return Element::BF16;
  case NVVM::MMATypes::tf32:
    return Element::TF32;
  case NVVM::MMATypes::s8:
    return Element::S8;
  case NVVM::MMATypes::u8:
    return Element::U8;
  default:
    return std::nullopt;
  }
}

static std::optional<Element> sumType(Type type) {
  if (type.isF32())
    return Element::F32;
  if (type.isInteger(32))
    return Element::S32;
  auto vector = dyn_cast<VectorType>(type);
  if (vector && vector.getElementType().isF16() && vector.getNumElements() == 2)
    return Element::F16;
  return std::nullopt;
}

LogicalResult ThreadCode::lowerProduct(Operation *op) {
  auto product = dyn_cast<NVVM::MmaOp>(op);
  if (!product)
    return lowerGroupProduct(op);
  auto a = factorType(product.getMultiplicandAPtxType()),
       b = factorType(product.getMultiplicandBPtxType()),
       c = sumType(product.getOperandC().front().getType());
  auto result = cast<LLVM::LLVMStructType>(product.getType()).getBody();
  NVVM::MMAShapeAttr shape = product.getShape();
  // Sums of integers wrap, unless they are asked to saturate.
  if (!a || !b || !c || shape.getM() != 16 || shape.getN() != 8 ||
      product.getLayoutA() != NVVM::MMALayout::row ||
      product.getLayoutB() != NVVM::MMALayout::col ||
      result.front() != product.getOperandC().front().getType() ||
      product.getIntOverflowBehavior() == NVVM::MMAIntOverflow::satfinite)
    return refuse(op);
  int32_t next = 0;
  for (ValueRange operands :
       {product.getOperandA(), product.getOperandB(), product.getOperandC()})
    for (Value operand : operands)
      LLVM::StoreOp::create(this->b, loc, operand, slot(next++));
  auto first = static_cast<int32_t>(next - product.getOperandC().size());
  auto type = [&](Element element) {
    return number(static_cast<int64_t>(element));
  };
  call(Service::multiply, {site(op), exchange(), type(*a), type(*b), type(*c),
                           number(shape.getK())});
  replace(op,
          LLVM::LoadOp::create(this->b, loc, product.getType(), slot(first)));
  return success();
}

LogicalResult ThreadCode::lowerGroupProduct(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](NVVM::FenceProxyOp op) {
        if (op.getKind() == NVVM::ProxyKind::async_shared ||
            op.getKind() == NVVM::ProxyKind::async)
          call(Service::fenceProxy, {});
        return op.erase(), success();
      })
      // It orders registers, which are values here.
      .Case([&](NVVM::WgmmaFenceAlignedOp op) { return op.erase(), success(); })
      .Case([&](NVVM::WgmmaGroupSyncAlignedOp op) {
        call(Service::commitProducts, {});
        return op.erase(), success();
      })
      .Case([&](NVVM::WgmmaWaitGroupSyncOp op) {
        call(Service::waitProducts,
             {number(static_cast<int64_t>(op.getGroup()))});
        return op.erase(), success();
      })
      .Case([&](NVVM::WgmmaMmaAsyncOp op) {
        auto type = op.getTypeA() == NVVM::WGMMATypes::f16    ? Element::F16
                    : op.getTypeA() == NVVM::WGMMATypes::bf16 ? Element::BF16
                                                              : Element::S8;
        if (type == Element::S8 || op.getTypeB() != op.getTypeA() ||
            op.getTypeD() != NVVM::WGMMATypes::f32 ||
            op.getScaleA() != NVVM::WGMMAScaleIn::one ||
            op.getScaleB() != NVVM::WGMMAScaleIn::one ||
            op.getScaleD() != NVVM::WGMMAScaleOut::one ||
            op.getLayoutA() != NVVM::MMALayout::row ||
            op.getLayoutB() != NVVM::MMALayout::row)
          return refuse(op);
        LLVM::StoreOp::create(b, loc, op.getInouts(), exchange());
        call(Service::multiplyShared,
             {site(op, AccessKind::Read, 16, 16), exchange(),
              op.getDescriptorA(), op.getDescriptorB(),
              number(op.getShape().getN()),
              number(static_cast<int64_t>(type))});
        replace(op, LLVM::LoadOp::create(b, loc, op.getType(), exchange()));
        return success();
      })
      .Default([&](Operation *op) { return refuse(op); });
}
