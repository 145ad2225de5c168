//===- WeightsFile.cpp - weights files in and out -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements telling the formats of weights apart, reading them, and
// writing safetensors.
//===----------------------------------------------------------------------===//

#include "compiler/session/WeightsFile.h"
#include "compiler/support/OutputFile.h"
#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "frontends/onnx/Import.h"
#include "frontends/safetensors/Safetensors.h"
#include "frontends/torchexport/Import.h"
#include "frontends/torchfile/StateDict.h"
#include "frontends/torchscript/Import.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace graven {

/// What is listed of one mistake.
static constexpr size_t mostListed = 100;

FailureOr<std::unique_ptr<llvm::MemoryBuffer>> openFile(MLIRContext *context,
                                                        StringRef path) {
  Location loc = FileLineColLoc::get(context, path, 0, 0);
  auto refuse = [&](const Twine &why) {
    return emitCoded(loc, Code::CannotRead)
           << "cannot read '" << path << "': " << why.str();
  };
  // A device may never end; a pipe ends when its writer does.
  llvm::sys::fs::file_status status;
  using llvm::sys::fs::file_type;
  if (path != "-") {
    if (std::error_code error = llvm::sys::fs::status(path, status))
      return refuse(error.message());
    if (status.type() == file_type::directory_file)
      return refuse("it is a folder");
    if (status.type() != file_type::regular_file &&
        status.type() != file_type::fifo_file)
      return refuse("not a regular file");
  }
  // Without a terminator the file is mapped, not read: weights stay where they
  // are until somebody asks for them.
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(
      path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return refuse(buffer.getError().message());
  return std::move(*buffer);
}

bool isWeights(StringRef bytes) {
  if (torch::isLegacyFile(bytes) || safetensors::isFile(bytes))
    return true;
  if (!torch::ZipReader::isZip(bytes))
    return safetensors::isIndex(bytes);
  auto zip = torch::ZipReader::open(bytes);
  if (!zip) {
    llvm::consumeError(zip.takeError());
    return false;
  }
  return !isTorchExport(*zip) && torch::isSavedObject(*zip);
}

bool isWeightsFile(StringRef path) {
  // What cannot be opened, or read twice, is for the model's readers.
  llvm::sys::fs::file_status status;
  if (path == "-" || llvm::sys::fs::status(path, status) ||
      status.type() != llvm::sys::fs::file_type::regular_file)
    return false;
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  return buffer && isWeights((*buffer)->getBuffer());
}

std::vector<SymbolRange> symbolRanges(StringRef path) {
  llvm::sys::fs::file_status status;
  if (path == "-" || llvm::sys::fs::status(path, status) ||
      status.type() != llvm::sys::fs::file_type::regular_file)
    return {};
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer || !torch::ZipReader::isZip((*buffer)->getBuffer()))
    return {};
  auto zip = torch::ZipReader::open((*buffer)->getBuffer());
  llvm::Expected<std::vector<SymbolRange>> ranges = std::vector<SymbolRange>();
  if (!zip)
    ranges = zip.takeError();
  else if (isTorchExport(*zip))
    ranges = torchExportSymbols((*buffer)->getBuffer(), std::move(*zip));
  if (ranges)
    return std::move(*ranges);
  llvm::consumeError(ranges.takeError());
  return {};
}

int64_t usualExtent(ArrayRef<SymbolRange> ranges, StringRef symbol) {
  int64_t extent = 8;
  for (const SymbolRange &range : ranges)
    if (range.symbol == symbol)
      extent =
          std::clamp(extent, range.lowest,
                     std::max(range.lowest, range.highest.value_or(INT64_MAX)));
  return extent;
}

/// What part of a file an error of the readers speaks of.
static Code codeOf(StringRef message, StringRef format) {
  if (message.contains("pickle byte"))
    return Code::BadPickle;
  if (format == "safetensors")
    return Code::BadSafetensors;
  if (message.starts_with("zip "))
    return Code::BadArchive;
  return message.contains("storage '") || message.contains("tensor '")
             ? Code::BadTensor
             : Code::BadArchive;
}

/// The Parameters of a graph in text.
static FailureOr<Weights> graphWeights(Session &session, StringRef path) {
  auto module = session.import(path, {});
  if (failed(module))
    return failure();
  MLIRContext *context = &session.getContext();
  auto &store = context->getOrLoadDialect<GravenDialect>()->getBlobStore();
  Weights weights;
  weights.format = "graph";
  for (ParamOp param : (**module).getOps<ParamOp>()) {
    auto type = aten::fromMLIR(param.getTensorType().getElementType());
    if (!type)
      continue;
    WeightTensor tensor;
    tensor.name = param.getSymName().str();
    tensor.type = *type;
    ArrayRef<int64_t> shape = param.getTensorType().getShape();
    tensor.sizes.assign(shape.begin(), shape.end());
    setDense(tensor);
    tensor.file = weights.files.size();
    if (auto blob = dyn_cast<BlobAttr>(param.getValue())) {
      auto bytes =
          store.read(blob.getFile(), blob.getOffset(), blob.getLength());
      if (!bytes)
        return emitCoded(param.getLoc(), Code::BadTensor)
               << llvm::toString(bytes.takeError());
      ArrayRef<int64_t> strides = blob.getStrides();
      if (!strides.empty())
        tensor.strides.assign(strides.begin(), strides.end());
      weights.bigEndian |= blob.getBigEndian();
      weights.files.push_back(llvm::MemoryBuffer::getMemBuffer(
          *bytes, "", /*RequiresNullTerminator=*/false));
    } else {
      auto elements = eval::readParam(param);
      if (failed(elements))
        return failure();
      auto bytes = elements->getBytes();
      weights.files.push_back(llvm::MemoryBuffer::getMemBufferCopy(
          StringRef(bytes.data(), bytes.size())));
    }
    tensor.length = weights.files.back()->getBufferSize();
    weights.tensors.push_back(std::move(tensor));
  }
  return weights;
}

static LogicalResult checkOpaque(const Weights &weights, Location loc) {
  if (weights.opaque.empty())
    return success();
  auto diagnostic =
      emitCoded(loc, Code::BadPickle)
      << weights.opaque.size()
      << (weights.opaque.size() == 1 ? " value is" : " values are")
      << " neither tensors nor plain data; --allow-opaque leaves "
         "them out:";
  for (const OpaqueValue &value :
       ArrayRef(weights.opaque).take_front(mostListed))
    diagnostic << "\n  '" << value.name << "' is made by '" << value.what
               << "', which is not on the list of allowed names ("
               << value.place << ")";
  return diagnostic;
}

FailureOr<Weights> readWeights(Session &session, StringRef path,
                               OpaqueValues opaque) {
  MLIRContext *context = &session.getContext();
  Location loc = FileLineColLoc::get(context, path, 0, 0);
  auto opened = openFile(context, path);
  if (failed(opened))
    return failure();
  StringRef folder = llvm::sys::path::parent_path(path);
  folder = folder.empty() ? "." : folder;
  StringRef bytes = (*opened)->getBuffer(), format;
  llvm::Expected<Weights> weights = Weights();
  if (torch::isLegacyFile(bytes)) {
    weights = torch::readLegacyFile(std::move(*opened));
  } else if (safetensors::isFile(bytes)) {
    format = "safetensors";
    weights = safetensors::read(std::move(*opened));
  } else if (torch::ZipReader::isZip(bytes)) {
    auto zip = torch::ZipReader::open(bytes);
    if (!zip)
      weights = zip.takeError();
    else if (isTorchExport(*zip))
      weights = torchExportWeights(std::move(*opened), std::move(*zip));
    else if (torch::isSavedObject(*zip))
      weights = torch::readSavedObject(std::move(*opened), *zip);
    else
      weights = torchScriptWeights(std::move(*opened), std::move(*zip));
  } else if (safetensors::isIndex(bytes)) {
    format = "safetensors";
    weights = safetensors::readIndex(**opened, folder);
  } else if (detectFormat(bytes) == ModelFormat::Onnx) {
    return onnxWeights(context, std::move(*opened), folder);
  } else {
    return graphWeights(session, path);
  }
  if (!weights) {
    std::string message = llvm::toString(weights.takeError());
    return emitCoded(loc, codeOf(message, format)) << message;
  }
  if (opaque == OpaqueValues::Refused && failed(checkOpaque(*weights, loc)))
    return failure();
  return std::move(*weights);
}

LogicalResult writeSafetensors(const Weights &weights, StringRef path,
                               Location loc) {
  // Wide elements first, so that each begins at a multiple of its width.
  std::vector<const WeightTensor *> order;
  for (const WeightTensor &tensor : weights.tensors) {
    if (!tensor.unsupported.empty())
      return emitCoded(loc, Code::UnsupportedFeature)
             << "tensor '" << tensor.name << "' is " << tensor.unsupported;
    order.push_back(&tensor);
  }
  llvm::sort(order, [](const WeightTensor *a, const WeightTensor *b) {
    return std::pair(-aten::itemSize(a->type), a) <
           std::pair(-aten::itemSize(b->type), b);
  });
  auto header = safetensors::header(order);
  if (!header)
    return emitCoded(loc, Code::UnsupportedFeature)
           << llvm::toString(header.takeError());
  auto file = OutputFile::create(path, FileMode::Plain, loc);
  if (failed(file) || failed(file->write(*header)))
    return failure();
  size_t unreleased = 0;
  for (const WeightTensor *tensor : order) {
    auto write = [&](ArrayRef<char> piece) -> llvm::Error {
      if (failed(file->write(piece)))
        return llvm::createStringError("");
      return llvm::Error::success();
    };
    if (llvm::Error error = weights.read(*tensor, write)) {
      // The file has said why.
      llvm::consumeError(std::move(error));
      return failure();
    }
    // Each byte is read once; what was read need not stay in memory.
    unreleased += tensor->bytes();
    if (tensor->hasBytes() && unreleased >= (size_t(16) << 20)) {
      weights.files[tensor->file]->dontNeedIfMmap();
      unreleased = 0;
    }
  }
  return file->commit();
}

} // namespace graven
