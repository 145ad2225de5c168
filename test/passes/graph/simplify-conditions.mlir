// RUN: graven-opt --graven-simplify-conditions --split-input-file %s | FileCheck %s

// Of NaN, neither lt nor ge holds.

// CHECK-LABEL: graven.graph @not_compare(
//       CHECK:   graven.compare ge %{{.*}} : (tensor<4xi64>
//       CHECK:   graven.compare gt %{{.*}} : (tensor<4xi64>
//       CHECK:   graven.compare le %{{.*}} : (tensor<4xi64>
//       CHECK:   graven.compare lt %{{.*}} : (tensor<4xi64>
//       CHECK:   graven.compare ne %{{.*}} : (tensor<4xi64>
//       CHECK:   graven.compare eq %{{.*}} : (tensor<4xf32>
//       CHECK:   %[[L:.*]] = graven.compare lt
//       CHECK:   graven.not %[[L]]
graven.graph @not_compare(%x: tensor<4xi64>, %y: tensor<4xi64>, %a: tensor<4xf32>, %b: tensor<4xf32>) -> (tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>) {
  %c0 = graven.compare lt %x, %y : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi1>
  %0 = graven.not %c0 : tensor<4xi1>
  %c1 = graven.compare le %x, %y : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi1>
  %1 = graven.not %c1 : tensor<4xi1>
  %c2 = graven.compare gt %x, %y : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi1>
  %2 = graven.not %c2 : tensor<4xi1>
  %c3 = graven.compare ge %x, %y : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi1>
  %3 = graven.not %c3 : tensor<4xi1>
  %c4 = graven.compare eq %x, %y : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi1>
  %4 = graven.not %c4 : tensor<4xi1>
  %d = graven.compare ne %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
  %5 = graven.not %d : tensor<4xi1>
  %e = graven.compare lt %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
  %6 = graven.not %e : tensor<4xi1>
  graven.return %0, %1, %2, %3, %4, %5, %6 : tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>
}

// -----

// CHECK-LABEL: graven.graph @not_of_two_users(
//       CHECK:   %[[C:.*]] = graven.compare lt
//       CHECK:   graven.not %[[C]]
graven.graph @not_of_two_users(%x: tensor<4xi64>, %y: tensor<4xi64>, %p: tensor<4xi1>) -> (tensor<4xi1>, tensor<4xi1>, tensor<4xi1>) {
  %c = graven.compare lt %x, %y : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi1>
  %0 = graven.not %c : tensor<4xi1>
  %1 = graven.not %p : tensor<4xi1>
  graven.return %c, %0, %1 : tensor<4xi1>, tensor<4xi1>, tensor<4xi1>
}

// -----

// Another number; a broadcast; no bool.

// CHECK-LABEL: graven.graph @compare_bool(
//  CHECK-SAME:   %[[P:.*]]: tensor<4xi1>, %[[Q:.*]]: tensor<1xi1>, %[[X:.*]]: tensor<4xf32>
//       CHECK:   %[[A:.*]] = graven.not %[[P]]
//       CHECK:   %[[D:.*]] = graven.not %[[P]]
//       CHECK:   %[[E:.*]] = graven.compare eq
//       CHECK:   %[[F:.*]] = graven.compare eq %[[Q]]
//       CHECK:   %[[G:.*]] = graven.compare ne %[[X]]
//       CHECK:   graven.return %[[A]], %[[P]], %[[P]], %[[D]], %[[E]], %[[F]], %[[G]]
graven.graph @compare_bool(%p: tensor<4xi1>, %q: tensor<1xi1>, %x: tensor<4xf32>) -> (tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>) {
  %no = graven.constant dense<false> : tensor<1xi1>
  %noes = graven.constant dense<false> : tensor<4xi1>
  %zero = graven.constant dense<0.0> : tensor<1xf32>
  %one = graven.constant dense<1.0> : tensor<1xf32>
  %two = graven.constant dense<2.0> : tensor<1xf32>
  %0 = graven.compare eq %p, %no : (tensor<4xi1>, tensor<1xi1>) -> tensor<4xi1>
  %1 = graven.compare ne %p, %no : (tensor<4xi1>, tensor<1xi1>) -> tensor<4xi1>
  %n = graven.cast %p {to = f32} : (tensor<4xi1>) -> tensor<4xf32>
  %2 = graven.compare ne %n, %zero : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xi1>
  %3 = graven.compare ne %n, %one : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xi1>
  %4 = graven.compare eq %n, %two : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xi1>
  %5 = graven.compare eq %q, %noes : (tensor<1xi1>, tensor<4xi1>) -> tensor<4xi1>
  %6 = graven.compare ne %x, %zero : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xi1>
  graven.return %0, %1, %2, %3, %4, %5, %6 : tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>
}

// -----

// Another condition selects otherwise.

// CHECK-LABEL: graven.graph @selects(
//  CHECK-SAME:   %[[P:.*]]: tensor<4xi1>, %[[Q:.*]]: tensor<4xi1>, %[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf32>, %[[Z:.*]]: tensor<4xf32>
//       CHECK:   graven.select %[[P]], %[[Y]], %[[X]]
//       CHECK:   %[[I:.*]] = graven.select %[[P]], %[[X]], %[[Y]]
//       CHECK:   graven.select %[[P]], %[[X]], %[[Z]]
//       CHECK:   graven.select %[[P]], %[[Z]], %[[Y]]
//       CHECK:   graven.select %[[Q]], %[[I]], %[[Z]]
graven.graph @selects(%p: tensor<4xi1>, %q: tensor<4xi1>, %x: tensor<4xf32>, %y: tensor<4xf32>, %z: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %n = graven.not %p : tensor<4xi1>
  %0 = graven.select %n, %x, %y : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %i = graven.select %p, %x, %y : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = graven.select %p, %i, %z : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = graven.select %p, %z, %i : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = graven.select %q, %i, %z : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  graven.return %0, %1, %2, %3 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// The constant broadcasts; neither `and` nor `or`.

// CHECK-LABEL: graven.graph @selects_of_bools(
//  CHECK-SAME:   %[[P:.*]]: tensor<4xi1>, %[[Q:.*]]: tensor<4xi1>, %[[S:.*]]: tensor<1xi1>, %{{.*}}: tensor<1xi1>
//       CHECK:   %[[N:.*]] = graven.not %[[P]]
//       CHECK:   %[[A:.*]] = graven.and %[[P]], %[[Q]]
//       CHECK:   %[[O:.*]] = graven.or %[[P]], %[[Q]]
//       CHECK:   %[[U:.*]] = graven.select %[[S]]
//       CHECK:   %[[V:.*]] = graven.select %[[P]]
//       CHECK:   graven.return %[[P]], %[[N]], %[[A]], %[[O]], %[[U]], %[[V]]
graven.graph @selects_of_bools(%p: tensor<4xi1>, %q: tensor<4xi1>, %s: tensor<1xi1>, %t: tensor<1xi1>) -> (tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>) {
  %yes = graven.constant dense<true> : tensor<1xi1>
  %no = graven.constant dense<false> : tensor<1xi1>
  %noes = graven.constant dense<false> : tensor<4xi1>
  %0 = graven.select %p, %yes, %no : (tensor<4xi1>, tensor<1xi1>, tensor<1xi1>) -> tensor<4xi1>
  %1 = graven.select %p, %no, %yes : (tensor<4xi1>, tensor<1xi1>, tensor<1xi1>) -> tensor<4xi1>
  %2 = graven.select %p, %q, %no : (tensor<4xi1>, tensor<4xi1>, tensor<1xi1>) -> tensor<4xi1>
  %3 = graven.select %p, %yes, %q : (tensor<4xi1>, tensor<1xi1>, tensor<4xi1>) -> tensor<4xi1>
  %4 = graven.select %s, %t, %noes : (tensor<1xi1>, tensor<1xi1>, tensor<4xi1>) -> tensor<4xi1>
  %5 = graven.select %p, %no, %q : (tensor<4xi1>, tensor<1xi1>, tensor<4xi1>) -> tensor<4xi1>
  graven.return %0, %1, %2, %3, %4, %5 : tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>
}

// -----

// Other operands; some of the bits; an extent that is not known.

// CHECK-LABEL: graven.graph @complements(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xi8>, %{{.*}}: tensor<4xi8>
//   CHECK-DAG:   %[[Z:.*]] = graven.constant dense<0> : tensor<4xi8>
//   CHECK-DAG:   %[[O:.*]] = graven.constant dense<-1> : tensor<4xi8>
//       CHECK:   %[[N:.*]] = graven.not %[[X]]
//       CHECK:   %[[F:.*]] = graven.xor %[[X]]
//       CHECK:   %[[A:.*]] = graven.and
//       CHECK:   %[[B:.*]] = graven.or
//       CHECK:   %[[D:.*]] = graven.and
//       CHECK:   graven.return %[[Z]], %[[O]], %[[O]], %[[X]], %{{.*}}, %[[F]], %[[B]], %[[D]]
graven.graph @complements(%x: tensor<4xi8>, %y: tensor<4xi8>, %d: tensor<?xi8>) -> (tensor<4xi8>, tensor<4xi8>, tensor<4xi8>, tensor<4xi8>, tensor<4xi8>, tensor<4xi8>, tensor<4xi8>, tensor<?xi8>) {
  %zero = graven.constant dense<0> : tensor<1xi8>
  %ones = graven.constant dense<-1> : tensor<1xi8>
  %five = graven.constant dense<5> : tensor<1xi8>
  %n = graven.not %x : tensor<4xi8>
  %0 = graven.and %x, %n : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  %1 = graven.or %n, %x : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  %2 = graven.xor %x, %n : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  %3 = graven.xor %x, %zero : (tensor<4xi8>, tensor<1xi8>) -> tensor<4xi8>
  %4 = graven.xor %x, %ones : (tensor<4xi8>, tensor<1xi8>) -> tensor<4xi8>
  %5 = graven.xor %x, %five : (tensor<4xi8>, tensor<1xi8>) -> tensor<4xi8>
  %6 = graven.and %y, %n : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  %o = graven.or %6, %y : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  %nd = graven.not %d : tensor<?xi8>
  %7 = graven.and %d, %nd : (tensor<?xi8>, tensor<?xi8>) -> tensor<?xi8>
  graven.return %0, %1, %2, %3, %4, %5, %o, %7 : tensor<4xi8>, tensor<4xi8>, tensor<4xi8>, tensor<4xi8>, tensor<4xi8>, tensor<4xi8>, tensor<4xi8>, tensor<?xi8>
}
