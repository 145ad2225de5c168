// RUN: graven-opt %s --split-input-file --verify-diagnostics

graven.graph @rnn_c1(%x: tensor<5x2x3xf32>, %w: tensor<1x4x3xf64>, %r: tensor<1x4x4xf32>) -> tensor<5x2x4xf32> {
  // expected-error @below {{operand #1 has element type 'f64', expected 'f32' (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %y, %h = graven.rnn %x, %w, %r : (tensor<5x2x3xf32>, tensor<1x4x3xf64>, tensor<1x4x4xf32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>)
  graven.return %y : tensor<5x2x4xf32>
}

// -----

graven.graph @rnn_c2_rank(%x: tensor<5x6xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>) -> tensor<5x2x4xf32> {
  // expected-error @below {{x has rank 2, expected 3 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %y, %h = graven.rnn %x, %w, %r : (tensor<5x6xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>)
  graven.return %y : tensor<5x2x4xf32>
}

// -----

graven.graph @lstm_c2_rows(%x: tensor<5x2x3xf32>, %w: tensor<1x12x3xf32>, %r: tensor<1x16x4xf32>) -> tensor<5x2x4xf32> {
  // expected-error @below {{w has extent 12 on axis 1, expected 16 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %y, %h, %c = graven.lstm %x, %w, %r : (tensor<5x2x3xf32>, tensor<1x12x3xf32>, tensor<1x16x4xf32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  graven.return %y : tensor<5x2x4xf32>
}

// -----

graven.graph @gru_c2_directions(%x: tensor<5x2x3xf32>, %w: tensor<1x12x3xf32>, %r: tensor<1x12x4xf32>) -> tensor<5x2x4xf32> {
  // expected-error @below {{w has extent 1 on axis 0, expected 2 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %y, %h = graven.gru %x, %w, %r direction bidirectional : (tensor<5x2x3xf32>, tensor<1x12x3xf32>, tensor<1x12x4xf32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>)
  graven.return %y : tensor<5x2x4xf32>
}

// -----

graven.graph @lstm_c3(%x: tensor<5x2x3xf32>, %w: tensor<1x16x3xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x8xf32>) -> tensor<5x2x4xf32> {
  // expected-error @below {{bias_r has extent 8 on axis 1, expected 16 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %y, %h, %c = graven.lstm %x, %w, %r bias_r %b : (tensor<5x2x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>, tensor<1x8xf32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  graven.return %y : tensor<5x2x4xf32>
}

// -----

graven.graph @gru_c4(%x: tensor<5x2x3xf32>, %w: tensor<1x12x3xf32>, %r: tensor<1x12x4xf32>, %b: tensor<3xi32>) -> tensor<5x2x4xf32> {
  // expected-error @below {{seq_lens has extent 3 on axis 0, expected 2 (C4)}}
  // expected-error @below {{failed to infer returned types}}
  %y, %h = graven.gru %x, %w, %r seq_lens %b : (tensor<5x2x3xf32>, tensor<1x12x3xf32>, tensor<1x12x4xf32>, tensor<3xi32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>)
  graven.return %y : tensor<5x2x4xf32>
}

// -----

graven.graph @rnn_c5(%x: tensor<5x2x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>, %b: tensor<1x2x5xf32>) -> tensor<5x2x4xf32> {
  // expected-error @below {{h0 has extent 5 on axis 2, expected 4 (C5)}}
  // expected-error @below {{failed to infer returned types}}
  %y, %h = graven.rnn %x, %w, %r h0 %b : (tensor<5x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>, tensor<1x2x5xf32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>)
  graven.return %y : tensor<5x2x4xf32>
}

// -----

graven.graph @lstm_c5_c0(%x: tensor<5x2x3xf32>, %w: tensor<1x16x3xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x3x4xf32>) -> tensor<5x2x4xf32> {
  // expected-error @below {{c0 has extent 3 on axis 1, expected 2 (C5)}}
  // expected-error @below {{failed to infer returned types}}
  %y, %h, %c = graven.lstm %x, %w, %r c0 %b : (tensor<5x2x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>, tensor<1x3x4xf32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  graven.return %y : tensor<5x2x4xf32>
}

// -----

graven.graph @lstm_c6_count(%x: tensor<5x2x3xf32>, %w: tensor<1x16x3xf32>, %r: tensor<1x16x4xf32>) -> tensor<5x2x4xf32> {
  // expected-error @below {{activations has 1 entries, expected 3 (C6)}}
  // expected-error @below {{failed to infer returned types}}
  %y, %h, %c = graven.lstm %x, %w, %r activations ["tanh"] : (tensor<5x2x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  graven.return %y : tensor<5x2x4xf32>
}

// -----

graven.graph @rnn_c6_name(%x: tensor<5x2x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>) -> tensor<5x2x4xf32> {
  // expected-error @below {{activation "sine" is not known (C6)}}
  // expected-error @below {{failed to infer returned types}}
  %y, %h = graven.rnn %x, %w, %r activations ["sine"] : (tensor<5x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>)
  graven.return %y : tensor<5x2x4xf32>
}

// -----

graven.graph @rnn_c6_alpha(%x: tensor<5x2x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>) -> tensor<5x2x4xf32> {
  // expected-error @below {{alpha has 1 entries, expected 0, one for each of the activations (C6)}}
  // expected-error @below {{failed to infer returned types}}
  %y, %h = graven.rnn %x, %w, %r alpha [1.0] : (tensor<5x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>)
  graven.return %y : tensor<5x2x4xf32>
}

// -----

graven.graph @rnn_c7(%x: tensor<5x2x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>) -> tensor<5x2x4xf32> {
  // expected-error @below {{clip is -1.000000e+00, expected a finite number of at least 0 (C7)}}
  // expected-error @below {{failed to infer returned types}}
  %y, %h = graven.rnn %x, %w, %r clip -1.0 : (tensor<5x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>)
  graven.return %y : tensor<5x2x4xf32>
}

// -----

graven.graph @lstm_c8(%x: tensor<5x2x3xf32>, %w: tensor<1x16x3xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x16xf32>) -> tensor<5x2x4xf32> {
  // expected-error @below {{peephole has extent 16 on axis 1, expected 12 (C8)}}
  // expected-error @below {{failed to infer returned types}}
  %y, %h, %c = graven.lstm %x, %w, %r peephole %b : (tensor<5x2x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>, tensor<1x16xf32>) -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  graven.return %y : tensor<5x2x4xf32>
}

// -----

graven.graph @rnn_other_type(%x: tensor<5x2x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>) -> tensor<5x2x3xf32> {
  // expected-error-re @+1 {{{{.*}}}}
  %y, %h = graven.rnn %x, %w, %r : (tensor<5x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x4xf32>)
  graven.return %y : tensor<5x2x3xf32>
}
