//===- CodeServices.cpp - calls of the simulator ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements CodeServices. The types of the calls are those of the
// C++ functions, so that the two cannot differ.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/simulator/CodeServices.h"
#include "compiler/targets/cuda/simulator/Simulator.h"

using namespace mlir;
using namespace graven::cuda::simulator;

namespace {

template <typename T> Type typeOf(MLIRContext *context) {
  if constexpr (std::is_void_v<T>)
    return LLVM::LLVMVoidType::get(context);
  else if constexpr (std::is_pointer_v<T>)
    return LLVM::LLVMPointerType::get(context);
  else
    return IntegerType::get(context, 8 * sizeof(T));
}

template <typename Result, typename... Arguments>
LLVM::LLVMFunctionType typeOf(MLIRContext *context, Result (*)(Arguments...)) {
  return LLVM::LLVMFunctionType::get(typeOf<Result>(context),
                                     {typeOf<Arguments>(context)...});
}

std::pair<StringRef, LLVM::LLVMFunctionType> describe(Service service,
                                                      MLIRContext *context) {
  switch (service) {
#define GRAVEN_SERVICE_TYPE(name)                                              \
  case Service::name:                                                          \
    return {#name, typeOf(context, &services::name)};
    GRAVEN_SIMULATOR_SERVICES(GRAVEN_SERVICE_TYPE)
#undef GRAVEN_SERVICE_TYPE
  }
  llvm_unreachable("a service that is not in the table");
}

/// The pointer at a place of a table of pointers.
Value loadEntry(OpBuilder &b, Location loc, Value table, int32_t place) {
  auto ptr = LLVM::LLVMPointerType::get(b.getContext());
  Value at = LLVM::GEPOp::create(b, loc, ptr, ptr, table,
                                 ArrayRef<LLVM::GEPArg>{place});
  return LLVM::LoadOp::create(b, loc, ptr, at);
}

} // namespace

/// Each module of an artifact has it, and the linker makes them one.
LLVM::GlobalOp CodeServices::variable() {
  if (auto existing = symbols.lookup<LLVM::GlobalOp>(kBinding))
    return existing;
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  Location loc = module.getLoc();
  auto ptr = LLVM::LLVMPointerType::get(b.getContext());
  auto made = LLVM::GlobalOp::create(b, loc, ptr, /*isConstant=*/false,
                                     LLVM::Linkage::Weak, kBinding,
                                     /*value=*/Attribute());
  symbols.insert(made);
  b.createBlock(&made.getInitializerRegion());
  Value null = LLVM::ZeroOp::create(b, loc, ptr);
  LLVM::ReturnOp::create(b, loc, null);
  return made;
}

/// What the host wrote into the variable.
Value CodeServices::binding(OpBuilder &b, Location loc) {
  auto ptr = LLVM::LLVMPointerType::get(b.getContext());
  Value address = LLVM::AddressOfOp::create(b, loc, variable());
  return LLVM::LoadOp::create(b, loc, ptr, address);
}

Value CodeServices::simulator(OpBuilder &b, Location loc) {
  return loadEntry(b, loc, binding(b, loc), 0);
}

LLVM::LLVMFuncOp CodeServices::function(Service service) {
  MLIRContext *context = module.getContext();
  auto [name, type] = describe(service, context);
  std::string symbol = ("graven.simulate." + name).str();
  if (auto existing = symbols.lookup<LLVM::LLVMFuncOp>(symbol))
    return existing;
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  Location loc = module.getLoc();
  auto made =
      LLVM::LLVMFuncOp::create(b, loc, symbol, type, LLVM::Linkage::Internal);
  symbols.insert(made);
  mlir::Block *entry = made.addEntryBlock(b);
  b.setInsertionPointToStart(entry);
  Value services = loadEntry(b, loc, binding(b, loc), 1);
  SmallVector<Value> operands = {
      loadEntry(b, loc, services, static_cast<int32_t>(service))};
  llvm::append_range(operands, entry->getArguments());
  auto called = LLVM::CallOp::create(b, loc, type, operands);
  LLVM::ReturnOp::create(b, loc, called.getResults());
  return made;
}

Value CodeServices::call(OpBuilder &b, Location loc, Service service,
                         ValueRange arguments) {
  auto called = LLVM::CallOp::create(b, loc, function(service), arguments);
  return called->getNumResults() > 0 ? called.getResult() : Value();
}
