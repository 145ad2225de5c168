//===- InspectWeights.cpp - what a file of weights holds ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the report of names, types, shapes and sharing of the
// tensors of a file.
//===----------------------------------------------------------------------===//

#include "compiler/cli/InspectWeights.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace graven::cli {

/// For each tensor the one whose name says best what it shares bytes with: the
/// first that is the same tensor, else the first of its storage.
static std::vector<size_t> matesOf(const Weights &weights) {
  std::vector<size_t> mates = weights.owners();
  DenseMap<size_t, SmallVector<size_t, 2>> members;
  for (auto [i, owner] : llvm::enumerate(mates)) {
    auto &earlier = members[owner];
    auto *same = llvm::find_if(earlier, [&, i = i](size_t other) {
      return weights.tensors[other].isTiedTo(weights.tensors[i]);
    });
    if (same != earlier.end())
      mates[i] = *same;
    else
      earlier.push_back(i);
  }
  return mates;
}

json::Object describeWeights(const Weights &weights) {
  json::Array tensors, opaque;
  int64_t elements = 0, bytes = 0;
  std::vector<size_t> mates = matesOf(weights);
  for (auto [i, tensor] : llvm::enumerate(weights.tensors)) {
    json::Object entry{{"name", json::fixUTF8(tensor.name)},
                       {"dtype", shortName(tensor.type)},
                       {"shape", json::Array(tensor.sizes)},
                       {"bytes", tensor.bytes()}};
    if (!tensor.isDense())
      entry["strides"] = json::Array(tensor.strides);
    if (!tensor.unsupported.empty())
      entry["unsupported"] = tensor.unsupported;
    if (mates[i] != i) {
      const WeightTensor &mate = weights.tensors[mates[i]];
      entry[mate.isTiedTo(tensor) ? "tied_to" : "shares_storage_with"] =
          json::fixUTF8(mate.name);
    }
    if (tensor.unsupported.empty()) {
      elements += tensor.elements();
      bytes += tensor.bytes();
    }
    tensors.push_back(std::move(entry));
  }
  for (const OpaqueValue &value : weights.opaque)
    opaque.push_back(json::Object{{"name", json::fixUTF8(value.name)},
                                  {"global", json::fixUTF8(value.what)},
                                  {"place", value.place}});
  json::Object report{
      {"format", weights.format},
      {"total",
       json::Object{
           {"count", static_cast<int64_t>(weights.tensors.size())},
           {"elements", elements},
           {"bytes", bytes},
           {"storage_bytes", static_cast<int64_t>(weights.storageBytes())}}},
      {"tensors", std::move(tensors)}};
  if (!opaque.empty())
    report["opaque"] = std::move(opaque);
  return report;
}

void printWeights(const Weights &weights, raw_ostream &os) {
  os << weights.format << "\n";
  int64_t elements = 0, bytes = 0;
  std::vector<size_t> mates = matesOf(weights);
  for (auto [i, tensor] : llvm::enumerate(weights.tensors)) {
    os << "tensor " << tensor.name << ": ";
    if (!tensor.unsupported.empty()) {
      os << tensor.unsupported << "\n";
      continue;
    }
    os << typeText(tensor);
    if (!tensor.isDense()) {
      os << " strides [";
      llvm::interleave(tensor.strides, os, ",");
      os << "]";
    }
    if (mates[i] != i) {
      const WeightTensor &mate = weights.tensors[mates[i]];
      os << (mate.isTiedTo(tensor) ? ", the same as " : ", shares bytes with ")
         << mate.name;
    }
    os << "\n";
    elements += tensor.elements();
    bytes += tensor.bytes();
  }
  for (const OpaqueValue &value : weights.opaque)
    os << "left out " << value.name << ": made by " << value.what << "\n";
  os << "tensors " << weights.tensors.size() << ", " << elements
     << " elements, " << bytes << " bytes in storages of "
     << weights.storageBytes() << " bytes\n";
}

} // namespace graven::cli
