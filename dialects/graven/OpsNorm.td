//===- OpsNorm.td - normalisations and softmax -------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the normalisations, softmax and log-softmax. All accumulate in f32 (f64 for f64).
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_OPSNORM_TD
#define DIALECTS_GRAVEN_OPSNORM_TD

include "dialects/graven/GravenEnums.td"

def Graven_BatchNormOp : Graven_PureOp<"batch_norm"> {
  let summary = "batch normalisation with running statistics";
  let description = [{
    (x - mean[c]) / sqrt(variance[c] + epsilon) scale[c] + bias[c] over x [N,C,D..]. C1 equal element types, rank >= 2.
    C2 each parameter has C elements.  C3 epsilon >= 0. ONNX: BatchNormalization.  ATen: batch_norm (training off).
  }];
  let arguments = (ins Graven_FTensor:$x, Graven_FTensor:$scale, Graven_FTensor:$bias, Graven_FTensor:$mean, Graven_FTensor:$variance, F64Attr:$epsilon);
  let results = (outs Graven_FTensor:$result);
  let assemblyFormat = "$x `scale` $scale `bias` $bias `mean` $mean `variance` $variance `epsilon` $epsilon attr-dict `:` functional-type(operands, results)";
}
class Graven_ScaledNormOp<string mnemonic> : Graven_PureOp<mnemonic, [AttrSizedOperandSegments]> {
  let results = (outs Graven_FTensor:$result);
}
def Graven_LayerNormOp : Graven_ScaledNormOp<"layer_norm"> {
  let summary = "normalises over the axes from `axis` on";
  let description = [{
    (x - mean) / sqrt(var + epsilon) scale + bias, mean and (biased) variance over axes [axis, rank). C1 equal element types.
    C2 axis in range.  C3 scale and bias have the shape of the normalised axes.  C4 epsilon >= 0. ONNX: LayerNormalization.  ATen: layer_norm.
  }];
  let arguments = (ins Graven_FTensor:$x, Optional<Graven_FTensor>:$scale, Optional<Graven_FTensor>:$bias, I64Attr:$axis, F64Attr:$epsilon);
  let assemblyFormat = "$x (`scale` $scale^)? (`bias` $bias^)? `axis` $axis `epsilon` $epsilon attr-dict `:` functional-type(operands, results)";
}
def Graven_RmsNormOp : Graven_PureOp<"rms_norm"> {
  let summary = "divides by the root mean square over the axes from `axis` on";
  let description = "x / sqrt(mean(x^2) + epsilon) scale. C1 equal element types.  C2 axis in range.  C3 scale has the shape of the normalised axes.  C4 epsilon >= 0. ONNX: RMSNormalization.  ATen: rms_norm.";
  let arguments = (ins Graven_FTensor:$x, Optional<Graven_FTensor>:$scale, I64Attr:$axis, F64Attr:$epsilon);
  let results = (outs Graven_FTensor:$result);
  let assemblyFormat = "$x (`scale` $scale^)? `axis` $axis `epsilon` $epsilon attr-dict `:` functional-type(operands, results)";
}
def Graven_GroupNormOp : Graven_ScaledNormOp<"group_norm"> {
  let summary = "normalises each sample and group of channels";
  let description = [{
    Mean and variance over (C/groups, D..) of x [N,C,D..]; then scale[c], bias[c]. Instance norm: groups = C.
    C1 equal element types, rank >= 2.  C2 C % groups = 0.  C3 scale and bias have C elements.
    C4 epsilon >= 0.
    ONNX: GroupNormalization, InstanceNormalization.  ATen: group_norm, instance_norm.
  }];
  let arguments = (ins Graven_FTensor:$x, Optional<Graven_FTensor>:$scale, Optional<Graven_FTensor>:$bias, I64Attr:$groups, F64Attr:$epsilon);
  let assemblyFormat = "$x (`scale` $scale^)? (`bias` $bias^)? `groups` $groups `epsilon` $epsilon attr-dict `:` functional-type(operands, results)";
}
class Graven_SoftmaxLikeOp<string mnemonic, string what, string formula> : Graven_SameTypeOp<mnemonic> {
  let summary = what;
  let description = formula # " along axis. A row that is all -inf or holds NaN or +inf gives NaN. C1 axis in range.";
  let arguments = (ins Graven_FTensor:$x, I64Attr:$axis);
  let results = (outs Graven_FTensor:$result);
  let assemblyFormat = "$x `axis` $axis attr-dict `:` type($x)";
  let hasVerifier = 1;
}
def Graven_SoftmaxOp : Graven_SoftmaxLikeOp<"softmax", "e^(x - max) / sum", "e^(x-m) / sum e^(x-m), m = max">;
def Graven_LogSoftmaxOp : Graven_SoftmaxLikeOp<"log_softmax", "x - max - log sum e^(x - max)", "x - m - log sum e^(x-m), m = max">;

#endif // DIALECTS_GRAVEN_OPSNORM_TD
