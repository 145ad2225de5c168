//===- OpsRecurrent.td - recurrent networks ----------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares LSTM, GRU and the simple recurrent network: one layer an op, both directions in one.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_OPSRECURRENT_TD
#define DIALECTS_GRAVEN_OPSRECURRENT_TD

include "dialects/graven/GravenEnums.td"

// What the three ops share. `activations` names them direction by direction; the formulas, by name, are those of
// ONNX, with alpha and beta where the entry of the name has them.
class Graven_RecurrentOp<string mnemonic> : Graven_PureOp<mnemonic, [AttrSizedOperandSegments, Graven_Contraction]> {
  code shared = [{
    D = 2 for `direction` bidirectional, else 1; bias rows default to 0, states to 0, seq_lens to T. A reverse direction
    walks from step T-1 to 0, in its place of y. A step t >= seq_lens[b] leaves the state of b unchanged and gives y = 0;
    reverse so starts at seq_lens[b] - 1. clip > 0 clamps the operand of f and g to [-clip, clip]. `activations` has the
    names of each direction in turn: relu, tanh, sigmoid, affine (alpha x + beta), leaky_relu (alpha), thresholded_relu
    (x >= alpha ? x : 0), scaled_tanh (alpha tanh(beta x)), hard_sigmoid (alpha, beta), elu (alpha), softsign, softplus;
    alpha and beta have one entry for each. y ends with the directions side by side.
    C1 equal float element types, but for seq_lens.  C2 x has rank 3, w and r have D directions and as many rows as gates;
    r is [D,..,H], w [D,..,I].  C3 bias_w and bias_r have the rows of w.  C4 seq_lens is [B].  C5 states are [D,B,H].
    C6 activations are known names, as many as a direction has times D; alpha and beta, with activations only, have as
    many entries.  C7 clip is finite and >= 0.
  }];
}

def Graven_LstmOp : Graven_RecurrentOp<"lstm"> {
  let summary = "a layer of long short-term memory";
  let description = [{
    i = f(W_i x + R_i h + b_i + P_i c); e = f(W_f x + R_f h + b_f + P_f c), or 1 - i with input_forget;
    g = g(W_g x + R_g h + b_g); c' = e c + i g; o = f(W_o x + R_o h + b_o + P_o c'); h' = o h(c').
    Shapes: x [T,B,I], w [D,4H,I], r [D,4H,H], bias_w, bias_r [D,4H], seq_lens [B], h0, c0 [D,B,H], peephole [D,3H] (i f o)
      -> y [T,B,D H], h [D,B,H], c [D,B,H]; the order of gates is i f g o.
    activations f, g, h: by default sigmoid, tanh, tanh.
  }] # shared # [{C8 peephole is [D,3H]. ONNX: LSTM.  ATen: lstm.
  }];
  let arguments = (ins Graven_FTensor:$x, Graven_FTensor:$w, Graven_FTensor:$r, Optional<Graven_FTensor>:$bias_w,
                       Optional<Graven_FTensor>:$bias_r, Optional<Graven_IndexTensor>:$seq_lens, Optional<Graven_FTensor>:$h0,
                       Optional<Graven_FTensor>:$c0, Optional<Graven_FTensor>:$peephole,
                       DefaultValuedAttr<Graven_DirectionAttr, "::graven::Direction::Forward">:$direction,
                       OptionalAttr<StrArrayAttr>:$activations, OptionalAttr<DenseF64ArrayAttr>:$alpha,
                       OptionalAttr<DenseF64ArrayAttr>:$beta, DefaultValuedAttr<F64Attr, "0.0">:$clip, UnitAttr:$input_forget);
  let results = (outs Graven_FTensor:$y, Graven_FTensor:$h, Graven_FTensor:$c);
  let assemblyFormat = [{
    $x `,` $w `,` $r (`bias_w` $bias_w^)? (`bias_r` $bias_r^)? (`seq_lens` $seq_lens^)? (`h0` $h0^)? (`c0` $c0^)?
    (`peephole` $peephole^)? (`direction` $direction^)? (`activations` $activations^)? (`alpha` $alpha^)? (`beta` $beta^)?
    (`clip` $clip^)? (`input_forget` $input_forget^)? attr-dict `:` functional-type(operands, results)
  }];
}

def Graven_GruOp : Graven_RecurrentOp<"gru"> {
  let summary = "a layer of gated recurrent units";
  let description = [{
    r = f(W_r x + R_r h + b_r); z = f(W_z x + R_z h + b_z); h' = (1 - z) n + z h, with linear_before_reset
    n = g(W_n x + bw_n + r (R_n h + br_n)), else n = g(W_n x + bw_n + R_n (r h) + br_n).
    Shapes: x [T,B,I], w [D,3H,I], r [D,3H,H], bias_w, bias_r [D,3H], seq_lens [B], h0 [D,B,H] -> y [T,B,D H], h [D,B,H]; the
    order of gates is r z n. activations f, g: by default sigmoid, tanh.
  }] # shared # [{ONNX: GRU.  ATen: gru.
  }];
  let arguments = (ins Graven_FTensor:$x, Graven_FTensor:$w, Graven_FTensor:$r, Optional<Graven_FTensor>:$bias_w,
                       Optional<Graven_FTensor>:$bias_r, Optional<Graven_IndexTensor>:$seq_lens, Optional<Graven_FTensor>:$h0,
                       DefaultValuedAttr<Graven_DirectionAttr, "::graven::Direction::Forward">:$direction,
                       OptionalAttr<StrArrayAttr>:$activations, OptionalAttr<DenseF64ArrayAttr>:$alpha,
                       OptionalAttr<DenseF64ArrayAttr>:$beta, DefaultValuedAttr<F64Attr, "0.0">:$clip,
                       UnitAttr:$linear_before_reset);
  let results = (outs Graven_FTensor:$y, Graven_FTensor:$h);
  let assemblyFormat = [{
    $x `,` $w `,` $r (`bias_w` $bias_w^)? (`bias_r` $bias_r^)? (`seq_lens` $seq_lens^)? (`h0` $h0^)?
    (`direction` $direction^)? (`activations` $activations^)? (`alpha` $alpha^)? (`beta` $beta^)? (`clip` $clip^)?
    (`linear_before_reset` $linear_before_reset^)? attr-dict `:` functional-type(operands, results)
  }];
}

def Graven_RnnOp : Graven_RecurrentOp<"rnn"> {
  let summary = "a layer of simple recurrent units";
  let description = [{
    h' = f(W x + bw + R h + br). Shapes: x [T,B,I], w [D,H,I], r [D,H,H], bias_w, bias_r [D,H], seq_lens [B], h0 [D,B,H]
      -> y [T,B,D H], h [D,B,H]
    activation f: by default tanh.
  }] # shared # [{ONNX: RNN.  ATen: rnn_tanh, rnn_relu.
  }];
  let arguments = (ins Graven_FTensor:$x, Graven_FTensor:$w, Graven_FTensor:$r, Optional<Graven_FTensor>:$bias_w,
                       Optional<Graven_FTensor>:$bias_r, Optional<Graven_IndexTensor>:$seq_lens, Optional<Graven_FTensor>:$h0,
                       DefaultValuedAttr<Graven_DirectionAttr, "::graven::Direction::Forward">:$direction,
                       OptionalAttr<StrArrayAttr>:$activations, OptionalAttr<DenseF64ArrayAttr>:$alpha,
                       OptionalAttr<DenseF64ArrayAttr>:$beta, DefaultValuedAttr<F64Attr, "0.0">:$clip);
  let results = (outs Graven_FTensor:$y, Graven_FTensor:$h);
  let assemblyFormat = [{
    $x `,` $w `,` $r (`bias_w` $bias_w^)? (`bias_r` $bias_r^)? (`seq_lens` $seq_lens^)? (`h0` $h0^)?
    (`direction` $direction^)? (`activations` $activations^)? (`alpha` $alpha^)? (`beta` $beta^)? (`clip` $clip^)?
    attr-dict `:` functional-type(operands, results)
  }];
}

#endif // DIALECTS_GRAVEN_OPSRECURRENT_TD
