//===- KernelRecurrent.td - recurrent kernels -----------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the kernel of a recurrent layer, and the single step that
// it is split into once its buffers are placed.

#ifndef GRAVEN_DIALECTS_KERNEL_RECURRENT_TD
#define GRAVEN_DIALECTS_KERNEL_RECURRENT_TD

def Kernel_RecurrenceOp : Kernel_Op<"recurrence", [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>, DestinationStyleOpInterface]> {
  let summary = "all steps of a recurrent layer";
  let description = [{
    For each direction d, over the steps t (from the last to the first where `reverse[d]`),
    with s_0 the state that is multiplied and fed back
    ```
    p_g[b,u] = sum_k s_0[b,k] * r[d, u / U, k, u % U / L, g, u % L]        g < gates, U = V L
    s'_0, s'_1, ... = cell(p_0[b,u], .., x[t,b,(d gates + 0) H + u], .., s_0[b,u], .., params_0[d,u], ..)
    y[t, b, d H + u] = s'_0[b,u]
    ```
    - `x` [T, B, D gates H]: what the inputs add to each gate
    - `r` [D, ceil(H/U), H, V, gates, L]: the gates of V vectors of L units side by side;
      units past H are zero
    - `initial` [D, B, H], one for each state
    - `params` [D, H]
    - `outs`: `y` [T, B, D H], the last states [D, B, H], and `scratch` [2, B, H], which
      holds nothing of use before or after

    `mr` is the number of rows of the register tile.

    Constraints:
    - C1 at least one state and one gate; equal element types, but that `r` may be stored as f16 or bf16.
    - C2 extents agree as above; T >= 1.
    - C3 `mr` >= 1; `reverse` has D entries.
    - C4 the region takes the products, the inputs, the states and the params of one
      unit, holds elementwise and constant operations only, and yields the new states.
  }];
  let arguments = (ins Kernel_Operand:$x, Kernel_Operand:$r, Variadic<Kernel_Operand>:$initial,
      Variadic<Kernel_Operand>:$params, Variadic<Kernel_Operand>:$outs,
      I64Attr:$gates, DenseBoolArrayAttr:$reverse, I64Attr:$mr);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `ins` `(` $x `,` $r `:` type($x) `,` type($r) `)` `initial` `(` $initial `:` type($initial) `)`
    (`params` `(` $params^ `:` type($params) `)`)? `outs` `(` $outs `:` type($outs) `)`
    attr-dict-with-keyword $body (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutsMutable(); }
  }];
}

def Kernel_RecurrenceStepOp : Kernel_Op<"recurrence_step", [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>, DestinationStyleOpInterface]> {
  let summary = "one step of a recurrent layer";
  let description = [{
    Step `position` (t) of `direction` (d) of `kernel.recurrence`, for all units. s_0 is
    read from `scratch[t % 2]` and written to `scratch[(t + 1) % 2]`, so that the units of
    a step may run in any order; `states`, the others, are replaced. On memrefs only.
    `outs` are `y`, `scratch` and `states`.
  }];
  let arguments = (ins Kernel_Operand:$x, Kernel_Operand:$r, Variadic<Kernel_Operand>:$params,
      Index:$direction, Index:$position, Variadic<Kernel_Operand>:$outs,
      I64Attr:$gates, I64Attr:$mr);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `ins` `(` $x `,` $r `:` type($x) `,` type($r) `)` (`params` `(` $params^ `:` type($params) `)`)?
    `direction` `(` $direction `)` `position` `(` $position `)`
    `outs` `(` $outs `:` type($outs) `)` attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutsMutable(); }
    ::mlir::Value getY() { return getOuts()[0]; }
    ::mlir::Value getScratch() { return getOuts()[1]; }
    ::mlir::OperandRange getStates() { return getOuts().drop_front(2); }
  }];
}

#endif // GRAVEN_DIALECTS_KERNEL_RECURRENT_TD
