// RUN: graven-opt --graven-fold-extents --split-input-file %s | FileCheck %s

// CHECK-LABEL: graven.graph @rest_of_a_concat(
//       CHECK:   %[[Z:.*]] = graven.constant dense<0> : tensor<i64>
//       CHECK:   graven.return %[[Z]]
graven.graph @rest_of_a_concat(%x: tensor<?xf32>) -> (tensor<i64>) {
  %two = graven.constant dense<2> : tensor<i64>
  %0 = graven.concat %x, %x axis 0 : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %1 = graven.dim %0 axis 0 : tensor<?xf32>
  %2 = graven.rem %1, %two : (tensor<i64>, tensor<i64>) -> tensor<i64>
  graven.return %2 : tensor<i64>
}

// -----

// The rest of any extent is not known.

// CHECK-LABEL: graven.graph @rest_that_is_one(
//       CHECK:   %[[ONE:.*]] = graven.constant dense<1> : tensor<i64>
//       CHECK:   %[[R:.*]] = graven.rem
//       CHECK:   graven.return %[[ONE]], %[[R]]
graven.graph @rest_that_is_one(%x: tensor<?xf32>) -> (tensor<i64>, tensor<i64>) {
  %two = graven.constant dense<2> : tensor<i64>
  %0 = graven.pad %x low [1] high [0] : (tensor<?xf32>) -> tensor<?xf32>
  %1 = graven.concat %0, %x axis 0 : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %2 = graven.dim %1 axis 0 : tensor<?xf32>
  %3 = graven.rem %2, %two : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %4 = graven.dim %x axis 0 : tensor<?xf32>
  %5 = graven.rem %4, %two : (tensor<i64>, tensor<i64>) -> tensor<i64>
  graven.return %3, %5 : tensor<i64>, tensor<i64>
}

// -----

// CHECK-LABEL: graven.graph @through_nodes(
//  CHECK-SAME:   %[[X:.*]]: tensor<2x?xf32>, %[[I:.*]]: tensor<?xi64>
//       CHECK:   %[[N:.*]] = graven.dim %[[X]] axis 1
//       CHECK:   %[[B:.*]] = graven.dim %{{.*}} axis 0 : tensor<?xf32>
//       CHECK:   %[[E:.*]] = graven.dim %[[I]] axis 0
//       CHECK:   graven.return %[[N]], %[[B]], %[[N]], %[[E]], %[[N]], %[[N]]
graven.graph @through_nodes(%x: tensor<2x?xf32>, %i: tensor<?xi64>) -> (tensor<i64>, tensor<i64>, tensor<i64>, tensor<i64>, tensor<i64>, tensor<i64>) {
  %0 = graven.transpose %x by [1, 0] : (tensor<2x?xf32>) -> tensor<?x2xf32>
  %1 = graven.relu %0 : tensor<?x2xf32>
  %a = graven.dim %1 axis 0 : tensor<?x2xf32>
  %2 = graven.reshape %1 to [-1] : (tensor<?x2xf32>) -> tensor<?xf32>
  %b = graven.dim %2 axis 0 : tensor<?xf32>
  %3 = graven.reduce sum %1 axes [1] : (tensor<?x2xf32>) -> tensor<?xf32>
  %d = graven.dim %3 axis 0 : tensor<?xf32>
  %4 = graven.gather %1[%i] axis 0 : (tensor<?x2xf32>, tensor<?xi64>) -> tensor<?x2xf32>
  %e = graven.dim %4 axis 0 : tensor<?x2xf32>
  %5 = graven.slice %2 [0] to [9223372036854775807] by [2] : (tensor<?xf32>) -> tensor<?xf32>
  %f = graven.dim %5 axis 0 : tensor<?xf32>
  %6 = graven.matmul %1, %x : (tensor<?x2xf32>, tensor<2x?xf32>) -> tensor<?x?xf32>
  %h = graven.dim %6 axis 1 : tensor<?x?xf32>
  graven.return %a, %b, %d, %e, %f, %h : tensor<i64>, tensor<i64>, tensor<i64>, tensor<i64>, tensor<i64>, tensor<i64>
}

// -----

// One maximum for both orders; x + 1 is the greater one.

// CHECK-LABEL: graven.graph @maxima(
//  CHECK-SAME:   %[[X:.*]]: tensor<?xf32>, %[[Y:.*]]: tensor<?xf32>
//   CHECK-DAG:   %[[T:.*]] = graven.constant dense<true>
//   CHECK-DAG:   %[[M:.*]] = graven.max
//   CHECK-DAG:   %[[P:.*]] = graven.add
//       CHECK:   graven.return %[[M]], %[[M]], %[[P]], %[[T]]
graven.graph @maxima(%x: tensor<?xf32>, %y: tensor<?xf32>) -> (tensor<i64>, tensor<i64>, tensor<i64>, tensor<i1>) {
  %one = graven.constant dense<1> : tensor<i64>
  %zero = graven.constant dense<0> : tensor<i64>
  %a = graven.dim %x axis 0 : tensor<?xf32>
  %b = graven.dim %y axis 0 : tensor<?xf32>
  %m = graven.max %a, %b : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %k = graven.max %b, %a : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %p = graven.add %a, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %q = graven.max %a, %p : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %d = graven.sub %m, %m : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %e = graven.compare ge %d, %zero : (tensor<i64>, tensor<i64>) -> tensor<i1>
  graven.return %m, %k, %q, %e : tensor<i64>, tensor<i64>, tensor<i64>, tensor<i1>
}

// -----

// No extent is negative; 4 n may be n (both 0), and what a run gives may be negative.

// CHECK-LABEL: graven.graph @guards(
//   CHECK-DAG:   %[[T:.*]] = graven.constant dense<true>
//   CHECK-DAG:   %[[F:.*]] = graven.constant dense<false>
//       CHECK:   %[[G:.*]] = graven.compare gt
//       CHECK:   %[[H:.*]] = graven.compare ge
//       CHECK:   graven.return %{{.*}}, %{{.*}}, %[[F]], %[[G]], %[[H]]
graven.graph @guards(%x: tensor<?xf32> {graven.symbols = ["4*n"]}, %y: tensor<?xf32> {graven.symbols = ["n"]}, %s: tensor<i64>) -> (tensor<i1>, tensor<i1>, tensor<i1>, tensor<i1>, tensor<i1>) {
  %two = graven.constant dense<2> : tensor<i64>
  %zero = graven.constant dense<0> : tensor<i64>
  %a = graven.dim %x axis 0 : tensor<?xf32>
  %b = graven.dim %y axis 0 : tensor<?xf32>
  %0 = graven.rem %a, %two : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %1 = graven.compare eq %0, %zero : (tensor<i64>, tensor<i64>) -> tensor<i1>
  %2 = graven.compare ge %a, %b : (tensor<i64>, tensor<i64>) -> tensor<i1>
  %3 = graven.compare lt %b, %zero : (tensor<i64>, tensor<i64>) -> tensor<i1>
  %4 = graven.compare gt %a, %b : (tensor<i64>, tensor<i64>) -> tensor<i1>
  %5 = graven.compare ge %s, %zero : (tensor<i64>, tensor<i64>) -> tensor<i1>
  graven.return %1, %2, %3, %4, %5 : tensor<i1>, tensor<i1>, tensor<i1>, tensor<i1>, tensor<i1>
}

// -----

// An odd extent has a window that ends behind it.

// CHECK-LABEL: graven.graph @ceil_mode(
//   CHECK-NOT:   ceil_mode
//       CHECK:   graven.max_pool
//       CHECK:   graven.avg_pool
//       CHECK:   graven.max_pool %{{.*}} ceil_mode
graven.graph @ceil_mode(%x: tensor<1x1x?x8xf32> {graven.symbols = ["", "", "2*h", ""]}, %y: tensor<1x1x?x8xf32>) -> (tensor<1x1x?x4xf32>, tensor<1x1x?x4xf32>, tensor<1x1x?x4xf32>) {
  %0 = graven.max_pool %x kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] ceil_mode : (tensor<1x1x?x8xf32>) -> tensor<1x1x?x4xf32>
  %1 = graven.avg_pool %x kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] ceil_mode : (tensor<1x1x?x8xf32>) -> tensor<1x1x?x4xf32>
  %2 = graven.max_pool %y kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] ceil_mode : (tensor<1x1x?x8xf32>) -> tensor<1x1x?x4xf32>
  graven.return %0, %1, %2 : tensor<1x1x?x4xf32>, tensor<1x1x?x4xf32>, tensor<1x1x?x4xf32>
}

// -----

// What a Block computes is not there beside it.

// CHECK-LABEL: graven.graph @sub_blocks(
// CHECK-COUNT-3:   graven.dim
graven.graph @sub_blocks(%x: tensor<?xf32>, %c: tensor<i1>) -> (tensor<i64>, tensor<i64>) {
  %r = graven.if %c -> (tensor<i64>) {
    %a = graven.dim %x axis 0 : tensor<?xf32>
    graven.yield %a : tensor<i64>
  } else {
    %b = graven.dim %x axis 0 : tensor<?xf32>
    graven.yield %b : tensor<i64>
  }
  %d = graven.dim %x axis 0 : tensor<?xf32>
  graven.return %r, %d : tensor<i64>, tensor<i64>
}
