// RUN: graven-opt --graven-rewrite-by-pdl=file=%S/Inputs/sub-of-neg.pdll %s | FileCheck %s
// RUN: mlir-pdll -x=mlir %S/Inputs/sub-of-neg.pdll -o %t.pdl.mlir
// RUN: graven-opt --graven-rewrite-by-pdl=file=%t.pdl.mlir --explain %s 2>%t.why | FileCheck %s
// RUN: FileCheck %s --check-prefix=WHY <%t.why
// RUN: graven-opt --graven-rewrite-by-pdl=file=%t.pdl.mlir --disable-pattern SubOfNeg %s 2>&1 | FileCheck %s --check-prefix=LESS

//      WHY: rewrite-by-pdl.mlir:[[# @LINE + 15]]:8: graven-rewrite-by-pdl: graven.sub: SubOfNeg{{$}}
// WHY-NEXT: pass
// WHY-NEXT: graven-rewrite-by-pdl 1 1

// LESS-NOT: warning
// LESS-NOT: graven.add

// The names of a file's patterns are known, too.

// CHECK-LABEL: graven.graph @adds(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf32>
//       CHECK:   %[[SUM:.*]] = graven.add %[[X]], %[[Y]]
//       CHECK:   graven.return %[[SUM]]
graven.graph @adds(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = graven.neg %y : tensor<4xf32>
  %1 = graven.sub %x, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  graven.return %1 : tensor<4xf32>
}

// HasOneUse is a constraint that Graven gives.

// CHECK-LABEL: graven.graph @second_user(
//       CHECK:   graven.neg
//       CHECK:   graven.sub
graven.graph @second_user(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = graven.neg %y : tensor<4xf32>
  %1 = graven.sub %x, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  graven.return %0, %1 : tensor<4xf32>, tensor<4xf32>
}
