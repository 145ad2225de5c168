//===- Check.cpp - the check dialect --------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the ops of the `check` dialect and running the tests of
// a module. An expectation that fails reports an error and lets the Graph go
// on, so that one run shows all of them.
//===----------------------------------------------------------------------===//

#include "dialects/check/Check.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/Support/Format.h"
#include <bit>
#include <cmath>

using namespace mlir;

#include "dialects/check/CheckDialect.cpp.inc"

namespace graven::check {

/// A constant, and after `as` the type of the value if it is less static.
static ParseResult parseExpected(OpAsmParser &parser, ElementsAttr &expected,
                                 Type &type) {
  if (parser.parseAttribute(expected))
    return failure();
  type = expected.getShapedType();
  return succeeded(parser.parseOptionalKeyword("as")) ? parser.parseType(type)
                                                      : ParseResult(success());
}

static void printExpected(OpAsmPrinter &printer, Operation *,
                          ElementsAttr expected, Type type) {
  printer << expected;
  if (type != expected.getShapedType())
    printer << " as " << type;
}

} // namespace graven::check

#define GET_OP_CLASSES
#include "dialects/check/Check.cpp.inc"

namespace graven::check {

using eval::Evaluator;
using eval::Tensor;
using Tensors = SmallVector<Tensor>;

void CheckDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/check/Check.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Comparing
//===----------------------------------------------------------------------===//

/// Position of a float on the line of representable numbers of its type; -0 and
/// 0 share one.
static int64_t ordinal(const Tensor &tensor, int64_t i) {
  int64_t width = tensor.getElementType().getIntOrFloatBitWidth();
  uint64_t bits = tensor.getUnsigned(i), sign = uint64_t(1) << (width - 1);
  return bits & sign ? -static_cast<int64_t>(bits & ~sign)
                     : static_cast<int64_t>(bits);
}

static bool isEqual(const Tensor &actual, const Tensor &expected, int64_t i) {
  if (actual.getUnsigned(i) == expected.getUnsigned(i))
    return true;
  return isa<FloatType>(actual.getElementType()) &&
         std::isnan(actual.getDouble(i)) && std::isnan(expected.getDouble(i));
}

static bool isClose(const Tensor &actual, const Tensor &expected, int64_t i,
                    Tolerance tolerance) {
  double a = actual.getDouble(i), e = expected.getDouble(i);
  if (a == e || isEqual(actual, expected, i))
    return true;
  if (std::isnan(a) || std::isnan(e))
    return false;
  if (std::isfinite(a) && std::isfinite(e) &&
      std::fabs(a - e) <= tolerance.atol + tolerance.rtol * std::fabs(e))
    return true;
  if (!isa<FloatType>(actual.getElementType()) || tolerance.ulp == 0)
    return false;
  // Unsigned, because of opposite signs the distance may not fit i64.
  int64_t left = ordinal(actual, i), right = ordinal(expected, i);
  uint64_t distance = left > right ? static_cast<uint64_t>(left) - right
                                   : static_cast<uint64_t>(right) - left;
  return distance <= static_cast<uint64_t>(tolerance.ulp);
}

static std::string elementText(const Tensor &tensor, int64_t i) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  switch (eval::kindOf(tensor.getElementType())) {
  case eval::Kind::Float:
    stream << llvm::format("%.9g", tensor.getDouble(i));
    break;
  case eval::Kind::Signed:
    stream << tensor.getInt(i);
    break;
  case eval::Kind::Unsigned:
    stream << tensor.getUnsigned(i);
    break;
  }
  return text;
}

/// "[0, 3]" of the flat index.
static std::string indexText(const Tensor &tensor, int64_t flat) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << '[';
  for (auto [axis, stride] :
       llvm::enumerate(eval::stridesOf(tensor.getShape()))) {
    stream << (axis == 0 ? "" : ", ") << flat / stride;
    flat %= stride;
  }
  stream << ']';
  return text;
}

/// Reports the elements that `matches` refuses.
template <class Matches>
static Tensors expect(Operation *op, const Tensor &actual,
                      const Tensor &expected, Matches &&matches) {
  if (actual.getType() != expected.getType()) {
    emitCoded(op->getLoc(), Code::Mismatch)
        << "got type " << actual.getType() << ", expected "
        << expected.getType();
    return {};
  }
  int64_t wrong = 0, first = 0;
  for (int64_t i = 0, e = actual.size(); i < e; ++i)
    if (!matches(i) && wrong++ == 0)
      first = i;
  if (wrong > 0)
    emitCoded(op->getLoc(), Code::Mismatch)
        << wrong << " of " << actual.size() << " elements differ; element "
        << indexText(actual, first) << " is " << elementText(actual, first)
        << ", expected " << elementText(expected, first);
  return {};
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

static LogicalResult verifyConstant(Operation *op, Value actual,
                                    ElementsAttr expected) {
  if (!isa<DenseElementsAttr>(expected))
    return op->emitOpError("expects a value of an unsupported kind");
  if (isRefinementOf(TypeRange(ArrayRef<Type>(expected.getShapedType())),
                     TypeRange(ArrayRef<Type>(actual.getType()))))
    return success();
  return op->emitOpError("compares ")
         << actual.getType() << " with a constant of type "
         << expected.getShapedType() << " (C1)";
}

template <class OpTy> static Tolerance toleranceOf(OpTy op) {
  return {static_cast<int64_t>(op.getUlp()), op.getRtol().convertToDouble(),
          op.getAtol().convertToDouble()};
}

template <class OpTy> static LogicalResult verifyTolerance(OpTy op) {
  Tolerance tolerance = toleranceOf(op);
  if (tolerance.ulp >= 0 && tolerance.rtol >= 0 && tolerance.atol >= 0)
    return success();
  return op.emitOpError("has a negative tolerance (C2)");
}

LogicalResult ExpectEqConstOp::verify() {
  return verifyConstant(*this, getActual(), getExpected());
}
LogicalResult ExpectCloseOp::verify() { return verifyTolerance(*this); }
LogicalResult ExpectCloseConstOp::verify() {
  if (failed(verifyTolerance(*this)))
    return failure();
  return verifyConstant(*this, getActual(), getExpected());
}

FailureOr<Tensors> ExpectEqOp::evaluate(ArrayRef<Tensor> operands,
                                        Evaluator &) {
  return expect(*this, operands[0], operands[1], [&](int64_t i) {
    return isEqual(operands[0], operands[1], i);
  });
}

FailureOr<Tensors> ExpectEqConstOp::evaluate(ArrayRef<Tensor> operands,
                                             Evaluator &) {
  Tensor expected =
      Tensor::fromElements(cast<DenseElementsAttr>(getExpected()));
  return expect(*this, operands[0], expected,
                [&](int64_t i) { return isEqual(operands[0], expected, i); });
}

FailureOr<Tensors> ExpectCloseOp::evaluate(ArrayRef<Tensor> operands,
                                           Evaluator &) {
  return expect(*this, operands[0], operands[1], [&](int64_t i) {
    return isClose(operands[0], operands[1], i, toleranceOf(*this));
  });
}

FailureOr<Tensors> ExpectCloseConstOp::evaluate(ArrayRef<Tensor> operands,
                                                Evaluator &) {
  Tensor expected =
      Tensor::fromElements(cast<DenseElementsAttr>(getExpected()));
  return expect(*this, operands[0], expected, [&](int64_t i) {
    return isClose(operands[0], expected, i, toleranceOf(*this));
  });
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

LogicalResult runChecks(ModuleOp module) {
  int errors = 0, graphs = 0;
  ScopedDiagnosticHandler count(
      module.getContext(), [&errors](Diagnostic &diagnostic) {
        errors += diagnostic.getSeverity() == DiagnosticSeverity::Error;
        return failure(); // Whoever listens besides reports it.
      });
  for (GraphOp graph : module.getOps<GraphOp>()) {
    if (!graph.getArgumentTypes().empty())
      continue;
    ++graphs;
    Evaluator evaluator;
    if (failed(evaluator.run(graph, {})))
      ++errors;
  }
  if (graphs == 0)
    return module.emitError("has no graph without inputs to check");
  return success(errors == 0);
}

} // namespace graven::check
