//===- Faults.cpp - rewrites that are wrong ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file lists the wrong rewrites.
//===----------------------------------------------------------------------===//

#include "test/unit/passes/verify/Faults.h"

#include "dialects/graven/Graven.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

#define F46 "tensor<4x6xf32>"
#define XY "%x: " F46 ", %z: " F46
#define BINARY " %x, %z : (" F46 ", " F46 ") -> " F46
#define IMAGE "tensor<1x4x6x6xf32>"
#define KERNEL "tensor<4x4x3x3xf32>"
#define CONV "(" IMAGE ", " KERNEL ") -> " IMAGE
#define V4 "tensor<4xf32>"
#define NORM "(" IMAGE ", " V4 ", " V4 ", " V4 ", " V4 ") -> " IMAGE
#define STATS                                                                  \
  "%v = graven.constant dense<[1.0, 0.5, 2.0, 0.25]> : " V4 "\n"               \
  "%s = graven.constant dense<[0.5, 1.5, 1.0, 2.0]> : " V4 "\n"                \
  "%b = graven.constant dense<[0.1, 0.2, -0.3, 0.4]> : " V4 "\n"
#define HEADS "tensor<1x2x3x4xf32>"

namespace graven::test {

static constexpr Fault kFaults[] = {
    // Operands.
    {"operands of a difference swapped", XY, F46, "", "graven.sub" BINARY,
     "graven.sub %z, %x : (" F46 ", " F46 ") -> " F46},
    {"operands of a quotient swapped", XY, F46, "", "graven.div" BINARY,
     "graven.div %z, %x : (" F46 ", " F46 ") -> " F46},
    {"an addition dropped", XY, F46, "", "graven.add" BINARY, "%x"},
    {"a sum for a product", XY, F46, "", "graven.mul" BINARY,
     "graven.add" BINARY},
    {"one operand twice", XY, F46, "", "graven.mul" BINARY,
     "graven.mul %x, %x : (" F46 ", " F46 ") -> " F46},
    {"max for min", XY, F46, "", "graven.min" BINARY, "graven.max" BINARY},
    {"an activation dropped", "%x: " F46, F46, "", "graven.relu %x : " F46,
     "%x"},
    {"another activation", "%x: " F46, F46, "", "graven.silu %x : " F46,
     "graven.gelu %x : " F46},
    {"the fast gelu", "%x: " F46, F46, "", "graven.gelu %x : " F46,
     "graven.gelu %x form tanh : " F46},
    {"hard swish as swish", "%x: " F46, F46, "", "graven.hard_swish %x : " F46,
     "graven.silu %x : " F46},
    {"branches of a select swapped", "%c: tensor<4x6xi1>, " XY, F46, "",
     "graven.select %c, %x, %z : (tensor<4x6xi1>, " F46 ", " F46 ") -> " F46,
     "graven.select %c, %z, %x : (tensor<4x6xi1>, " F46 ", " F46 ") -> " F46},
    {"a strict comparison", "%x: tensor<9xi64>, %z: tensor<9xi64>",
     "tensor<9xi1>", "",
     "graven.compare le %x, %z : (tensor<9xi64>, tensor<9xi64>) -> "
     "tensor<9xi1>",
     "graven.compare lt %x, %z : (tensor<9xi64>, tensor<9xi64>) -> "
     "tensor<9xi1>"},
    {"bounds of a clamp swapped", "%x: " F46, F46,
     "%lo = graven.constant dense<-0.5> : tensor<f32>\n"
     "%hi = graven.constant dense<1.5> : tensor<f32>\n",
     "graven.clamp %x lo %lo hi %hi : (" F46
     ", tensor<f32>, tensor<f32>) -> " F46,
     "graven.clamp %x lo %hi hi %lo : (" F46
     ", tensor<f32>, tensor<f32>) -> " F46},
    // Contractions.
    {"weights not transposed", "%x: tensor<4x4xf32>, %w: tensor<4x4xf32>",
     "tensor<4x4xf32>",
     "%t = graven.transpose %w by [1, 0] : "
     "(tensor<4x4xf32>) -> tensor<4x4xf32>\n",
     "graven.matmul %x, %t : (tensor<4x4xf32>, tensor<4x4xf32>) -> "
     "tensor<4x4xf32>",
     "graven.matmul %x, %w : (tensor<4x4xf32>, tensor<4x4xf32>) -> "
     "tensor<4x4xf32>"},
    {"factors of a product swapped", "%x: tensor<4x4xf32>, %w: tensor<4x4xf32>",
     "tensor<4x4xf32>", "",
     "graven.matmul %x, %w : (tensor<4x4xf32>, tensor<4x4xf32>) -> "
     "tensor<4x4xf32>",
     "graven.matmul %w, %x : (tensor<4x4xf32>, tensor<4x4xf32>) -> "
     "tensor<4x4xf32>"},
    {"padding on the other side", "%x: " IMAGE ", %w: " KERNEL, IMAGE, "",
     "graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 1, 2, 1] "
     ": " CONV,
     "graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [2, 1, 0, 1] "
     ": " CONV},
    {"padding of the other axis", "%x: " IMAGE ", %w: " KERNEL, IMAGE, "",
     "graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 1, 2, 1] "
     ": " CONV,
     "graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 0, 1, 2] "
     ": " CONV},
    {"a missing bias", "%x: " IMAGE ", %w: " KERNEL ", %b: " V4, IMAGE, "",
     "graven.conv %x, %w bias %b strides [1, 1] dilations [1, 1] pads [1, 1, "
     "1, 1] : "
     "(" IMAGE ", " KERNEL ", " V4 ") -> " IMAGE,
     "graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] "
     ": " CONV},
    {"channels of the weights swapped", "%x: " IMAGE ", %w: " KERNEL, IMAGE, "",
     "graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] "
     ": " CONV,
     "graven.transpose %w by [1, 0, 2, 3] : (" KERNEL ") -> " KERNEL "\n"
     "graven.conv %x, %0 strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] "
     ": " CONV},
    {"taps not reversed", "%x: " IMAGE ", %w: " KERNEL, IMAGE, "",
     "graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] "
     ": " CONV,
     "graven.reverse %w axes [2, 3] : (" KERNEL ") -> " KERNEL "\n"
     "graven.conv %x, %0 strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] "
     ": " CONV},
    {"a dilation forgotten", "%x: " IMAGE ", %w: " KERNEL, IMAGE, "",
     "graven.conv %x, %w strides [1, 1] dilations [2, 2] pads [2, 2, 2, 2] "
     ": " CONV,
     "graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] "
     ": " CONV},
    {"the scale of attention", "%q: " HEADS ", %k: " HEADS ", %v: " HEADS,
     HEADS, "",
     "graven.attention %q, %k, %v scale 0.5 : (" HEADS ", " HEADS ", " HEADS
     ") -> " HEADS,
     "graven.attention %q, %k, %v scale 0.25 : (" HEADS ", " HEADS ", " HEADS
     ") -> " HEADS},
    {"keys for values", "%q: " HEADS ", %k: " HEADS ", %v: " HEADS, HEADS, "",
     "graven.attention %q, %k, %v scale 0.5 : (" HEADS ", " HEADS ", " HEADS
     ") -> " HEADS,
     "graven.attention %q, %v, %k scale 0.5 : (" HEADS ", " HEADS ", " HEADS
     ") -> " HEADS},
    {"causality invented", "%q: " HEADS ", %k: " HEADS ", %v: " HEADS, HEADS,
     "",
     "graven.attention %q, %k, %v scale 0.5 : (" HEADS ", " HEADS ", " HEADS
     ") -> " HEADS,
     "graven.attention %q, %k, %v scale 0.5 causal : (" HEADS ", " HEADS
     ", " HEADS ") -> " HEADS},
    // Norms.
    {"another epsilon", "%x: " IMAGE, IMAGE, STATS,
     "graven.batch_norm %x scale %s bias %b mean %b variance %v epsilon 1.0e-3 "
     ": " NORM,
     "graven.batch_norm %x scale %s bias %b mean %b variance %v epsilon 1.0e-5 "
     ": " NORM},
    {"mean and bias swapped", "%x: " IMAGE, IMAGE, STATS,
     "graven.batch_norm %x scale %s bias %b mean %v variance %v epsilon 1.0e-3 "
     ": " NORM,
     "graven.batch_norm %x scale %s bias %v mean %b variance %v epsilon 1.0e-3 "
     ": " NORM},
    {"a deviation for a variance", "%x: " IMAGE, IMAGE, STATS,
     "graven.batch_norm %x scale %s bias %b mean %b variance %v epsilon 1.0e-3 "
     ": " NORM,
     "graven.sqrt %v : " V4 "\n"
     "graven.batch_norm %x scale %s bias %b mean %b variance %0 epsilon 1.0e-3 "
     ": " NORM},
    {"a norm without its mean", "%x: " F46, F46, "",
     "graven.layer_norm %x axis 1 epsilon 1.0e-5 : (" F46 ") -> " F46,
     "graven.rms_norm %x axis 1 epsilon 1.0e-5 : (" F46 ") -> " F46},
    {"a norm over more axes", "%x: " F46, F46, "",
     "graven.layer_norm %x axis 1 epsilon 1.0e-5 : (" F46 ") -> " F46,
     "graven.layer_norm %x axis 0 epsilon 1.0e-5 : (" F46 ") -> " F46},
    {"another number of groups", "%x: " IMAGE, IMAGE, "",
     "graven.group_norm %x groups 2 epsilon 1.0e-5 : (" IMAGE ") -> " IMAGE,
     "graven.group_norm %x groups 4 epsilon 1.0e-5 : (" IMAGE ") -> " IMAGE},
    {"a softmax over the other axis", "%x: " F46, F46, "",
     "graven.softmax %x axis 1 : " F46, "graven.softmax %x axis 0 : " F46},
    // Reductions and windows.
    {"a sum for a mean", "%x: " F46, "tensor<4xf32>", "",
     "graven.reduce mean %x axes [1] : (" F46 ") -> tensor<4xf32>",
     "graven.reduce sum %x axes [1] : (" F46 ") -> tensor<4xf32>"},
    {"the greatest magnitude", "%x: " F46, "tensor<4xf32>", "",
     "graven.reduce max %x axes [1] : (" F46 ") -> tensor<4xf32>",
     "graven.abs %x : " F46 "\n"
     "graven.reduce max %0 axes [1] : (" F46 ") -> tensor<4xf32>"},
    {"the least for the greatest", "%x: " F46, "tensor<4xi64>", "",
     "graven.arg_reduce max %x axis 1 : (" F46 ") -> tensor<4xi64>",
     "graven.arg_reduce min %x axis 1 : (" F46 ") -> tensor<4xi64>"},
    {"a sum that counts itself", "%x: " F46, F46, "",
     "graven.cum_reduce sum %x axis 1 exclusive : (" F46 ") -> " F46,
     "graven.cum_reduce sum %x axis 1 : (" F46 ") -> " F46},
    {"a sum along the other axis", "%x: " F46, F46, "",
     "graven.cum_reduce sum %x axis 1 : (" F46 ") -> " F46,
     "graven.cum_reduce sum %x axis 0 : (" F46 ") -> " F46},
    {"an average for a maximum", "%x: " IMAGE, "tensor<1x4x3x3xf32>", "",
     "graven.max_pool %x kernel [2, 2] strides [2, 2] dilations [1, 1] pads "
     "[0, 0, 0, 0] : "
     "(" IMAGE ") -> tensor<1x4x3x3xf32>",
     "graven.avg_pool %x kernel [2, 2] strides [2, 2] dilations [1, 1] pads "
     "[0, 0, 0, 0] : "
     "(" IMAGE ") -> tensor<1x4x3x3xf32>"},
    {"a smaller window", "%x: " IMAGE, "tensor<1x4x3x3xf32>", "",
     "graven.max_pool %x kernel [3, 3] strides [2, 2] dilations [1, 1] pads "
     "[1, 1, 0, 0] : "
     "(" IMAGE ") -> tensor<1x4x3x3xf32>",
     "graven.max_pool %x kernel [2, 2] strides [2, 2] dilations [1, 1] pads "
     "[0, 0, 0, 0] : "
     "(" IMAGE ") -> tensor<1x4x3x3xf32>"},
    {"padding that counts", "%x: " IMAGE, IMAGE, "",
     "graven.avg_pool %x kernel [3, 3] strides [1, 1] dilations [1, 1] pads "
     "[1, 1, 1, 1] : "
     "(" IMAGE ") -> " IMAGE,
     "graven.avg_pool %x kernel [3, 3] strides [1, 1] dilations [1, 1] pads "
     "[1, 1, 1, 1] "
     "count_include_pad : (" IMAGE ") -> " IMAGE},
    // Movement.
    {"a reshape for a transpose", "%x: " F46, "tensor<6x4xf32>", "",
     "graven.transpose %x by [1, 0] : (" F46 ") -> tensor<6x4xf32>",
     "graven.reshape %x to [6, 4] : (" F46 ") -> tensor<6x4xf32>"},
    {"the inverse permutation", "%x: tensor<3x3x3xf32>", "tensor<3x3x3xf32>",
     "",
     "graven.transpose %x by [1, 2, 0] : (tensor<3x3x3xf32>) -> "
     "tensor<3x3x3xf32>",
     "graven.transpose %x by [2, 0, 1] : (tensor<3x3x3xf32>) -> "
     "tensor<3x3x3xf32>"},
    {"a slice one off", "%x: " F46, "tensor<4x3xf32>", "",
     "graven.slice %x [0, 1] to [4, 4] by [1, 1] : (" F46
     ") -> tensor<4x3xf32>",
     "graven.slice %x [0, 2] to [4, 5] by [1, 1] : (" F46
     ") -> tensor<4x3xf32>"},
    {"another step", "%x: " F46, "tensor<4x2xf32>", "",
     "graven.slice %x [0, 0] to [4, 6] by [1, 3] : (" F46
     ") -> tensor<4x2xf32>",
     "graven.slice %x [0, 0] to [4, 4] by [1, 2] : (" F46
     ") -> tensor<4x2xf32>"},
    {"parts of a concatenation swapped", XY, "tensor<8x6xf32>", "",
     "graven.concat %x, %z axis 0 : (" F46 ", " F46 ") -> tensor<8x6xf32>",
     "graven.concat %z, %x axis 0 : (" F46 ", " F46 ") -> tensor<8x6xf32>"},
    {"reversed along the other axis", "%x: " F46, F46, "",
     "graven.reverse %x axes [1] : (" F46 ") -> " F46,
     "graven.reverse %x axes [0] : (" F46 ") -> " F46},
    {"an edge for a reflection", "%x: " F46, "tensor<4x8xf32>", "",
     "graven.pad %x low [0, 1] high [0, 1] mode reflect : (" F46
     ") -> tensor<4x8xf32>",
     "graven.pad %x low [0, 1] high [0, 1] mode edge : (" F46
     ") -> tensor<4x8xf32>"},
    {"padding at one end", "%x: " F46, "tensor<4x8xf32>", "",
     "graven.pad %x low [0, 1] high [0, 1] mode edge : (" F46
     ") -> tensor<4x8xf32>",
     "graven.pad %x low [0, 2] high [0, 0] mode edge : (" F46
     ") -> tensor<4x8xf32>"},
    {"the other coordinates", "%x: " F46, "tensor<4x12xf32>", "",
     "graven.resize linear %x axes [1] sizes [12] coordinate half_pixel : (" F46
     ") -> tensor<4x12xf32>",
     "graven.resize linear %x axes [1] sizes [12] coordinate asymmetric : (" F46
     ") -> tensor<4x12xf32>"},
    {"a floor for rounding", "%x: " F46, F46, "", "graven.round %x : " F46,
     "graven.floor %x : " F46},
    {"a cast through integers", "%x: " F46, F46, "", "graven.round %x : " F46,
     "graven.cast %x {to = i32} : (" F46 ") -> tensor<4x6xi32>\n"
     "graven.cast %0 {to = f32} : (tensor<4x6xi32>) -> " F46},
};

llvm::ArrayRef<Fault> faults() { return kFaults; }

std::string graphText(const Fault &fault, StringRef last) {
  StringRef result = "%y";
  std::string nodes;
  SmallVector<StringRef> lines;
  last.split(lines, '\n');
  if (last.starts_with("%")) {
    result = last;
  } else {
    if (lines.size() == 2)
      nodes += ("%0 = " + lines[0] + "\n").str();
    nodes += ("%y = " + lines.back() + "\n").str();
  }
  return (StringRef("graven.graph @main(") + fault.arguments + ") -> " +
          fault.result + " {\n" + fault.before + nodes + "graven.return " +
          result + " : " + fault.result + "\n}\n")
      .str();
}

namespace {
/// Makes of the last Node of a Graph what the fault says.
struct WrongPattern : RewritePattern {
  WrongPattern(MLIRContext *context, const Fault &fault)
      : RewritePattern(MatchAnyOpTypeTag(), 1, context), fault(fault) {}

  LogicalResult matchAndRewrite(Operation *node,
                                PatternRewriter &rewriter) const override {
    if (!isa<GraphOp>(node->getParentOp()) ||
        !isa_and_present<ReturnOp>(node->getNextNode()) ||
        node->hasAttr("done"))
      return failure();
    auto mutant = parseSourceString<ModuleOp>(graphText(fault, fault.wrong),
                                              getContext());
    Block &from = (*mutant->getOps<GraphOp>().begin()).getBody().front(),
          &into = *node->getBlock();
    IRMapping map;
    map.map(from.getArguments(), into.getArguments());
    auto known = into.begin();
    for (Operation &op : from.without_terminator()) {
      if (&*known != node) {
        map.map(op.getResults(), (known++)->getResults());
        continue;
      }
      rewriter.clone(op, map)->setAttr("done", rewriter.getUnitAttr());
    }
    rewriter.replaceOp(node, map.lookup(from.getTerminator()->getOperand(0)));
    return success();
  }

  const Fault &fault;
};
} // namespace

void addWrongPattern(RewritePatternSet &patterns, const Fault &fault) {
  patterns.add<WrongPattern>(patterns.getContext(), fault);
}

} // namespace graven::test
