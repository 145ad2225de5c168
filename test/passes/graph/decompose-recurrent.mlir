// RUN: graven-opt --graven-decompose-recurrent --split-input-file %s | FileCheck %s

// CHECK-LABEL: graven.graph @rnn(
//  CHECK-SAME:   %[[X:.*]]: tensor<5x2x3xf32>, %[[W:.*]]: tensor<1x4x3xf32>, %[[R:.*]]: tensor<1x4x4xf32>, %[[BW:.*]]: tensor<1x4xf32>, %[[BR:.*]]: tensor<1x4xf32>
//   CHECK-DAG:   %[[ROWS:.*]] = graven.reshape %[[X]] to [10, 3]
//   CHECK-DAG:   %[[W2:.*]] = graven.reshape %[[W]] to [4, 3]
//   CHECK-DAG:   %[[R2:.*]] = graven.reshape %[[R]] to [4, 4]
//       CHECK:   %[[P:.*]] = graven.matmul %[[ROWS]], %[[W2]] transpose_b
//       CHECK:   %[[B:.*]] = graven.add %[[BW]], %[[BR]]
//       CHECK:   %[[P2:.*]] = graven.add %[[P]], %[[B]]
//       CHECK:   %[[P3:.*]] = graven.reshape %[[P2]] to [5, 2, 4]
//       CHECK:   %[[LH:.*]], %[[Y:.*]] = graven.loop trip(%{{.*}}) init({{.*}} : tensor<2x4xf32>) -> (tensor<2x4xf32>) stacked(tensor<5x2x4xf32>) {
//       CHECK:   ^bb0(%[[T:.*]]: tensor<i64>, %[[H:.*]]: tensor<2x4xf32>):
//       CHECK:     %[[S:.*]] = graven.slice %[[P3]] [%[[T]], 0, 0] to [%{{.*}}, 2, 4] by [1, 1, 1] : {{.*}} -> tensor<1x2x4xf32>
//       CHECK:     %[[S2:.*]] = graven.reshape %[[S]] to [2, 4]
//       CHECK:     %[[M:.*]] = graven.matmul %[[H]], %[[R2]] transpose_b
//       CHECK:     %[[A:.*]] = graven.add %[[M]], %[[S2]]
//       CHECK:     %[[N:.*]] = graven.tanh %[[A]]
//       CHECK:     graven.yield %{{.*}}, %[[N]], %[[N]]
//       CHECK:   %[[HN:.*]] = graven.reshape %[[LH]] to [1, 2, 4]
//       CHECK:   graven.return %[[Y]], %[[HN]]
graven.graph @rnn(%x: tensor<5x2x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>, %bw: tensor<1x4xf32>, %br: tensor<1x4xf32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>) {
  %y, %h = graven.rnn %x, %w, %r bias_w %bw bias_r %br : (tensor<5x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>)
  graven.return %y, %h : tensor<5x2x4xf32>, tensor<1x2x4xf32>
}

// -----

// Both directions: two loops, the second walks backwards.

// CHECK-LABEL: graven.graph @lstm_bidirectional(
//       CHECK:   graven.loop {{.*}} -> (tensor<2x4xf32>, tensor<2x4xf32>) stacked(tensor<5x2x4xf32>)
//       CHECK:     graven.sigmoid
//       CHECK:     graven.sigmoid
//       CHECK:     graven.tanh
//       CHECK:     graven.sigmoid
//       CHECK:     graven.tanh
//       CHECK:   graven.loop {{.*}} -> (tensor<2x4xf32>, tensor<2x4xf32>) stacked(tensor<5x2x4xf32>)
//       CHECK:     graven.sub %{{.*}}, %{{.*}} : (tensor<i64>, tensor<i64>) -> tensor<i64>
//       CHECK:   graven.reverse %{{.*}} axes [0]
//       CHECK:   graven.concat {{.*}} axis 2
//       CHECK:   graven.concat {{.*}} axis 0
//       CHECK:   graven.concat {{.*}} axis 0
//   CHECK-NOT:   graven.lstm
graven.graph @lstm_bidirectional(%x: tensor<5x2x3xf32>, %w: tensor<2x16x3xf32>, %r: tensor<2x16x4xf32>) -> (tensor<5x2x8xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>) {
  %y, %h, %c = graven.lstm %x, %w, %r direction bidirectional : (tensor<5x2x3xf32>, tensor<2x16x3xf32>, tensor<2x16x4xf32>) -> (tensor<5x2x8xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>)
  graven.return %y, %h, %c : tensor<5x2x8xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>
}

// -----

// bias_r stays in the loop: the reset gate multiplies it. Lengths are masks.

// CHECK-LABEL: graven.graph @gru_lengths(
//  CHECK-SAME:   %[[BR:[a-z_0-9]*]]: tensor<1x12xf32>, %[[N:.*]]: tensor<2xi32>
//       CHECK:   graven.loop
//       CHECK:     %[[M:.*]] = graven.matmul
//       CHECK:     graven.add %[[M]], %[[BR]]
//       CHECK:     %[[A:.*]] = graven.compare lt %{{.*}}, %{{.*}} : (tensor<1x1xi64>, tensor<2x1xi64>) -> tensor<2x1xi1>
//       CHECK:     graven.select %[[A]]
//       CHECK:     graven.select %[[A]]
graven.graph @gru_lengths(%x: tensor<5x2x3xf32>, %w: tensor<1x12x3xf32>, %r: tensor<1x12x4xf32>, %br: tensor<1x12xf32>, %n: tensor<2xi32>) -> tensor<5x2x4xf32> {
  %y, %h = graven.gru %x, %w, %r bias_r %br seq_lens %n linear_before_reset : (tensor<5x2x3xf32>, tensor<1x12x3xf32>, tensor<1x12x4xf32>, tensor<1x12xf32>, tensor<2xi32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>)
  graven.return %y : tensor<5x2x4xf32>
}

// -----

// A single step needs no loop; halves compute in f32.

// CHECK-LABEL: graven.graph @one_step(
//   CHECK-NOT:   graven.loop
//       CHECK:   graven.tanh %{{.*}} : tensor<2x4xf32>
//       CHECK:   graven.cast %{{.*}} : (tensor<1x2x4xf32>) -> tensor<1x2x4xf16>
graven.graph @one_step(%x: tensor<1x2x3xf16>, %w: tensor<1x4x3xf16>, %r: tensor<1x4x4xf16>) -> tensor<1x2x4xf16> {
  %y, %h = graven.rnn %x, %w, %r : (tensor<1x2x3xf16>, tensor<1x4x3xf16>, tensor<1x4x4xf16>) -> (tensor<1x2x4xf16>, tensor<1x2x4xf16>)
  graven.return %y : tensor<1x2x4xf16>
}

// -----

// Not with unknown extents.

// CHECK-LABEL: graven.graph @unknown(
//       CHECK:   graven.rnn
graven.graph @unknown(%x: tensor<?x2x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>) -> tensor<?x2x4xf32> {
  %y, %h = graven.rnn %x, %w, %r : (tensor<?x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>) -> (tensor<?x2x4xf32>, tensor<1x2x4xf32>)
  graven.return %y : tensor<?x2x4xf32>
}

// CHECK-LABEL: graven.graph @unknown_with_gates(
//       CHECK:   graven.lstm
//       CHECK:   graven.gru
graven.graph @unknown_with_gates(%x: tensor<?x2x3xf32>, %w: tensor<1x16x3xf32>, %r: tensor<1x16x4xf32>,
                                 %v: tensor<1x12x3xf32>, %s: tensor<1x12x4xf32>) -> (tensor<?x2x4xf32>, tensor<?x2x4xf32>) {
  %0, %1, %2 = graven.lstm %x, %w, %r : (tensor<?x2x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>) -> (tensor<?x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  %3, %4 = graven.gru %x, %v, %s : (tensor<?x2x3xf32>, tensor<1x12x3xf32>, tensor<1x12x4xf32>) -> (tensor<?x2x4xf32>, tensor<1x2x4xf32>)
  graven.return %0, %3 : tensor<?x2x4xf32>, tensor<?x2x4xf32>
}

// -----

// Without a step, the states are those before the first.

// CHECK-LABEL: graven.graph @empty(
//  CHECK-SAME:   %[[C0:[a-z0-9]*]]: tensor<1x2x4xf32>) ->
//   CHECK-DAG:   %[[Y:.*]] = graven.constant dense<> : tensor<0x2x4xf32>
//   CHECK-DAG:   %[[H:.*]] = graven.constant dense<0.000000e+00> : tensor<1x2x4xf32>
//       CHECK:   graven.return %[[Y]], %[[H]], %[[C0]]
graven.graph @empty(%x: tensor<0x2x3xf32>, %w: tensor<1x16x3xf32>, %r: tensor<1x16x4xf32>, %c0: tensor<1x2x4xf32>) -> (tensor<0x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>) {
  %y, %h, %c = graven.lstm %x, %w, %r c0 %c0 : (tensor<0x2x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>, tensor<1x2x4xf32>) -> (tensor<0x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  graven.return %y, %h, %c : tensor<0x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>
}
