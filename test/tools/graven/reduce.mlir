// The least graph on which a check fails as it does on the model: a test with its RUN line.
// RUN: rm -rf %t && mkdir -p %t
// RUN: graven reduce %s --check "not grep -q graven.softmax {}" -o %t/least.mlir | FileCheck %s --check-prefix=SUMMARY
// RUN: FileCheck %s --check-prefix=LEAST --implicit-check-not=relu --implicit-check-not=96 --implicit-check-not=@other < %t/least.mlir
// What it writes is a model, and fails the check.
// RUN: graven inspect %t/least.mlir
// RUN: grep -q graven.softmax %t/least.mlir
// Another exit code is another failure: without softmax it would be 2.
// RUN: graven reduce %s --check "grep -q graven.softmax {} || exit 2; grep -q graven.relu {} || exit 2; exit 1" -o %t/both.mlir --json \
// RUN:   | FileCheck %s --check-prefix=JSON
// RUN: FileCheck %s --check-prefix=BOTH < %t/both.mlir
// Weights that must differ from one another stay few in the text.
// RUN: graven reduce %s --check "grep -q 'dense<\[' {} && exit 1; exit 0" -o %t/weights.mlir
// RUN: FileCheck %s --check-prefix=WEIGHTS < %t/weights.mlir
// A real one: rounding that a tolerance of nothing refuses.
// RUN: graven reduce %s --check "graven verify --tolerance 0 {}" -o %t/rounds.mlir
// RUN: not graven verify --tolerance 0 %t/rounds.mlir
// RUN: FileCheck %s --check-prefix=ROUNDS < %t/rounds.mlir
// RUN: %exits 3 graven reduce %s --check "grep -q graven.softmax {}" -o %t/no.mlir 2>&1 | FileCheck %s --check-prefix=PASSES
// RUN: not ls %t/no.mlir
// RUN: %exits 3 graven reduce %s -o %t/no.mlir 2>&1 | FileCheck %s --check-prefix=USAGE
// RUN: %exits 2 graven reduce %t/none.mlir --check false -o %t/no.mlir 2>&1 | FileCheck %s --check-prefix=MISSING

// SUMMARY: least.mlir: 1 of 5 nodes, after {{[0-9]+}} tries
//   LEAST: // 1 of the 5 nodes of reduce.mlir.
// LEAST-NEXT: // {{RUN}}: not grep -q graven.softmax %s
//   LEAST: graven.graph @forward(%arg0: tensor<1x1xf32>
//   LEAST: graven.softmax
//    JSON: "check_exit": 1,
//    JSON: "nodes": 2,
//    JSON: "nodes_before": 5
//    BOTH: graven.relu
//    BOTH: graven.softmax
// WEIGHTS: dense<[
//  ROUNDS: // {{RUN}}: graven verify --tolerance 0 %s
//  PASSES: [GRV0004] --check passes on the graph of '{{.*}}reduce.mlir', expected it to fail
//   USAGE: --check option: must be specified
// MISSING: [GRV0001]

graven.param @w : tensor<96x48xf32> = dense<0.5> : tensor<96x48xf32>
graven.param @c : tensor<48xf32> = dense<0.25> : tensor<48xf32>
graven.param @s : tensor<4x1xf32> = dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32>
graven.graph @forward(%x: tensor<4x96xf32> {graven.name = "x"}) -> (tensor<4x48xf32> {graven.name = "y"}, tensor<4x96xf32> {graven.name = "z"}) {
  %w = graven.get_param @w : tensor<96x48xf32>
  %s = graven.get_param @s : tensor<4x1xf32>
  %0 = graven.relu %x : tensor<4x96xf32>
  %1 = graven.matmul %0, %w : (tensor<4x96xf32>, tensor<96x48xf32>) -> tensor<4x48xf32>
  %2 = graven.softmax %1 axis 1 : tensor<4x48xf32>
  %3 = graven.mul %2, %s : (tensor<4x48xf32>, tensor<4x1xf32>) -> tensor<4x48xf32>
  %4 = graven.call @other(%0) : (tensor<4x96xf32>) -> tensor<4x96xf32>
  graven.return %3, %4 : tensor<4x48xf32>, tensor<4x96xf32>
}
graven.graph private @other(%x: tensor<4x96xf32>) -> tensor<4x96xf32> {
  %0 = graven.exp %x : tensor<4x96xf32>
  graven.return %0 : tensor<4x96xf32>
}
