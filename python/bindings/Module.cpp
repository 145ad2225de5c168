//===- Module.cpp - the Python module graven._core --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the extension module that the package graven wraps.
//===----------------------------------------------------------------------===//
#include "python/bindings/Graph.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>

namespace nb = nanobind;
using namespace graven::python;

static std::unique_ptr<Model> loadModel(const std::string &path, int threads) {
  std::vector<Message> messages;
  std::optional<Artifact> artifact;
  {
    nb::gil_scoped_release release;
    artifact = load(path, messages);
  }
  if (!artifact)
    raise(messages);
  return std::make_unique<Model>(std::move(*artifact), threads);
}

NB_MODULE(_core, module) {
  // Models in global variables outlive the module at exit; that is no leak.
  nb::set_leak_warnings(false);
  module.attr("version") = GRAVEN_VERSION;
  bindModel(module);
  bindGraph(module);
  module.def("load", &loadModel, nb::arg("path"), nb::arg("threads"));
  module.def("is_artifact", &isArtifact, nb::arg("path"));
}
