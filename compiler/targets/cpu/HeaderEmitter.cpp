//===- HeaderEmitter.cpp - the C header of a compiled model -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements makeHeader. Names of tensors may hold any bytes: they
// become parameter names that are neither keywords nor macros, and harmless
// comments.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/HeaderEmitter.h"
#include "compiler/support/OutputFile.h"
#include "mlir/IR/BuiltinTypeInterfaces.h"
#include "runtime/include/graven/runtime.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/raw_ostream.h"

using namespace graven::cpu;
using llvm::StringRef;

namespace {

StringRef cType(mlir::Type type) {
  switch (dtypeOf(type)) {
  case GRAVEN_F16:
  case GRAVEN_BF16:
  case GRAVEN_U16:
    return "uint16_t";
  case GRAVEN_F32:
    return "float";
  case GRAVEN_F64:
    return "double";
  case GRAVEN_I1:
  case GRAVEN_U8:
  case GRAVEN_F8E4M3FN:
  case GRAVEN_F8E4M3FNUZ:
  case GRAVEN_F8E5M2:
  case GRAVEN_F8E5M2FNUZ:
  case GRAVEN_F8E8M0FNU:
  case GRAVEN_F4E2M1FN:
  case GRAVEN_U4:
  case GRAVEN_U2:
    return "uint8_t";
  case GRAVEN_I4:
  case GRAVEN_I2:
  case GRAVEN_I8:
    return "int8_t";
  case GRAVEN_I16:
    return "int16_t";
  case GRAVEN_I32:
    return "int32_t";
  case GRAVEN_U32:
    return "uint32_t";
  case GRAVEN_I64:
    return "int64_t";
  case GRAVEN_U64:
    return "uint64_t";
  default:
    return "void";
  }
}

/// Keywords of C23 and C++23 that are identifiers by their letters, and the
/// macros in lower case that compilers define.
bool isReserved(StringRef name) {
  static constexpr StringRef words[] = {
      "alignas",      "alignof",
      "and",          "and_eq",
      "asm",          "auto",
      "bitand",       "bitor",
      "bool",         "break",
      "case",         "catch",
      "char",         "class",
      "co_await",     "co_return",
      "co_yield",     "compl",
      "concept",      "const",
      "consteval",    "constexpr",
      "constinit",    "const_cast",
      "continue",     "decltype",
      "default",      "delete",
      "do",           "double",
      "dynamic_cast", "else",
      "enum",         "explicit",
      "export",       "extern",
      "false",        "float",
      "for",          "friend",
      "goto",         "i386",
      "if",           "inline",
      "int",          "linux",
      "long",         "mutable",
      "namespace",    "new",
      "noexcept",     "not",
      "not_eq",       "nullptr",
      "operator",     "or",
      "or_eq",        "private",
      "protected",    "public",
      "register",     "reinterpret_cast",
      "requires",     "restrict",
      "return",       "short",
      "signed",       "sizeof",
      "static",       "static_assert",
      "static_cast",  "struct",
      "switch",       "template",
      "this",         "thread_local",
      "throw",        "true",
      "try",          "typedef",
      "typeid",       "typename",
      "typeof",       "typeof_unqual",
      "union",        "unix",
      "unsigned",     "using",
      "virtual",      "void",
      "volatile",     "wchar_t",
      "while",        "workspace",
      "xor",          "xor_eq",
  };
  return llvm::is_contained(words, name);
}

class HeaderWriter {
public:
  explicit HeaderWriter(const ModelSignature &signature)
      : signature(signature), prefix(symbolPrefix(signature.name)),
        macro(StringRef(prefix).upper()), out(text) {}

  std::string write();

private:
  std::string parameterName(const TensorSpec &spec, StringRef fallback,
                            size_t index);
  void describe(const TensorSpec &spec, StringRef parameter);
  void declare(const TensorSpec &spec, StringRef parameter,
               StringRef qualifier);
  void sizes();
  void entry();
  void symbols();
  void counted();
  static std::string shapeText(const TensorSpec &spec);
  static std::string commentText(StringRef name);

  const ModelSignature &signature;
  std::string prefix, macro, text;
  llvm::raw_string_ostream out;
  llvm::StringSet<> used;
  llvm::SmallVector<std::string> extents, inputs, outputs;
  /// Where each output's extents go, empty for static ones.
  llvm::SmallVector<std::string> found;
};

/// Printable ASCII that can neither end nor begin a comment.
std::string HeaderWriter::commentText(StringRef name) {
  std::string result;
  for (char c : name.take_front(200))
    result += llvm::isPrint(c) && c != '*' && c != '\\' && c != '?' ? c : '_';
  return result;
}

std::string HeaderWriter::parameterName(const TensorSpec &spec,
                                        StringRef fallback, size_t index) {
  std::string name;
  for (char c : StringRef(spec.name).take_front(48))
    name += llvm::isAlnum(c) ? c : '_';
  bool hasLetter = llvm::any_of(name, [](char c) { return llvm::isAlpha(c); });
  if (!hasLetter)
    name = (fallback + llvm::Twine(index)).str();
  if (!llvm::isAlpha(name.front()))
    name = "p" + name;
  // NULL, INT8_MAX and their like are macros.
  bool isUpper = llvm::none_of(name, [](char c) { return llvm::isLower(c); });
  if (isReserved(name) || (isUpper && name.size() >= 4))
    name += "_";
  std::string unique = name;
  for (unsigned n = 1; !used.insert(unique).second; ++n)
    unique = name + "_" + std::to_string(n);
  return unique;
}

/// Extents as a comment shows them, dynamic ones by their symbols.
std::string HeaderWriter::shapeText(const TensorSpec &spec) {
  std::string text;
  for (auto [axis, extent] : llvm::enumerate(spec.extents)) {
    text += axis ? ", " : "";
    if (spec.isCounted(axis))
      text += "0.." + std::to_string(spec.most[axis]);
    else if (!mlir::ShapedType::isDynamic(extent))
      text += std::to_string(extent);
    else
      text += spec.symbols.empty() || spec.symbols[axis].empty()
                  ? "?"
                  : commentText(spec.symbols[axis]);
  }
  return text;
}

void HeaderWriter::describe(const TensorSpec &spec, StringRef parameter) {
  std::string type;
  llvm::raw_string_ostream(type) << spec.elementType;
  out << " *   " << parameter << ": " << type << "[" << shapeText(spec) << "]";
  if (spec.name != parameter && !spec.name.empty())
    out << ", in the model \"" << commentText(spec.name) << "\"";
  out << "\n";
}

void HeaderWriter::declare(const TensorSpec &spec, StringRef parameter,
                           StringRef qualifier) {
  out << qualifier << cType(spec.elementType) << " ";
  if (spec.extents.empty() || spec.isDynamic() || spec.numElements() == 0) {
    out << "*" << parameter;
    return;
  }
  out << parameter;
  for (int64_t extent : spec.extents)
    out << "[" << extent << "]";
}

/// Of an output whose extents are static but for those that data decide.
static bool isMostKnown(const TensorSpec &spec) {
  return spec.isCounted() &&
         llvm::all_of(llvm::seq<size_t>(0, spec.extents.size()), [&](size_t i) {
           return spec.isCounted(i) ||
                  !mlir::ShapedType::isDynamic(spec.extents[i]);
         });
}

static int64_t mostElements(const TensorSpec &spec) {
  int64_t count = 1;
  for (auto [axis, extent] : llvm::enumerate(spec.extents))
    count *= spec.isCounted(axis) ? spec.most[axis] : extent;
  return count;
}

void HeaderWriter::sizes() {
  out << "/* Bytes of the workspace, "
      << (signature.sizes.empty() ? "and" : "enough for all extents, and")
      << " how it must be aligned. */\n"
      << "#define " << macro << "_WORKSPACE_SIZE " << signature.workspaceSize
      << "\n"
      << "#define " << macro << "_WORKSPACE_ALIGNMENT 64\n"
      << "/* Bytes of the weights inside the compiled model. */\n"
      << "#define " << macro << "_WEIGHTS_SIZE " << signature.weightsSize
      << "\n"
      << "/* Elements of each tensor"
      << (signature.sizes.empty() ? "" : " of static extents") << ". */\n";
  auto count = [&](llvm::ArrayRef<TensorSpec> specs,
                   llvm::ArrayRef<std::string> names) {
    for (auto [spec, name] : llvm::zip_equal(specs, names))
      if (isMostKnown(spec))
        out << "#define " << macro << "_" << name << "_MAX_ELEMENTS "
            << mostElements(spec) << "\n";
      else if (!spec.isDynamic())
        out << "#define " << macro << "_" << name << "_ELEMENTS "
            << spec.numElements() << "\n";
  };
  count(signature.inputs, inputs);
  count(signature.outputs, outputs);
}

/// What each extent that the caller gives may be.
void HeaderWriter::symbols() {
  if (extents.empty())
    return;
  out << " * Extents of the tensors:\n";
  for (auto [symbol, name] : llvm::zip_equal(signature.symbols, extents)) {
    out << " *   " << name << ": " << symbol.lowest;
    if (symbol.highest == SymbolSpec::unbounded)
      out << " or more";
    else if (symbol.highest != symbol.lowest)
      out << " to " << symbol.highest;
    if (symbol.name != name)
      out << ", in the model \"" << commentText(symbol.name) << "\"";
    out << "\n";
  }
  if (!signature.split || signature.symbols.size() > 1) {
    out << " *   There is code for";
    for (const SizeSpec &size : signature.sizes) {
      out << (&size == &signature.sizes.front() ? " " : ", ");
      llvm::interleave(
          llvm::enumerate(size.extents), out,
          [&](auto extent) {
            if (size.room && size.room->lowest[extent.index()] < extent.value())
              out << size.room->lowest[extent.index()] << "..";
            out << extent.value();
          },
          "x");
    }
    if (signature.split)
      out << ",\n *   and for sums of " << extents[*signature.split];
    out << ".\n";
  }
}

/// What the run finds out.
void HeaderWriter::counted() {
  for (auto [spec, output, name] :
       llvm::zip_equal(signature.outputs, outputs, found)) {
    if (name.empty())
      continue;
    out << " * " << name << ": the extents of " << output
        << " in this run, which data decide. The\n *   memory of " << output
        << " has room for the most; the elements lie side by side at\n *   "
           "its start.\n";
  }
}

void HeaderWriter::entry() {
  out << "/* Runs the model once, on "
      << (signature.threads == 1 ? "the calling thread.\n"
          : signature.threads == 0
              ? std::string("one thread for each CPU: the calling one and "
                            "those\n * of a pool, which the first call makes "
                            "and which stays.\n")
              : llvm::utostr(signature.threads) +
                    " threads: the calling one and those of a\n * pool, which "
                    "the first call makes and which stays.\n");
  symbols();
  out << " * Inputs (row-major, only read):\n";
  for (auto [spec, name] : llvm::zip_equal(signature.inputs, inputs))
    describe(spec, name);
  out << " * Outputs (written whole, must not overlap anything else):\n";
  for (auto [spec, name] : llvm::zip_equal(signature.outputs, outputs))
    describe(spec, name);
  counted();
  out << " * workspace: " << macro << "_WORKSPACE_SIZE bytes aligned to "
      << macro << "_WORKSPACE_ALIGNMENT, one for\n"
      << " *   each thread that calls; NULL lets the call allocate and free "
         "one.\n"
      << " * Returns 0, or a number of enum GravenStatus in graven/runtime.h. "
         "*/\n"
      << "int " << prefix << "_run(";
  for (const std::string &name : extents)
    out << "int64_t " << name << ", ";
  for (auto [spec, name] : llvm::zip_equal(signature.inputs, inputs)) {
    declare(spec, name, "const ");
    out << ", ";
  }
  for (auto [spec, name] : llvm::zip_equal(signature.outputs, outputs)) {
    declare(spec, name, "");
    out << ", ";
  }
  for (auto [spec, name] : llvm::zip_equal(signature.outputs, found))
    if (!name.empty())
      out << "int64_t " << name << "[" << spec.extents.size() << "], ";
  out << "void *workspace);\n";
}

std::string HeaderWriter::write() {
  for (auto [index, symbol] : llvm::enumerate(signature.symbols))
    extents.push_back(parameterName({symbol.name, {}, {}}, "extent", index));
  for (auto [index, spec] : llvm::enumerate(signature.inputs))
    inputs.push_back(parameterName(spec, "input", index));
  for (auto [index, spec] : llvm::enumerate(signature.outputs))
    outputs.push_back(parameterName(spec, "output", index));
  for (auto [spec, name] : llvm::zip_equal(signature.outputs, outputs))
    found.push_back(spec.isCounted()
                        ? parameterName({name + "_extents", {}, {}}, "extents",
                                        found.size())
                        : "");
  out << "/* The compiled model \"" << commentText(signature.name)
      << "\", made by Graven " GRAVEN_VERSION ".\n"
      << " * f16 and bf16 tensors are uint16_t, i1 tensors are uint8_t holding "
         "0 or 1. */\n"
      << "#ifndef GRAVEN_MODEL_" << macro << "_H\n"
      << "#define GRAVEN_MODEL_" << macro << "_H\n\n"
      << "#include <stdint.h>\n\n";
  sizes();
  out << "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  entry();
  out << "\n/* The same model for graven/runtime.h: any number of threads, "
         "checked\n"
      << " * shapes, error messages. */\n"
      << "extern const struct GravenModel " << prefix << "_model;\n\n"
      << "#ifdef __cplusplus\n} /* extern \"C\" */\n#endif\n\n"
      << "#endif /* GRAVEN_MODEL_" << macro << "_H */\n";
  return text;
}

} // namespace

std::string graven::cpu::makeHeader(const ModelSignature &signature) {
  return HeaderWriter(signature).write();
}

mlir::LogicalResult graven::cpu::writeHeader(const ModelSignature &signature,
                                             StringRef path,
                                             mlir::Location loc) {
  return writeFile(path,
                   llvm::arrayRefFromStringRef<char>(makeHeader(signature)),
                   FileMode::Plain, loc);
}
