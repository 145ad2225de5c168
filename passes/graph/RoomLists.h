//===- RoomLists.h - a graph and its samples side by side ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares where the walk over a Graph and its samples is
// (RoomMaker): the Nodes of each, without constants and Parameters, which are
// looked at where they are used.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_ROOMLISTS_H
#define PASSES_GRAPH_ROOMLISTS_H

#include "passes/graph/RoomMaker.h"

namespace graven {

struct RoomMaker::Lists {
  struct List {
    llvm::SmallVector<mlir::Operation *> nodes;
    size_t next = 0;

    explicit List(GraphOp graph) {
      for (mlir::Operation &node : graph.getBody().front().without_terminator())
        if (!mlir::isa<ConstantOp, GetParamOp>(node))
          nodes.push_back(&node);
    }
    mlir::Operation *get() const {
      return next < nodes.size() ? nodes[next] : nullptr;
    }
    size_t left() const { return nodes.size() - next; }
  };

  Lists(GraphOp graph, llvm::ArrayRef<RoomSample> samples) : own(graph) {
    for (const RoomSample &sample : samples)
      others.emplace_back(sample.graph);
  }

  /// The next Node of the Graph, null at its end.
  mlir::Operation *node() const { return own.get(); }
  size_t left() const { return own.left(); }
  mlir::Operation *sample(size_t k) const { return others[k].get(); }
  size_t left(size_t k) const { return others[k].left(); }
  /// `node` comes next in sample `k`.
  void insert(size_t k, mlir::Operation *node) {
    List &list = others[k];
    list.nodes.insert(list.nodes.begin() + list.next, node);
  }

  List own;
  llvm::SmallVector<List> others;
};

} // namespace graven

#endif // PASSES_GRAPH_ROOMLISTS_H
