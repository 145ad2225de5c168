//===- OpsStructure.td - Graph, Block and Parameter ops ----*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the ops that give a model its structure: the Graph, its terminators, Parameters, constants,
// calls, control flow and fusion groups.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_OPSSTRUCTURE_TD
#define DIALECTS_GRAVEN_OPSSTRUCTURE_TD

include "dialects/graven/GravenAttrs.td"
include "dialects/graven/GravenEnums.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/CallInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"

def Graven_GraphOp : Graven_Op<"graph", [FunctionOpInterface, IsolatedFromAbove, SingleBlock, Symbol,
                                         AutomaticAllocationScope]> {
  let summary = "a Graph: one Block of Nodes with named inputs and outputs";
  let description = [{
    The inputs are the Block's arguments (Params), the outputs the operands of `graven.return`. The name of an input or
    output is its `graven.name` attribute, the symbols of its extents the string array `graven.symbols`
    (one entry an axis, empty for one without; an extent may be static and have a symbol that it stands for). `@forward` is the entry; `@prepare` computes packed Parameters;
    others are functions for `graven.call`.

    C1 one Block.  C2 names of inputs are unique, and so are names of outputs.  C3 `graven.symbols` has one entry an axis.

    ```mlir
    graven.graph @forward(%x: tensor<1x8xf32> {graven.name = "x"}) -> (tensor<1x8xf32> {graven.name = "y"}) {
      %0 = graven.relu %x : tensor<1x8xf32>
      graven.return %0 : tensor<1x8xf32>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
                       OptionalAttr<StrAttr>:$sym_visibility, OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name, "::mlir::FunctionType":$type)>];
  let skipDefaultBuilders = 1;
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
    /// Name of input or output i: its `graven.name`, else "input<i>" or "output<i>".
    std::string getInputName(unsigned i);
    std::string getOutputName(unsigned i);
    void setInputName(unsigned i, ::llvm::StringRef name);
    void setOutputName(unsigned i, ::llvm::StringRef name);
    /// What the bytes of input or output i stand for, an element type of a byte or less that no op computes with: its
    /// `graven.meaning`. Null when the tensor's own element type says it.
    ::mlir::Type getInputMeaning(unsigned i);
    ::mlir::Type getOutputMeaning(unsigned i);
    void setInputMeaning(unsigned i, ::mlir::Type type);
    void setOutputMeaning(unsigned i, ::mlir::Type type);
    ReturnOp getReturn();
    /// Makes the function type agree with the Block's arguments and the operands of `return`.
    void updateType();
  }];
}

def Graven_ReturnOp : Graven_Op<"return", [Pure, Terminator, ReturnLike, HasParent<"GraphOp">]> {
  let summary = "ends a Graph and gives its outputs";
  let description = [{
    C1 number and types of the operands are those of the Graph's results. The same Value may be returned twice.
  }];
  let arguments = (ins Variadic<Graven_TTensor>:$outputs);
  let assemblyFormat = "attr-dict ($outputs^ `:` type($outputs))?";
  let hasVerifier = 1;
}

def Graven_YieldOp : Graven_Op<"yield", [Pure, Terminator, ReturnLike, ParentOneOf<["IfOp", "LoopOp", "FusionOp"]>]> {
  let summary = "ends a sub-Block and gives its values";
  let arguments = (ins Variadic<Graven_TTensor>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

def Graven_ParamOp : Graven_Op<"param", [Symbol]> {
  let summary = "a Parameter or buffer of the model";
  let description = [{
    Declares the type of a Parameter and where its bytes are: a `#graven.blob` in a mapped file, or, for small values,
    an elements attribute, or an output of the Graph `@prepare`. Parameters may share bytes (tied weights).

    C1 the type has static extents.  C2 the last element of a blob lies inside it (overflow-checked).
    C3 an elements attribute has the type of the Parameter.  C4 `#graven.prepared` names an output of the Graph
    `@prepare`, of that type, which the Parameter is not computed from.

    ```mlir
    graven.param @fc.weight : tensor<10x64xf32> = #graven.blob<"model.safetensors", 0, 2560>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Graven_TTensor>:$type, AnyAttr:$value,
                       UnitAttr:$requires_grad, UnitAttr:$is_buffer, OptionalAttr<StrAttr>:$sym_visibility);
  let assemblyFormat = [{
    (`requires_grad` $requires_grad^)? (`buffer` $is_buffer^)? $sym_name `:` $type `=` $value attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getTensorType() { return ::llvm::cast<::mlir::RankedTensorType>(getType()); }
    /// Discardable once nothing refers to it.
    static bool canDiscardOnUseEmpty() { return true; }
  }];
}

def Graven_GetParamOp : Graven_Op<"get_param", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>,
                                                DeclareOpInterfaceMethods<Graven_EvaluateInterface>]> {
  let summary = "reads a Parameter";
  let description = [{
    C1 the symbol names a `graven.param` of the module.  C2 the result type is the Parameter's type.
  }];
  let arguments = (ins FlatSymbolRefAttr:$param);
  let results = (outs Graven_TTensor:$result);
  let assemblyFormat = "$param attr-dict `:` type($result)";
}

def Graven_ConstantOp : Graven_Op<"constant", [ConstantLike, Pure, InferNodeType,
                                               DeclareOpInterfaceMethods<Graven_EvaluateInterface>]> {
  let summary = "a constant tensor";
  let description = [{ The value is an elements attribute; splats are stored once. Big weights are Parameters. }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Graven_TTensor:$result);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
}

def Graven_CallOp : Graven_Op<"call", [CallOpInterface, DeclareOpInterfaceMethods<SymbolUserOpInterface>,
                                       DeclareOpInterfaceMethods<Graven_EvaluateInterface>]> {
  let summary = "calls another Graph";
  let description = [{
    C1 the callee is a `graven.graph` of the module.  C2 types of operands and results match the callee's.
    Recursion is an error of the inliner.
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee, Variadic<Graven_TTensor>:$operands, OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<DictArrayAttr>:$res_attrs);
  let results = (outs Variadic<Graven_TTensor>:$outputs);
  let assemblyFormat = "$callee `(` $operands `)` attr-dict `:` functional-type($operands, $outputs)";
  let extraClassDeclaration = [{
    ::mlir::CallInterfaceCallable getCallableForCallee() { return getCalleeAttr(); }
    void setCalleeFromCallable(::mlir::CallInterfaceCallable callee) {
      setCalleeAttr(::llvm::cast<::mlir::FlatSymbolRefAttr>(::llvm::cast<::mlir::SymbolRefAttr>(callee)));
    }
    ::mlir::Operation::operand_range getArgOperands() { return getOperands(); }
    ::mlir::MutableOperandRange getArgOperandsMutable() { return getOperandsMutable(); }
  }];
}

def Graven_IfOp : Graven_Op<"if", [RecursiveMemoryEffects, RecursivelySpeculatable, NoRegionArguments,
                                   SingleBlock,
                                   DeclareOpInterfaceMethods<Graven_EvaluateInterface>]> {
  let summary = "one of two sub-Blocks, by a condition";
  let description = [{
    The sub-Blocks see the outer Values. C1 both yield as many values as the op has results, equal in element type and
    rank to the results.
  }];
  let arguments = (ins Graven_ScalarB:$cond);
  let results = (outs Variadic<Graven_TTensor>:$results);
  let regions = (region SizedRegion<1>:$then_block, SizedRegion<1>:$else_block);
  let assemblyFormat = "$cond (`->` `(` type($results)^ `)`)? attr-dict-with-keyword $then_block `else` $else_block";
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def Graven_LoopOp : Graven_Op<"loop", [RecursiveMemoryEffects, AttrSizedOperandSegments, AttrSizedResultSegments,
                                       SingleBlock,
                                       DeclareOpInterfaceMethods<Graven_EvaluateInterface>]> {
  let summary = "repeats a sub-Block with carried values";
  let description = [{
    `it = 0; c = cond; while (it < trip and c): (c, carried, slices) = body(it, carried); it += 1`. An absent trip is
    infinite, an absent cond true; cond is tested before the first iteration. The Block's arguments are the iteration
    (i64 scalar) and the carried values; `yield` gives the next condition (i1 scalar), the carried values, and one
    slice for each stacked result, stacked on a new axis 0.

    C1 the Block has 1 + n arguments of the carried types.  C2 yield has 1 + n + m values of matching types.
    C3 a stacked result has one axis more than its slice.
    ONNX: Loop, Scan.
  }];
  let arguments = (ins Optional<Graven_ScalarI64>:$trip, Optional<Graven_ScalarB>:$cond, Variadic<Graven_TTensor>:$init);
  let results = (outs Variadic<Graven_TTensor>:$final, Variadic<Graven_TTensor>:$stacked);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    (`trip` `(` $trip^ `)`)? (`while` `(` $cond^ `)`)?
    `init` `(` ($init^ `:` type($init))? `)` (`->` `(` type($final)^ `)`)? (`stacked` `(` type($stacked)^ `)`)? attr-dict-with-keyword
    $body
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def Graven_FusionOp : Graven_Op<"fusion", [IsolatedFromAbove, RecursiveMemoryEffects, RecursivelySpeculatable,
                                           SingleBlock,
                                           DeclareOpInterfaceMethods<Graven_EvaluateInterface>]> {
  let summary = "Nodes that become one kernel";
  let description = [{
    Means its Block inlined. Made by passes only; holds elementwise Nodes and view-like or copied operands around at most
    one anchor (contraction, reduction, window or norm). A max pool behind the anchor is not another one.

    C1 the Block's arguments have the types of the operands.  C2 yield has the types of the results.
    C3 at most one anchor.
  }];
  let arguments = (ins Variadic<Graven_TTensor>:$inputs);
  let results = (outs Variadic<Graven_TTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

#endif // DIALECTS_GRAVEN_OPSSTRUCTURE_TD
