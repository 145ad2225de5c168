//===- Trace.cpp - models written in C++ ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the recording: inputs, Parameters, outputs, and calls
// of the operators that the importers of PyTorch's files share.
//
//===----------------------------------------------------------------------===//

#include "frontends/trace/Trace.h"

#include "frontends/trace/Recorder.h"

#include "mlir/IR/SymbolTable.h"

using namespace graven;
using namespace graven::trace;
using llvm::StringRef;
using Kind = aten::Value::Kind;

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

bool Tensor::isValid() const { return data.is(Kind::Tensor); }

llvm::ArrayRef<int64_t> Tensor::shape() const {
  if (!isValid())
    return {};
  return data.tensor()->type().getShape();
}

int64_t Tensor::size(int64_t axis) const {
  llvm::ArrayRef<int64_t> extents = shape();
  int64_t index = axis < 0 ? axis + int64_t(extents.size()) : axis;
  assert((!isValid() || (index >= 0 && index < int64_t(extents.size()))) &&
         "no such axis");
  return isValid() ? extents[index] : 0;
}

DType Tensor::dtype() const {
  if (!isValid())
    return DType::Float;
  return *aten::fromMLIR(data.tensor()->type().getElementType());
}

//===----------------------------------------------------------------------===//
// Recording
//===----------------------------------------------------------------------===//

static mlir::Location placeIn(mlir::MLIRContext *context,
                              std::source_location at) {
  return mlir::FileLineColLoc::get(context, at.file_name(), at.line(),
                                   at.column());
}

/// The dialect is there before anything of it is made.
static mlir::Location startIn(mlir::MLIRContext &context,
                              std::source_location at) {
  context.getOrLoadDialect<GravenDialect>();
  return placeIn(&context, at);
}

Trace::Recorder::Recorder(Trace &trace, mlir::MLIRContext &context,
                          ImportOptions options, std::source_location at)
    : trace(trace), start(startIn(context, at)), options(std::move(options)),
      maker(start), session(maker.builder()),
      open{maker.builder().getInsertionBlock()} {}

mlir::Location Trace::Recorder::place(std::source_location at) {
  return placeIn(builder().getContext(), at);
}

mlir::Value Trace::Recorder::read(const Tensor &tensor, mlir::Location loc) {
  if (tensor.isNone()) {
    error(loc, Code::BadGraph) << "a tensor is used that stands for no value";
    return {};
  }
  if (!tensor.isValid())
    return {};
  if (tensor.trace() != &trace) {
    error(loc, Code::BadGraph)
        << "a tensor is used that belongs to another trace";
    return {};
  }
  const aten::Tensor::Ptr &value = tensor.value().tensor();
  if (!llvm::is_contained(open, value->home())) {
    error(loc, Code::BadGraph)
        << "a tensor is used outside of the body of the loop or branch that "
           "made it";
    return {};
  }
  return value->read(builder());
}

llvm::SmallVector<Tensor> Trace::Recorder::call(StringRef name,
                                                StringRef overload,
                                                aten::CallArguments arguments,
                                                std::source_location at) {
  mlir::Location loc = place(at);
  const auto &overloads = session.schemas.overloads(name);
  auto schema = llvm::find_if(overloads, [&](const aten::Schema &candidate) {
    return candidate.overload == overload;
  });
  assert(schema != overloads.end() && "Ops.h is made of the same schemas");
  auto give = [&](size_t count) {
    return llvm::SmallVector<Tensor>(count, invalid());
  };
  size_t count = schema->results.size();
  bool ok = true;
  for (auto &[formal, value] : arguments.keywords) {
    if (value.hasUnknown())
      ok = false;
    const aten::Value *items = &value;
    size_t size = 1;
    if (const std::vector<aten::Value> *list = value.items()) {
      items = list->data();
      size = list->size();
    }
    for (size_t i = 0; i < size; ++i)
      if (items[i].is(Kind::Tensor))
        ok &= static_cast<bool>(read(make(items[i]), loc));
  }
  if (!ok) {
    failed = true;
    return give(count);
  }
  auto matched = aten::matchArguments(*schema, arguments);
  if (!matched) {
    error(loc, Code::UnsupportedFeature)
        << name << ": the arguments do not go together";
    return give(count);
  }
  llvm::SmallVector<aten::Value> results;
  if (mlir::failed(aten::run(session, loc, *schema, *matched, results))) {
    failed = true;
    return give(count);
  }
  llvm::SmallVector<Tensor> tensors;
  for (aten::Value &result : results)
    tensors.push_back(make(std::move(result)));
  return tensors;
}

Invocation &Invocation::with(const char *formal, const Tensor &tensor) {
  if (!trace)
    trace = tensor.trace();
  // One of another trace is no value of this one's.
  bool isForeign = !tensor.isNone() && tensor.trace() != trace;
  if (isForeign)
    trace->recorder().read(tensor, trace->recorder().start);
  return with(formal, isForeign ? aten::Value::unknown() : tensor.value());
}

Invocation &Invocation::with(const char *formal, const TensorList &tensors) {
  std::vector<aten::Value> values;
  for (const Tensor &tensor : tensors.get()) {
    with(formal, tensor);
    values.push_back(std::move(arguments.keywords.back().second));
    arguments.keywords.pop_back();
  }
  return with(formal, aten::Value::makeList(std::move(values)));
}

llvm::SmallVector<Tensor> Invocation::run(std::source_location at) {
  if (!trace)
    return {Tensor()};
  return trace->recorder().call(name, overload, std::move(arguments), at);
}

Tensor Invocation::tensor(std::source_location at) { return run(at).front(); }

std::vector<Tensor> Invocation::list(std::source_location at) {
  Tensor result = run(at).front();
  std::vector<Tensor> tensors;
  if (const std::vector<aten::Value> *items = result.value().items())
    for (const aten::Value &item : *items)
      tensors.push_back(result.trace()->recorder().make(item));
  return tensors;
}

//===----------------------------------------------------------------------===//
// The graph's border
//===----------------------------------------------------------------------===//

Trace::Trace(mlir::MLIRContext &context, ImportOptions options,
             std::source_location at)
    : impl(std::make_unique<Recorder>(*this, context, std::move(options), at)) {
}

Trace::~Trace() = default;

Tensor Trace::input(StringRef name, llvm::ArrayRef<Extent> shape, DType dtype,
                    std::source_location at) {
  mlir::Location loc = impl->place(at);
  auto refuse = [&](Code code) {
    return impl->error(loc, code) << "input '" << name << "' ";
  };
  if (!impl->inputs.try_emplace(name, loc).second) {
    refuse(Code::BadGraph) << "is there twice";
    return impl->invalid();
  }
  mlir::Type element = aten::toMLIR(impl->builder().getContext(), dtype);
  if (!element) {
    refuse(Code::UnsupportedFeature)
        << "has elements of type " << aten::name(dtype);
    return impl->invalid();
  }
  aten::InputType type;
  if (const InputSpec *spec =
          impl->options.find(name, impl->maker.inputCount())) {
    auto given = impl->maker.typeOf(*spec, impl->options);
    if (!given) {
      impl->failed = true;
      return impl->invalid();
    }
    type = std::move(*given);
  } else {
    llvm::SmallVector<int64_t> sizes;
    for (const Extent &extent : shape) {
      const InputExtent &given = extent.get();
      int64_t size =
          given.isDynamic() ? impl->options.resolve(given.symbol) : given.size;
      if (size < 0) {
        refuse(given.isDynamic() ? Code::DynamicShape : Code::BadInputShape)
            << "has the extent '"
            << (given.isDynamic() ? given.symbol : std::to_string(given.size))
            << "', which is not a known number";
        return impl->invalid();
      }
      sizes.push_back(size);
      type.symbols.push_back(given.symbol);
    }
    type.type = mlir::RankedTensorType::get(sizes, element);
  }
  return impl->make(impl->maker.addInput(name, std::move(type)));
}

ParameterBytes Trace::copy(const void *data, size_t bytes) {
  std::unique_ptr<llvm::WritableMemoryBuffer> buffer =
      llvm::WritableMemoryBuffer::getNewUninitMemBuffer(bytes, "",
                                                        llvm::Align(64));
  if (!buffer)
    return {};
  std::memcpy(buffer->getBufferStart(), data, bytes);
  return {std::shared_ptr<llvm::MemoryBuffer>(std::move(buffer)), 0};
}

/// The tensor's type; null, with an error, when it is not one of the graph.
static mlir::RankedTensorType typeOf(Trace::Recorder &recorder,
                                     const IntList &shape, DType dtype,
                                     mlir::Location loc, StringRef what) {
  llvm::SmallVector<int64_t> sizes;
  aten::Value list = shape.value();
  for (const aten::Value &item : list.list().items)
    sizes.push_back(item.integer());
  mlir::Type element = aten::toMLIR(recorder.builder().getContext(), dtype);
  int64_t bytes = aten::itemSize(dtype);
  bool fits =
      element && llvm::all_of(sizes, [&](int64_t size) {
        return size >= 0 && !__builtin_mul_overflow(bytes, size, &bytes);
      });
  if (fits)
    return mlir::RankedTensorType::get(sizes, element);
  recorder.error(loc, Code::BadTensor)
      << what << " has no type of a tensor: " << aten::name(dtype) << "["
      << llvm::ArrayRef<int64_t>(sizes) << "]";
  return {};
}

/// Bytes of the elements of a type that typeOf gave.
static uint64_t bytesOf(mlir::RankedTensorType type, DType dtype) {
  return type.getNumElements() * aten::itemSize(dtype);
}

Tensor Trace::parameter(StringRef name, const IntList &shape, DType dtype,
                        ParameterBytes bytes, ParameterKind kind,
                        std::source_location at) {
  mlir::Location loc = impl->place(at);
  std::string what = ("parameter '" + name + "'").str();
  auto type = typeOf(*impl, shape, dtype, loc, what);
  if (!type)
    return impl->invalid();
  uint64_t length = bytesOf(type, dtype);
  uint64_t given = bytes.buffer ? bytes.buffer->getBufferSize() : 0;
  if (bytes.offset > given || length > given - bytes.offset) {
    impl->error(loc, Code::BadTensor)
        << what << " needs " << length << " bytes at offset " << bytes.offset
        << ", got " << given;
    return impl->invalid();
  }
  mlir::ModuleOp module = impl->maker.module();
  mlir::OpBuilder &builder = impl->builder();
  if (name.empty() ||
      mlir::SymbolTable::lookupSymbolIn(module, builder.getStringAttr(name))) {
    impl->error(loc, Code::BadGraph)
        << what << (name.empty() ? " has no name" : " is there twice");
    return impl->invalid();
  }
  mlir::OpBuilder::InsertionGuard guard(builder);
  // Bodies use it, too.
  if (impl->open.size() > 1)
    builder.setInsertionPointToStart(impl->open.front());
  if (length == 0)
    return impl->make(
        aten::Emitter(builder, loc)
            .full(type.getElementType(), type.getShape(), int64_t(0)));
  auto *dialect = builder.getContext()->getOrLoadDialect<GravenDialect>();
  std::string blob = dialect->getBlobStore().add(name, bytes.buffer);
  mlir::Value read = GetParamOp::create(builder, loc, type, name);
  builder.setInsertionPointToEnd(module.getBody());
  bool isBuffer = kind == ParameterKind::Buffer;
  auto unit = [&](bool set) {
    return set ? builder.getUnitAttr() : mlir::UnitAttr();
  };
  ParamOp::create(builder, loc, builder.getStringAttr(name),
                  mlir::TypeAttr::get(type),
                  BlobAttr::get(builder.getContext(), blob, bytes.offset,
                                length, {}, /*bigEndian=*/false),
                  unit(!isBuffer), unit(isBuffer), mlir::StringAttr());
  return impl->make(read);
}

Tensor Trace::constant(const IntList &shape, DType dtype, StringRef bytes,
                       std::source_location at) {
  mlir::Location loc = impl->place(at);
  auto type = typeOf(*impl, shape, dtype, loc, "a constant");
  if (!type)
    return impl->invalid();
  if (bytes.size() != bytesOf(type, dtype)) {
    impl->error(loc, Code::BadTensor)
        << "a constant needs " << bytesOf(type, dtype) << " bytes, got "
        << bytes.size();
    return impl->invalid();
  }
  auto elements = eval::Tensor::fromBytes(
      type, llvm::ArrayRef<char>(bytes.data(), bytes.size()));
  return impl->make(
      aten::Emitter(impl->builder(), loc).constant(elements.toElements()));
}

void Trace::output(const Tensor &value, StringRef name,
                   std::source_location at) {
  mlir::Location loc = impl->place(at);
  if (!impl->read(value, loc)) {
    impl->failed = true;
    return;
  }
  impl->failed |= !impl->maker.addOutputs(value.value(), name.str());
}

mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> Trace::finish() {
  impl->failed |= !impl->maker.checkOptions(impl->options);
  if (impl->failed)
    return mlir::failure();
  return impl->maker.finish();
}
