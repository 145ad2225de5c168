//===- Table.cpp - the ATen operators the graph can express ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the table and the running of a call. What a schema says
// of aliasing decides what becomes of the results: `Tensor(a!)` is written,
// `Tensor(a)` shares storage with its argument.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

#include "frontends/aten/Autocast.h"
#include "frontends/aten/Complex.h"
#include "frontends/aten/Ragged.h"

#include "llvm/ADT/StringExtras.h"

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;
using Kind = Value::Kind;

Table::Table() {
  addPointwise(*this);
  addBinary(*this);
  addCreation(*this);
  addShape(*this);
  addSplitting(*this);
  addIndexing(*this);
  addScattering(*this);
  addRearranging(*this);
  addContraction(*this);
  addMatrices(*this);
  addDecompositions(*this);
  addHouseholder(*this);
  addComplex(*this);
  addConvolution(*this);
  addDetection(*this);
  addReduction(*this);
  addSorting(*this);
  addSelecting(*this);
  addCounted(*this);
  addPooling(*this);
  addWindows(*this);
  addResampling(*this);
  addSampling(*this);
  addSpectral(*this);
  addNormalisation(*this);
  addEmbedding(*this);
  addLosses(*this);
  addMargins(*this);
  addAttention(*this);
  addRecurrent(*this);
  addQuantization(*this);
  addRagged(*this);
  addRandom(*this);
  addSingularValues(*this);
  addCtcLoss(*this);
  addBessel(*this);
  addGamma(*this);
  addGroupedProducts(*this);
  addKeypoints(*this);
  addOrthogonalPolynomials(*this);
  addRepresentation(*this);
  addScans(*this);
  addSpecialFunctions(*this);
  addStatistics(*this);
  addStft(*this);
  addSignalWindows(*this);
}

void Table::add(StringRef names, const Entry &entry) {
  llvm::SmallVector<StringRef> parts;
  llvm::SplitString(names, parts);
  for (StringRef name : parts)
    entries[name] = entry;
}

const Entry *Table::find(StringRef name) const {
  name.consume_front("aten::");
  auto it = entries.find(name);
  if (it == entries.end() && name.ends_with("_") && !name.starts_with("__"))
    it = entries.find(name.drop_back());
  return it == entries.end() ? nullptr : &it->second;
}

/// The tensor argument whose alias set is that of a result.
static const Value *aliasedArgument(const Schema &schema,
                                    llvm::ArrayRef<Value> arguments,
                                    const SchemaType &result) {
  // Dropout that does nothing gives its input back, which no schema says.
  if (schema.name.ends_with("dropout") && !arguments.empty())
    return &arguments.front();
  if (result.aliasSet.empty())
    return nullptr;
  for (auto [formal, value] : llvm::zip(schema.arguments, arguments))
    if (formal.type.aliasSet == result.aliasSet && value.is(Kind::Tensor))
      return &value;
  return nullptr;
}

/// Writes a value into an argument, in the argument's type and shape.
static void writeArgument(Session &session, Call &call, const Value &target,
                          mlir::Value value) {
  if (session.writes)
    llvm::append_range(*session.writes, target.tensor()->contentsToWrite());
  mlir::RankedTensorType type = target.tensor()->type();
  value = call.broadcastTo(call.cast(value, type.getElementType()),
                           type.getShape());
  call.ok &= value && mlir::succeeded(target.tensor()->write(call.builder,
                                                             call.loc, value));
}

/// Whether an op that gives a view or a copy, by how the elements lie, copies.
static bool isCopy(StringRef name, const Tensor &base, const Tensor &result) {
  if (name == "aten::contiguous")
    return !base.isContiguous();
  return (name == "aten::reshape" || name == "aten::flatten") &&
         !base.canBeViewedAs(result.type().getShape());
}

static Value shareStorage(const Schema &schema, const Value &base,
                          const Value &result) {
  if (!result.is(Kind::Tensor) ||
      isCopy(schema.name, *base.tensor(), *result.tensor()))
    return result;
  Tensor::Ptr view = Tensor::view(base.tensor(), result.tensor()->current());
  // Windows that overlap, or that begin where data say, are gathered: a copy,
  // which is right until something is written to it or to what it was taken
  // from.
  static constexpr StringRef kWindows[] = {
      "aten::unfold", "aten::as_strided", "aten::slice",
      "aten::narrow", "aten::split",      "aten::split_with_sizes"};
  if (llvm::is_contained(kWindows, schema.name) &&
      !view->sharesStorage(*base.tensor()))
    view->mayAlias(*base.tensor());
  return view;
}

static void finish(Session &session, Call &call,
                   llvm::ArrayRef<Value> arguments) {
  const Schema &schema = call.schema;
  for (auto [i, type] : llvm::enumerate(schema.results)) {
    Value &result = call.results[i];
    const Value *base = aliasedArgument(schema, arguments, type);
    if (!base)
      continue;
    if (type.isWritten && result.is(Kind::Tensor)) {
      writeArgument(session, call, *base, result.tensor()->read(call.builder));
      result = *base;
    } else if (result.is(Kind::List)) {
      for (Value &item : result.list().items)
        item = shareStorage(schema, *base, item);
    } else {
      result = shareStorage(schema, *base, result);
    }
  }
  for (auto [target, value] : call.writes)
    writeArgument(session, call, *target, value);
  if (call.trains && !std::exchange(session.warnedOfTraining, true))
    mlir::emitWarning(call.loc)
        << schema.name
        << " works in training mode, by the statistics of the "
           "batch; for inference call eval() before saving the model";
  if (call.isRandom && !std::exchange(session.warnedOfRandom, true))
    mlir::emitWarning(call.loc)
        << schema.name
        << " gives the same numbers in every run, other than PyTorch's";
}

/// Runs a call with a Ragged argument on the padded tensor, when it takes each
/// place by itself.
static mlir::LogicalResult runOnPadded(Session &session, mlir::Location loc,
                                       const Schema &schema,
                                       llvm::ArrayRef<Value> arguments,
                                       llvm::SmallVectorImpl<Value> &results) {
  llvm::SmallVector<Value> padded(arguments);
  const Ragged *ragged = nullptr;
  unsigned count = 0;
  for (Value &value : padded) {
    const Ragged *in = Ragged::in(value);
    if (!in)
      continue;
    ++count;
    ragged = in;
    if (in->padded)
      value = in->padded;
  }
  // The rest are weights and options.
  size_t place = schema.name == "aten::embedding" ? 1 : 0;
  if (count != 1 || place >= arguments.size() ||
      Ragged::in(arguments[place]) != ragged || !ragged->padded ||
      !Ragged::isPlacewise(schema.name)) {
    emitCoded(loc, Code::UnsupportedFeature)
        << schema.name
        << ": packed sequences and nested tensors are not supported here";
    results.assign(schema.results.size(), Value::unknown());
    return mlir::failure();
  }
  if (mlir::failed(aten::run(session, loc, schema, padded, results)))
    return mlir::failure();
  for (Value &result : results)
    if (result.is(Kind::Tensor))
      result = ragged->with(result.tensor());
  return mlir::success();
}

mlir::LogicalResult graven::aten::run(Session &session, mlir::Location loc,
                                      const Schema &schema,
                                      llvm::ArrayRef<Value> arguments,
                                      llvm::SmallVectorImpl<Value> &results) {
  const Entry *entry = session.table.find(schema.name);
  assert(entry && "the caller looked the name up");
  std::optional<llvm::SmallVector<Value>> cast;
  if (session.autocast) {
    Emitter emitter(session.builder, loc);
    cast = autocast(emitter, schema.name, arguments, *session.autocast);
    if (!cast) {
      emitCoded(loc, Code::UnsupportedFeature)
          << schema.name
          << ": not supported inside of torch.autocast, which casts within it";
      results.assign(schema.results.size(), Value::unknown());
      return mlir::failure();
    }
    arguments = *cast;
  }
  auto hasRagged = [](const Value &value) {
    return Ragged::in(value) ||
           (value.items() && llvm::any_of(*value.items(), Ragged::in));
  };
  // Who takes them takes them in front: data and batch sizes, a spectrum.
  auto isExtension = [&](const Value &value) {
    return hasRagged(value) || isComplexValue(value);
  };
  constexpr size_t kInFront = 2;
  if (entry->takesExtensions && arguments.size() > kInFront &&
      llvm::any_of(arguments.drop_front(kInFront), isExtension)) {
    emitCoded(loc, Code::UnsupportedFeature)
        << schema.name
        << ": complex, packed or nested tensors are not supported here";
    results.assign(schema.results.size(), Value::unknown());
    return mlir::failure();
  }
  if (!entry->takesExtensions && llvm::any_of(arguments, hasRagged))
    return runOnPadded(session, loc, schema, arguments, results);
  if (llvm::any_of(arguments, isStaleComplex)) {
    emitCoded(loc, Code::DataDependent)
        << schema.name
        << ": a complex tensor is read after what shares its memory, or may, "
           "was written";
    results.assign(schema.results.size(), Value::unknown());
    return mlir::failure();
  }
  if (makesComplex(schema, arguments))
    return makeComplex(session, loc, schema, arguments, results);
  if (!entry->takesExtensions && llvm::any_of(arguments, isComplexValue))
    return runComplex(session, loc, schema, arguments, results);
  Emitter emitter(session.builder, loc);
  WideArguments wide;
  if (entry->arithmetic == Arithmetic::Wide)
    wide = widen(emitter, schema, arguments);
  Call call(session, loc, schema,
            wide.values.empty() ? arguments
                                : llvm::ArrayRef<Value>(wide.values),
            arguments);
  call.serial = session.calls++;
  // What a Node's type inference says is an unsupported use of the operator;
  // messages that carry a code pass.
  std::string inference;
  bool reported = false;
  {
    mlir::ScopedDiagnosticHandler handler(
        loc.getContext(), [&](mlir::Diagnostic &diagnostic) {
          std::string text = diagnostic.str();
          reported |=
              diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error;
          if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error ||
              StringRef(text).starts_with("["))
            return mlir::failure();
          if (inference.empty())
            inference = text;
          return mlir::success();
        });
    if (entry->tensor)
      call.give(entry->tensor(call));
    else
      entry->general(call);
    call.ok &= schema.results.empty() || !call.results.empty();
    while (call.results.size() < schema.results.size())
      call.results.push_back(Value::unknown());
    if (wide.narrow)
      for (Value &result : call.results)
        result = narrowed(emitter, result, *wide.narrow);
    if (call.ok)
      finish(session, call, arguments);
  }
  if (!inference.empty())
    call.failed(inference);
  else if (!call.ok && !reported)
    call.failed("these arguments");
  results.assign(call.results.begin(), call.results.end());
  if (call.ok)
    return mlir::success();
  for (Value &result : results)
    result = Value::unknown();
  return mlir::failure();
}
