//===- Sides.cpp - what `graven verify` compares --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements running a model by native code, by the evaluator and by
// other runtimes.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Sides.h"
#include "compiler/cli/ShellCheck.h"
#include "compiler/session/NativeTrace.h"
#include "compiler/support/OutputFile.h"
#include "dialects/support/Diagnostics.h"
#include "frontends/onnx/Surgery.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace llvm;

namespace graven::cli {

static std::optional<Runner> parseRunner(StringRef word) {
  return llvm::StringSwitch<std::optional<Runner>>(word)
      .Case("evaluator", Runner::Evaluator)
      .Case("ort", Runner::Ort)
      .Case("torch", Runner::Torch)
      .Default(std::nullopt);
}

Side Side::parse(StringRef text) {
  auto [word, path] = text.split(':');
  if (auto runner = parseRunner(word))
    return {*runner, path.str()};
  return {Runner::Native, text.str()};
}

std::string Side::describe() const {
  switch (runner) {
  case Runner::Native:
    return (isArtifact() ? "artifact " : "native code of ") + path;
  case Runner::Evaluator:
    return "evaluator on " + path;
  case Runner::Ort:
    return peerName(PeerKind::Ort).str() + " on " + path;
  case Runner::Torch:
    return peerName(PeerKind::Torch).str() + " on " + path;
  }
  llvm_unreachable("all runners are listed");
}

FailureOr<Trace> SideRunner::run(const Side &side,
                                 MutableArrayRef<rt::Array> inputs,
                                 Depth depth) {
  switch (side.runner) {
  case Runner::Native:
    return runNative(side, inputs, depth);
  case Runner::Evaluator:
    return runEvaluator(side, inputs);
  case Runner::Ort:
    return depth == Depth::Nodes ? runOrtNodes(side, inputs)
                                 : runPeer(side, PeerKind::Ort, inputs);
  case Runner::Torch:
    return depth == Depth::Nodes ? runTorchNodes(side, inputs)
                                 : runPeer(side, PeerKind::Torch, inputs);
  }
  llvm_unreachable("all runners are listed");
}

FailureOr<Trace> SideRunner::runNative(const Side &side,
                                       MutableArrayRef<rt::Array> inputs,
                                       Depth depth) {
  MLIRContext *context = &session.getContext();
  FailureOr<rt::LoadedModel> loaded = failure();
  if (side.isArtifact()) {
    auto opened = rt::LoadedModel::load(side.path);
    if (!opened)
      return emitCoded(UnknownLoc::get(context), Code::BadArtifact)
             << opened.error().message;
    loaded = std::move(*opened);
  } else {
    auto module = session.import(side.path, import);
    if (failed(module))
      return failure();
    if (depth == Depth::Nodes)
      return traceNative(session, **module, options, inputs);
    loaded = session.load(**module, options);
    if (failed(loaded))
      return failure();
  }
  auto outputs = loaded->run(inputs);
  if (!outputs)
    return LogicalResult(graven::report(context, outputs.error()));
  return Trace{toTensors(context, *outputs), {}};
}

FailureOr<Trace> SideRunner::runEvaluator(const Side &side,
                                          MutableArrayRef<rt::Array> inputs) {
  auto module = session.import(side.path, import);
  if (failed(module))
    return failure();
  auto graph = requireGraph(**module);
  if (failed(graph))
    return failure();
  CodeScope scope(&session.getContext(), Code::RunFailed);
  return traceGraph(*graph, toTensors(&session.getContext(), inputs));
}

FailureOr<Trace> SideRunner::runPeer(const Side &side, PeerKind kind,
                                     MutableArrayRef<rt::Array> inputs) {
  MLIRContext *context = &session.getContext();
  auto peer = Peer::start(UnknownLoc::get(context), kind, side.path,
                          options.threads, inputs);
  if (failed(peer))
    return failure();
  auto outputs = peer->outputs();
  if (failed(outputs))
    return failure();
  return Trace{toTensors(context, *outputs), {}};
}

/// The path of a submodule and the line that the importers say of a Node.
namespace {
struct PlaceOfNode {
  std::string path, file;
  int64_t line = 0;

  explicit PlaceOfNode(Location loc) {
    if (auto name = dyn_cast<NameLoc>(loc)) {
      path = name.getName().str();
      loc = name.getChildLoc();
    }
    if (auto place = dyn_cast<FileLineColLoc>(loc)) {
      file = sys::path::filename(place.getFilename());
      line = place.getLine();
    }
  }

  bool isOf(const PeerNode &node) const {
    return node.path == path &&
           (line == 0 || llvm::any_of(node.lines, [&](const auto &place) {
              return place.first == file && place.second == line;
            }));
  }
};
} // namespace

/// What PyTorch's nodes give, at the places of the Nodes that were imported
/// from them. A node of its own is found by its path and line.
FailureOr<Trace> SideRunner::runTorchNodes(const Side &side,
                                           MutableArrayRef<rt::Array> inputs) {
  MLIRContext *context = &session.getContext();
  auto module = session.import(side.path, import);
  if (failed(module))
    return failure();
  auto graph = requireGraph(**module);
  if (failed(graph))
    return failure();
  auto peer = Peer::start(UnknownLoc::get(context), PeerKind::Torch, side.path,
                          options.threads, inputs);
  if (failed(peer))
    return failure();
  auto outputs = peer->outputs();
  auto nodes = peer->nodes();
  if (failed(outputs) || failed(nodes))
    return failure();
  Trace trace{toTensors(context, *outputs), {}};
  llvm::MapVector<Location, PlaceOfNode> places;
  for (OpResult value : tracedValues(*graph))
    places.insert({value.getLoc(), PlaceOfNode(value.getLoc())});
  for (PeerNode &node : *nodes) {
    rt::Array arrays[] = {std::move(*node.value)};
    eval::Tensor tensor = toTensors(context, arrays).front();
    for (const auto &[loc, place] : places)
      if (place.isOf(node))
        trace.nodes.push_back({placeKey(loc), node.path, loc, tensor});
  }
  return trace;
}

/// The model with all values of its own nodes as outputs, behind its own ones.
FailureOr<Trace> SideRunner::runOrtNodes(const Side &side,
                                         MutableArrayRef<rt::Array> inputs) {
  MLIRContext *context = &session.getContext();
  Location loc = UnknownLoc::get(context);
  StringMap<RankedTensorType> types;
  ImportOptions noting = import;
  noting.noteValue = [&](StringRef name, RankedTensorType type) {
    types[name] = type;
  };
  auto module = session.import(side.path, noting);
  auto values = listOnnxValues(context, side.path);
  auto summary = summarizeOnnx(context, side.path);
  if (failed(module) || failed(values) || failed(summary))
    return failure();
  GraphOp graph = graphOf(**module);
  std::vector<std::string> names;
  names.reserve(graph.getNumResults());
  for (unsigned i = 0; i < graph.getNumResults(); ++i)
    names.push_back(graph.getOutputName(i));
  size_t own = names.size();
  llvm::erase_if(*values, [&](const OnnxValue &value) {
    return !types.contains(value.name) || llvm::is_contained(names, value.name);
  });
  for (const OnnxValue &value : *values)
    names.push_back(value.name);
  auto typeOf = [&](StringRef name) -> FailureOr<RankedTensorType> {
    return types.lookup(name);
  };
  auto bytes = extractOnnx(context, side.path, {}, names, typeOf);
  auto folder = TemporaryFolder::create(loc);
  if (failed(bytes) || failed(folder))
    return failure();
  Side tapped{Runner::Ort, folder->file("m.onnx")};
  if (failed(writeFile(tapped.path, {bytes->data(), bytes->size()},
                       FileMode::Plain, loc)))
    return failure();
  FailureOr<Trace> trace = runPeer(tapped, PeerKind::Ort, inputs);
  if (failed(trace))
    return failure();
  for (auto [value, tensor] :
       llvm::zip_equal(*values, ArrayRef(trace->outputs).drop_front(own)))
    trace->nodes.push_back(
        {placeKey(value.place), value.name, value.place, tensor});
  trace->outputs.truncate(own);
  return trace;
}

} // namespace graven::cli
