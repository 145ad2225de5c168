//===- Unpickler.cpp - reads the pickles of a model safely ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the pickle machine: a loop over opcodes with a stack, a
// stack of marks and a memo. Every pop is checked, every length is compared
// with the bytes that remain, and no step recurses.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchfile/Unpickler.h"

#include "frontends/torchfile/Errors.h"
#include "frontends/torchfile/PickleGlobals.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/Endian.h"

#include <bit>

using namespace graven::torch;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using Kind = PickleValue::Kind;

namespace {

/// The opcodes of protocol 2 that torch's picklers write.
enum Opcode : uint8_t {
  MARK = '(',
  STOP = '.',
  BINGET = 'h',
  LONG_BINGET = 'j',
  BINPUT = 'q',
  LONG_BINPUT = 'r',
  BINFLOAT = 'G',
  BININT = 'J',
  BININT1 = 'K',
  BININT2 = 'M',
  NONE = 'N',
  BINPERSID = 'Q',
  REDUCE = 'R',
  BINUNICODE = 'X',
  APPEND = 'a',
  BUILD = 'b',
  GLOBAL = 'c',
  DICT = 'd',
  APPENDS = 'e',
  LIST = 'l',
  SETITEM = 's',
  TUPLE = 't',
  SETITEMS = 'u',
  EMPTY_DICT = '}',
  EMPTY_LIST = ']',
  EMPTY_TUPLE = ')',
  SHORT_BINSTRING = 'U',
  BINSTRING = 'T',
  PROTO = 0x80,
  NEWOBJ = 0x81,
  TUPLE1 = 0x85,
  TUPLE2 = 0x86,
  TUPLE3 = 0x87,
  NEWTRUE = 0x88,
  NEWFALSE = 0x89,
  LONG1 = 0x8a,
};

class Machine {
public:
  Machine(StringRef bytes, PickleArena &arena, const UnpickleOptions &options)
      : bytes(bytes), arena(arena), options(options) {}
  Expected<PickleValue *> run();

private:
  Error step(uint8_t opcode);
  Error pushNumber(uint8_t opcode);
  Error pushText(uint64_t lengthBytes);
  Error pushGlobal();
  Error buildContainer(uint8_t opcode);
  Error put(uint64_t index);
  Error get(uint64_t index);
  Error reduce();
  Error newObject();
  Error build();
  Error setItems(size_t count);
  Error append(size_t count);
  Error makeTuple(size_t count);

  /// Little-endian number of `length` bytes, or nothing at the end.
  std::optional<uint64_t> number(uint64_t length);
  std::optional<StringRef> line();
  /// Values above the topmost mark, which is taken.
  std::optional<size_t> popMark();
  size_t available() const {
    return stack.size() - (marks.empty() ? 0 : marks.back());
  }
  PickleValue *pop() {
    PickleValue *value = stack.back();
    stack.pop_back();
    return value;
  }
  PickleValue *push(Kind kind) {
    stack.push_back(arena.make(kind));
    return stack.back();
  }
  static Error underflow() { return parseError("stack underflow"); }
  static Error truncated() { return parseError("ends within an operation"); }

  StringRef bytes;
  PickleArena &arena;
  const UnpickleOptions &options;
  size_t position = 0;
  std::vector<PickleValue *> stack;
  std::vector<size_t> marks; ///< stack heights
  llvm::DenseMap<uint32_t, PickleValue *> memo;
};

} // namespace

std::optional<uint64_t> Machine::number(uint64_t length) {
  if (bytes.size() - position < length)
    return std::nullopt;
  uint64_t value = 0;
  for (uint64_t i = 0; i < length; ++i)
    value |= uint64_t(uint8_t(bytes[position + i])) << (8 * i);
  position += length;
  return value;
}

std::optional<StringRef> Machine::line() {
  size_t end = bytes.find('\n', position);
  if (end == StringRef::npos)
    return std::nullopt;
  StringRef text = bytes.slice(position, end);
  position = end + 1;
  return text;
}

std::optional<size_t> Machine::popMark() {
  if (marks.empty())
    return std::nullopt;
  size_t count = stack.size() - marks.back();
  marks.pop_back();
  return count;
}

Expected<PickleValue *> Machine::run() {
  auto fail = [&](size_t at, Error error) -> Error {
    return parseError(options.record, ": pickle byte ", at, ": ",
                      llvm::toString(std::move(error)));
  };
  if (bytes.size() < 2 || uint8_t(bytes[0]) != PROTO || bytes[1] != 2)
    return fail(0, parseError("expected a pickle of protocol 2"));
  position = 2;
  for (uint64_t count = 0; position < bytes.size(); ++count) {
    if (count >= options.maxOperations)
      return fail(position, parseError("more than ", options.maxOperations,
                                       " operations"));
    size_t at = position;
    uint8_t opcode = bytes[position++];
    if (opcode == STOP) {
      if (stack.size() != 1 || !marks.empty())
        return fail(at, parseError("stops with ", stack.size(), " values"));
      if (options.end)
        *options.end = position;
      else if (position != bytes.size())
        return fail(position, parseError(bytes.size() - position,
                                         " bytes after the end"));
      return stack.back();
    }
    if (Error error = step(opcode))
      return fail(at, std::move(error));
  }
  return fail(position, parseError("ends without a stop"));
}

Error Machine::step(uint8_t opcode) {
  std::optional<uint64_t> index;
  switch (opcode) {
  case MARK:
    marks.push_back(stack.size());
    return Error::success();
  case BINPUT:
  case LONG_BINPUT:
    index = number(opcode == BINPUT ? 1 : 4);
    return index ? put(*index) : truncated();
  case BINGET:
  case LONG_BINGET:
    index = number(opcode == BINGET ? 1 : 4);
    return index ? get(*index) : truncated();
  case BINFLOAT:
  case BININT:
  case BININT1:
  case BININT2:
  case LONG1:
    return pushNumber(opcode);
  case BINUNICODE:
  case BINSTRING:
    return pushText(4);
  case SHORT_BINSTRING:
    return pushText(1);
  case NONE:
    push(Kind::None);
    return Error::success();
  case NEWTRUE:
  case NEWFALSE:
    push(Kind::Bool)->integer = opcode == NEWTRUE;
    return Error::success();
  case GLOBAL:
    return pushGlobal();
  case REDUCE:
    return reduce();
  case NEWOBJ:
    return newObject();
  case BUILD:
    return build();
  case BINPERSID: {
    if (available() < 1)
      return underflow();
    Expected<PickleValue *> value = loadPersistent(*pop(), arena);
    if (!value)
      return value.takeError();
    stack.push_back(*value);
    return Error::success();
  }
  default:
    return buildContainer(opcode);
  }
}

Error Machine::buildContainer(uint8_t opcode) {
  switch (opcode) {
  case EMPTY_TUPLE:
    return makeTuple(0);
  case TUPLE1:
  case TUPLE2:
  case TUPLE3:
    return makeTuple(opcode - TUPLE1 + 1);
  case EMPTY_LIST:
    push(Kind::List);
    return Error::success();
  case EMPTY_DICT:
    push(Kind::Dict);
    return Error::success();
  case APPEND:
    return append(1);
  case SETITEM:
    return setItems(2);
  case TUPLE:
  case LIST:
  case DICT:
  case APPENDS:
  case SETITEMS: {
    std::optional<size_t> count = popMark();
    if (!count)
      return parseError("no mark");
    if (opcode == TUPLE)
      return makeTuple(*count);
    if (opcode == APPENDS)
      return append(*count);
    if (opcode == SETITEMS)
      return setItems(*count);
    if (opcode == DICT && *count % 2)
      return parseError("dict of ", *count, " values");
    PickleValue *value = arena.make(opcode == LIST ? Kind::List : Kind::Dict);
    value->items.assign(stack.end() - *count, stack.end());
    stack.resize(stack.size() - *count);
    stack.push_back(value);
    return Error::success();
  }
  default:
    return parseError("opcode ", unsigned(opcode), " is not allowed");
  }
}

Error Machine::pushNumber(uint8_t opcode) {
  uint64_t length = opcode == BINFLOAT  ? 8
                    : opcode == BININT  ? 4
                    : opcode == BININT2 ? 2
                                        : 1;
  std::optional<uint64_t> value = number(length);
  if (!value)
    return truncated();
  if (opcode == BINFLOAT) {
    push(Kind::Float)->real =
        std::bit_cast<double>(llvm::byteswap<uint64_t>(*value));
    return Error::success();
  }
  if (opcode == LONG1) {
    uint64_t bytesOfLong = *value;
    if (bytesOfLong > 8)
      return parseError("integer of ", bytesOfLong,
                        " bytes, expected at most 8");
    value = number(bytesOfLong);
    if (!value)
      return truncated();
    unsigned shift = 64 - 8 * bytesOfLong;
    push(Kind::Int)->integer =
        bytesOfLong ? int64_t(*value << shift) >> shift : 0;
    return Error::success();
  }
  push(Kind::Int)->integer =
      opcode == BININT ? int64_t(int32_t(*value)) : int64_t(*value);
  return Error::success();
}

Error Machine::pushText(uint64_t lengthBytes) {
  std::optional<uint64_t> length = number(lengthBytes);
  if (!length)
    return truncated();
  if (*length > bytes.size() - position)
    return parseError("string of ", *length, " bytes with ",
                      bytes.size() - position, " left");
  push(Kind::String)->text = bytes.substr(position, *length).str();
  position += *length;
  return Error::success();
}

Error Machine::pushGlobal() {
  size_t start = position - 1;
  std::optional<StringRef> module = line();
  std::optional<StringRef> name = module ? line() : std::nullopt;
  if (!name)
    return truncated();
  if (*module == "__torch__" || module->starts_with("__torch__.")) {
    std::string full = (*module + "." + *name).str();
    if (!options.isClass || !options.isClass(full))
      return parseError("class '", printable(full),
                        "' is not defined by the archive");
    push(Kind::Global)->text = full;
    return Error::success();
  }
  if (!isAllowedGlobal(*module, *name) &&
      options.unknown == UnknownGlobals::Opaque) {
    PickleValue *value = push(Kind::Opaque);
    value->text = (*module + "." + *name).str();
    value->integer = start;
    return Error::success();
  }
  if (!isAllowedGlobal(*module, *name))
    return parseError("global '", printable(*module), ".", printable(*name),
                      "' is not on the list of allowed names");
  push(Kind::Global)->text = (*module + " " + *name).str();
  return Error::success();
}

Error Machine::put(uint64_t index) {
  if (available() < 1)
    return underflow();
  // DenseMap reserves the two largest keys; no writer gets there.
  if (index >= 0xfffffffe)
    return parseError("memo index ", index);
  memo[index] = stack.back();
  return Error::success();
}

Error Machine::get(uint64_t index) {
  auto it = index >= 0xfffffffe ? memo.end() : memo.find(index);
  if (it == memo.end())
    return parseError("memo has no value ", index);
  stack.push_back(it->second);
  return Error::success();
}

Error Machine::makeTuple(size_t count) {
  if (stack.size() < count || (!marks.empty() && available() < count))
    return underflow();
  PickleValue *value = arena.make(Kind::Tuple);
  value->items.assign(stack.end() - count, stack.end());
  stack.resize(stack.size() - count);
  stack.push_back(value);
  return Error::success();
}

Error Machine::append(size_t count) {
  if (available() < count + 1)
    return underflow();
  PickleValue *list = stack[stack.size() - count - 1];
  if (list->is(Kind::Opaque)) {
    stack.resize(stack.size() - count);
    return Error::success();
  }
  if (!list->is(Kind::List))
    return parseError("append to something that is no list");
  list->items.insert(list->items.end(), stack.end() - count, stack.end());
  stack.resize(stack.size() - count);
  return Error::success();
}

Error Machine::setItems(size_t count) {
  if (count % 2)
    return parseError("dict is given ", count, " values");
  if (available() < count + 1)
    return underflow();
  PickleValue *dict = stack[stack.size() - count - 1];
  if (dict->is(Kind::Opaque)) {
    stack.resize(stack.size() - count);
    return Error::success();
  }
  if (!dict->is(Kind::Dict))
    return parseError("items are set on something that is no dict");
  dict->items.insert(dict->items.end(), stack.end() - count, stack.end());
  stack.resize(stack.size() - count);
  return Error::success();
}

Error Machine::reduce() {
  if (available() < 2)
    return underflow();
  PickleValue *arguments = pop(), *global = pop();
  if (global->is(Kind::Opaque)) {
    PickleValue *result = push(Kind::Opaque);
    result->text = global->text;
    result->integer = global->integer;
    return Error::success();
  }
  if (!global->is(Kind::Global))
    return parseError("reduce calls something that is no global");
  Expected<PickleValue *> value = callGlobal(*global, *arguments, arena);
  if (!value)
    return value.takeError();
  stack.push_back(*value);
  return Error::success();
}

Error Machine::newObject() {
  if (available() < 2)
    return underflow();
  PickleValue *arguments = pop(), *global = pop();
  if (global->is(Kind::Opaque) && arguments->is(Kind::Tuple)) {
    PickleValue *object = push(Kind::Object);
    object->text = global->text;
    object->integer = global->integer;
    return Error::success();
  }
  if (!global->is(Kind::Global) ||
      !StringRef(global->text).starts_with("__torch__") ||
      !arguments->is(Kind::Tuple) || !arguments->items.empty())
    return parseError("object is made of something that is no class");
  push(Kind::Object)->text = global->text;
  return Error::success();
}

Error Machine::build() {
  if (available() < 2)
    return underflow();
  PickleValue *state = pop(), *target = stack.back();
  // Attributes of what is no object (`_metadata` of a state_dict) mean nothing.
  if (options.unknown == UnknownGlobals::Opaque &&
      (target->is(Kind::Opaque) || target->is(Kind::Dict) ||
       target->is(Kind::Tensor)))
    return Error::success();
  if (!target->is(Kind::Object) || !target->items.empty())
    return parseError("state is given to something that is no new object");
  target->items.push_back(state);
  return Error::success();
}

Expected<PickleValue *>
graven::torch::unpickle(StringRef bytes, PickleArena &arena,
                        const UnpickleOptions &options) {
  return Machine(bytes, arena, options).run();
}
