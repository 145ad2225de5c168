//===- Load.cpp - the objects of an archive ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the way from pickled values to values of the program:
// objects, whose attributes are read when asked for, and tensors, which become
// Parameters.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Interpreter.h"

#include "frontends/torchscript/Quantized.h"
#include "frontends/torchscript/Types.h"

using namespace graven;
using namespace graven::torch;
using llvm::StringRef;
using Kind = Value::Kind;
using PickleKind = PickleValue::Kind;

/// Pickled containers within containers.
static constexpr unsigned kMaxPickleDepth = 200;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Result Interpreter::loadObject(const PickleValue *value, StringRef path,
                               StringRef folder) {
  auto type = archive.findClass(value->text);
  if (!type || !*type) {
    std::string why =
        type ? "it is not defined" : llvm::toString(type.takeError());
    error(Code::BadSource) << "class '" << value->text << "': " << why;
    return mlir::failure();
  }
  auto object = std::make_shared<Object>();
  object->type = *type;
  object->path = path.str();
  Value result{std::shared_ptr<aten::Extension>(object)};
  loaded[value] = result;
  if (value->items.empty())
    return result;
  if (!type->definition->method("__setstate__")) {
    if (!value->items[0]->is(PickleKind::Dict)) {
      error(Code::BadPickle)
          << "the state of '" << value->text << "' is no dict";
      return mlir::failure();
    }
    object->state = value->items[0];
    return result;
  }
  Result state = loadValue(value->items[0], path, folder, /*isBuffer=*/true);
  if (mlir::failed(state))
    return state;
  CallArguments arguments;
  arguments.positional = {*state};
  Result done = callMethod(result, "__setstate__", std::move(arguments));
  return mlir::failed(done) ? done : Result(result);
}

Result Interpreter::loadValue(const PickleValue *value, StringRef path,
                              StringRef folder, bool isBuffer, unsigned level) {
  if (level >= kMaxPickleDepth) {
    error(Code::BadPickle) << "attribute '" << path << "' is nested more than "
                           << kMaxPickleDepth << " deep";
    return mlir::failure();
  }
  if (auto it = loaded.find(value); it != loaded.end())
    return it->second;
  auto loadItems = [&]() -> mlir::FailureOr<std::vector<Value>> {
    std::vector<Value> items;
    for (auto [i, item] : llvm::enumerate(value->items)) {
      Result loadedItem = loadValue(item, (path + "." + llvm::Twine(i)).str(),
                                    folder, isBuffer, level + 1);
      if (mlir::failed(loadedItem))
        return mlir::failure();
      items.push_back(*loadedItem);
    }
    return items;
  };
  switch (value->kind) {
  case PickleKind::None:
    return Value();
  case PickleKind::Bool:
    return Value(value->integer != 0);
  case PickleKind::Int:
    return Value(value->integer);
  case PickleKind::Float:
    return Value(value->real);
  case PickleKind::String:
    return Value(value->text);
  case PickleKind::Device:
    return Value(aten::Device{value->text});
  case PickleKind::Tensor: {
    const PickleTensor &stored = *value->tensor;
    Value tensor = stored.quantization ? loadQuantized(stored, path, folder)
                                       : parameters.load(stored, path, folder,
                                                         isBuffer, current);
    reported.failed |= tensor.is(Kind::Unknown);
    return loaded[value] = tensor;
  }
  case PickleKind::Object:
    return isPackedWeightsClass(value->text)
               ? loadPackedWeights(value, path, folder)
               : loadObject(value, path, folder);
  case PickleKind::List:
  case PickleKind::Tuple: {
    auto items = loadItems();
    if (mlir::failed(items))
      return mlir::failure();
    Value result = value->is(PickleKind::List)
                       ? Value::makeList(std::move(*items))
                       : Value::makeTuple(std::move(*items));
    loadedContainers.insert(identity(result));
    return loaded[value] = result;
  }
  case PickleKind::Dict: {
    auto items = loadItems();
    if (mlir::failed(items))
      return mlir::failure();
    Value dict = Value::makeDict();
    for (size_t i = 0; i + 1 < items->size(); i += 2)
      dict.dict().items.emplace_back((*items)[i], (*items)[i + 1]);
    loadedContainers.insert(identity(dict));
    return loaded[value] = dict;
  }
  case PickleKind::Enum: {
    auto member = std::make_shared<EnumMember>();
    member->type = value->text;
    Result inner =
        loadValue(value->items[0], path, folder, isBuffer, level + 1);
    if (mlir::failed(inner))
      return inner;
    member->value = *inner;
    return loaded[value] = Value(std::shared_ptr<aten::Extension>(member));
  }
  case PickleKind::Complex:
  case PickleKind::Global:
  case PickleKind::Opaque:
  case PickleKind::Storage:
    break;
  }
  error(Code::UnsupportedFeature)
      << "attribute '" << path << "' is of a kind the graph does not have";
  return Value::unknown();
}

Result Interpreter::objectAttribute(Object &object, StringRef name) {
  if (auto it = object.attributes.find(name); it != object.attributes.end())
    return it->second;
  const ClassDef &definition = *object.type.definition;
  const AttributeDecl *declared = definition.attribute(name);
  std::string path =
      object.path.empty() ? name.str() : object.path + "." + name.str();
  Result value = mlir::failure();
  if (const PickleValue *stored =
          object.state ? object.state->lookup(name) : nullptr) {
    bool isBuffer = !llvm::is_contained(definition.parameters, name);
    value = loadValue(stored, path, "data", isBuffer);
    if (mlir::failed(value))
      return value;
    if (declared)
      value = coerced(*value, declared->type);
  } else if (declared && declared->value) {
    // A class constant, in the words of the class's own file.
    Frame inner{object.type.file, object.path, {}, {}};
    Frame *outer = std::exchange(frame, &inner);
    value = evaluate(declared->value);
    frame = outer;
    if (mlir::failed(value))
      return value;
    value = coerced(*value, declared->type);
  } else {
    error(Code::BadPickle) << "object of class '" << object.type.qualifiedName
                           << "' has no attribute '" << name << "'";
    return mlir::failure();
  }
  object.attributes[name] = *value;
  return value;
}

/// CONSTANTS.c3
Result Interpreter::constant(StringRef name) {
  const PickleValue *constants = archive.constants();
  size_t index = 0;
  StringRef digits = name;
  if (!constants || !digits.consume_front("c") ||
      digits.getAsInteger(10, index) || index >= constants->items.size()) {
    error(Code::BadArchive) << "the archive has no constant '" << name << "'";
    return mlir::failure();
  }
  Result value = loadValue(constants->items[index], ("constants." + name).str(),
                           "constants", /*isBuffer=*/true);
  // PyTorch's loader treats constants without axes as numbers: a trace wrote
  // them for numbers.
  if (mlir::succeeded(value) && value->is(Kind::Tensor) &&
      value->tensor()->type().getRank() == 0)
    value->tensor()->setWrappedNumber();
  return value;
}
