// Native code beside the evaluator, artifacts beside models, and what cannot be compared.
// RUN: rm -rf %t && mkdir -p %t
// RUN: graven verify %s | FileCheck %s --check-prefix=SAME
// RUN: graven verify %s --per-node | FileCheck %s --check-prefix=NODES
// RUN: %exits 1 graven verify %s --per-node --tolerance 0 | FileCheck %s --check-prefix=FIRST
// RUN: %exits 1 graven verify %s --per-node --tolerance 0 --json | FileCheck %s --check-prefix=JSON
// RUN: graven compile %s -o %t/m.so
// RUN: graven verify %t/m.so %s | FileCheck %s --check-prefix=ARTIFACT
// RUN: graven verify %t/m.so evaluator:%s --input 0:f32[4,8]
// Another constant, another result: the first Node that differs is the one that reads it.
// RUN: sed 's/dense<0.25>/dense<0.75>/' %s > %t/verify.mlir
// RUN: %exits 1 graven verify %t/verify.mlir %t/m.so | FileCheck %s --check-prefix=DIFFERS
// RUN: %exits 1 graven verify evaluator:%t/verify.mlir evaluator:%s --per-node | FileCheck %s --check-prefix=CONSTANT
// RUN: sed 's/tensor<4x8xf32>/tensor<4x6xf32>/g' %s > %t/narrow.mlir
// RUN: %exits 2 graven verify %t/m.so %t/narrow.mlir 2>&1 | FileCheck %s --check-prefix=SHAPE
// RUN: %exits 3 graven verify %t/m.so 2>&1 | FileCheck %s --check-prefix=ALONE
// RUN: %exits 3 graven verify %t/m.so %s --per-node 2>&1 | FileCheck %s --check-prefix=NO-NODES
// RUN: %exits 3 graven verify evaluator ort 2>&1 | FileCheck %s --check-prefix=NO-FILE
// RUN: %exits 3 graven verify %s --tolerance=-1 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: %exits 2 graven verify %t/none.onnx 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: env GRAVEN_PYTHON=/nonexistent/python %exits 2 graven verify %s ort 2>&1 | FileCheck %s --check-prefix=PEER

//     SAME: native code of {{.*}}verify.mlir
//     SAME: beside evaluator on {{.*}}verify.mlir
//     SAME: output 0: {{.*}} of its greatest element
//     SAME: {{^}}  {{.*}}: {{[0-9]+}}
//     SAME: the same
//    NODES: {{[1-9]}} of {{[0-9]+}} Nodes compared: none differs
//    FIRST: Nodes compared; the first that differs is '{{[a-z_]+}}' at {{.*}}verify.mlir:{{[0-9]+}}:8:
//    FIRST: different
//     JSON: "first_diverging": {
//     JSON: "place": "{{.*}}verify.mlir:
//     JSON: "nodes": [
//     JSON: "histogram": {
//     JSON: "outputs": [
//     JSON: "greatest_difference":
//     JSON: "same": false
// ARTIFACT: artifact {{.*}}m.so
// ARTIFACT: beside native code of
//  DIFFERS: output 0: {{[0-9.e+-]+}} of its greatest element at element
//  DIFFERS: different
// CONSTANT: 3 of 3 Nodes compared; the first that differs is 'mul' at {{.*}}verify.mlir:[[# @LINE + 13]]:8
//    SHAPE: error: {{.*}}expected
//    ALONE: [GRV0004] '{{.*}}m.so' is an artifact: name the model to compare it with
// NO-NODES: [GRV0004] --per-node needs the values of Nodes, which an artifact does not give
//  NO-FILE: [GRV0004] expected a file, got two names of runtimes
// NEGATIVE: [GRV0004] --tolerance takes a number that is not negative
//  MISSING: [GRV0001]
//     PEER: [GRV0503] cannot run '/nonexistent/python'

graven.param @c : tensor<4x8xf32> = dense<0.25> : tensor<4x8xf32>
graven.graph @forward(%x: tensor<4x8xf32> {graven.name = "x"}) -> (tensor<4x8xf32> {graven.name = "y"}) {
  %c = graven.get_param @c : tensor<4x8xf32>
  %0 = graven.exp %x : tensor<4x8xf32>
  %1 = graven.mul %0, %c : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %2 = graven.softmax %1 axis 1 : tensor<4x8xf32>
  graven.return %2 : tensor<4x8xf32>
}
