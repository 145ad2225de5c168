//===- Program.cpp - walks an exported program ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the walk. When an operator cannot be imported its
// result is Unknown and the walk goes on, to find all problems at once.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchexport/Program.h"

#include "frontends/aten/Numbers.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringSwitch.h"

using namespace graven;
using namespace graven::torchexport;
using llvm::StringRef;
using Kind = Value::Kind;

/// Graphs within graphs.
static constexpr unsigned kMaxDepth = 32;

mlir::LogicalResult Program::finish() {
  unsupported.report();
  return mlir::success(!failed && unsupported.empty());
}

std::optional<Value> Program::known(const Value &value) {
  if (value.isNumber() || value.is(Kind::Bool))
    return value;
  if (!value.is(Kind::Tensor))
    return std::nullopt;
  return session.constants.evaluateScalar(value.tensor()->read(builder()));
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

/// The innermost line of a stack trace that is not PyTorch's own code, else
/// the innermost: `File "a.py", line 12, in forward`.
static std::optional<std::pair<StringRef, unsigned>> lineIn(StringRef trace) {
  std::optional<std::pair<StringRef, unsigned>> own, any;
  while (!trace.empty()) {
    auto [text, rest] = trace.split('\n');
    trace = rest;
    text = text.trim();
    unsigned line = 0;
    if (!text.consume_front("File \""))
      continue;
    auto [file, after] = text.split('"');
    if (!after.consume_front(", line ") || after.consumeInteger(10, line))
      continue;
    any = {file, line};
    if (!file.contains("/torch/"))
      own = any;
  }
  return own ? own : any;
}

/// The path of the innermost module: entries "key,path,class" divided by ';'.
static StringRef modulePath(StringRef stack) {
  return stack.rsplit(';').second.empty()
             ? stack.split(',').second.split(',').first
             : stack.rsplit(';').second.split(',').second.split(',').first;
}

void Program::setPlace(const json::Object &node) {
  mlir::MLIRContext *context = builder().getContext();
  current = fileLoc;
  const json::Object *metadata = node.getObject("metadata");
  if (metadata)
    if (auto line = lineIn(metadata->getString("stack_trace").value_or("")))
      current =
          mlir::FileLineColLoc::get(context, line->first, line->second, 1);
  StringRef name;
  if (metadata)
    name = modulePath(metadata->getString("nn_module_stack").value_or(""));
  if (name.empty() && current == fileLoc)
    name = node.getString("name").value_or("");
  if (!name.empty())
    current = mlir::NameLoc::get(mlir::StringAttr::get(context, name), current);
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

mlir::FailureOr<Values> Program::run(const json::Object &graph,
                                     llvm::ArrayRef<Value> inputs) {
  if (depth >= kMaxDepth) {
    error(Code::BadGraph) << "graphs are nested deeper than " << kMaxDepth;
    return mlir::failure();
  }
  Scope inner;
  Scope *outer = std::exchange(scope, &inner);
  mlir::Location place = current;
  ++depth;
  llvm::scope_exit leave([&] {
    scope = outer;
    current = place;
    --depth;
  });
  llvm::ArrayRef<json::Value> formals = listIn(graph, "inputs");
  if (formals.size() != inputs.size()) {
    error(Code::BadGraph) << "a graph has " << formals.size()
                          << " inputs, and gets " << inputs.size();
    return mlir::failure();
  }
  for (auto [formal, value] : llvm::zip(formals, inputs))
    if (!bindOne(formal, value))
      return mlir::failure();
  for (const json::Value &node : listIn(graph, "nodes")) {
    const json::Object *object = node.getAsObject();
    if (!object) {
      error(Code::BadGraph) << "a node is no object";
      return mlir::failure();
    }
    if (mlir::failed(runNode(*object)))
      return mlir::failure();
  }
  Values results;
  for (const json::Value &output : listIn(graph, "outputs")) {
    auto value = argument(output);
    if (!value)
      return mlir::failure();
    results.push_back(*value);
  }
  return results;
}

/// What a program says of its inputs, which the walk knows or need not know.
static bool isAssertion(StringRef name) {
  return name.starts_with("aten._assert") ||
         name.starts_with("aten.sym_constrain_range") ||
         name.starts_with("aten._functional_assert") ||
         name.starts_with("aten._linalg_check_errors") ||
         name.starts_with("aten._functional_sym_constrain_range");
}

/// with_effects(token, operator, arguments...) gives a token and what the
/// operator gives.
mlir::LogicalResult Program::runWithEffects(const json::Object &node) {
  llvm::ArrayRef<json::Value> inputs = listIn(node, "inputs"),
                              outputs = listIn(node, "outputs");
  const json::Object *named =
      inputs.size() < 2 ? nullptr : inputs[1].getAsObject();
  const json::Object *function = named ? named->getObject("arg") : nullptr;
  auto target = function ? function->getString("as_operator") : std::nullopt;
  if (!target || outputs.empty() || *target == *node.getString("target")) {
    error(Code::BadGraph) << "with_effects names no operator";
    return mlir::failure();
  }
  json::Object inner(node);
  json::Array results;
  json::Array own;
  llvm::append_range(own, inputs.drop_front(2));
  for (const json::Value &output : outputs.drop_front())
    if (auto member = asUnion(output); !member || member->tag != "as_none")
      results.push_back(output);
  inner["target"] = *target;
  inner["inputs"] = std::move(own);
  inner["outputs"] = std::move(results);
  return mlir::success(bindOne(outputs.front(), Value()) &&
                       mlir::succeeded(runNode(inner)));
}

mlir::LogicalResult Program::runNode(const json::Object &node) {
  setPlace(node);
  auto target = node.getString("target");
  if (!target) {
    error(Code::BadGraph) << "a node has no target";
    return mlir::failure();
  }
  if (*target == "torch.ops.higher_order.with_effects")
    return runWithEffects(node);
  if (HigherOrder operation = findHigherOrder(*target)) {
    auto results = operation(*this, listIn(node, "inputs"));
    return mlir::success(mlir::succeeded(results) && bind(node, *results));
  }
  if (ScalarFunction function = findScalarFunction(*target)) {
    auto call = arguments(node, /*byName=*/false);
    if (!call)
      return mlir::failure();
    StringRef name = target->rsplit('.').second;
    name.consume_front("sym_");
    aten::noteDecision(session, name, call->positional);
    std::optional<Value> number = function(call->positional);
    return bindNumber(node, *call,
                      number ? number : computed(*target, call->positional));
  }
  if (*target == "torch.ops.aten.item.default" ||
      *target == "torch.ops.aten._local_scalar_dense.default") {
    auto call = arguments(node, /*byName=*/false);
    if (!call || call->positional.empty())
      return mlir::failure();
    const Value &x = call->positional.front();
    std::optional<Value> number = known(x);
    if (!number && x.is(Kind::Tensor) &&
        x.tensor()->type().getNumElements() == 1)
      number =
          aten::openNumber({builder(), current}, x.tensor()->read(builder()));
    return bindNumber(node, *call, number);
  }
  return callOperator(*target, node);
}

std::optional<Value> Program::computed(StringRef target,
                                       llvm::ArrayRef<Value> numbers) {
  if (!llvm::any_of(numbers, aten::isOpenNumber) ||
      !llvm::all_of(numbers, aten::isAnyNumber))
    return std::nullopt;
  aten::Emitter emitter(builder(), current);
  StringRef name = target.rsplit('.').second;
  name.consume_front("sym_");
  if (name == "float")
    return aten::openNumber(emitter, numbers.front().tensor()->read(builder()),
                            aten::ScalarType::Double);
  name = llvm::StringSwitch<StringRef>(name)
             .Case("and_", "__and__")
             .Case("or_", "__or__")
             .Cases({"not_", "not"}, "__not__")
             .Case("int", "trunc")
             .Case("_sym_sqrt", "sqrt")
             .Default(name);
  const aten::NumberOperator *entry = aten::NumberOperator::find(name);
  if (!entry)
    return std::nullopt;
  aten::CallArguments tensors;
  tensors.positional = entry->operands(builder(), current, numbers);
  auto match = session.schemas.resolve(entry->tensorOperator(), tensors);
  Values results;
  if (!match || mlir::failed(aten::run(session, current, *match->schema,
                                       match->arguments, results)))
    return std::nullopt;
  return entry->result(emitter, results.front().tensor()->read(builder()));
}

mlir::LogicalResult Program::bindNumber(const json::Object &node,
                                        const aten::CallArguments &call,
                                        std::optional<Value> number) {
  bool isUnknown = llvm::any_of(
      call.positional, [](const Value &value) { return value.hasUnknown(); });
  if (!number && !isUnknown)
    error(Code::DataDependent)
        << node.getString("target").value_or("")
        << " gives a number that is only known at run time";
  return mlir::success(bind(node, number.value_or(Value::unknown())));
}

std::optional<aten::CallArguments> Program::arguments(const json::Object &node,
                                                      bool byName) {
  aten::CallArguments call;
  for (const json::Value &input : listIn(node, "inputs")) {
    const json::Object *object = input.getAsObject();
    const json::Value *given = object ? object->get("arg") : nullptr;
    if (!given) {
      error(Code::BadGraph) << "an argument has no value";
      return std::nullopt;
    }
    auto value = argument(*given);
    if (!value)
      return std::nullopt;
    // Defaults are left out in the middle, so places say nothing.
    StringRef name = object->getString("name").value_or("");
    if (byName && !name.empty())
      call.keywords.emplace_back(name.str(), std::move(*value));
    else
      call.positional.push_back(std::move(*value));
  }
  return call;
}

/// PyTorch makes tensors of numbers where a schema wants them, as in
/// add.Tensor(x, 2); they promote like numbers.
static Value asTensor(aten::Emitter emitter, const Value &number) {
  auto tensor = aten::Tensor::make(emitter.number(number));
  tensor->setWrappedNumber();
  return Value(tensor);
}

mlir::LogicalResult Program::callOperator(StringRef target,
                                          const json::Object &node) {
  StringRef path = target;
  path.consume_front("torch.ops.");
  if (isAssertion(path))
    return mlir::success();
  // "aten.add.Tensor"
  auto [space, rest] = path.split('.');
  auto [base, overload] = rest.split('.');
  if (overload == "default")
    overload = "";
  std::string name = (space + "::" + base).str();
  auto unknownResults = [&] {
    return mlir::success(
        bind(node, Values(listIn(node, "outputs").size(), Value::unknown())));
  };
  bool isKnown =
      session.table.find(name) && !session.schemas.overloads(name).empty();
  if (options)
    options->noteUse(name, isKnown);
  if (!isKnown) {
    unsupported.add(name + (overload.empty() ? "" : ("." + overload).str()),
                    current);
    return unknownResults();
  }
  auto call = arguments(node, /*byName=*/true);
  if (!call)
    return mlir::failure();
  auto isUnknown = [](const Value &value) { return value.hasUnknown(); };
  if (llvm::any_of(call->positional, isUnknown) ||
      llvm::any_of(call->keywords,
                   [&](const auto &k) { return isUnknown(k.second); }))
    return unknownResults();
  const aten::Schema *schema = nullptr;
  for (const aten::Schema &candidate : session.schemas.overloads(name))
    if (candidate.overload == overload)
      schema = &candidate;
  std::optional<std::vector<Value>> matched;
  if (schema) {
    for (const aten::SchemaArgument &formal : schema->arguments)
      for (auto &[key, value] : call->keywords)
        if (key == formal.name && !formal.type.isList &&
            formal.type.base == aten::SchemaType::Base::Tensor &&
            (value.isNumber() || value.is(Kind::Bool)))
          value = asTensor({builder(), current}, value);
    matched = aten::matchArguments(*schema, *call);
  }
  if (!matched) {
    error(Code::BadGraph) << target << ": the arguments do not fit its schema";
    return unknownResults();
  }
  Values results;
  if (mlir::failed(aten::run(session, current, *schema, *matched, results))) {
    failed = true;
    return unknownResults();
  }
  return mlir::success(bind(node, results));
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

bool Program::bind(const json::Object &node, llvm::ArrayRef<Value> results) {
  llvm::ArrayRef<json::Value> outputs = listIn(node, "outputs");
  // A tuple for several outputs, as higher-order operators give one.
  if (outputs.size() != results.size() && results.size() == 1 &&
      results.front().items())
    results = *results.front().items();
  if (outputs.size() > results.size()) {
    error(Code::BadGraph) << "a node has " << outputs.size()
                          << " outputs, its operator " << results.size();
    return false;
  }
  for (auto [output, result] : llvm::zip(outputs, results))
    if (!bindOne(output, result))
      return false;
  return true;
}

bool Program::bindOne(const json::Value &output, const Value &result) {
  auto bindName = [&](const json::Value &name, const Value &value) {
    const json::Object *object = name.getAsObject();
    auto text = object ? object->getString("name") : std::nullopt;
    if (!text && object)
      text = object->getString("as_name");
    if (text)
      (*scope)[*text] = value;
  };
  auto given = asUnion(output);
  if (!given) {
    error(Code::BadGraph) << "an output is no union of one member";
    return false;
  }
  const json::Array *names = given->value->getAsArray();
  if (!names) {
    // as_none and constants have no name.
    bindName(*given->value, result);
    return true;
  }
  const std::vector<Value> *items = result.items();
  if (!items && !result.is(Kind::Unknown)) {
    error(Code::BadGraph) << "an operator gives " << result.typeName()
                          << ", expected a list of " << names->size();
    return false;
  }
  if (items && items->size() != names->size()) {
    error(Code::BadGraph) << "an operator gives " << items->size()
                          << " tensors, expected " << names->size();
    return false;
  }
  for (size_t i = 0; i < names->size(); ++i) {
    // An optional tensor is a union again.
    auto inner = asUnion((*names)[i]);
    bool isUnion = inner && inner->value->getAsObject();
    bindName(isUnion ? *inner->value : (*names)[i],
             items ? (*items)[i] : Value::unknown());
  }
  return true;
}

std::optional<Value> Program::lookup(StringRef name) {
  auto it = scope->find(name);
  if (it != scope->end())
    return it->second;
  error(Code::BadGraph) << "the value '" << name << "' is not defined";
  return std::nullopt;
}
