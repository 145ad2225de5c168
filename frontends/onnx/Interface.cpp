//===- Interface.cpp - what a model declares ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the reading of op set versions, functions and inputs,
// and the meeting of the inputs with what the user says of them.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/Interface.h"

#include "dialects/support/Diagnostics.h"
#include "frontends/onnx/Lists.h"
#include "frontends/onnx/Narrow.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/Strings.h"
#include "frontends/onnx/Text.h"
#include "onnx/onnx.pb.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/JSON.h"

using namespace mlir;

namespace graven::onnx {

StringRef normalDomain(StringRef domain) {
  return domain == "ai.onnx" ? "" : domain;
}

template <class Named>
static std::string functionKey(const Named &named, StringRef name) {
  return (normalDomain(named.domain()) + ":" + name + ":" + named.overload())
      .str();
}

const pb::FunctionProto *findFunction(const FunctionMap &functions,
                                      const pb::NodeProto &node) {
  if (functions.empty())
    return nullptr;
  auto found = functions.find(functionKey(node, node.op_type()));
  return found == functions.end() ? nullptr : found->second;
}

FailureOr<OpsetMap> readOpsets(
    Location loc,
    const google::protobuf::RepeatedPtrField<pb::OperatorSetIdProto> &imports) {
  OpsetMap opsets;
  for (const pb::OperatorSetIdProto &import : imports) {
    StringRef domain = normalDomain(import.domain());
    int64_t version = import.version();
    // skl2onnx writes one twice.
    auto [known, isNew] = opsets.try_emplace(domain, version);
    if (!isNew && known->second != version)
      return emitCoded(loc, Code::BadGraph)
             << "op set " << quoted(domain) << " is imported twice, as version "
             << known->second << " and " << version;
    if (domain.empty() && (version < kOldestOpset || version > kNewestOpset))
      return emitCoded(loc, Code::UnsupportedVersion)
             << "the model uses opset " << version << " of ai.onnx, expected "
             << kOldestOpset << " to " << kNewestOpset;
  }
  return opsets;
}

FailureOr<FunctionMap> readFunctions(const ModelFile &file) {
  FunctionMap functions;
  for (const pb::FunctionProto &function : file.getModel().functions())
    if (!functions.emplace(functionKey(function, function.name()), &function)
             .second)
      return emitCoded(file.getLocation(), Code::BadGraph)
             << "function " << quoted(function.name()) << " of domain "
             << quoted(function.domain()) << " is defined twice";
  return functions;
}

namespace {

/// Reads one input; errors are counted so that all of them are reported.
class InputReader {
public:
  InputReader(Location loc, const ImportOptions &options)
      : loc(loc), options(options) {}

  FailureOr<GraphInput> read(StringRef own, const pb::TypeProto::Tensor &tensor,
                             size_t index) {
    GraphInput input;
    input.name = own;
    name = input.name;
    spec = options.find(name, index);
    if (spec && spec->value)
      return readValue(tensor, input);
    FailureOr<Type> elementType = readElementType(tensor);
    if (failed(elementType))
      return failure();
    IntExtents shape;
    if (!tensor.has_shape() && !spec)
      return fail(Code::MissingInput)
             << "has no shape in the file: give it with --input";
    if (failed(tensor.has_shape() ? readShape(tensor.shape(), input, shape)
                                  : takeShape(input, shape)))
      return failure();
    input.type = RankedTensorType::get(shape, *elementType);
    input.narrow = meaningOf(loc.getContext(), tensor.elem_type());
    return input;
  }

private:
  using IntExtents = SmallVector<int64_t>;

  InFlightDiagnostic fail(Code code) {
    return emitCoded(loc, code) << "input " << quoted(name) << " ";
  }

  FailureOr<GraphInput> readValue(const pb::TypeProto::Tensor &tensor,
                                  GraphInput &input) {
    input.value = spec->value;
    input.type = cast<RankedTensorType>(spec->value.getType());
    Type own = elementTypeOf(loc.getContext(), tensor.elem_type());
    if (tensor.elem_type() == pb::TensorProto::STRING) {
      input.narrow = stringType(loc.getContext());
      own = storageOfMeaning(input.narrow);
      // Numbers of strings that the options do not have are nobody's.
      auto isKnown = [&](const APInt &number) {
        return number.ult(options.strings.size());
      };
      if (own != input.type.getElementType() ||
          !llvm::all_of(input.value.getValues<APInt>(), isKnown))
        return fail(Code::BadInputType)
               << "has strings as elements, the value given for it has "
               << input.type.getElementType();
    }
    if (own && own != input.type.getElementType())
      return fail(Code::BadInputType)
             << "has elements of " << own << ", the value given for it "
             << input.type.getElementType();
    return std::move(input);
  }

  FailureOr<Type> readElementType(const pb::TypeProto::Tensor &tensor) {
    Type given =
        spec ? parseElementType(loc.getContext(), spec->elementType) : Type();
    if (!tensor.elem_type()) {
      if (given)
        return given;
      return fail(Code::MissingInput)
             << "has no element type in the file: give it with --input";
    }
    Type own = elementTypeOf(loc.getContext(), tensor.elem_type());
    if (Type meaning = meaningOf(loc.getContext(), tensor.elem_type()))
      own = storageOfMeaning(meaning);
    if (!own)
      return fail(Code::UnsupportedFeature)
             << "has elements of " << dataTypeName(tensor.elem_type());
    if (given && given != own)
      return fail(Code::BadInputType)
             << "has elements of " << own << ", --input gives " << given;
    return own;
  }

  /// The shape as the user gives it.
  LogicalResult takeShape(GraphInput &input, IntExtents &shape) {
    for (const InputExtent &extent : spec->shape) {
      std::string symbol = extent.isDynamic()
                               ? symbolFor(extent.symbol, name, shape.size())
                               : std::string();
      shape.push_back(extent.isDynamic() ? options.resolve(symbol)
                                         : extent.size);
      input.symbols.push_back(std::move(symbol));
    }
    return success();
  }

  /// The file's shape, with unknown extents replaced by the user's.
  LogicalResult readShape(const pb::TensorShapeProto &proto, GraphInput &input,
                          IntExtents &shape) {
    int64_t rank = proto.dim_size();
    if (rank > kMaxRank)
      return fail(Code::UnsupportedFeature)
             << "has rank " << rank << ", expected at most " << kMaxRank;
    if (spec && static_cast<int64_t>(spec->shape.size()) != rank)
      return fail(Code::BadInputShape)
             << "has rank " << rank << ", --input gives " << spec->shape.size();
    for (auto [axis, dim] : llvm::enumerate(proto.dim())) {
      // Some writers store an unknown extent as -1.
      int64_t own =
          dim.value_case() == pb::TensorShapeProto::Dimension::kDimValue
              ? dim.dim_value()
              : ShapedType::kDynamic;
      if (own < -1 && own != ShapedType::kDynamic)
        return fail(Code::BadGraph)
               << "has extent " << own << " on axis " << axis;
      if (own < 0)
        own = ShapedType::kDynamic;
      std::string symbol = dim.dim_param();
      if (spec) {
        const InputExtent &given = spec->shape[axis];
        if (!ShapedType::isDynamic(own) && !given.isDynamic() &&
            own != given.size)
          return fail(Code::BadInputShape)
                 << "has extent " << own << " on axis " << axis
                 << ", --input gives " << given.size;
        if (ShapedType::isDynamic(own) && !given.isDynamic())
          own = given.size;
        if (given.isDynamic() && !given.symbol.empty())
          symbol = given.symbol;
      }
      std::string called;
      if (ShapedType::isDynamic(own)) {
        called = symbolFor(symbol, name, axis);
        own = options.resolve(called);
      }
      shape.push_back(own);
      input.symbols.push_back(std::move(called));
    }
    return success();
  }

  Location loc;
  const ImportOptions &options;
  const InputSpec *spec = nullptr;
  StringRef name;
};

} // namespace

/// Whether one of these is called so, or stands at that position.
template <class Inputs>
static bool isKnown(StringRef name, const Inputs &inputs) {
  size_t index = 0;
  return llvm::any_of(inputs,
                      [&](const auto &input) { return input.name == name; }) ||
         (!name.getAsInteger(10, index) && index < inputs.size());
}

/// Reports each --input that no input of the model answers to.
static LogicalResult checkSpecs(Location loc, const ImportOptions &options,
                                const ModelInputs &inputs) {
  LogicalResult result = success();
  for (const InputSpec &spec : options.inputs) {
    if (spec.isSequence() || spec.isAbsent()
            ? isKnown(spec.name, inputs.lists)
            : isKnown(spec.name, inputs.tensors))
      continue;
    std::string names;
    for (const ListInfo &input : inputs.lists)
      names += (names.empty() ? "" : ", ") + quoted(input.name);
    emitCoded(loc, Code::UnknownInput)
        << "the model has no input " << quoted(spec.name) << "; it has "
        << (names.empty() ? "none" : names);
    result = failure();
  }
  return result;
}

DeclaredType declaredType(const pb::TypeProto &type) {
  DeclaredType declared;
  const pb::TypeProto *at = &type;
  if (at->has_optional_type()) {
    declared.isOptional = true;
    at = &at->optional_type().elem_type();
  }
  if (at->has_sequence_type()) {
    declared.isSequence = true;
    at = &at->sequence_type().elem_type();
  }
  // Of a value without a type nothing is known, and so it is a tensor.
  if (at->has_tensor_type() || at->value_case() == pb::TypeProto::VALUE_NOT_SET)
    declared.tensor = &at->tensor_type();
  return declared;
}

/// What the user says an input is: an entry of ListShape.
static FailureOr<int64_t> readForm(Location loc, const ImportOptions &options,
                                   StringRef name, const DeclaredType &declared,
                                   size_t position, size_t index) {
  auto fail = [&](Code code) {
    return emitCoded(loc, code) << "input " << quoted(name) << " ";
  };
  if (!declared.tensor)
    return fail(Code::UnsupportedFeature)
           << "is no tensor, nor a sequence or an optional of tensors";
  const InputSpec *form = options.findForm(name, position);
  if (form && form->isAbsent() && declared.isOptional)
    return ListShape::kAbsent;
  if (form && form->isSequence() && declared.isSequence) {
    int64_t count = form->shape.front().size;
    if (count > kMaxKnownElements)
      return fail(Code::UnsupportedFeature)
             << "has " << count << " tensors, expected at most "
             << kMaxKnownElements;
    return count;
  }
  if (form)
    return fail(Code::BadInputType)
           << "is no " << (form->isAbsent() ? "optional" : "sequence");
  if (!declared.isSequence &&
      (!declared.isOptional || options.find(name, index)))
    return ListShape::kTensor;
  // Who calls the model knows.
  InFlightDiagnostic diagnostic = fail(Code::MissingInput);
  if (declared.isSequence)
    diagnostic << "is a sequence: give the number of its tensors with --input "
               << name << ":seq[N]";
  else
    diagnostic << "may be absent: give its shape with --input, or " << name
               << ":none[]";
  noteNeeded(*diagnostic.getUnderlyingDiagnostic(),
             {name, static_cast<int64_t>(index)});
  return failure();
}

FailureOr<ModelInputs> readInputs(const ModelFile &file,
                                  const ImportOptions &options) {
  const pb::GraphProto &graph = file.getModel().graph();
  // Until IR version 4 every initializer was an input as well.
  llvm::StringSet<> initializers;
  for (const pb::TensorProto &tensor : graph.initializer())
    initializers.insert(tensor.name());
  ModelInputs inputs;
  bool anyFailed = false;
  size_t index = 0;
  for (const pb::ValueInfoProto &info : graph.input()) {
    if (initializers.contains(info.name()))
      continue;
    Location loc = NameLoc::get(
        StringAttr::get(file.getLocation().getContext(), info.name()));
    DeclaredType declared = declaredType(info.type());
    auto entry = readForm(loc, options, info.name(), declared,
                          inputs.lists.size(), index);
    inputs.lists.push_back(
        {info.name(), succeeded(entry) ? *entry : ListShape::kAbsent});
    anyFailed |= failed(entry);
    if (failed(entry) || *entry == ListShape::kAbsent)
      continue;
    int64_t count = *entry == ListShape::kTensor ? 1 : *entry;
    for (int64_t i = 0; i < count; ++i) {
      std::string name = *entry == ListShape::kTensor
                             ? info.name()
                             : info.name() + "." + std::to_string(i);
      auto input =
          InputReader(loc, options).read(name, *declared.tensor, index++);
      if (failed(input))
        anyFailed = true;
      else
        inputs.tensors.push_back(std::move(*input));
    }
  }
  if (anyFailed || failed(checkSpecs(file.getLocation(), options, inputs)))
    return failure();
  return inputs;
}

static llvm::json::Array listsAsJson(ArrayRef<ListInfo> lists) {
  llvm::json::Array array;
  for (const ListInfo &list : lists) {
    llvm::json::Array entry{llvm::json::fixUTF8(list.name)};
    if (list.entry == ListShape::kAbsent)
      entry.push_back(nullptr);
    else if (list.entry != ListShape::kTensor)
      entry.push_back(list.entry);
    array.push_back(std::move(entry));
  }
  return array;
}

std::string structureText(const ModelInputs &inputs, ArrayRef<ListInfo> outputs,
                          ArrayRef<std::string> stringOutputs,
                          ArrayRef<std::string> strings) {
  auto isPlain = [](const ListInfo &list) {
    return list.entry == ListShape::kTensor;
  };
  auto addTo = [](llvm::json::Array &array, StringRef text) {
    array.push_back(llvm::json::fixUTF8(text));
  };
  llvm::json::Array inTexts, outTexts, all;
  for (const GraphInput &input : inputs.tensors)
    if (isString(input.narrow) && !input.value)
      addTo(inTexts, input.name);
  for (const std::string &name : stringOutputs)
    addTo(outTexts, name);
  bool hasTexts = !inTexts.empty() || !outTexts.empty();
  if (llvm::all_of(inputs.lists, isPlain) && llvm::all_of(outputs, isPlain) &&
      !hasTexts)
    return "";
  llvm::json::Object structure{{"outputs", listsAsJson(outputs)}};
  if (llvm::none_of(inputs.tensors,
                    [](const GraphInput &input) { return !!input.value; }))
    structure["inputs"] = listsAsJson(inputs.lists);
  if (hasTexts) {
    for (const std::string &text : strings)
      all.push_back(text);
    structure["strings"] = std::move(all);
    structure["string_inputs"] = std::move(inTexts);
    structure["string_outputs"] = std::move(outTexts);
  }
  return llvm::formatv("{0}", llvm::json::Value(std::move(structure))).str();
}

} // namespace graven::onnx
