// RUN: graven-opt --graven-simplify-conditions --split-input-file %s | FileCheck %s

// A negative number has a negative rest. relu(NaN) is not >= 0. x rem 0 is x.

// CHECK-LABEL: graven.graph @decided(
//   CHECK-DAG:   %[[Y:.*]] = graven.constant dense<true> : tensor<4xi1>
//   CHECK-DAG:   %[[N:.*]] = graven.constant dense<false> : tensor<4xi1>
//   CHECK-DAG:   %[[M:.*]] = graven.rem
//       CHECK:   %[[A:.*]] = graven.compare ge %[[M]]
//       CHECK:   %[[F:.*]] = graven.compare ge
//       CHECK:   %[[K:.*]] = graven.compare lt
//       CHECK:   %[[D:.*]] = graven.compare ge
//       CHECK:   graven.return %[[Y]], %[[Y]], %[[N]], %[[N]], %[[A]], %[[F]], %[[K]], %[[D]]
graven.graph @decided(%x: tensor<4xi64>, %b: tensor<4xui8>, %f: tensor<4xf32>, %d: tensor<?xi64>) -> (tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<?xi1>) {
  %zero = graven.constant dense<0> : tensor<1xi64>
  %eight = graven.constant dense<8> : tensor<1xi64>
  %least = graven.constant dense<-9223372036854775808> : tensor<1xi64>
  %big = graven.constant dense<256> : tensor<1xi64>
  %fz = graven.constant dense<0.0> : tensor<1xf32>
  %r = graven.relu %x : tensor<4xi64>
  %0 = graven.compare ge %r, %zero : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
  %m = graven.rem %x, %eight : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi64>
  %1 = graven.compare lt %m, %eight : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
  %2 = graven.compare lt %x, %least : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
  %w = graven.cast %b {to = i64} : (tensor<4xui8>) -> tensor<4xi64>
  %3 = graven.compare ge %w, %big : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
  %4 = graven.compare ge %m, %zero : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
  %fr = graven.relu %f : tensor<4xf32>
  %5 = graven.compare ge %fr, %fz : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xi1>
  %k = graven.rem %x, %zero : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi64>
  %6 = graven.compare lt %k, %eight : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
  %dr = graven.relu %d : tensor<?xi64>
  %7 = graven.compare ge %dr, %zero : (tensor<?xi64>, tensor<1xi64>) -> tensor<?xi1>
  graven.return %0, %1, %2, %3, %4, %5, %6, %7 : tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<?xi1>
}

// -----

// Order does not hold of sums that wrap.

// CHECK-LABEL: graven.graph @sums(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xi8>
//   CHECK-DAG:   %[[C:.*]] = graven.constant dense<127> : tensor<1xi8>
//   CHECK-DAG:   %[[A:.*]] = graven.add %[[X]]
//       CHECK:   graven.compare eq %[[X]], %[[C]]
//       CHECK:   graven.compare lt %[[A]]
//       CHECK:   graven.compare ne %[[A]]
//       CHECK:   %[[B:.*]] = graven.add
//       CHECK:   graven.compare eq %[[B]]
graven.graph @sums(%x: tensor<4xi8>, %s: tensor<1xi8>) -> (tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>) {
  %two = graven.constant dense<2> : tensor<1xi8>
  %big = graven.constant dense<-127> : tensor<1xi8>
  %wide = graven.constant dense<2> : tensor<4xi8>
  %a = graven.add %x, %two : (tensor<4xi8>, tensor<1xi8>) -> tensor<4xi8>
  %0 = graven.compare eq %a, %big : (tensor<4xi8>, tensor<1xi8>) -> tensor<4xi1>
  %1 = graven.compare lt %a, %big : (tensor<4xi8>, tensor<1xi8>) -> tensor<4xi1>
  %2 = graven.compare ne %a, %x : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi1>
  %b = graven.add %s, %wide : (tensor<1xi8>, tensor<4xi8>) -> tensor<4xi8>
  %3 = graven.compare eq %b, %big : (tensor<4xi8>, tensor<1xi8>) -> tensor<4xi1>
  graven.return %0, %1, %2, %3 : tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>
}

// -----

// CHECK-LABEL: graven.graph @two_comparisons(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xi64>
//   CHECK-DAG:   %[[NO:.*]] = graven.constant dense<false> : tensor<4xi1>
//   CHECK-DAG:   %[[YES:.*]] = graven.constant dense<true> : tensor<4xi1>
//   CHECK-DAG:   %[[FOUR:.*]] = graven.constant dense<4>
//   CHECK-DAG:   %[[SIX:.*]] = graven.constant dense<6>
//       CHECK:   %[[A:.*]] = graven.compare ge %[[X]], %[[SIX]]
//       CHECK:   %[[B:.*]] = graven.compare ge %[[X]], %[[FOUR]]
//       CHECK:   %[[D:.*]] = graven.compare lt %[[X]], %[[FOUR]]
//       CHECK:   %[[E:.*]] = graven.compare eq %[[X]], %[[FOUR]]
//       CHECK:   graven.return %[[A]], %[[B]], %[[NO]], %[[D]], %[[YES]], %[[E]]
graven.graph @two_comparisons(%x: tensor<4xi64>) -> (tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>) {
  %three = graven.constant dense<3> : tensor<1xi64>
  %four = graven.constant dense<4> : tensor<1xi64>
  %five = graven.constant dense<5> : tensor<1xi64>
  %gt3 = graven.compare gt %x, %three : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
  %gt5 = graven.compare gt %x, %five : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
  %lt3 = graven.compare lt %x, %three : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
  %eq3 = graven.compare eq %x, %three : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
  %le5 = graven.compare le %x, %five : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
  %lt5 = graven.compare lt %x, %five : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
  %0 = graven.and %gt3, %gt5 : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  %1 = graven.or %gt3, %gt5 : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  %2 = graven.and %lt3, %gt5 : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  %3 = graven.or %lt3, %eq3 : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  %4 = graven.or %gt3, %le5 : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  %5 = graven.and %gt3, %lt5 : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  graven.return %0, %1, %2, %3, %4, %5 : tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>
}

// -----

// Two bounds are left; other Values; NaN, for which neither holds.

// CHECK-LABEL: graven.graph @two_comparisons_that_stay(
//       CHECK:   graven.and
//       CHECK:   graven.and
//       CHECK:   graven.or
//       CHECK:   graven.or
//       CHECK:   graven.or
graven.graph @two_comparisons_that_stay(%x: tensor<4xi64>, %y: tensor<4xi64>, %f: tensor<4xf32>) -> (tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>) {
  %three = graven.constant dense<3> : tensor<1xi64>
  %nine = graven.constant dense<9> : tensor<1xi64>
  %f3 = graven.constant dense<3.0> : tensor<1xf32>
  %f5 = graven.constant dense<5.0> : tensor<1xf32>
  %gt = graven.compare gt %x, %three : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
  %lt = graven.compare lt %x, %nine : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
  %other = graven.compare lt %y, %nine : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
  %0 = graven.and %gt, %lt : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  %1 = graven.and %gt, %other : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  %fgt = graven.compare gt %f, %f3 : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xi1>
  %flt = graven.compare lt %f, %f5 : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xi1>
  %2 = graven.or %fgt, %flt : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  %below = graven.compare lt %x, %three : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
  %above = graven.compare gt %x, %nine : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
  %3 = graven.or %below, %above : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  %xy = graven.compare lt %x, %y : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi1>
  %4 = graven.or %gt, %xy : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  graven.return %0, %1, %2, %3, %4 : tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>
}
