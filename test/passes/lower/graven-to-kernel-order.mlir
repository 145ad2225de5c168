// RUN: %graven-opt --graven-to-kernel --split-input-file --verify-diagnostics %s | FileCheck %s

// Sorting, and copies that repeat elements.

// Elements of up to 32 bits are sorted as integers: log2 of the extent passes over keys, from which come the indices.

// CHECK-LABEL: func.func @sorted
//       CHECK: arith.shli {{.*}} : i64
//       CHECK: %[[PASSES:.*]] = arith.constant 3 : index
//       CHECK: %[[KEYS:.*]] = scf.for %{{.*}} = %{{.*}} to %[[PASSES]] step {{.*}} iter_args({{.*}}) -> (tensor<7xi64>)
//       CHECK: arith.shli
//       CHECK: linalg.generic
//       CHECK: scf.for
//       CHECK: tensor.extract %[[KEYS]]
//       CHECK: arith.andi
graven.graph @sorted(%x: tensor<7xf32>) -> (tensor<7xf32>, tensor<7xi64>) {
  %0:2 = graven.topk %x k 7 axis 0 : (tensor<7xf32>) -> (tensor<7xf32>, tensor<7xi64>)
  graven.return %0#0, %0#1 : tensor<7xf32>, tensor<7xi64>
}

// -----

// A few are minima, one after the other.

// CHECK-LABEL: func.func @few
//       CHECK: %[[C2:.*]] = arith.constant 2 : index
//       CHECK: %[[PICKED:.*]]:2 = scf.for %[[N:.*]] = %{{.*}} to %[[C2]] step {{.*}} iter_args({{.*}}) -> (tensor<2xi64>, tensor<i64>)
//       CHECK: linalg.generic {{.*}} iterator_types = ["reduction"]
//       CHECK: arith.minsi
//       CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[%[[N]]] [1] [1]
//       CHECK: tensor.extract %[[PICKED]]#0
graven.graph @few(%x: tensor<7xf32>) -> (tensor<2xf32>, tensor<2xi64>) {
  %0:2 = graven.topk %x k 2 axis 0 : (tensor<7xf32>) -> (tensor<2xf32>, tensor<2xi64>)
  graven.return %0#0, %0#1 : tensor<2xf32>, tensor<2xi64>
}

// -----

// Wider ones by passes over the indices.

// CHECK-LABEL: func.func @sorted_doubles
//       CHECK: %[[PASSES:.*]] = arith.constant 3 : index
//       CHECK: %[[ORDER:.*]] = scf.for %{{.*}} = %{{.*}} to %[[PASSES]] step {{.*}} iter_args({{.*}}) -> (tensor<7xi64>)
//       CHECK: arith.shli
//       CHECK: linalg.generic
//       CHECK: scf.for
//       CHECK: tensor.extract %[[ORDER]]
graven.graph @sorted_doubles(%x: tensor<7xf64>) -> (tensor<7xf64>, tensor<7xi64>) {
  %0:2 = graven.topk %x k 7 axis 0 : (tensor<7xf64>) -> (tensor<7xf64>, tensor<7xi64>)
  graven.return %0#0, %0#1 : tensor<7xf64>, tensor<7xi64>
}

// -----

// A few of those are searched for.

// CHECK-LABEL: func.func @few_doubles
//       CHECK: %[[C2:.*]] = arith.constant 2 : index
//       CHECK: %[[PICKED:.*]]:2 = scf.for %[[N:.*]] = %{{.*}} to %[[C2]] step {{.*}} iter_args({{.*}}) -> (tensor<2xi64>, tensor<1xi64>)
//       CHECK: linalg.generic
//       CHECK: scf.for
//       CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[%[[N]]] [1] [1]
//       CHECK: return %{{.*}}, %[[PICKED]]#0
graven.graph @few_doubles(%x: tensor<7xf64>) -> (tensor<2xf64>, tensor<2xi64>) {
  %0:2 = graven.topk %x k 2 axis 0 : (tensor<7xf64>) -> (tensor<2xf64>, tensor<2xi64>)
  graven.return %0#0, %0#1 : tensor<2xf64>, tensor<2xi64>
}

// -----

// A whole factor of neighbours is one nest that repeats elements.

// CHECK-DAG: #[[TWICE:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2 floordiv 2, d3 floordiv 3)>
// CHECK-LABEL: func.func @repeats
//       CHECK: linalg.generic {indexing_maps = [#[[TWICE]],
//   CHECK-NOT: linalg.generic
//       CHECK: return
graven.graph @repeats(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x16x24xf32> {
  %0 = graven.resize nearest %x axes [2, 3] sizes [16, 24] scales [2.0, 3.0] coordinate asymmetric nearest floor : (tensor<1x4x8x8xf32>) -> tensor<1x4x16x24xf32>
  graven.return %0 : tensor<1x4x16x24xf32>
}

// -----

// One walk stores the coordinates of every element at the next free row, and the row stays free if the element is zero.
// NaN is not zero. The free rows are cleared.

// CHECK-LABEL: func.func @nonzero
//       CHECK: %[[WALK:.*]]:2 = scf.for %[[I:.*]] = {{.*}} iter_args({{.*}}) -> (tensor<6x2xi64>, index)
//       CHECK: scf.for %[[J:.*]] = {{.*}} iter_args(%[[ROWS:.*]] = {{.*}}, %[[TAKEN:.*]] = {{.*}}) -> (tensor<6x2xi64>, index)
//       CHECK: %[[FIRST:.*]] = tensor.insert %{{.*}} into %[[ROWS]][%[[TAKEN]], %{{.*}}]
//       CHECK: tensor.insert %{{.*}} into %[[FIRST]][%[[TAKEN]], %{{.*}}]
//       CHECK: %[[X:.*]] = tensor.extract %arg0[%[[I]], %[[J]]]
//       CHECK: %[[HIT:.*]] = arith.cmpf une, %[[X]]
//       CHECK: arith.select %[[HIT]]
//       CHECK: scf.for %{{.*}} = %[[WALK]]#1 to
//       CHECK: tensor.insert
//       CHECK: arith.index_cast %[[WALK]]#1 : index to i64
graven.graph @nonzero(%x: tensor<2x3xf32>) -> (tensor<6x2xi64>, tensor<i64>) {
  %0, %n = graven.nonzero %x : (tensor<2x3xf32>) -> (tensor<6x2xi64>, tensor<i64>)
  graven.return %0, %n : tensor<6x2xi64>, tensor<i64>
}

// -----

// Of bools, nothing is compared.

// CHECK-LABEL: func.func @nonzero_bools
//   CHECK-NOT: arith.cmp
//       CHECK: %[[X:.*]] = tensor.extract %arg0
//       CHECK: arith.select %[[X]]
graven.graph @nonzero_bools(%x: tensor<6xi1>) -> (tensor<6x1xi64>, tensor<i64>) {
  %0, %n = graven.nonzero %x : (tensor<6xi1>) -> (tensor<6x1xi64>, tensor<i64>)
  graven.return %0, %n : tensor<6x1xi64>, tensor<i64>
}
