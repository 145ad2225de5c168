//===- GenerateOps.cpp - writes AtenOps.h ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This program writes AtenOps.h and AtenOps.cpp: for each schema whose
// operator the table of the importers has, one C++ function of the same name,
// with the schema's arguments and defaults. Arguments that mean nothing to a
// graph (device, layout, ...) are left out, as are in-place forms.
// usage: graven-trace-ops header|source FILE
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Schema.h"
#include "frontends/aten/Table.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace graven::aten;
using llvm::StringRef;
using Base = SchemaType::Base;
using Kind = Value::Kind;

static constexpr const char kSchemas[] =
#include "frontends/aten/Schemas.inc"
    ;

namespace {

struct Parameter {
  std::string formal;   ///< in the schema
  std::string name;     ///< in C++
  std::string type;     ///< "const Tensor &"
  std::string value;    ///< the default; empty for none
  std::string argument; ///< as Invocation::with takes it
};

struct Function {
  const Schema *schema;
  std::string text; ///< of the schema
  std::string name;
  std::vector<Parameter> parameters;
  std::string result, finish;
  bool needsTrace = false;

  size_t required() const {
    size_t count = parameters.size();
    while (count && !parameters[count - 1].value.empty())
      --count;
    return count;
  }
};

} // namespace

/// Names that C++ keeps, or that the functions themselves use.
static bool isReserved(StringRef name) {
  static constexpr StringRef kWords[] = {
      "and",    "at",    "bool",   "char",     "default", "delete",   "double",
      "float",  "for",   "if",     "int",      "long",    "new",      "not",
      "or",     "short", "signed", "this",     "trace",   "unsigned", "xor",
      "switch", "case",  "while",  "operator", "register"};
  return llvm::is_contained(kWords, name);
}

/// Arguments that mean nothing to a graph.
static bool isMeaningless(const SchemaArgument &argument) {
  static constexpr StringRef kNames[] = {
      "device",    "layout",       "pin_memory", "memory_format",
      "generator", "non_blocking", "copy"};
  return argument.hasDefault && llvm::is_contained(kNames, argument.name);
}

static std::string number(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.17g", value);
  if (StringRef(text).find_first_of(".en") == StringRef::npos)
    text += ".0";
  return text;
}

/// A default as C++ writes it; nothing when it cannot.
static std::optional<std::string> literal(const Value &value) {
  switch (value.kind()) {
  case Kind::None:
    return "{}";
  case Kind::Bool:
    return value.boolean() ? "true" : "false";
  case Kind::Int:
    return std::to_string(value.integer());
  case Kind::Float:
    return number(value.number());
  case Kind::String:
    return "\"" + value.string() + "\"";
  case Kind::List: {
    std::string text = "{";
    for (const Value &item : value.list().items) {
      auto part = literal(item);
      if (!part)
        return std::nullopt;
      text += (text.size() > 1 ? ", " : "") + *part;
    }
    return text + "}";
  }
  default:
    return std::nullopt;
  }
}

/// The parameter of an argument; nothing when C++ has no type for it.
static std::optional<Parameter> parameterOf(const SchemaArgument &argument) {
  const SchemaType &type = argument.type;
  Parameter result;
  result.formal = argument.name.str();
  result.name = result.formal + (isReserved(argument.name) ? "_" : "");
  auto optional = [&](std::string plain) {
    result.type =
        type.isOptional ? "std::optional<" + plain + "> " : plain + " ";
    result.argument = "valueOf(" + result.name + ")";
  };
  auto list = [&](std::string plain, unsigned count) {
    result.type = "const " + plain + " &";
    result.argument = result.name +
                      (type.isOptional ? ".valueOrNone(" : ".value(") +
                      (count ? std::to_string(count) : "") + ")";
  };
  bool isDType = argument.name == "dtype" && type.base == Base::Int;
  switch (type.base) {
  case Base::Tensor:
    result.type = type.isList ? "const TensorList &" : "const Tensor &";
    result.argument = result.name;
    break;
  case Base::Int:
    if (type.isList)
      list("IntList", type.listSize);
    else
      optional(isDType ? "DType" : "int64_t");
    break;
  case Base::Float:
    if (type.isList)
      list("FloatList", 0);
    else
      optional("double");
    break;
  case Base::Bool:
    if (type.isList)
      return std::nullopt;
    optional("Flag");
    break;
  case Base::String:
    if (type.isList)
      return std::nullopt;
    optional("Text");
    break;
  case Base::Number:
    if (type.isList)
      return std::nullopt;
    optional("Scalar");
    break;
  default:
    return std::nullopt;
  }
  if (argument.hasDefault) {
    auto text = literal(argument.defaultValue);
    if (!text || (isDType && !argument.defaultValue.isNone()))
      return std::nullopt;
    result.value = *text;
  }
  return result;
}

static bool setResult(Function &function) {
  const auto &results = function.schema->results;
  for (const SchemaType &type : results)
    if (type.base != Base::Tensor || (type.isList && results.size() != 1))
      return false;
  if (results.empty())
    return false;
  if (results.size() > 1) {
    function.result = "std::tuple<";
    for (size_t i = 0; i < results.size(); ++i)
      function.result += i ? ", Tensor" : "Tensor";
    function.result += ">";
    function.finish = "tuple<" + std::to_string(results.size()) + ">";
  } else if (results.front().isList) {
    function.result = "std::vector<Tensor>";
    function.finish = "list";
  } else {
    function.result = "Tensor";
    function.finish = "tensor";
  }
  return true;
}

static std::optional<Function> functionOf(const Schema &schema,
                                          StringRef text) {
  Function function;
  function.schema = &schema;
  function.text = text.str();
  StringRef name = schema.name.rsplit("::").second;
  if (name.starts_with("_") || name.ends_with("_") || isReserved(name) ||
      schema.isVariadic || !setResult(function))
    return std::nullopt;
  function.name = name.str();
  bool hasTensor = false;
  for (const SchemaArgument &argument : schema.arguments) {
    if (argument.type.isWritten)
      return std::nullopt;
    if (isMeaningless(argument))
      continue;
    auto parameter = parameterOf(argument);
    if (!parameter && argument.hasDefault)
      continue;
    if (!parameter)
      return std::nullopt;
    hasTensor |=
        argument.type.base == Base::Tensor && !argument.type.isOptional;
    function.parameters.push_back(std::move(*parameter));
  }
  function.needsTrace = !hasTensor;
  // C++ has defaults at the end only.
  bool isEnd = true;
  for (Parameter &parameter : llvm::reverse(function.parameters)) {
    isEnd &= !parameter.value.empty();
    if (!isEnd)
      parameter.value.clear();
  }
  return function;
}

static void require(Function &function, size_t count) {
  for (size_t i = 0; i < count; ++i)
    function.parameters[i].value.clear();
}

/// Lets calls decide between two overloads of a name: the defaults of one hold
/// only behind the parameter that tells it from the other. Whether that is
/// possible.
static bool distinguish(Function &earlier, Function &later) {
  if (earlier.needsTrace != later.needsTrace)
    return true;
  size_t a = earlier.parameters.size(), b = later.parameters.size(), i = 0;
  while (i < a && i < b &&
         earlier.parameters[i].type == later.parameters[i].type)
    ++i;
  if (std::max(earlier.required(), later.required()) > i)
    return true;
  if (i < b)
    require(later, i + 1);
  else if (i < a)
    require(earlier, i + 1);
  else
    return false;
  return true;
}

static std::vector<Function> allFunctions(std::deque<Schema> &schemas) {
  Table table;
  std::vector<Function> functions;
  llvm::StringMap<std::vector<size_t>> byName;
  llvm::SmallVector<StringRef> lines;
  StringRef(kSchemas, sizeof(kSchemas) - 1).split(lines, '\n', -1, false);
  for (StringRef line : lines) {
    std::optional<Schema> schema = parseSchema(line);
    if (!schema || !table.find(schema->name))
      continue;
    schemas.push_back(std::move(*schema));
    auto function = functionOf(schemas.back(), line);
    if (!function)
      continue;
    std::vector<size_t> &others = byName[function->name];
    if (!llvm::all_of(others, [&](size_t other) {
          return distinguish(functions[other], *function);
        }))
      continue;
    others.push_back(functions.size());
    functions.push_back(std::move(*function));
  }
  return functions;
}

static void writeSignature(const Function &function, bool isDeclaration,
                           llvm::raw_ostream &os) {
  os << function.result << " " << function.name << "(";
  if (function.needsTrace)
    os << "Trace &trace, ";
  for (const Parameter &parameter : function.parameters) {
    os << parameter.type << parameter.name;
    if (isDeclaration && !parameter.value.empty())
      os << " = " << parameter.value;
    os << ", ";
  }
  os << "std::source_location at";
  if (isDeclaration)
    os << " = std::source_location::current()";
  os << ")";
}

static void writeHeader(llvm::ArrayRef<Function> functions,
                        llvm::raw_ostream &os) {
  os << "// Made by graven-trace-ops of frontends/aten/Schemas.inc; do not "
        "edit.\n#ifndef FRONTENDS_TRACE_ATENOPS_H\n"
        "#define FRONTENDS_TRACE_ATENOPS_H\n\n"
        "#include \"frontends/trace/Trace.h\"\n\n#include <tuple>\n\n"
        "namespace graven::trace {\n";
  for (const Function &function : functions) {
    os << "\n/// " << function.text << "\n";
    writeSignature(function, true, os);
    os << ";\n";
  }
  os << "\n} // namespace graven::trace\n\n#endif\n";
}

static void writeSource(llvm::ArrayRef<Function> functions,
                        llvm::raw_ostream &os) {
  os << "// Made by graven-trace-ops of frontends/aten/Schemas.inc; do not "
        "edit.\n#include \"frontends/trace/AtenOps.h\"\n"
        "#include \"frontends/trace/Recorder.h\"\n\n"
        "namespace graven::trace {\n";
  for (const Function &function : functions) {
    os << "\n";
    writeSignature(function, false, os);
    os << " {\n  return Invocation(" << (function.needsTrace ? "trace, " : "")
       << "\"" << function.schema->name << "\", \"" << function.schema->overload
       << "\")";
    for (const Parameter &parameter : function.parameters)
      os << "\n      .with(\"" << parameter.formal << "\", "
         << parameter.argument << ")";
    os << "\n      ." << function.finish << "(at);\n}\n";
  }
  os << "\n} // namespace graven::trace\n";
}

int main(int argc, char **argv) {
  StringRef what = argc == 3 ? argv[1] : "";
  if (what != "header" && what != "source") {
    llvm::errs() << "usage: graven-trace-ops header|source FILE\n";
    return 3;
  }
  std::error_code error;
  llvm::raw_fd_ostream os(argv[2], error);
  if (error) {
    llvm::errs() << argv[2] << ": " << error.message() << "\n";
    return 2;
  }
  std::deque<Schema> schemas;
  std::vector<Function> functions = allFunctions(schemas);
  if (what == "header")
    writeHeader(functions, os);
  else
    writeSource(functions, os);
  return 0;
}
