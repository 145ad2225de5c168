#!/usr/bin/env python3
"""Creates a pass: definition, source, build entry and test, with names that agree.

usage: tools/dev/new-pass.py FuseConvBN graph --summary "folds batch normalization into convolutions"

The new pass works from the start: it rewrites x - (-y) ==> x + y, refuses where the negation has another user, counts
what it does, and has a test for each case. Replace the pattern, the description and the tests by what you are after.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import argparse
import re

from scaffold import LICENSE, Problem, banner, run, words

# What differs between the folders: the op that a pass runs on, and the dialect of the example.
ON_GRAPH = {
    "anchor": "::graven::GraphOp", "includes": ["dialects/graven/Graven.h"], "sub_op": "SubOp", "neg_op": "NegOp",
    "add_op": "AddOp", "right": "getB", "left": "getA", "negated": "getX", "sub": "graven.sub", "neg": "graven.neg",
    "add": "graven.add", "type": "tensor<4xf32>", "binary_type": "(tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>",
    "function": "graven.graph", "return": "graven.return",
}
ON_FUNC = {
    "anchor": "::mlir::func::FuncOp",
    "includes": ["mlir/Dialect/Arith/IR/Arith.h", "mlir/Dialect/Func/IR/FuncOps.h"], "sub_op": "arith::SubFOp",
    "neg_op": "arith::NegFOp", "add_op": "arith::AddFOp", "right": "getRhs", "left": "getLhs", "negated": "getOperand",
    "sub": "arith.subf", "neg": "arith.negf", "add": "arith.addf", "type": "f32", "binary_type": "f32",
    "function": "func.func", "return": "return",
}

DEFINITION = '''def {name} : Pass<"{flag}", "{anchor}"> {{
  let summary = "{summary}";
  let description = [{{
    Rewrites the difference to a negated value into a sum.

    ```mlir
    %1 = {neg} %0 : {type}
    %2 = {sub} %x, %1 : {binary_type}
    ```
    ==>
    ```mlir
    %2 = {add} %x, %0 : {binary_type}
    ```

    Preconditions: the negation has one user. Does not look through other ops.
  }}];
  let statistics = [Statistic<"numRewritten", "rewritten", "Number of differences rewritten">];
}}

'''

SOURCE = '''{banner}
{license}
//
// This file implements {name}, which {summary}.
//===----------------------------------------------------------------------===//

#include "passes/{folder}/Passes.h"
{includes}
#include "mlir/IR/PatternMatch.h"
#include "passes/graph/Explain.h"

namespace graven {{
#define GEN_PASS_DEF_{upper}
#include "passes/{folder}/Passes.h.inc"
}} // namespace graven

using namespace mlir;

namespace graven {{
namespace {{

/// x - (-y) ==> x + y
struct SubOfNeg : OpRewritePattern<{sub_op}> {{
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite({sub_op} sub,
                                PatternRewriter &rewriter) const override {{
    auto neg = sub.{right}().getDefiningOp<{neg_op}>();
    if (!neg)
      return rewriter.notifyMatchFailure(sub, "operand is not a negation");
    if (!neg->hasOneUse())
      return rewriter.notifyMatchFailure(sub, "negation has another user");
    rewriter.replaceOpWithNewOp<{add_op}>(sub, sub.getType(), sub.{left}(), neg.{negated}());
    return success();
  }}
}};

/// Counts what the patterns replace.
struct Counter : RewriterBase::Listener {{
  void notifyOperationReplaced(Operation *op, ValueRange) override {{
    replaced += isa<{sub_op}>(op);
  }}
  int64_t replaced = 0;
}};

struct {name}Pass : impl::{name}Base<{name}Pass> {{
  void runOnOperation() override {{
    RewritePatternSet patterns(&getContext());
    populate{name}Patterns(patterns);
    Counter counter;
    GreedyRewriteConfig config;
    config.setListener(&counter);
    applyPatternsExplained(*this, getOperation(), std::move(patterns), config);
    numRewritten += counter.replaced;
  }}
}};

}} // namespace

void populate{name}Patterns(RewritePatternSet &patterns) {{
  patterns.add<SubOfNeg>(patterns.getContext());
}}

}} // namespace graven
'''

TEST = '''// RUN: graven-opt --{flag} --split-input-file %s | FileCheck %s

// CHECK-LABEL: @adds_the_negated_value
//  CHECK-SAME: %[[X:.*]]: {type}, %[[Y:.*]]: {type}
//       CHECK: %[[SUM:.*]] = {add} %[[X]], %[[Y]]
//       CHECK: {return} %[[SUM]]
{function} @adds_the_negated_value(%x: {type}, %y: {type}) -> {type} {{
  %0 = {neg} %y : {type}
  %1 = {sub} %x, %0 : {binary_type}
  {return} %1 : {type}
}}

// -----

// CHECK-LABEL: @keeps_other_differences
//       CHECK: {sub}
{function} @keeps_other_differences(%x: {type}, %y: {type}) -> {type} {{
  %0 = {sub} %x, %y : {binary_type}
  {return} %0 : {type}
}}

// -----

// CHECK-LABEL: @keeps_when_the_negation_has_two_users
//       CHECK: %[[NEG:.*]] = {neg}
//       CHECK: {sub} %{{{{.*}}}}, %[[NEG]]
{function} @keeps_when_the_negation_has_two_users(%x: {type}, %y: {type}) -> ({type}, {type}) {{
  %0 = {neg} %y : {type}
  %1 = {sub} %x, %0 : {binary_type}
  {return} %0, %1 : {type}, {type}
}}
'''

HINTS = """next: replace the pattern and its description, then write the tests of what it does and of each precondition;
      tools/dev/build && tools/dev/test lint lit"""


def scaffold(edits, arguments):
    name, folder = arguments.name, arguments.folder
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]+", name):
        raise Problem(f"a pass is named like FuseConvBN, got '{name}'")
    if not edits.exists(f"passes/{folder}/Passes.td"):
        raise Problem(f"passes/{folder}/Passes.td does not exist; passes stand in folders that have one")
    short = "-".join(words(name))
    values = {
        **(ON_GRAPH if folder == "graph" else ON_FUNC), "name": name, "folder": folder, "flag": f"graven-{short}",
        "summary": arguments.summary.rstrip("."), "upper": name.upper(), "license": LICENSE,
        "banner": banner(f"{name}.cpp", " ".join(words(name))),
    }
    values["includes"] = "\n".join(f'#include "{include}"' for include in values["includes"])

    edits.create(f"passes/{folder}/{name}.cpp", SOURCE.format(**values))
    edits.create(f"test/passes/{folder}/{short}.mlir", TEST.format(**values))
    edits.insert_before(f"passes/{folder}/Passes.td", r"#endif", DEFINITION.format(**values))
    header = f"passes/{folder}/Passes.h"
    edits.insert_before(header, r"#define GEN_PASS_REGISTRATION",
                        f"/// The rewrites of {name}.\n"
                        f"void populate{name}Patterns(mlir::RewritePatternSet &patterns);\n\n")
    for include in ("mlir/Pass/Pass.h", "mlir/IR/PatternMatch.h"):
        if f'#include "{include}"' not in edits.read(header):
            add_include(edits, header, include)
    edits.add_source(f"passes/{folder}/CMakeLists.txt", f"{name}.cpp")


def add_include(edits, header, include):
    content = edits.read(header)
    first = re.search(r'^#include "mlir/', content, re.MULTILINE)
    if not first:
        raise Problem(f"{header} includes nothing of MLIR")
    edits.contents[header] = f'{content[:first.start()]}#include "{include}"\n{content[first.start():]}'


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="the pass, as in FuseConvBN")
    parser.add_argument("folder", help="the folder under passes/, as in graph")
    parser.add_argument("--summary", required=True, help="one line: what the pass does, in lower case, no full stop")
    run(scaffold, parser, HINTS)
