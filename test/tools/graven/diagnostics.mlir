// Messages have a place, a line with a caret, a code and notes; what a terminal would obey is escaped; --json has the
// same as data.
// RUN: split-file %s %t
// RUN: %exits 2 graven inspect %t/colon.mlir 2>&1 | FileCheck %s --check-prefix=COLON --strict-whitespace
// RUN: %exits 2 graven inspect %t/colon.mlir --json 2>/dev/null | FileCheck %s --check-prefix=JSON
// RUN: %exits 2 graven inspect %t/shape.mlir 2>&1 | FileCheck %s --check-prefix=SHAPE
// RUN: %exits 2 graven inspect %t/symbol.mlir 2>&1 | FileCheck %s --check-prefix=ESCAPED
// RUN: %exits 2 graven compile %t/no-graph.mlir -o %t/m.so 2>&1 | FileCheck %s --check-prefix=NO-GRAPH
// RUN: %exits 2 graven compile %t/foreign.mlir -o %t/m.so 2>&1 | FileCheck %s --check-prefix=FOREIGN
// RUN: %exits 2 graven compile %t/late.mlir -o %t/m.so 2>&1 | FileCheck %s --check-prefix=LATE
// RUN: %exits 1 graven check %t/check.mlir --json 2>/dev/null | FileCheck %s --check-prefix=CHECK-JSON
// RUN: %exits 3 graven import %t/check.mlir --json 2>&1 | FileCheck %s --check-prefix=IMPORT-JSON
// RUN: graven import %t/check.mlir -o %t/out.mlir --json | FileCheck %s --check-prefix=WRITTEN
// RUN: not ls %t/m.so
// COLON: colon.mlir:2:22: error: [GRV0109] expected ':'
// COLON-NEXT:{{^}}      %0 = graven.relu %x tensor<2xf32>
// COLON-NEXT:{{^}}                         ^
// JSON: "code": "GRV0109"
// JSON: "column": 22
// JSON: "file": "{{.*}}colon.mlir"
// JSON: "line": 2
// JSON: "message": "expected ':'"
// JSON: "severity": "error"
// JSON: "exit": 2
// SHAPE: shape.mlir:2:8: error: [GRV0109] 'graven.add' op
// SHAPE: note: see current operation
// ESCAPED: error: [GRV0109]
// ESCAPED-SAME: \x1b[31m
// NO-GRAPH: error: [GRV0107] the module has no graph @forward
// FOREIGN: foreign.mlir:2:8: error: [GRV0107] 'arith.addf' is no operation of a graph
// LATE: late.mlir:3:8: error: [GRV0107] {{.*}}shape holds 8 elements, expected 6
// CHECK-JSON: "diagnostics"
// CHECK-JSON: "exit": 1
// CHECK-JSON: "graphs": 1
// CHECK-JSON: "passed": false
// IMPORT-JSON: [GRV0004] --json and the graph cannot both go to standard output
// WRITTEN: "exit": 0
// WRITTEN: "output": "{{.*}}out.mlir"

//--- colon.mlir
graven.graph @forward(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = graven.relu %x tensor<2xf32>
  graven.return %0 : tensor<2xf32>
}
//--- shape.mlir
graven.graph @forward(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = "graven.add"(%x, %y) : (tensor<2xf32>, tensor<3xf32>) -> tensor<2xf32>
  graven.return %0 : tensor<2xf32>
}
//--- symbol.mlir
graven.graph @forward() -> tensor<2xf32> {
  %0 = graven.get_param @"\1B[31mred" : tensor<2xf32>
  graven.return %0 : tensor<2xf32>
}
//--- no-graph.mlir
graven.graph @backward(%x: tensor<2xf32>) -> tensor<2xf32> {
  graven.return %x : tensor<2xf32>
}
//--- foreign.mlir
graven.graph @forward(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = arith.addf %x, %x : tensor<2xf32>
  graven.return %0 : tensor<2xf32>
}
//--- late.mlir
graven.graph @forward(%x: tensor<6xf32>) -> tensor<2x?xf32> {
  %n = graven.constant dense<4> : tensor<i64>
  %y = graven.reshape %x to [2, %n] : (tensor<6xf32>, tensor<i64>) -> tensor<2x?xf32>
  graven.return %y : tensor<2x?xf32>
}
//--- check.mlir
graven.graph @wrong() {
  %0 = graven.constant dense<1.0> : tensor<2xf32>
  check.expect_eq_const %0, dense<2.0> : tensor<2xf32> as tensor<2xf32>
  graven.return
}
