// The way of a model through every command: import writes text that compiles, the shared object runs, and native code
// gives what the reference evaluator gives.
// RUN: rm -rf %t && mkdir -p %t
// RUN: graven import %s -o %t/m.mlir
// RUN: graven compile %t/m.mlir -o %t/m.so --header %t/m.h
// RUN: FileCheck %s --check-prefix=HEADER --input-file=%t/m.h
// RUN: graven run %s --evaluate --input x=@%S/Inputs/x.npy --save-outputs %t/out
// RUN: graven run %t/m.so --input 0=@%S/Inputs/x.npy --expect 0=@%t/out/0.npy | FileCheck %s --check-prefix=EQUAL
// RUN: graven run %s --input x=@%S/Inputs/x.npy --expect 0=@%t/out/0.npy | FileCheck %s --check-prefix=EQUAL
// RUN: not graven run %s --input x=@%S/Inputs/x.npy --expect 0=@%S/Inputs/x.npy 2>&1 | FileCheck %s --check-prefix=DIFFERS
// RUN: graven inspect %s | FileCheck %s --check-prefix=INSPECT
// RUN: graven bench %t/m.so --seconds 0.01 --json | FileCheck %s --check-prefix=BENCH
// RUN: graven explain GRV0207 | FileCheck %s --check-prefix=EXPLAIN
// HEADER: m_run(
// EQUAL: 0: equal within rtol
// DIFFERS: [GRV0401] output 0 is f32[2,4], expected f32[2,8]
// INSPECT: input x: f32[2,8]
// INSPECT: output y: f32[2,4]
// INSPECT: op matmul 1
// BENCH: "min_ms": {{[0-9.]+}}
// EXPLAIN: GRV0207: an extent is not known
graven.param @w : tensor<4x8xf32> = dense<0.5> : tensor<4x8xf32>
graven.graph @forward(%x: tensor<2x8xf32> {graven.name = "x"}) -> (tensor<2x4xf32> {graven.name = "y"}) {
  %w = graven.get_param @w : tensor<4x8xf32>
  %0 = graven.matmul %x, %w transpose_b : (tensor<2x8xf32>, tensor<4x8xf32>) -> tensor<2x4xf32>
  %1 = graven.tanh %0 : tensor<2x4xf32>
  graven.return %1 : tensor<2x4xf32>
}
