//===- Graph.h - Graphs of Python -------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what graven.Graph is made of, and compiling one.
//===----------------------------------------------------------------------===//
#ifndef PYTHON_BINDINGS_GRAPH_H
#define PYTHON_BINDINGS_GRAPH_H

#include "python/bindings/Model.h"
#include "python/bindings/Program.h"

namespace graven::python {

/// Adds the class _core.Graph and the function compile to the module.
void bindGraph(nanobind::module_ &module);

} // namespace graven::python

#endif // PYTHON_BINDINGS_GRAPH_H
