// RUN: graven-opt %s --graven-run-checks
// Recurrent layers against values computed by their formulas in NumPy.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

graven.graph @lstm() {
  %x = graven.constant dense<[[[0.25, -0.5]], [[-0.875, -1.0]]]> : tensor<2x1x2xf32>
  %w = graven.constant dense<[[[0.625, 0.875], [0.25, 0.5], [0.125, 0.875], [0.625, -1.0], [0.75, -0.875], [0.5, -0.625], [0.75, 0.125], [-0.375, -0.125]]]> : tensor<1x8x2xf32>
  %r = graven.constant dense<[[[-1.0, -0.75], [0.375, 0.25], [0.25, -0.25], [1.0, 1.0], [0.375, 0.25], [0.375, -0.25], [-0.75, 0.5], [0.0, -0.375]]]> : tensor<1x8x2xf32>
  %bias_w = graven.constant dense<[[-0.0, 0.75, 0.875, -0.25, 0.125, -0.375, 0.25, -0.375]]> : tensor<1x8xf32>
  %bias_r = graven.constant dense<[[-0.25, 0.75, -0.5, 0.25, -0.875, 0.625, 0.625, -0.5]]> : tensor<1x8xf32>
  %h0 = graven.constant dense<[[[0.75, -0.875]]]> : tensor<1x1x2xf32>
  %c0 = graven.constant dense<[[[-0.375, -0.75]]]> : tensor<1x1x2xf32>
  %y, %h, %c = graven.lstm %x, %w, %r bias_w %bias_w bias_r %bias_r h0 %h0 c0 %c0 : (tensor<2x1x2xf32>, tensor<1x8x2xf32>, tensor<1x8x2xf32>, tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>) -> (tensor<2x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>)
  check.expect_close_const %y, dense<[[[-0.11964081227779388, 0.06747131794691086]], [[-0.09243230521678925, 0.1339207887649536]]]> : tensor<2x1x2xf32> ulp 2
  check.expect_close_const %h, dense<[[[-0.09243230521678925, 0.1339207887649536]]]> : tensor<1x1x2xf32> ulp 2
  check.expect_close_const %c, dense<[[[-0.16839152574539185, 0.3578946590423584]]]> : tensor<1x1x2xf32> ulp 2
  graven.return
}

graven.graph @lstm_peephole_lengths() {
  %x = graven.constant dense<[[[-0.125], [0.625]], [[-0.5], [-0.875]], [[-0.25], [-0.625]]]> : tensor<3x2x1xf32>
  %w = graven.constant dense<[[[-0.875], [0.125], [-0.375], [0.375]], [[-0.625], [0.875], [-0.25], [-0.75]]]> : tensor<2x4x1xf32>
  %r = graven.constant dense<[[[0.25], [0.875], [-0.125], [0.875]], [[-0.0], [-0.125], [0.25], [1.0]]]> : tensor<2x4x1xf32>
  %seq_lens = graven.constant dense<[1, 3]> : tensor<2xi32>
  %peephole = graven.constant dense<[[0.875, -0.125, 0.5], [-0.0, 0.0, 0.625]]> : tensor<2x3xf32>
  %y, %h, %c = graven.lstm %x, %w, %r seq_lens %seq_lens peephole %peephole direction bidirectional : (tensor<3x2x1xf32>, tensor<2x4x1xf32>, tensor<2x4x1xf32>, tensor<2xi32>, tensor<2x3xf32>) -> (tensor<3x2x2xf32>, tensor<2x2x1xf32>, tensor<2x2x1xf32>)
  check.expect_close_const %y, dense<[[[0.012134299613535404, 0.00853529293090105], [-0.04612232744693756, 0.02495548315346241]], [[0.0, 0.0], [0.07430526614189148, 0.11991775035858154]], [[0.0, 0.0], [0.11215786635875702, 0.057950519025325775]]]> : tensor<3x2x2xf32> ulp 2
  check.expect_close_const %h, dense<[[[0.012134299613535404], [0.11215786635875702]], [[0.00853529293090105], [0.02495548315346241]]]> : tensor<2x2x1xf32> ulp 2
  check.expect_close_const %c, dense<[[[0.024699874222278595], [0.2345207780599594]], [[0.01622975803911686], [0.05911342054605484]]]> : tensor<2x2x1xf32> ulp 2
  graven.return
}

graven.graph @lstm_options() {
  %x = graven.constant dense<[[[-0.125]], [[0.5]]]> : tensor<2x1x1xf32>
  %w = graven.constant dense<[[[0.375], [0.875], [-0.75], [0.5], [0.875], [0.875], [-1.0], [0.75]]]> : tensor<1x8x1xf32>
  %r = graven.constant dense<[[[1.0, 0.875], [-0.75, 1.0], [0.75, 0.625], [-0.0, -0.5], [0.625, 0.875], [-0.5, 0.125], [-0.125, 0.875], [-0.875, 0.5]]]> : tensor<1x8x2xf32>
  %c0 = graven.constant dense<[[[0.25, -1.0]]]> : tensor<1x1x2xf32>
  %y, %h, %c = graven.lstm %x, %w, %r c0 %c0 activations ["hard_sigmoid", "scaled_tanh", "softsign"] alpha [0.25, 2.0, 0.0] beta [0.5, 0.5, 0.0] clip 0.5 input_forget : (tensor<2x1x1xf32>, tensor<1x8x1xf32>, tensor<1x8x2xf32>, tensor<1x1x2xf32>) -> (tensor<2x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>)
  check.expect_close_const %y, dense<[[[0.03686946630477905, -0.1747475564479828]], [[0.06093686819076538, -0.019792433828115463]]]> : tensor<2x1x2xf32> ulp 2
  check.expect_close_const %h, dense<[[[0.06093686819076538, -0.019792433828115463]]]> : tensor<1x1x2xf32> ulp 2
  check.expect_close_const %c, dense<[[[0.19402745366096497, -0.03637988120317459]]]> : tensor<1x1x2xf32> ulp 2
  graven.return
}

graven.graph @gru() {
  %x = graven.constant dense<[[[0.5, -1.0], [0.5, 0.0]], [[0.875, -0.875], [0.625, -0.875]]]> : tensor<2x2x2xf32>
  %w = graven.constant dense<[[[-0.25, -0.125], [0.875, 0.125], [-0.5, -0.5]]]> : tensor<1x3x2xf32>
  %r = graven.constant dense<[[[0.75], [-0.5], [-0.75]]]> : tensor<1x3x1xf32>
  %bias_w = graven.constant dense<[[-0.375, 0.125, 0.125]]> : tensor<1x3xf32>
  %bias_r = graven.constant dense<[[0.625, 0.125, -0.375]]> : tensor<1x3xf32>
  %y, %h = graven.gru %x, %w, %r bias_w %bias_w bias_r %bias_r linear_before_reset : (tensor<2x2x2xf32>, tensor<1x3x2xf32>, tensor<1x3x1xf32>, tensor<1x3xf32>, tensor<1x3xf32>) -> (tensor<2x2x1xf32>, tensor<1x2x1xf32>)
  check.expect_close_const %y, dense<[[[0.059063903987407684], [-0.10482780635356903]], [[0.011262214742600918], [-0.04114018753170967]]]> : tensor<2x2x1xf32> ulp 2
  check.expect_close_const %h, dense<[[[0.011262214742600918], [-0.04114018753170967]]]> : tensor<1x2x1xf32> ulp 2
  graven.return
}

graven.graph @gru_reset_first() {
  %x = graven.constant dense<[[[-0.125]], [[0.625]], [[0.25]]]> : tensor<3x1x1xf32>
  %w = graven.constant dense<[[[0.875], [-0.25], [0.125], [0.25], [0.75], [-0.75]]]> : tensor<1x6x1xf32>
  %r = graven.constant dense<[[[-0.125, 0.875], [-0.875, 0.625], [-0.125, 0.625], [-1.0, -0.25], [-0.875, 0.25], [-0.5, 0.375]]]> : tensor<1x6x2xf32>
  %bias_w = graven.constant dense<[[0.875, -0.75, 0.75, -0.875, -0.25, -0.125]]> : tensor<1x6xf32>
  %bias_r = graven.constant dense<[[-0.0, 1.0, 0.5, -0.375, -0.5, 0.75]]> : tensor<1x6xf32>
  %h0 = graven.constant dense<[[[0.75, 0.0]]]> : tensor<1x1x2xf32>
  %y, %h = graven.gru %x, %w, %r bias_w %bias_w bias_r %bias_r h0 %h0 direction reverse : (tensor<3x1x1xf32>, tensor<1x6x1xf32>, tensor<1x6x2xf32>, tensor<1x6xf32>, tensor<1x6xf32>, tensor<1x1x2xf32>) -> (tensor<3x1x2xf32>, tensor<1x1x2xf32>)
  check.expect_close_const %y, dense<[[[-0.004121050238609314, 0.47780466079711914]], [[0.21201325953006744, 0.041947513818740845]], [[0.39271488785743713, 0.14152656495571136]]]> : tensor<3x1x2xf32> ulp 2
  check.expect_close_const %h, dense<[[[-0.004121050238609314, 0.47780466079711914]]]> : tensor<1x1x2xf32> ulp 2
  graven.return
}

graven.graph @rnn_reverse_lengths() {
  %x = graven.constant dense<[[[-0.25], [1.0]], [[-0.375], [-0.625]], [[0.75], [0.625]]]> : tensor<3x2x1xf32>
  %w = graven.constant dense<[[[0.375], [0.875]]]> : tensor<1x2x1xf32>
  %r = graven.constant dense<[[[0.875, 0.5], [0.75, -0.5]]]> : tensor<1x2x2xf32>
  %bias_r = graven.constant dense<[[-0.75, 0.375]]> : tensor<1x2xf32>
  %seq_lens = graven.constant dense<[2, 0]> : tensor<2xi32>
  %y, %h = graven.rnn %x, %w, %r bias_r %bias_r seq_lens %seq_lens direction reverse : (tensor<3x2x1xf32>, tensor<1x2x1xf32>, tensor<1x2x2xf32>, tensor<1x2xf32>, tensor<2xi32>) -> (tensor<3x2x2xf32>, tensor<1x2x2xf32>)
  check.expect_close_const %y, dense<[[[-0.8943138718605042, -0.38075903058052063], [0.0, 0.0]], [[-0.711702287197113, 0.04684069752693176], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]]> : tensor<3x2x2xf32> ulp 2
  check.expect_close_const %h, dense<[[[-0.8943138718605042, -0.38075903058052063], [0.0, 0.0]]]> : tensor<1x2x2xf32> ulp 2
  graven.return
}

graven.graph @rnn_activations() {
  %x = graven.constant dense<[[[0.375, -0.625]]]> : tensor<1x1x2xf32>
  %w = graven.constant dense<[[[-0.25, 0.875], [0.125, 0.125]], [[-0.625, 0.0], [0.0, -0.875]]]> : tensor<2x2x2xf32>
  %r = graven.constant dense<[[[1.0, 0.125], [-1.0, 0.5]], [[1.0, 0.125], [-0.375, -0.625]]]> : tensor<2x2x2xf32>
  %y, %h = graven.rnn %x, %w, %r direction bidirectional activations ["elu", "affine"] alpha [0.5, 2.0] beta [0.0, 1.0] : (tensor<1x1x2xf32>, tensor<2x2x2xf32>, tensor<2x2x2xf32>) -> (tensor<1x1x4xf32>, tensor<2x1x2xf32>)
  check.expect_close_const %y, dense<[[[-0.2365185171365738, -0.015383382327854633, 0.53125, 2.09375]]]> : tensor<1x1x4xf32> ulp 2
  check.expect_close_const %h, dense<[[[-0.2365185171365738, -0.015383382327854633]], [[0.53125, 2.09375]]]> : tensor<2x1x2xf32> ulp 2
  graven.return
}

graven.graph @rnn_no_steps() {
  %x = graven.constant dense<> : tensor<0x1x1xf32>
  %w = graven.constant dense<[[[0.375], [-0.625]]]> : tensor<1x2x1xf32>
  %r = graven.constant dense<[[[0.125, 0.25], [0.875, -0.875]]]> : tensor<1x2x2xf32>
  %h0 = graven.constant dense<[[[-0.0, 0.5]]]> : tensor<1x1x2xf32>
  %y, %h = graven.rnn %x, %w, %r h0 %h0 : (tensor<0x1x1xf32>, tensor<1x2x1xf32>, tensor<1x2x2xf32>, tensor<1x1x2xf32>) -> (tensor<0x1x2xf32>, tensor<1x1x2xf32>)
  check.expect_close_const %y, dense<> : tensor<0x1x2xf32> ulp 2
  check.expect_close_const %h, dense<[[[-0.0, 0.5]]]> : tensor<1x1x2xf32> ulp 2
  graven.return
}

// Without peepholes, an infinite cell does not get into the gates.
graven.graph @lstm_infinite_cell() {
  %x = graven.constant dense<[[[0.0]]]> : tensor<1x1x1xf32>
  %w = graven.constant dense<0.0> : tensor<1x4x1xf32>
  %c0 = graven.constant dense<0x7F800000> : tensor<1x1x1xf32>
  %y, %h, %c = graven.lstm %x, %w, %w c0 %c0 : (tensor<1x1x1xf32>, tensor<1x4x1xf32>, tensor<1x4x1xf32>, tensor<1x1x1xf32>) -> (tensor<1x1x1xf32>, tensor<1x1x1xf32>, tensor<1x1x1xf32>)
  check.expect_close_const %y, dense<0.5> : tensor<1x1x1xf32> ulp 1
  check.expect_close_const %c, dense<0x7F800000> : tensor<1x1x1xf32> ulp 1
  graven.return
}
