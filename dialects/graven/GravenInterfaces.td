//===- GravenInterfaces.td - op interfaces -----------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the interfaces through which passes and tools use any op.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_GRAVENINTERFACES_TD
#define DIALECTS_GRAVEN_GRAVENINTERFACES_TD

include "mlir/IR/Interfaces.td"

def Graven_EvaluateInterface : OpInterface<"EvaluateInterface"> {
  let cppNamespace = "::graven";
  let description = [{
    The executable meaning of an op: a naive function from tensors to tensors. Constant folding, `check` tests,
    `--verify-numerics` and `graven verify` all run this one function.
  }];
  let methods = [InterfaceMethod<
    "Computes the results of the op from its operands, in operand order.",
    "::mlir::FailureOr<::llvm::SmallVector<::graven::eval::Tensor>>", "evaluate",
    (ins "::llvm::ArrayRef<::graven::eval::Tensor>":$operands, "::graven::eval::Evaluator &":$evaluator)>];
}


#endif // DIALECTS_GRAVEN_GRAVENINTERFACES_TD
