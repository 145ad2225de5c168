//===- Write.cpp - a graph as text and safetensors ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements writing a module: the text, and beside it a safetensors
// file that holds the Parameters whose bytes are in some other file.
//===----------------------------------------------------------------------===//

#include "compiler/session/Session.h"
#include "compiler/support/OutputFile.h"
#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace graven {

static StringRef safetensorsType(Type element) {
  switch (dtypeOf(element)) {
  case GRAVEN_F16:
    return "F16";
  case GRAVEN_BF16:
    return "BF16";
  case GRAVEN_F32:
    return "F32";
  case GRAVEN_F64:
    return "F64";
  case GRAVEN_I1:
    return "BOOL";
  case GRAVEN_I8:
    return "I8";
  case GRAVEN_U8:
    return "U8";
  case GRAVEN_I16:
    return "I16";
  case GRAVEN_U16:
    return "U16";
  case GRAVEN_I32:
    return "I32";
  case GRAVEN_U32:
    return "U32";
  case GRAVEN_I64:
    return "I64";
  default:
    return "U64";
  }
}

/// Writes the Parameters to `path` and lets them refer to it.
static LogicalResult moveParams(ModuleOp module, ArrayRef<ParamOp> params,
                                OutputFile &file) {
  llvm::json::Object header;
  SmallVector<int64_t> begins;
  int64_t end = 0;
  for (ParamOp param : params) {
    RankedTensorType type = param.getTensorType();
    int64_t bytes =
        type.getNumElements() * eval::storageBytes(type.getElementType());
    llvm::json::Array shape(type.getShape());
    header[param.getSymName()] = llvm::json::Object{
        {"dtype", safetensorsType(type.getElementType())},
        {"shape", std::move(shape)},
        {"data_offsets", llvm::json::Array{end, end + bytes}}};
    begins.push_back(end);
    end += bytes;
  }
  std::string text;
  llvm::raw_string_ostream(text) << llvm::json::Value(std::move(header));
  text.resize(llvm::alignTo(text.size() + 8, 64) - 8, ' ');
  OutputStream os(file);
  uint64_t size = text.size();
  os.write(reinterpret_cast<const char *>(&size), sizeof(size));
  os << text;
  for (ParamOp param : params) {
    auto tensor = eval::readParam(param);
    if (failed(tensor))
      return failure();
    os.write(tensor->getBytes().data(), tensor->getBytes().size());
  }
  if (failed(os.finish()))
    return failure();
  int64_t data = 8 + static_cast<int64_t>(text.size());
  for (auto [i, begin] : llvm::enumerate(begins)) {
    ParamOp param = params[i];
    RankedTensorType type = param.getTensorType();
    int64_t bytes =
        type.getNumElements() * eval::storageBytes(type.getElementType());
    param.setValueAttr(BlobAttr::get(
        module.getContext(), llvm::sys::path::filename(file.path()),
        data + begin, bytes, ArrayRef<int64_t>(), false));
  }
  return success();
}

LogicalResult Session::write(ModuleOp module, StringRef path,
                             StringRef comments) {
  SmallVector<ParamOp> params;
  for (ParamOp param : module.getOps<ParamOp>())
    if (isa<BlobAttr>(param.getValue()))
      params.push_back(param);
  Location loc = module.getLoc();
  bool toFile = path != "-";
  std::optional<OutputFile> weights;
  if (!params.empty() && toFile) {
    SmallString<256> beside(path);
    llvm::sys::path::replace_extension(beside, "safetensors");
    if (beside == path)
      return emitCoded(loc, Code::BadOption)
             << "'" << path << "' is the name of the weights, not of the graph";
    auto file = OutputFile::create(beside, FileMode::Plain, loc);
    if (failed(file) || failed(moveParams(module, params, *file)))
      return failure();
    weights.emplace(std::move(*file));
  }
  auto print = [&](raw_ostream &os) {
    OpPrintingFlags flags;
    flags.elideLargeElementsAttrs(1 << 20);
    os << comments;
    module.print(os, flags);
    os << "\n";
  };
  if (!toFile)
    return print(llvm::outs()), success();
  auto file = OutputFile::create(path, FileMode::Plain, loc);
  if (failed(file))
    return failure();
  OutputStream os(*file);
  print(os);
  if (failed(os.finish()) || (weights && failed(weights->commit())))
    return failure();
  return file->commit();
}

} // namespace graven
