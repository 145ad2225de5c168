//===- Architecture.cpp - NVIDIA GPUs by their names -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the table of GPU architectures.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/Architecture.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace graven::cuda {

static ArrayRef<Architecture> architectures() {
  static const Architecture all[] = {
      {"sm_80", 8, 0, "+ptx70"},
      {"sm_86", 8, 6, "+ptx71"},
      {"sm_89", 8, 9, "+ptx78"},
      {"sm_90", 9, 0, "+ptx78"},
      {"sm_90a", 9, 0, "+ptx80", MatrixUnits::Warpgroups},
      {"sm_100", 10, 0, "+ptx86"},
      {"sm_120", 12, 0, "+ptx87"},
  };
  return all;
}

std::optional<DeviceRequest> DeviceRequest::parse(StringRef target) {
  DeviceRequest request;
  if (target == "cpu")
    return request;
  if (!target.consume_front("cuda"))
    return std::nullopt;
  if (target.consume_back(",cpu"))
    request.fallback = WithoutDevice::Cpu;
  if (target.empty())
    request.architectures = cuda::architectures().front().name;
  else if (target.consume_front(":") && !target.empty())
    request.architectures = target;
  else
    return std::nullopt;
  return request;
}

FailureOr<SmallVector<Architecture>> findArchitectures(StringRef names,
                                                       Location loc) {
  SmallVector<Architecture> found;
  SmallVector<StringRef> parts;
  names.split(parts, ',');
  for (StringRef name : parts) {
    auto named = [&](const Architecture &it) { return it.name == name; };
    const auto *known = llvm::find_if(architectures(), named);
    if (known == architectures().end()) {
      auto toName = [](const Architecture &it) { return it.name; };
      return emitCoded(loc, Code::BadOption)
             << "--target cuda takes "
             << llvm::join(llvm::map_range(architectures(), toName), ", ")
             << ", got '" << name << "'";
    }
    if (llvm::any_of(found, named))
      return emitCoded(loc, Code::BadOption)
             << "--target names '" << name << "' twice";
    found.push_back(*known);
  }
  return found;
}

} // namespace graven::cuda
