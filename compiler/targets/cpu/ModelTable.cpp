//===- ModelTable.cpp - the C interface of a compiled model -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements addModelTable, which writes the structs of runtime.h as
// LLVM constants (their layouts are stated there and asserted here) and the
// functions that take the caller's pointers apart.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/ModelTable.h"
#include "compiler/targets/cpu/WeightsImage.h"
#include "runtime/include/graven/runtime.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/GlobalAlias.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

using namespace graven::cpu;
using namespace llvm;

static_assert(sizeof(GravenTensorInfo) == 32 && sizeof(GravenModel) == 168 &&
                  sizeof(GravenVariant) == 24 && sizeof(GravenSize) == 40 &&
                  sizeof(GravenSymbol) == 24 && sizeof(GravenRoom) == 72 &&
                  sizeof(GravenCount) == 24,
              "the constants below follow the layouts of ABI version 5");
static_assert(GRAVEN_ABI_VERSION == 5,
              "adapt the constants below to the new ABI");

namespace {

class TableBuilder {
public:
  TableBuilder(Module &module, const ModelSignature &signature,
               ArrayRef<VariantSymbol> variants, TableFeature features)
      : module(module), context(module.getContext()), signature(signature),
        variants(variants), features(features),
        prefix(symbolPrefix(signature.name)),
        ptr(PointerType::getUnqual(context)), i32(Type::getInt32Ty(context)),
        i64(Type::getInt64Ty(context)) {}

  void build();

private:
  bool has(TableFeature feature) const {
    return static_cast<unsigned>(features) & static_cast<unsigned>(feature);
  }
  GlobalVariable *constant(Constant *value, const Twine &name) {
    auto *global =
        new GlobalVariable(module, value->getType(), /*isConstant=*/true,
                           GlobalValue::PrivateLinkage, value, name);
    global->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
    return global;
  }
  Constant *string(StringRef text) {
    return constant(ConstantDataArray::getString(context, text),
                    "graven.string");
  }
  Constant *tensors(ArrayRef<TensorSpec> specs, StringRef name);
  Constant *weights();
  size_t numVariants() const {
    return variants.size() / std::max<size_t>(1, signature.sizes.size());
  }
  Constant *variantTable(size_t size);
  Constant *numbers(ArrayRef<int64_t> values, const Twine &name);
  Constant *rows(ArrayRef<Constant *> rows, const Twine &name);
  Constant *symbols();
  Constant *sizes(Constant *firstVariants);
  Constant *room(const RoomSpec &room);
  uint64_t commonFeatures();
  GlobalVariable *table();
  void typedEntry();
  FunctionCallee support(StringRef name, ArrayRef<Type *> parameters);
  void alias(const Twine &name);
  std::string provenance();

  Module &module;
  LLVMContext &context;
  const ModelSignature &signature;
  ArrayRef<VariantSymbol> variants;
  TableFeature features;
  std::string prefix;
  PointerType *ptr;
  IntegerType *i32, *i64;
  GlobalVariable *model = nullptr;
};

/// An array of GravenTensorInfo, null when there are none.
Constant *TableBuilder::tensors(ArrayRef<TensorSpec> specs, StringRef name) {
  if (specs.empty())
    return ConstantPointerNull::get(ptr);
  SmallVector<Constant *> infos;
  for (const TensorSpec &spec : specs) {
    Constant *extents = ConstantPointerNull::get(ptr);
    Constant *symbols = ConstantPointerNull::get(ptr);
    if (!spec.extents.empty()) {
      SmallVector<int64_t> values(spec.extents);
      for (auto [axis, value] : llvm::enumerate(values))
        if (spec.isCounted(axis))
          value = GRAVEN_COUNTED;
        else if (mlir::ShapedType::isDynamic(value))
          value = GRAVEN_SYMBOLIC;
      extents = numbers(values, "graven.extents");
    }
    if (!spec.symbols.empty()) {
      SmallVector<Constant *> names;
      for (const std::string &symbol : spec.symbols)
        names.push_back(symbol.empty() ? ConstantPointerNull::get(ptr)
                                       : string(symbol));
      symbols = rows(names, "graven.symbol_names");
    }
    infos.push_back(ConstantStruct::getAnon(
        {string(spec.name), extents, symbols,
         ConstantInt::get(i32, dtypeOf(spec.elementType)),
         ConstantInt::get(i32, spec.extents.size())}));
  }
  return rows(infos, name);
}

Constant *TableBuilder::numbers(ArrayRef<int64_t> values, const Twine &name) {
  SmallVector<uint64_t> bits(values.begin(), values.end());
  return constant(ConstantDataArray::get(context, bits), name);
}

/// An array of what is of one type, null when there is nothing.
Constant *TableBuilder::rows(ArrayRef<Constant *> rows, const Twine &name) {
  if (rows.empty())
    return ConstantPointerNull::get(ptr);
  auto *type = ArrayType::get(rows.front()->getType(), rows.size());
  return constant(ConstantArray::get(type, rows), name);
}

Constant *TableBuilder::weights() {
  if (signature.weightsSize == 0)
    return ConstantPointerNull::get(ptr);
  std::string name = prefix + "_weights";
  auto *type = ArrayType::get(Type::getInt8Ty(context), signature.weightsSize);
  auto *global =
      new GlobalVariable(module, type, /*isConstant=*/true,
                         GlobalValue::ExternalLinkage, nullptr, name);
  global->setVisibility(GlobalValue::HiddenVisibility);
  global->setAlignment(Align(4096));
  if (has(TableFeature::ReserveWeights)) {
    // A local label of this section, because no LLVM global can be read-only
    // space without contents. Members of archives have even sizes.
    uint64_t room = alignTo(signature.weightsSize, 64);
    module.appendModuleInlineAsm(
        (Twine("\t.section ") + weightsSection +
         (variants.front().target->machine == graven::rt::Machine::X86_64
              ? ",\"al\""
              : ",\"a\"") +
         ",@nobits\n\t.balign " +
         Twine(pageSize(variants.front().target->machine)) + "\n\t.type " +
         name + ",@object\n\t.size " + name + ", " +
         Twine(signature.weightsSize) + "\n" + name + ":\n\t.zero " +
         Twine(room) + "\n")
            .str());
  }
  return global;
}

std::string TableBuilder::provenance() {
  std::string text = "compiler=graven " GRAVEN_VERSION;
  bool isFirst = true;
  for (const VariantSymbol &variant : variants.take_front(numVariants())) {
    if (variant.target->requiredFeatures & GRAVEN_NEEDS_GPU)
      continue;
    text += isFirst ? "\ncpu=" : ",";
    text += variant.target->info.name;
    isFirst = false;
  }
  for (const auto &[key, value] : signature.provenance) {
    text += "\n" + key + "=";
    // One fact a line, whatever the value holds.
    for (char c : value)
      text += c == '\n' || c == '\r' || c == '\0' ? ' ' : c;
  }
  return text;
}

Constant *TableBuilder::variantTable(size_t size) {
  SmallVector<Constant *> entries;
  for (const VariantSymbol &variant :
       variants.slice(size * numVariants(), numVariants())) {
    auto *type =
        FunctionType::get(i32, {ptr, ptr, ptr, ptr, ptr}, /*isVarArg=*/false);
    auto *entry = cast<Function>(
        module.getOrInsertFunction(variant.entry, type).getCallee());
    entry->setVisibility(GlobalValue::HiddenVisibility);
    entries.push_back(ConstantStruct::getAnon(
        {entry, ConstantInt::get(i64, variant.target->requiredFeatures),
         string(variant.target->info.name)}));
  }
  return rows(entries, "graven.variants");
}

Constant *TableBuilder::symbols() {
  SmallVector<Constant *> entries;
  for (const SymbolSpec &symbol : signature.symbols)
    entries.push_back(ConstantStruct::getAnon(
        {string(symbol.name), ConstantInt::get(i64, symbol.lowest),
         ConstantInt::get(i64, symbol.highest)}));
  return rows(entries, "graven.symbols");
}

/// `firstVariants` are those of the first size, which the model has as well.
Constant *TableBuilder::sizes(Constant *firstVariants) {
  SmallVector<Constant *> entries;
  for (auto [index, size] : llvm::enumerate(signature.sizes)) {
    SmallVector<int64_t> outputs;
    for (const SmallVector<int64_t> &extents : size.outputs)
      llvm::append_range(outputs, extents);
    entries.push_back(ConstantStruct::getAnon(
        {numbers(size.extents, "graven.extents"),
         outputs.empty() ? ConstantPointerNull::get(ptr)
                         : numbers(outputs, "graven.extents"),
         index == 0 ? firstVariants : variantTable(index),
         ConstantInt::get(i64, size.workspaceSize),
         size.room ? room(*size.room) : ConstantPointerNull::get(ptr)}));
  }
  return rows(entries, "graven.sizes");
}

/// A GravenRoom.
Constant *TableBuilder::room(const RoomSpec &room) {
  auto number = [&](int64_t value) { return ConstantInt::get(i64, value); };
  SmallVector<Constant *> functions, factors, found;
  SmallVector<int64_t> counts;
  for (const RoomSpec::Function &function : room.functions)
    functions.push_back(ConstantStruct::getAnon(
        {number(function.symbol),
         function.values.empty() ? ConstantPointerNull::get(ptr)
                                 : static_cast<Constant *>(numbers(
                                       function.values, "graven.values"))}));
  for (const RoomSpec::Count &count : room.counts)
    found.push_back(ConstantStruct::getAnon(
        {string(count.place), number(count.lowest), number(count.most)}));
  for (const auto &tensor : room.factors) {
    counts.push_back(tensor.size());
    for (const RoomSpec::Factor &factor : tensor)
      factors.push_back(ConstantStruct::getAnon(
          {number(factor.axis), number(factor.most), number(factor.function)}));
  }
  return constant(
      ConstantStruct::getAnon(
          {numbers(room.lowest, "graven.extents"),
           rows(functions, "graven.functions"),
           room.passed.empty() ? ConstantPointerNull::get(ptr)
                               : numbers(room.passed, "graven.passed"),
           number(room.passed.size()), rows(factors, "graven.factors"),
           numbers(counts, "graven.factor_counts"),
           number(llvm::alignTo(room.workspaceSize, 64)),
           rows(found, "graven.counts"), number(found.size())}),
      "graven.room");
}

uint64_t TableBuilder::commonFeatures() {
  uint64_t common = ~UINT64_C(0);
  for (const VariantSymbol &variant : variants)
    common &= variant.target->requiredFeatures;
  return common;
}

GlobalVariable *TableBuilder::table() {
  auto *support = new GlobalVariable(
      module, Type::getInt8Ty(context), /*isConstant=*/true,
      GlobalValue::ExternalLinkage, nullptr, "graven_support");
  support->setVisibility(GlobalValue::HiddenVisibility);
  auto number = [&](int64_t value) { return ConstantInt::get(i64, value); };
  Constant *own = variantTable(0);
  Constant *fields[] = {
      ConstantInt::get(i32, GRAVEN_ABI_VERSION),
      ConstantInt::get(i32, sizeof(GravenModel)),
      string(signature.name),
      tensors(signature.inputs, "graven.inputs"),
      tensors(signature.outputs, "graven.outputs"),
      number(signature.inputs.size()),
      number(signature.outputs.size()),
      number(signature.workspaceSize),
      number(64),
      weights(),
      number(signature.weightsSize),
      ConstantInt::get(i64, commonFeatures()),
      string(provenance()),
      own,
      number(numVariants()),
      support,
      symbols(),
      number(signature.symbols.size()),
      sizes(own),
      number(signature.sizes.size()),
      number(signature.split ? static_cast<int64_t>(*signature.split) : -1),
      signature.splitUnits.empty()
          ? ConstantPointerNull::get(ptr)
          : numbers(signature.splitUnits, "graven.split_units"),
  };
  auto *value = ConstantStruct::getAnon(fields);
  auto *global =
      new GlobalVariable(module, value->getType(), /*isConstant=*/true,
                         GlobalValue::InternalLinkage, value, "graven.table");
  global->setAlignment(Align(8));
  return global;
}

/// int NAME_run(int64_t symbol..., const T *input..., T *output...,
///              int64_t *extents of counted outputs..., void *workspace)
void TableBuilder::typedEntry() {
  size_t numInputs = signature.inputs.size(),
         numOutputs = signature.outputs.size();
  size_t numSymbols = signature.symbols.size();
  SmallVector<Type *> parameters(numSymbols, i64);
  size_t numCounted =
      llvm::count_if(signature.outputs,
                     [](const TensorSpec &spec) { return spec.isCounted(); });
  parameters.append(numInputs + numOutputs + numCounted + 1, ptr);
  auto *type = FunctionType::get(i32, parameters, /*isVarArg=*/false);
  auto *run = Function::Create(type, GlobalValue::ExternalLinkage,
                               prefix + "_run", module);
  IRBuilder<> b(BasicBlock::Create(context, "", run));
  auto storeAll = [&](size_t first, size_t count) -> Value * {
    if (count == 0)
      return ConstantPointerNull::get(ptr);
    Type *type = run->getArg(first)->getType();
    Value *array = b.CreateAlloca(ArrayType::get(type, count));
    for (size_t i = 0; i < count; ++i)
      b.CreateStore(run->getArg(first + i),
                    b.CreateConstInBoundsGEP1_64(type, array, i));
    return array;
  };
  Value *extents = storeAll(0, numSymbols);
  Value *inputs = storeAll(numSymbols, numInputs);
  Value *outputs = storeAll(numSymbols + numInputs, numOutputs);
  size_t next = numSymbols + numInputs + numOutputs;
  Value *null = ConstantPointerNull::get(ptr), *used = null;
  if (numCounted > 0) {
    used = b.CreateAlloca(ArrayType::get(ptr, numOutputs));
    for (auto [i, spec] : llvm::enumerate(signature.outputs))
      b.CreateStore(spec.isCounted() ? run->getArg(next++) : null,
                    b.CreateConstInBoundsGEP1_64(ptr, used, i));
  }
  Value *workspace = run->getArg(next);
  if (signature.threads == 1) {
    b.CreateRet(
        b.CreateCall(support("graven_model_call_sized",
                             {ptr, ptr, ptr, ptr, ptr, ptr, ptr, ptr, i64}),
                     {model, extents, inputs, outputs, used, workspace, null,
                      null, ConstantInt::get(i64, 0)}));
    return;
  }
  // The pool, once the first call has made it.
  auto *slot = new GlobalVariable(module, ptr, /*isConstant=*/false,
                                  GlobalValue::InternalLinkage,
                                  ConstantPointerNull::get(ptr), "graven.pool");
  b.CreateRet(b.CreateCall(support("graven_model_call_shared",
                                   {ptr, ptr, ptr, ptr, ptr, ptr, ptr, i32}),
                           {model, extents, inputs, outputs, used, workspace,
                            slot, ConstantInt::get(i32, signature.threads)}));
}

/// A function of the support object that returns a status.
FunctionCallee TableBuilder::support(StringRef name,
                                     ArrayRef<Type *> parameters) {
  FunctionCallee callee = module.getOrInsertFunction(
      name, FunctionType::get(i32, parameters, /*isVarArg=*/false));
  cast<Function>(callee.getCallee())
      ->setVisibility(GlobalValue::HiddenVisibility);
  return callee;
}

void TableBuilder::alias(const Twine &name) {
  // The table itself is internal: references from inside need no indirection.
  GlobalAlias::create(model->getValueType(), 0, GlobalValue::ExternalLinkage,
                      name, model, &module);
}

void TableBuilder::build() {
  model = table();
  typedEntry();
  alias(prefix + "_model");
  if (has(TableFeature::FixedAlias))
    alias("graven_model");
}

} // namespace

/// int32_t (void *const *inputs, void *const *outputs, void *workspace,
///          const void *weights, const GravenParallel *parallel)
void graven::cpu::addEntry(Module &module, Function &main, StringRef name,
                           const ModelSignature &signature) {
  // What is weak several modules have and the image once.
  for (GlobalVariable &global : module.globals())
    if (!global.isDeclaration() && !global.hasLocalLinkage() &&
        !global.hasWeakAnyLinkage())
      global.setLinkage(GlobalValue::InternalLinkage);
  for (Function &function : module)
    if (!function.isDeclaration())
      function.setLinkage(GlobalValue::InternalLinkage);
  LLVMContext &context = module.getContext();
  Type *ptr = PointerType::getUnqual(context), *i32 = Type::getInt32Ty(context);
  auto *type =
      FunctionType::get(i32, {ptr, ptr, ptr, ptr, ptr}, /*isVarArg=*/false);
  auto *entry =
      Function::Create(type, GlobalValue::ExternalLinkage, name, module);
  entry->setVisibility(GlobalValue::HiddenVisibility);
  IRBuilder<> b(BasicBlock::Create(context, "", entry));
  SmallVector<Value *> arguments;
  auto loadAll = [&](Value *array, size_t count) {
    for (size_t i = 0; i < count; ++i)
      arguments.push_back(
          b.CreateLoad(ptr, b.CreateConstInBoundsGEP1_64(ptr, array, i)));
  };
  loadAll(entry->getArg(0), signature.inputs.size());
  loadAll(entry->getArg(1), signature.outputs.size());
  for (unsigned i : {2, 3, 4})
    arguments.push_back(entry->getArg(i));
  Value *status = b.CreateCall(&main, arguments);
  b.CreateRet(status->getType()->isVoidTy() ? ConstantInt::get(i32, GRAVEN_OK)
                                            : status);
}

void graven::cpu::addModelTable(Module &module, const ModelSignature &signature,
                                ArrayRef<VariantSymbol> variants,
                                TableFeature features) {
  TableBuilder(module, signature, variants, features).build();
}
