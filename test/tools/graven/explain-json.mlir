// Explanations as one document: of graven-opt on standard error, of graven on standard output or in its report.
// RUN: graven-opt %s --graven-fuse-conv-bn --cse --explain=json -o /dev/null 2>%t.opt.json
// RUN: %python -m json.tool %t.opt.json | FileCheck %s
// RUN: graven compile %s -o %t.so --explain=json >%t.json
// RUN: %python -m json.tool %t.json | FileCheck %s --check-prefix=COMPILE
// RUN: graven compile %s -o %t.so --explain=json --json >%t.json
// RUN: %python -c "import json, sys; print(*json.load(open(sys.argv[1]))['explanation'])" %t.json | FileCheck %s --check-prefix=KEYS
// RUN: graven compile %s -o %t.so --explain=text --json 2>%t.why | FileCheck %s --check-prefix=REPORT
// RUN: FileCheck %s --check-prefix=TEXT <%t.why
// RUN: %exits 3 graven compile %s -o %t.so --explain=yaml 2>&1 | FileCheck %s --check-prefix=FORM

// KEYS: candidates passes pattern_counts patterns
// REPORT-NOT: explanation
// FORM: --explain option: Cannot find option named 'yaml'

//      TEXT: explain-json.mlir:[[# @LINE + 50]]:8: graven-fuse-conv-bn: graven.batch_norm: FuseIntoConv<ConvOp>
//      TEXT: pass                              candidates   fired   seconds    nodes    after          bytes          after
// TEXT-NEXT: graven-inline-calls 0 0 {{[0-9.]+}} 8 8 736 736
//      TEXT: graven-fuse-conv-bn {{[1-9]}} 1
//      TEXT: graven-verify-graph-phase
//      TEXT: graven-to-kernel

//      CHECK: {
// CHECK-NEXT:   "candidates": [
// CHECK-NEXT:     {
// CHECK-NEXT:       "column": 8,
// CHECK-NEXT:       "file": "{{.*}}explain-json.mlir",
// CHECK-NEXT:       "fired": true,
// CHECK-NEXT:       "line": [[# @LINE + 37]],
// CHECK-NEXT:       "op": "graven.batch_norm",
// CHECK-NEXT:       "pass": "graven-fuse-conv-bn",
// CHECK-NEXT:       "pattern": "FuseIntoConv<ConvOp>",
// CHECK-NEXT:       "why": ""
// CHECK-NEXT:     },
//      CHECK:       "fired": false,
//      CHECK:       "why": "{{.+}}"
//      CHECK:   ],
// CHECK-NEXT:   "passes": [
// CHECK-NEXT:     {
// CHECK-NEXT:       "bytes_after": {{[0-9]+}},
// CHECK-NEXT:       "bytes_before": 736,
// CHECK-NEXT:       "candidates": {{[1-9]}},
// CHECK-NEXT:       "fired": 1,
// CHECK-NEXT:       "nodes_after": {{[0-9]+}},
// CHECK-NEXT:       "nodes_before": 5,
// CHECK-NEXT:       "pass": "graven-fuse-conv-bn",
// CHECK-NEXT:       "runs": 1,
// CHECK-NEXT:       "seconds": {{[0-9.e-]+}}
// CHECK-NEXT:     },
// CHECK-NEXT:     {
//      CHECK:       "pass": "cse",
//      CHECK:   "patterns": {
// CHECK-NEXT:     "graven-fuse-conv-bn": [
//      CHECK:       "FuseBias",

// COMPILE: "pass": "graven-fuse-epilogues"

graven.param @w : tensor<4x3x3x3xf32> = dense<0.3> : tensor<4x3x3x3xf32>
graven.param @s : tensor<4xf32> = dense<0.5> : tensor<4xf32>
graven.graph @forward(%x: tensor<1x3x5x5xf32> {graven.name = "x"})
    -> (tensor<1x4x3x3xf32> {graven.name = "y"}) {
  %w = graven.get_param @w : tensor<4x3x3x3xf32>
  %s = graven.get_param @s : tensor<4xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0]
      : (tensor<1x3x5x5xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x3x3xf32>
  %1 = graven.batch_norm %0 scale %s bias %s mean %s variance %s epsilon 1.0e-3 : (tensor<1x4x3x3xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x3x3xf32>
  graven.return %1 : tensor<1x4x3x3xf32>
}
