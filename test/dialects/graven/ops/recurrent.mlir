// RUN: graven-opt %s | graven-opt | FileCheck %s
// RUN: graven-opt %s --mlir-print-op-generic | graven-opt | FileCheck %s

// CHECK-LABEL: @lstm
//       CHECK: graven.lstm %{{.*}}, %{{.*}}, %{{.*}} : (tensor<5x2x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
//       CHECK: graven.lstm %{{.*}} bias_w %{{.*}} bias_r %{{.*}} seq_lens %{{.*}} h0 %{{.*}} c0 %{{.*}} peephole %{{.*}} direction reverse activations ["relu", "tanh", "elu"] alpha [0.000000e+00, 0.000000e+00, 1.000000e+00] beta [0.000000e+00, 0.000000e+00, 0.000000e+00] clip 3.000000e+00 input_forget :
graven.graph @lstm(%x: tensor<5x2x3xf32>, %w: tensor<1x16x3xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x16xf32>, %s: tensor<1x2x4xf32>, %p: tensor<1x12xf32>, %n: tensor<2xi32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>) {
  %y, %h, %c = graven.lstm %x, %w, %r : (tensor<5x2x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  %y2, %h2, %c2 = graven.lstm %x, %w, %r bias_w %b bias_r %b seq_lens %n h0 %h c0 %c peephole %p direction reverse activations ["relu", "tanh", "elu"] alpha [0.0, 0.0, 1.0] beta [0.0, 0.0, 0.0] clip 3.0 input_forget : (tensor<5x2x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<2xi32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x12xf32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  graven.return %y2, %c2 : tensor<5x2x4xf32>, tensor<1x2x4xf32>
}

// CHECK-LABEL: @gru
//       CHECK: graven.gru %{{.*}} h0 %{{.*}} direction bidirectional linear_before_reset :
graven.graph @gru(%x: tensor<5x2x3xf32>, %w: tensor<2x12x3xf32>, %r: tensor<2x12x4xf32>, %h0: tensor<2x2x4xf32>) -> (tensor<5x2x8xf32>, tensor<2x2x4xf32>) {
  %y, %h = graven.gru %x, %w, %r h0 %h0 direction bidirectional linear_before_reset : (tensor<5x2x3xf32>, tensor<2x12x3xf32>, tensor<2x12x4xf32>, tensor<2x2x4xf32>) -> (tensor<5x2x8xf32>, tensor<2x2x4xf32>)
  graven.return %y, %h : tensor<5x2x8xf32>, tensor<2x2x4xf32>
}

// CHECK-LABEL: @rnn
//       CHECK: graven.rnn %{{.*}} activations ["relu"] : (tensor<?x2x3xf64>, tensor<1x4x3xf64>, tensor<1x4x4xf64>) -> (tensor<?x2x4xf64>, tensor<1x2x4xf64>)
graven.graph @rnn(%x: tensor<?x2x3xf64>, %w: tensor<1x4x3xf64>, %r: tensor<1x4x4xf64>) -> tensor<?x2x4xf64> {
  %y, %h = graven.rnn %x, %w, %r activations ["relu"] : (tensor<?x2x3xf64>, tensor<1x4x3xf64>, tensor<1x4x4xf64>) -> (tensor<?x2x4xf64>, tensor<1x2x4xf64>)
  graven.return %y : tensor<?x2x4xf64>
}
