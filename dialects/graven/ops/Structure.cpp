//===- Structure.cpp - Graph, Block and Parameter ops ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements verifiers, type inference, printing and parsing of the
// ops that give a model its structure.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "mlir/Interfaces/FunctionImplementation.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven {

//===----------------------------------------------------------------------===//
// graph, return
//===----------------------------------------------------------------------===//

static constexpr StringLiteral nameAttr = "graven.name",
                               symbolsAttr = "graven.symbols",
                               meaningAttr = "graven.meaning";

void GraphOp::build(OpBuilder &builder, OperationState &state, StringRef name,
                    FunctionType type) {
  state.addAttribute(SymbolTable::getSymbolAttrName(),
                     builder.getStringAttr(name));
  state.addAttribute(getFunctionTypeAttrName(state.name), TypeAttr::get(type));
  Block &block = state.addRegion()->emplaceBlock();
  for (Type input : type.getInputs())
    block.addArgument(input, state.location);
}

ParseResult GraphOp::parse(OpAsmParser &parser, OperationState &result) {
  auto buildType = [](Builder &builder, ArrayRef<Type> inputs,
                      ArrayRef<Type> results,
                      function_interface_impl::VariadicFlag, std::string &) {
    return builder.getFunctionType(inputs, results);
  };
  return function_interface_impl::parseFunctionOp(
      parser, result, /*allowVariadic=*/false,
      getFunctionTypeAttrName(result.name), buildType,
      getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void GraphOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(
      printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
      getArgAttrsAttrName(), getResAttrsAttrName());
}

static LogicalResult verifySymbols(GraphOp graph, unsigned i, Type type,
                                   Attribute symbols) {
  if (!symbols)
    return success();
  auto list = dyn_cast<ArrayAttr>(symbols);
  if (!list || static_cast<int64_t>(list.size()) !=
                   cast<RankedTensorType>(type).getRank())
    return graph.emitOpError("input #")
           << i << ": " << symbolsAttr << " needs one entry an axis (C3)";
  return success();
}

LogicalResult GraphOp::verify() {
  if (getBody().empty())
    return emitOpError("has no Block (C1)");
  llvm::StringSet<> inputs, outputs;
  for (auto [i, type] : llvm::enumerate(getArgumentTypes())) {
    if (!isa<RankedTensorType>(type))
      return emitOpError("input #") << i << " is not a ranked tensor: " << type;
    if (!inputs.insert(getInputName(i)).second)
      return emitOpError("two inputs are named '")
             << getInputName(i) << "' (C2)";
    if (failed(verifySymbols(*this, i, type, getArgAttr(i, symbolsAttr))))
      return failure();
  }
  for (unsigned i = 0, e = getResultTypes().size(); i < e; ++i)
    if (!outputs.insert(getOutputName(i)).second)
      return emitOpError("two outputs are named '")
             << getOutputName(i) << "' (C2)";
  return success();
}

std::string GraphOp::getInputName(unsigned i) {
  if (auto name = getArgAttrOfType<StringAttr>(i, nameAttr))
    return name.str();
  return ("input" + Twine(i)).str();
}
std::string GraphOp::getOutputName(unsigned i) {
  if (auto name = getResultAttrOfType<StringAttr>(i, nameAttr))
    return name.str();
  return ("output" + Twine(i)).str();
}
void GraphOp::setInputName(unsigned i, StringRef name) {
  setArgAttr(i, nameAttr, StringAttr::get(getContext(), name));
}
void GraphOp::setOutputName(unsigned i, StringRef name) {
  setResultAttr(i, StringAttr::get(getContext(), nameAttr),
                StringAttr::get(getContext(), name));
}
static Type meaningOf(TypeAttr attr) { return attr ? attr.getValue() : Type(); }
Type GraphOp::getInputMeaning(unsigned i) {
  return meaningOf(getArgAttrOfType<TypeAttr>(i, meaningAttr));
}
Type GraphOp::getOutputMeaning(unsigned i) {
  return meaningOf(getResultAttrOfType<TypeAttr>(i, meaningAttr));
}
void GraphOp::setInputMeaning(unsigned i, Type type) {
  setArgAttr(i, meaningAttr, TypeAttr::get(type));
}
void GraphOp::setOutputMeaning(unsigned i, Type type) {
  setResultAttr(i, StringAttr::get(getContext(), meaningAttr),
                TypeAttr::get(type));
}
ReturnOp GraphOp::getReturn() {
  return cast<ReturnOp>(getBody().front().getTerminator());
}
void GraphOp::updateType() {
  setType(FunctionType::get(getContext(), getBody().front().getArgumentTypes(),
                            getReturn().getOperandTypes()));
}

LogicalResult ReturnOp::verify() {
  auto graph = cast<GraphOp>((*this)->getParentOp());
  if (getOperandTypes() == TypeRange(graph.getResultTypes()))
    return success();
  return emitOpError("gives ") << getOperandTypes() << ", the graph declares "
                               << graph.getResultTypes() << " (C1)";
}

//===----------------------------------------------------------------------===//
// param, get_param, constant, call
//===----------------------------------------------------------------------===//

/// Bytes from the first to past the last element of the view; nullopt on
/// overflow.
static std::optional<int64_t> blobSpan(RankedTensorType type,
                                       ArrayRef<int64_t> strides) {
  auto count = elementCount(type.getShape());
  if (!count)
    return std::nullopt;
  int64_t last = *count - 1;
  if (*count > 0 && !strides.empty()) {
    last = 0;
    for (auto [extent, stride] : llvm::zip(type.getShape(), strides)) {
      int64_t step;
      if (llvm::MulOverflow(extent - 1, stride, step) ||
          llvm::AddOverflow(last, step, last))
        return std::nullopt;
    }
  }
  int64_t bytes;
  if (llvm::MulOverflow(last + 1, eval::storageBytes(type.getElementType()),
                        bytes))
    return std::nullopt;
  return bytes;
}

LogicalResult ParamOp::verify() {
  RankedTensorType type = getTensorType();
  if (!type.hasStaticShape())
    return emitOpError("has an unknown extent: ") << type << " (C1)";
  if (auto blob = dyn_cast<BlobAttr>(getValue())) {
    if (!blob.getStrides().empty() &&
        static_cast<int64_t>(blob.getStrides().size()) != type.getRank())
      return emitOpError("blob has ")
             << blob.getStrides().size() << " strides, expected "
             << type.getRank();
    auto span = blobSpan(type, blob.getStrides());
    if (!span || *span > blob.getLength())
      return emitOpError("of type ") << type << " does not fit its blob of "
                                     << blob.getLength() << " bytes (C2)";
    return success();
  }
  // Checked where it is read: @prepare may come after this.
  if (isa<PreparedAttr>(getValue()))
    return success();
  auto elements = dyn_cast<ElementsAttr>(getValue());
  if (!elements || elements.getShapedType() != type)
    return emitOpError("needs a blob or an elements attribute of type ")
           << type << " (C3)";
  return success();
}

LogicalResult GetParamOp::verifySymbolUses(SymbolTableCollection &tables) {
  auto param = tables.lookupNearestSymbolFrom<ParamOp>(*this, getParamAttr());
  if (!param)
    return emitOpError("names no Parameter: '") << getParam() << "' (C1)";
  if (param.getTensorType() != getType())
    return emitOpError("has type ") << getType() << ", the Parameter "
                                    << param.getTensorType() << " (C2)";
  auto prepared = dyn_cast<PreparedAttr>(param.getValue());
  if (!prepared)
    return success();
  StringAttr name = StringAttr::get(getContext(), "prepare");
  auto graph = tables.lookupNearestSymbolFrom<GraphOp>(*this, name);
  int64_t output = prepared.getOutput();
  if (!graph || output < 0 ||
      output >= static_cast<int64_t>(graph.getResultTypes().size()) ||
      graph.getResultTypes()[output] != getType())
    return emitOpError("reads output ")
           << output << " of @prepare, which has none of type " << getType();
  if (graph->isAncestor(*this))
    return emitOpError("reads an output of @prepare inside of it");
  return success();
}

LogicalResult ConstantOp::inferReturnTypes(MLIRContext *,
                                           std::optional<Location>,
                                           Adaptor adaptor,
                                           SmallVectorImpl<Type> &types) {
  types.push_back(adaptor.getValue().getShapedType());
  return success();
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

LogicalResult CallOp::verifySymbolUses(SymbolTableCollection &tables) {
  auto graph = tables.lookupNearestSymbolFrom<GraphOp>(*this, getCalleeAttr());
  if (!graph)
    return emitOpError("names no graph: '") << getCallee() << "' (C1)";
  if (TypeRange(graph.getArgumentTypes()) != getOperandTypes() ||
      TypeRange(graph.getResultTypes()) != getResultTypes())
    return emitOpError("does not match the type of the callee: ")
           << graph.getFunctionType() << " (C2)";
  return success();
}

//===----------------------------------------------------------------------===//
// if, loop, fusion
//===----------------------------------------------------------------------===//

/// Whether a yielded type may stand for a result type: equal element type and
/// rank, static extents where the result is.
static bool fits(Type yielded, Type result) {
  auto from = cast<RankedTensorType>(yielded),
       to = cast<RankedTensorType>(result);
  if (from.getElementType() != to.getElementType() ||
      from.getRank() != to.getRank())
    return false;
  return llvm::all_of(llvm::zip(from.getShape(), to.getShape()), [](auto pair) {
    return ShapedType::isDynamic(std::get<1>(pair)) ||
           std::get<0>(pair) == std::get<1>(pair);
  });
}

static LogicalResult verifyYield(Operation *op, Region &region,
                                 TypeRange expected) {
  auto yield = cast<YieldOp>(region.front().getTerminator());
  if (yield.getNumOperands() != expected.size())
    return op->emitOpError("Block yields ")
           << yield.getNumOperands() << " values, expected " << expected.size();
  for (auto [i, types] :
       llvm::enumerate(llvm::zip(yield.getOperandTypes(), expected)))
    if (!fits(std::get<0>(types), std::get<1>(types)))
      return op->emitOpError("Block yields ")
             << std::get<0>(types) << " as #" << i << ", expected "
             << std::get<1>(types);
  return success();
}

LogicalResult IfOp::verify() {
  if (failed(verifyYield(*this, getThenBlock(), getResultTypes())))
    return failure();
  return verifyYield(*this, getElseBlock(), getResultTypes());
}

LogicalResult LoopOp::verify() {
  Block &block = getBody().front();
  size_t carried = getInit().size();
  if (getFinal().size() != carried)
    return emitOpError("has ") << getFinal().size() << " final values for "
                               << carried << " carried ones";
  if (block.getNumArguments() != 1 + carried)
    return emitOpError("Block has ")
           << block.getNumArguments() << " arguments, expected " << 1 + carried
           << " (C1)";
  if (!isScalarOf(block.getArgument(0).getType(), 64))
    return emitOpError(
        "Block's first argument is the iteration, an i64 scalar (C1)");
  for (auto [i, argument] : llvm::enumerate(block.getArguments().drop_front()))
    if (!fits(getInit()[i].getType(), argument.getType()) ||
        !fits(argument.getType(), getFinal()[i].getType()))
      return emitOpError("carried value #") << i << " changes its type (C1)";
  SmallVector<Type> expected{
      RankedTensorType::get({}, IntegerType::get(getContext(), 1))};
  llvm::append_range(expected, llvm::drop_begin(block.getArgumentTypes()));
  for (Type stacked : getStacked().getTypes()) {
    auto type = cast<RankedTensorType>(stacked);
    if (type.getRank() == 0)
      return emitOpError("a stacked result has no axis to stack on (C3)");
    expected.push_back(RankedTensorType::get(type.getShape().drop_front(),
                                             type.getElementType()));
  }
  return verifyYield(*this, getBody(), expected);
}

ParseResult FusionOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  auto parsePair = [&]() -> ParseResult {
    if (parser.parseArgument(arguments.emplace_back()) || parser.parseEqual() ||
        parser.parseOperand(operands.emplace_back()) ||
        parser.parseColonType(arguments.back().type))
      return failure();
    return success();
  };
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren,
                                     parsePair) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.parseArrowTypeList(result.types))
    return failure();
  for (auto [argument, operand] : llvm::zip(arguments, operands))
    if (parser.resolveOperand(operand, argument.type, result.operands))
      return failure();
  return parser.parseRegion(*result.addRegion(), arguments);
}

void FusionOp::print(OpAsmPrinter &printer) {
  printer << "(";
  llvm::interleaveComma(llvm::zip(getBody().getArguments(), getInputs()),
                        printer, [&](auto pair) {
                          printer << std::get<0>(pair) << " = "
                                  << std::get<1>(pair) << " : "
                                  << std::get<1>(pair).getType();
                        });
  printer << ")";
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs());
  printer.printArrowTypeList(getResultTypes());
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult FusionOp::verify() {
  if (getBody().getArgumentTypes() != getInputs().getTypes())
    return emitOpError("Block takes ")
           << getBody().getArgumentTypes() << ", the operands are "
           << getInputs().getTypes() << " (C1)";
  int anchors = 0;
  for (Operation &node : getBody().front().without_terminator()) {
    bool plain = node.hasTrait<Elementwise>() || node.hasTrait<Movement>() ||
                 isa<ConstantOp>(node) ||
                 (anchors == 1 && isa<MaxPoolOp>(node));
    anchors += plain ? 0 : 1;
  }
  if (anchors > 1)
    return emitOpError("has ")
           << anchors << " anchors, expected at most 1 (C3)";
  return verifyYield(*this, getBody(), getResultTypes());
}

} // namespace graven
