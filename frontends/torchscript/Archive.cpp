//===- Archive.cpp - a TorchScript archive, or source text ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements Archive over the zip reader, the unpickler and the
// parser. Code records are parsed when a name in them is first asked for.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Archive.h"

#include "frontends/torchfile/Errors.h"
#include "frontends/torchfile/Unpickler.h"
#include "frontends/torchscript/Parser.h"

using namespace graven;
using namespace graven::torch;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using Kind = PickleValue::Kind;

/// The module that source text without an archive is taken to be.
static constexpr StringRef kTextModule = "__torch__";
/// The newest operator version this reader knows.
static constexpr unsigned kMaxVersion = 10;

/// `__torch__.a.b` is in the record `code/__torch__/a/b.py`.
static std::string codeRecord(StringRef module) {
  std::string record = "code/" + module.str() + ".py";
  std::replace(record.begin() + 5, record.end() - 3, '.', '/');
  return record;
}

Expected<std::unique_ptr<Archive>> Archive::fromSource(StringRef name,
                                                       StringRef text) {
  auto source = parseSource(name.str(), text.str());
  if (!source)
    return source.takeError();
  auto archive = std::make_unique<Archive>();
  archive->sources[kTextModule] = std::move(*source);
  return std::move(archive);
}

/// Says what an archive is that is no TorchScript, as helpfully as possible.
Error Archive::classify() const {
  if (zip->find("serialized_exported_program.json"))
    return parseError("archive is a torch.export program of PyTorch 2.1 to "
                      "2.7, expected TorchScript");
  if (zip->rootFolder().empty())
    return parseError("zip archive has no single root folder, so it is no "
                      "TorchScript archive");
  if (zip->find(path("archive_format")))
    return parseError("archive is a torch.export program (.pt2), expected "
                      "TorchScript");
  if (zip->find(path("model.json")))
    return parseError("archive is TorchScript of PyTorch before 1.4, whose "
                      "format is not supported");
  bool hasCode = llvm::any_of(zip->entries(), [&](const ZipEntry &entry) {
    return entry.name.starts_with(path("code/"));
  });
  if (hasCode && zip->find(path("data.pkl")))
    return Error::success();
  if (zip->find(path("data.pkl")))
    return parseError("archive holds weights only (torch.save), no graph; save "
                      "the model with torch.jit.trace or torch.jit.script");
  return parseError("zip archive has no data.pkl, so it is no TorchScript "
                    "archive");
}

Error Archive::readVersion() {
  const ZipEntry *entry = zip->find(path(".data/version"));
  if (!entry)
    entry = zip->find(path("version"));
  if (!entry)
    return parseError("archive has no version record");
  Expected<std::string> text = zip->read(*entry);
  if (!text)
    return text.takeError();
  if (StringRef(*text).trim().getAsInteger(10, fileVersion) ||
      fileVersion < 1 || fileVersion > kMaxVersion)
    return parseError("archive has version '",
                      printable(StringRef(*text).trim()), "', expected 1 to ",
                      kMaxVersion);
  if (const ZipEntry *order = zip->find(path("byteorder"))) {
    Expected<std::string> name = zip->read(*order);
    if (!name)
      return name.takeError();
    bigEndian = StringRef(*name).trim() == "big";
  }
  return Error::success();
}

bool torch::isPackedWeightsClass(StringRef name) {
  return name.consume_front("__torch__.torch.classes.quantized.") &&
         (name == "LinearPackedParamsBase" ||
          name == "Conv2dPackedParamsBase" || name == "Conv3dPackedParamsBase");
}

Expected<PickleValue *> Archive::readPickle(StringRef record) {
  const ZipEntry *entry = zip->find(path(record));
  if (!entry)
    return nullptr;
  Expected<std::string> bytes = zip->read(*entry);
  if (!bytes)
    return bytes.takeError();
  // A record that does not parse says more than "class not defined".
  std::string codeError;
  UnpickleOptions options;
  auto isClass = [&](StringRef qualified) {
    if (isPackedWeightsClass(qualified))
      return true;
    Expected<DefinedClass> found = findClass(qualified);
    if (!found)
      codeError = llvm::toString(found.takeError());
    return found && *found;
  };
  options.record = record;
  options.isClass = isClass;
  Expected<PickleValue *> value = unpickle(*bytes, arena, options);
  if (!value && !codeError.empty()) {
    llvm::consumeError(value.takeError());
    return parseError(codeError);
  }
  return value;
}

Expected<std::unique_ptr<Archive>> Archive::open(StringRef bytes,
                                                 ZipReader zip) {
  auto archive = std::make_unique<Archive>();
  archive->file = bytes;
  archive->zip = std::move(zip);
  if (Error error = archive->classify())
    return std::move(error);
  if (Error error = archive->readVersion())
    return std::move(error);
  struct Record {
    const char *name;
    const PickleValue *Archive::*value;
  };
  for (auto [name, value] :
       {Record{"data.pkl", &Archive::rootValue},
        Record{"constants.pkl", &Archive::constantsValue},
        Record{"traced_inputs.pkl", &Archive::tracedInputsValue}}) {
    Expected<PickleValue *> pickle = archive->readPickle(name);
    if (!pickle)
      return pickle.takeError();
    (*archive).*value = *pickle;
  }
  if (!archive->rootValue->is(Kind::Object))
    return parseError("data.pkl: the root is no module");
  if (archive->constantsValue && !archive->constantsValue->is(Kind::Tuple))
    return parseError("constants.pkl: expected a tuple");
  return std::move(archive);
}

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

bool Archive::hasModule(StringRef qualified) const {
  if (!zip)
    return qualified == kTextModule;
  return zip->find(path(codeRecord(qualified)));
}

Expected<const SourceFile *> Archive::load(StringRef module) {
  auto it = sources.find(module);
  if (it != sources.end())
    return it->second.get();
  if (!zip)
    return nullptr;
  std::string record = codeRecord(module);
  const ZipEntry *entry = zip->find(path(record));
  if (!entry)
    return nullptr;
  Expected<std::string> text = zip->read(*entry);
  if (!text)
    return text.takeError();
  auto source = parseSource(record, std::move(*text));
  if (!source)
    return source.takeError();
  return (sources[module] = std::move(*source)).get();
}

Expected<DefinedClass> Archive::findClass(StringRef qualified) {
  auto [module, name] = qualified.rsplit('.');
  Expected<const SourceFile *> source = load(module);
  if (!source)
    return source.takeError();
  const ClassDef *found = *source ? (*source)->findClass(name) : nullptr;
  return DefinedClass{*source, found, qualified.str()};
}

Expected<DefinedFunction> Archive::findFunction(StringRef qualified) {
  auto [module, name] = qualified.rsplit('.');
  Expected<const SourceFile *> source = load(module);
  if (!source)
    return source.takeError();
  const FunctionDef *found = *source ? (*source)->findFunction(name) : nullptr;
  return DefinedFunction{*source, found, qualified.str()};
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

Expected<StorageBytes> Archive::storage(StringRef folder,
                                        const PickleStorage &storage) const {
  if (storage.numel == 0)
    return StorageBytes();
  std::string name = (folder + "/" + storage.key).str();
  if (!zip)
    return parseError("tensor storage '", name, "' is not in the archive");
  return storageIn(*zip, path(name), name, storage);
}

//===----------------------------------------------------------------------===//
// Original source lines
//===----------------------------------------------------------------------===//

/// Reads ("FORMAT_WITH_STRING_TABLE", (string, ...), (range, ...)) with range =
/// (offset, ((text parts, file name, first line), start, end), id), where text
/// parts and file name are indices into the strings. Anything else is skipped:
/// the table only makes messages better.
void Archive::readDebugTable(const PickleValue &pickle,
                             DebugTable &table) const {
  if (!pickle.is(Kind::Tuple) || pickle.items.size() != 3 ||
      pickle.items[0]->text != "FORMAT_WITH_STRING_TABLE")
    return;
  const auto &strings = pickle.items[1]->items;
  for (const PickleValue *name : strings)
    table.names.push_back(name->text);
  auto isTuple = [](const PickleValue *v, size_t size) {
    return v->is(Kind::Tuple) && v->items.size() >= size;
  };
  for (const PickleValue *entry : pickle.items[2]->items) {
    if (!isTuple(entry, 2) || !isTuple(entry->items[1], 3) ||
        !isTuple(entry->items[1]->items[0], 3))
      return;
    const auto &range = entry->items[1]->items;
    const auto &source = range[0]->items;
    DebugRange result{static_cast<uint32_t>(entry->items[0]->integer), {}};
    size_t nameIndex = source[1]->integer;
    if (!source[0]->items.empty() && nameIndex < table.names.size()) {
      // The line is the first one plus the newlines before the start.
      int64_t left = range[1]->integer, line = source[2]->integer;
      for (const PickleValue *part : source[0]->items) {
        size_t index = part->integer;
        if (left <= 0 || index >= table.names.size())
          break;
        StringRef text = StringRef(table.names[index]).take_front(left);
        line += text.count('\n');
        left -= text.size();
      }
      if (line > 0 && line <= UINT32_MAX && !table.names[nameIndex].empty())
        result.line = {table.names[nameIndex], static_cast<unsigned>(line)};
    }
    table.ranges.push_back(result);
  }
  llvm::sort(table.ranges, [](const DebugRange &a, const DebugRange &b) {
    return a.offset < b.offset;
  });
}

std::optional<PythonLine> Archive::pythonLine(const SourceFile &source,
                                              uint32_t offset) {
  if (!zip)
    return std::nullopt;
  auto [it, isNew] = debugTables.try_emplace(source.record());
  DebugTable &table = it->second;
  if (isNew) {
    Expected<PickleValue *> pickle =
        readPickle((source.record() + ".debug_pkl").str());
    if (!pickle)
      llvm::consumeError(pickle.takeError());
    else if (*pickle)
      readDebugTable(**pickle, table);
  }
  auto range = llvm::upper_bound(
      table.ranges, offset,
      [](uint32_t at, const DebugRange &r) { return at < r.offset; });
  if (range == table.ranges.begin() || (--range)->line.line == 0)
    return std::nullopt;
  return range->line;
}
