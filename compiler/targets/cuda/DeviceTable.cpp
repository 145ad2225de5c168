//===- DeviceTable.cpp - an artifact's code for GPUs -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the tables of an artifact for GPUs, as constants of LLVM
// IR with the layouts of runtime/cuda/Device.h.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/DeviceTable.h"
#include "compiler/targets/cuda/Passes.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace {

class Tables {
public:
  Tables(Module &module, StringRef name)
      : module(module), name(name), context(module.getContext()),
        ptr(PointerType::getUnqual(context)), i32(Type::getInt32Ty(context)),
        i64(Type::getInt64Ty(context)) {}

  Constant *code(const graven::cpu::ModelSignature &signature,
                 const graven::cuda::DeviceProgram &program);

private:
  Constant *kernels(const graven::cuda::Image &image);
  GlobalVariable *global(Constant *value, const Twine &suffix,
                         bool isConstant = true) {
    auto *made =
        new GlobalVariable(module, value->getType(), isConstant,
                           GlobalValue::InternalLinkage, value, name + suffix);
    made->setAlignment(Align(8));
    return made;
  }
  Constant *number(int64_t value) { return ConstantInt::get(i64, value); }
  Constant *small(int64_t value) { return ConstantInt::get(i32, value); }
  Constant *bytes(StringRef text) {
    return global(ConstantDataArray::getString(context, text, /*AddNull=*/true),
                  ".bytes");
  }
  Constant *rows(ArrayRef<Constant *> entries, const Twine &suffix) {
    if (entries.empty())
      return ConstantPointerNull::get(ptr);
    return global(ConstantArray::get(ArrayType::get(entries.front()->getType(),
                                                    entries.size()),
                                     entries),
                  suffix);
  }

  Module &module;
  std::string name;
  LLVMContext &context;
  PointerType *ptr;
  IntegerType *i32, *i64;
};

Constant *Tables::kernels(const graven::cuda::Image &image) {
  SmallVector<Constant *> kernels;
  for (const graven::cuda::Kernel &kernel : image.kernels)
    kernels.push_back(ConstantStruct::getAnon(
        {bytes(kernel.name), small(kernel.blocks), small(kernel.threads),
         small(kernel.sharedBytes), small(kernel.arguments)}));
  return rows(kernels, ".kernels");
}

Constant *Tables::code(const graven::cpu::ModelSignature &signature,
                       const graven::cuda::DeviceProgram &program) {
  SmallVector<Constant *> images, tensors;
  for (const graven::cuda::Image &image : program.images)
    images.push_back(ConstantStruct::getAnon(
        {small(image.architecture.major), small(image.architecture.minor),
         small(image.isText),
         small(image.architecture.units == graven::MatrixUnits::Warpgroups),
         bytes(image.bytes), kernels(image)}));
  size_t numKernels =
      program.images.empty() ? 0 : program.images.front().kernels.size();
  for (const auto *specs : {&signature.inputs, &signature.outputs})
    for (const graven::cpu::TensorSpec &spec : *specs)
      tensors.push_back(
          number(spec.numElements() *
                 divideCeil(spec.elementType.getIntOrFloatBitWidth(), 8)));
  auto *slot = global(ConstantPointerNull::get(ptr), ".device",
                      /*isConstant=*/false);
  return global(
      ConstantStruct::getAnon(
          {rows(images, ".images"), number(program.images.size()),
           number(numKernels), module.getFunction(name + "_device"),
           rows(tensors, ".tensors"), number(signature.inputs.size()),
           number(signature.outputs.size()), number(signature.workspaceSize),
           number(signature.weightsSize), slot}),
      ".code");
}

} // namespace

SmallVector<graven::cuda::Kernel>
graven::cuda::kernelsOf(mlir::ModuleOp module) {
  SmallVector<Kernel> kernels;
  auto list = module->getAttrOfType<mlir::ArrayAttr>(kKernelsAttr);
  if (!list)
    return kernels;
  for (auto entry : list.getAsRange<mlir::DictionaryAttr>()) {
    auto number = [&](StringRef key) {
      return entry.getAs<mlir::IntegerAttr>(key).getInt();
    };
    kernels.push_back({entry.getAs<mlir::StringAttr>("name").str(),
                       number("blocks"), number("threads"), number("shared"),
                       number("arguments")});
  }
  return kernels;
}

void graven::cuda::addDeviceEntry(Module &module, StringRef name,
                                  const cpu::ModelSignature &signature,
                                  const DeviceProgram &program) {
  LLVMContext &context = module.getContext();
  Type *ptr = PointerType::getUnqual(context), *i32 = Type::getInt32Ty(context);
  auto *type = FunctionType::get(i32, {ptr, ptr, ptr, ptr, ptr},
                                 /*isVarArg=*/false);
  auto *entry =
      Function::Create(type, GlobalValue::ExternalLinkage, name, module);
  entry->setVisibility(GlobalValue::HiddenVisibility);
  FunctionCallee run = module.getOrInsertFunction(
      "graven_device_run",
      FunctionType::get(i32, {ptr, ptr, ptr, ptr, ptr}, /*isVarArg=*/false));
  cast<Function>(run.getCallee())->setVisibility(GlobalValue::HiddenVisibility);
  IRBuilder<> b(BasicBlock::Create(context, "", entry));
  b.CreateRet(
      b.CreateCall(run, {Tables(module, name.str()).code(signature, program),
                         entry->getArg(0), entry->getArg(1), entry->getArg(3),
                         entry->getArg(4)}));
}
