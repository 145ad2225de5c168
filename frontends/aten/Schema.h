//===- Schema.h - the signatures of ATen operators ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares operator schemas, read from PyTorch's own text form, and
// the choice among the overloads of a name by the arguments of a call.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_SCHEMA_H
#define FRONTENDS_ATEN_SCHEMA_H

#include "frontends/aten/Value.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"

#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace graven::aten {

/// A type in a schema, as far as matching needs it.
struct SchemaType {
  enum class Base : uint8_t {
    Tensor,
    Int,
    Float,
    Bool,
    String,
    Number,
    Device,
    Any
  };
  Base base = Base::Any;
  bool isList = false;
  bool isOptional = false;    ///< of the whole type
  bool optionalItems = false; ///< a list of optional items
  unsigned listSize = 0;      ///< a scalar is repeated that often; 0 never
  llvm::StringRef aliasSet;   ///< "a" in Tensor(a!) or Tensor(a -> *)
  bool isWritten = false;     ///< Tensor(a!)
};

struct SchemaArgument {
  llvm::StringRef name;
  SchemaType type;
  bool keywordOnly = false;
  bool hasDefault = false;
  Value defaultValue;
};

struct Schema {
  llvm::StringRef name;     ///< "aten::add"
  llvm::StringRef overload; ///< "Tensor"
  std::vector<SchemaArgument> arguments;
  llvm::SmallVector<SchemaType, 1> results;
  bool isVariadic = false;
};

/// A call's arguments as written.
struct CallArguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> keywords;
};

/// How many implicit conversions a match may use.
enum class Conversion { None, Implicit, IntegerAsFloat };

/// The arguments in the order of the schema, defaults filled in, scalars
/// repeated to lists where the schema allows; nothing when they do not match.
std::optional<std::vector<Value>> matchArguments(const Schema &schema,
                                                 const CallArguments &call,
                                                 Conversion conversion);

/// The same with as little conversion as needed.
std::optional<std::vector<Value>> matchArguments(const Schema &schema,
                                                 const CallArguments &call);

/// The schemas built into the compiler.
class SchemaTable {
public:
  SchemaTable();
  /// The overloads of "aten::add", in PyTorch's order; empty when unknown.
  const std::deque<Schema> &overloads(llvm::StringRef name);

  struct Match {
    const Schema *schema;
    std::vector<Value> arguments;
  };
  /// The first overload that matches, without conversions before with them.
  std::optional<Match> resolve(llvm::StringRef name, const CallArguments &call);

private:
  /// Lines of the text by name; parsed when first asked for.
  llvm::StringMap<std::vector<llvm::StringRef>> lines;
  llvm::StringMap<std::deque<Schema>> parsed;
};

/// Parses one schema; the names in it are views of `text`.
std::optional<Schema> parseSchema(llvm::StringRef text);

} // namespace graven::aten

#endif // FRONTENDS_ATEN_SCHEMA_H
