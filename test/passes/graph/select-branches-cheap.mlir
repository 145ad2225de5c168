// RUN: graven-opt --graven-select-branches=max-cost=4096 --split-input-file %s | FileCheck %s

// CHECK-LABEL: graven.graph @cheap(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xf32>, %[[C:.*]]: tensor<i1>
//   CHECK-NOT:   graven.if
//       CHECK:   %[[E:.*]] = graven.exp %[[X]]
//       CHECK:   %[[M:.*]] = graven.mul %[[X]], %[[X]]
//       CHECK:   %[[R:.*]] = graven.reshape %[[C]] to [1]
//       CHECK:   graven.select %[[R]], %[[E]], %[[M]]
graven.graph @cheap(%x: tensor<4xf32>, %c: tensor<i1>) -> (tensor<4xf32>) {
  %r = graven.if %c -> (tensor<4xf32>) {
    %0 = graven.exp %x : tensor<4xf32>
    %1 = graven.transpose %x by [0] : (tensor<4xf32>) -> tensor<4xf32>
    graven.yield %0 : tensor<4xf32>
  } else {
    %2 = graven.mul %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    graven.yield %2 : tensor<4xf32>
  }
  graven.return %r : tensor<4xf32>
}

// -----

// The outer one is cheap when the inner one is gone.

// CHECK-LABEL: graven.graph @nested(
//   CHECK-NOT:   graven.if
//       CHECK:   graven.select
//       CHECK:   graven.select
graven.graph @nested(%x: tensor<4xf32>, %c: tensor<i1>, %d: tensor<i1>) -> (tensor<4xf32>) {
  %r = graven.if %c -> (tensor<4xf32>) {
    %s = graven.if %d -> (tensor<4xf32>) {
      %0 = graven.neg %x : tensor<4xf32>
      graven.yield %0 : tensor<4xf32>
    } else {
      graven.yield %x : tensor<4xf32>
    }
    graven.yield %s : tensor<4xf32>
  } else {
    %1 = graven.relu %x : tensor<4xf32>
    graven.yield %1 : tensor<4xf32>
  }
  graven.return %r : tensor<4xf32>
}

// -----

// Both together cost more than the limit.

// CHECK-LABEL: graven.graph @dear(
//       CHECK:   graven.if
graven.graph @dear(%x: tensor<4096xf32>, %c: tensor<i1>) -> (tensor<4096xf32>) {
  %r = graven.if %c -> (tensor<4096xf32>) {
    %0 = graven.exp %x : tensor<4096xf32>
    graven.yield %0 : tensor<4096xf32>
  } else {
    graven.yield %x : tensor<4096xf32>
  }
  graven.return %r : tensor<4096xf32>
}

// -----

// An index may lead outside where it is not taken.

// CHECK-LABEL: graven.graph @gathers(
//       CHECK:   graven.if
graven.graph @gathers(%x: tensor<4xf32>, %i: tensor<4xi64>, %c: tensor<i1>) -> (tensor<4xf32>) {
  %r = graven.if %c -> (tensor<4xf32>) {
    %0 = graven.gather %x[%i] axis 0 : (tensor<4xf32>, tensor<4xi64>) -> tensor<4xf32>
    graven.yield %0 : tensor<4xf32>
  } else {
    graven.yield %x : tensor<4xf32>
  }
  graven.return %r : tensor<4xf32>
}

// -----

// A loop may not end.

// CHECK-LABEL: graven.graph @loops(
//       CHECK:   graven.if
graven.graph @loops(%x: tensor<4xf32>, %n: tensor<i64>, %c: tensor<i1>) -> (tensor<4xf32>) {
  %true = graven.constant dense<true> : tensor<i1>
  %r = graven.if %c -> (tensor<4xf32>) {
    %0 = graven.loop trip(%n) init(%x : tensor<4xf32>) -> (tensor<4xf32>) {
    ^bb0(%i: tensor<i64>, %a: tensor<4xf32>):
      %1 = graven.exp %a : tensor<4xf32>
      graven.yield %true, %1 : tensor<i1>, tensor<4xf32>
    }
    graven.yield %0 : tensor<4xf32>
  } else {
    graven.yield %x : tensor<4xf32>
  }
  graven.return %r : tensor<4xf32>
}

// -----

// No Node by elements.

// CHECK-LABEL: graven.graph @products(
//       CHECK:   graven.if
graven.graph @products(%x: tensor<4x4xf32>, %c: tensor<i1>) -> (tensor<4x4xf32>) {
  %r = graven.if %c -> (tensor<4x4xf32>) {
    %0 = graven.matmul %x, %x : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    graven.yield %0 : tensor<4x4xf32>
  } else {
    graven.yield %x : tensor<4x4xf32>
  }
  graven.return %r : tensor<4x4xf32>
}

// -----

// The window may not fit where it is not taken.

// CHECK-LABEL: graven.graph @places_of_the_run(
//       CHECK:   graven.if
graven.graph @places_of_the_run(%x: tensor<4xf32>, %y: tensor<2xf32>, %n: tensor<i64>, %c: tensor<i1>) -> (tensor<4xf32>) {
  %r = graven.if %c -> (tensor<4xf32>) {
    %0 = graven.insert_slice %y into %x [%n] by [1] : (tensor<4xf32>, tensor<2xf32>, tensor<i64>) -> tensor<4xf32>
    graven.yield %0 : tensor<4xf32>
  } else {
    graven.yield %x : tensor<4xf32>
  }
  graven.return %r : tensor<4xf32>
}

// -----

// An extent that is not known.

// CHECK-LABEL: graven.graph @unknown_extent(
//       CHECK:   graven.if
graven.graph @unknown_extent(%x: tensor<?xf32>, %c: tensor<i1>) -> (tensor<?xf32>) {
  %r = graven.if %c -> (tensor<?xf32>) {
    %0 = graven.exp %x : tensor<?xf32>
    graven.yield %0 : tensor<?xf32>
  } else {
    graven.yield %x : tensor<?xf32>
  }
  graven.return %r : tensor<?xf32>
}
