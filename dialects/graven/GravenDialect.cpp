//===- GravenDialect.cpp - the graven dialect -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file registers the ops and attributes of the `graven` dialect and
// materializes its constants.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Transforms/InliningUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "dialects/graven/GravenInterfaces.cpp.inc"
#include "dialects/graven/GravenOpsDialect.cpp.inc"
#include "dialects/graven/GravenOpsEnums.cpp.inc"

namespace graven {

/// `, strides = [..]` and `, big_endian = true`, where they are not the
/// default.
static ParseResult parseBlobOrder(AsmParser &parser,
                                  SmallVector<int64_t> &strides,
                                  bool &bigEndian) {
  bigEndian = false;
  while (succeeded(parser.parseOptionalComma())) {
    StringRef keyword;
    SMLoc at = parser.getCurrentLocation();
    if (parser.parseKeyword(&keyword) || parser.parseEqual())
      return failure();
    if (keyword == "big_endian") {
      StringRef value;
      if (parser.parseKeyword(&value) || (value != "true" && value != "false"))
        return parser.emitError(at, "big_endian is true or false");
      bigEndian = value == "true";
      continue;
    }
    if (keyword != "strides")
      return parser.emitError(at, "expected strides or big_endian, got '")
             << keyword << "'";
    auto parseStride = [&] {
      return parser.parseInteger(strides.emplace_back());
    };
    if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                       parseStride))
      return failure();
  }
  return success();
}

static void printBlobOrder(AsmPrinter &printer, ArrayRef<int64_t> strides,
                           bool bigEndian) {
  if (!strides.empty()) {
    printer << ", strides = [";
    llvm::interleaveComma(strides, printer);
    printer << "]";
  }
  if (bigEndian)
    printer << ", big_endian = true";
}

} // namespace graven

#define GET_ATTRDEF_CLASSES
#include "dialects/graven/GravenOpsAttrs.cpp.inc"

namespace graven {

namespace {
/// Graphs have one Block and no effects of their own, so any call may be
/// inlined.
struct GravenInlinerInterface : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;
  bool isLegalToInline(Operation *, Operation *, bool) const final {
    return true;
  }
  bool isLegalToInline(Region *, Region *, bool, IRMapping &) const final {
    return true;
  }
  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final {
    return true;
  }
  void handleTerminator(Operation *op, ValueRange replaced) const final {
    for (auto [from, to] : llvm::zip(replaced, op->getOperands()))
      from.replaceAllUsesWith(to);
  }
};
} // namespace

void GravenDialect::initialize() {
  blobs = std::make_shared<BlobStore>();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/graven/GravenOpsAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/graven/GravenOps.cpp.inc"
      >();
  addInterfaces<GravenInlinerInterface>();
}

Operation *GravenDialect::materializeConstant(OpBuilder &builder,
                                              Attribute value, Type type,
                                              Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getShapedType() != type)
    return nullptr;
  return ConstantOp::create(builder, loc, type, elements);
}

LogicalResult BlobAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               StringRef file, int64_t offset, int64_t length,
                               ArrayRef<int64_t> strides, bool bigEndian) {
  if (file.empty())
    return emitError() << "blob has no file name";
  if (offset < 0 || length < 0 ||
      offset > std::numeric_limits<int64_t>::max() - length)
    return emitError() << "blob range [" << offset << ", +" << length
                       << ") is not in i64";
  for (int64_t stride : strides)
    if (stride < 0)
      return emitError() << "blob stride " << stride << " is negative";
  return success();
}

} // namespace graven
