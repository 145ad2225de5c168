// RUN: graven-opt --graven-simplify-arithmetic --split-input-file %s | FileCheck %s

// CHECK-LABEL: graven.graph @powers(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xf32>
//   CHECK-DAG:   %[[ONES:.*]] = graven.constant dense<1.000000e+00> : tensor<4xf32>
//       CHECK:   %[[TWO:.*]] = graven.mul %[[X]], %[[X]]
//       CHECK:   %[[AGAIN:.*]] = graven.mul %[[X]], %[[X]]
//       CHECK:   %[[THREE:.*]] = graven.mul %[[AGAIN]], %[[X]]
//       CHECK:   %[[INVERSE:.*]] = graven.div %{{.*}}, %[[X]] : (tensor<1xf32>, tensor<4xf32>)
//       CHECK:   graven.return %[[ONES]], %[[X]], %[[TWO]], %[[THREE]], %[[INVERSE]]
graven.graph @powers(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %zero = graven.constant dense<0.0> : tensor<1xf32>
  %one = graven.constant dense<1.0> : tensor<1xf32>
  %two = graven.constant dense<2.0> : tensor<1xf32>
  %three = graven.constant dense<3.0> : tensor<1xf32>
  %minus = graven.constant dense<-1.0> : tensor<1xf32>
  %0 = graven.pow %x, %zero : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %1 = graven.pow %x, %one : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %2 = graven.pow %x, %two : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %3 = graven.pow %x, %three : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %4 = graven.pow %x, %minus : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  graven.return %0, %1, %2, %3, %4 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// A negative power of an int is 0 but for few.

// CHECK-LABEL: graven.graph @powers_of_ints(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xi64>
//   CHECK-DAG:   %[[ONES:.*]] = graven.constant dense<1> : tensor<4xi64>
//       CHECK:   %[[TWO:.*]] = graven.mul %[[X]], %[[X]]
//       CHECK:   %[[INVERSE:.*]] = graven.pow %[[X]]
//       CHECK:   graven.return %[[ONES]], %[[TWO]], %[[INVERSE]]
graven.graph @powers_of_ints(%x: tensor<4xi64>) -> (tensor<4xi64>, tensor<4xi64>, tensor<4xi64>) {
  %zero = graven.constant dense<0> : tensor<1xi64>
  %two = graven.constant dense<2> : tensor<1xi64>
  %minus = graven.constant dense<-1> : tensor<1xi64>
  %0 = graven.pow %x, %zero : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi64>
  %1 = graven.pow %x, %two : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi64>
  %2 = graven.pow %x, %minus : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi64>
  graven.return %0, %1, %2 : tensor<4xi64>, tensor<4xi64>, tensor<4xi64>
}

// -----

// Of -inf and -0, powers are others than roots.

// CHECK-LABEL: graven.graph @roots(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xf32>
//       CHECK:   %[[SUM:.*]] = graven.add
//       CHECK:   %[[A:.*]] = graven.sqrt %[[SUM]]
//       CHECK:   %[[B:.*]] = graven.rsqrt %[[SUM]]
//       CHECK:   %[[C:.*]] = graven.pow %[[X]]
//       CHECK:   %[[D:.*]] = graven.pow %[[X]]
//       CHECK:   graven.return %[[A]], %[[B]], %[[C]], %[[D]]
graven.graph @roots(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %half = graven.constant dense<0.5> : tensor<1xf32>
  %minus = graven.constant dense<-0.5> : tensor<1xf32>
  %eps = graven.constant dense<1.0e-5> : tensor<1xf32>
  %square = graven.mul %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %sum = graven.add %square, %eps : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %0 = graven.pow %sum, %half : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %1 = graven.pow %sum, %minus : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %2 = graven.pow %x, %half : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %3 = graven.pow %x, %minus : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  graven.return %0, %1, %2, %3 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// What is at least a positive number is no zero; of -0 and 0, either may be the greater.

// CHECK-LABEL: graven.graph @roots_of_bounded(
//       CHECK:   graven.rsqrt
//       CHECK:   graven.pow
graven.graph @roots_of_bounded(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %eps = graven.constant dense<1.0e-6> : tensor<1xf32>
  %zero = graven.constant dense<0.0> : tensor<1xf32>
  %minus = graven.constant dense<-0.5> : tensor<1xf32>
  %0 = graven.max %x, %eps : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %1 = graven.max %x, %zero : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %2 = graven.pow %0, %minus : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %3 = graven.pow %1, %minus : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  graven.return %2, %3 : tensor<4xf32>, tensor<4xf32>
}

// -----

// No op for it, no constant, a broadcast, an extent that is not known.

// CHECK-LABEL: graven.graph @other_powers(
// CHECK-COUNT-4:   graven.pow
graven.graph @other_powers(%x: tensor<4xf32>, %y: tensor<4xf32>, %s: tensor<1xf32>, %d: tensor<?xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<?xf32>) {
  %c = graven.constant dense<1.5> : tensor<1xf32>
  %zero = graven.constant dense<0.0> : tensor<1xf32>
  %twos = graven.constant dense<2.0> : tensor<4xf32>
  %0 = graven.pow %x, %c : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %1 = graven.pow %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = graven.pow %s, %twos : (tensor<1xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = graven.pow %d, %zero : (tensor<?xf32>, tensor<1xf32>) -> tensor<?xf32>
  graven.return %0, %1, %2, %3 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<?xf32>
}

// -----

// A root that is needed by itself, and one that is broadcast, stay.

// CHECK-LABEL: graven.graph @reciprocal_root(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xf32>
//       CHECK:   graven.rsqrt %[[X]]
//       CHECK:   graven.sqrt
//       CHECK:   graven.div
//       CHECK:   graven.sqrt
//       CHECK:   graven.div
graven.graph @reciprocal_root(%x: tensor<4xf32>, %s: tensor<1xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %one = graven.constant dense<1.0> : tensor<1xf32>
  %ones = graven.constant dense<1.0> : tensor<4xf32>
  %root = graven.sqrt %x : tensor<4xf32>
  %0 = graven.div %one, %root : (tensor<1xf32>, tensor<4xf32>) -> tensor<4xf32>
  %y = graven.exp %x : tensor<4xf32>
  %second = graven.sqrt %y : tensor<4xf32>
  %1 = graven.div %one, %second : (tensor<1xf32>, tensor<4xf32>) -> tensor<4xf32>
  %narrow = graven.sqrt %s : tensor<1xf32>
  %2 = graven.div %ones, %narrow : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  graven.return %0, %1, %second, %2 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// A third, and the inverse of the least number, are rounded.

// CHECK-LABEL: graven.graph @quotients(
//   CHECK-DAG:   %[[E:.*]] = graven.constant dense<1.250000e-01>
//       CHECK:   graven.mul %{{.*}}, %[[E]]
// CHECK-COUNT-3:   graven.div
graven.graph @quotients(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %eight = graven.constant dense<8.0> : tensor<1xf32>
  %three = graven.constant dense<3.0> : tensor<1xf32>
  %tiny = graven.constant dense<0x00000001> : tensor<1xf32>
  %0 = graven.div %x, %eight : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %1 = graven.div %x, %three : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %2 = graven.div %x, %tiny : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %3 = graven.div %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  graven.return %0, %1, %2, %3 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: graven.graph @signs(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf32>
//  CHECK-NEXT:   graven.sub %[[X]], %[[Y]]
//  CHECK-NEXT:   graven.add %[[X]], %[[Y]]
//  CHECK-NEXT:   graven.mul %[[X]], %[[Y]]
//  CHECK-NEXT:   graven.div %[[X]], %[[Y]]
//  CHECK-NEXT:   graven.sub %[[Y]], %[[X]]
graven.graph @signs(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %n0 = graven.neg %y : tensor<4xf32>
  %n1 = graven.neg %y : tensor<4xf32>
  %n2 = graven.neg %x : tensor<4xf32>
  %n3 = graven.neg %y : tensor<4xf32>
  %n4 = graven.neg %x : tensor<4xf32>
  %n5 = graven.neg %y : tensor<4xf32>
  %n6 = graven.neg %x : tensor<4xf32>
  %0 = graven.add %x, %n0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = graven.sub %x, %n1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = graven.mul %n2, %n3 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = graven.div %n4, %n5 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %4 = graven.add %n6, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  graven.return %0, %1, %2, %3, %4 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// A second user of the negated value; ints; what is negated once, at compile time.

graven.param @w : tensor<4xf32> = dense<1.0> : tensor<4xf32>
// CHECK-LABEL: graven.graph @signs_that_stay(
//   CHECK-DAG:   graven.add
//   CHECK-DAG:   graven.sub
//   CHECK-DAG:   %[[I:.*]] = graven.neg %{{.*}} : tensor<4xi64>
//   CHECK-DAG:   graven.div %[[I]]
//   CHECK-DAG:   %[[W:.*]] = graven.get_param
//   CHECK-DAG:   %[[NW:.*]] = graven.neg %[[W]]
//   CHECK-DAG:   graven.add %{{.*}}, %[[NW]]
//   CHECK-DAG:   graven.mul %{{.*}} : (tensor<4xi64>
graven.graph @signs_that_stay(%x: tensor<4xf32>, %y: tensor<4xf32>, %i: tensor<4xi64>, %j: tensor<4xi64>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xi64>, tensor<4xi64>) {
  %n = graven.neg %y : tensor<4xf32>
  %0 = graven.add %x, %n : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = graven.mul %n, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = graven.sub %x, %n : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %ni = graven.neg %i : tensor<4xi64>
  %nj = graven.neg %j : tensor<4xi64>
  %3 = graven.div %ni, %nj : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi64>
  %w = graven.get_param @w : tensor<4xf32>
  %nw = graven.neg %w : tensor<4xf32>
  %4 = graven.add %x, %nw : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %mi = graven.neg %i : tensor<4xi64>
  %mj = graven.neg %j : tensor<4xi64>
  %5 = graven.mul %mi, %mj : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi64>
  graven.return %0, %1, %2, %4, %3, %5 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xi64>, tensor<4xi64>
}

// -----

// relu(-0) is -0. Of unsigned ints, a negated one is another.

// CHECK-LABEL: graven.graph @no_signs(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xf32>, %[[U:.*]]: tensor<4xui8>
//       CHECK:   %[[E:.*]] = graven.exp
//       CHECK:   %[[R:.*]] = graven.relu %[[X]]
//       CHECK:   %[[A:.*]] = graven.abs %[[X]]
//       CHECK:   %[[S:.*]] = graven.abs %{{.*}}
//       CHECK:   %[[NU:.*]] = graven.neg %[[U]]
//       CHECK:   %[[V:.*]] = graven.abs %[[NU]]
//       CHECK:   graven.return %[[E]], %[[E]], %[[R]], %[[A]], %[[S]], %[[V]]
graven.graph @no_signs(%x: tensor<4xf32>, %u: tensor<4xui8>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xui8>) {
  %e = graven.exp %x : tensor<4xf32>
  %0 = graven.abs %e : tensor<4xf32>
  %1 = graven.relu %e : tensor<4xf32>
  %2 = graven.relu %x : tensor<4xf32>
  %n = graven.neg %x : tensor<4xf32>
  %3 = graven.abs %n : tensor<4xf32>
  %r = graven.relu %x : tensor<4xf32>
  %4 = graven.abs %r : tensor<4xf32>
  %nu = graven.neg %u : tensor<4xui8>
  %5 = graven.abs %nu : tensor<4xui8>
  graven.return %0, %1, %2, %3, %4, %5 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xui8>
}
