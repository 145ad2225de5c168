// RUN: graven-opt --graven-verify-graph-phase --split-input-file --verify-diagnostics %s

graven.param @p : tensor<2xf32> = dense<1.0> : tensor<2xf32>
graven.graph @forward(%x: tensor<2xf32>) -> tensor<2xf32> {
  %p = graven.get_param @p : tensor<2xf32>
  %0 = graven.add %x, %p : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  graven.return %0 : tensor<2xf32>
}

// -----

// expected-error @+1 {{graph contract: no Node reads the Parameter 'p'}}
graven.param @p : tensor<2xf32> = dense<1.0> : tensor<2xf32>
graven.graph @forward(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @+1 {{graph contract: a call is left}}
  %0 = graven.call @other(%x) : (tensor<2xf32>) -> tensor<2xf32>
  graven.return %0 : tensor<2xf32>
}
graven.graph @other(%x: tensor<2xf32>) -> tensor<2xf32> {
  graven.return %x : tensor<2xf32>
}

// -----

// expected-error @+1 {{graph contract: there is no graph @forward}}
module {
  graven.graph @backward(%x: tensor<2xf32>) -> tensor<2xf32> {
    graven.return %x : tensor<2xf32>
  }
}

// -----

graven.graph @forward(%x: tensor<1x2x3xf32>) -> tensor<1x2x3xf32> {
  %0 = graven.relayout %x from nchw to nchw16c channels 2 : (tensor<1x2x3xf32>) -> tensor<1x1x3x16xf32>
  // expected-error @+1 {{graph contract: a relayout of a relayout is left}}
  %1 = graven.relayout %0 from nchw16c to nchw channels 2 : (tensor<1x1x3x16xf32>) -> tensor<1x2x3xf32>
  // expected-error @+1 {{graph contract: a fusion has no kind}}
  %2 = graven.fusion(%a = %1 : tensor<1x2x3xf32>) -> tensor<1x2x3xf32> {
    %3 = graven.relu %a : tensor<1x2x3xf32>
    graven.yield %3 : tensor<1x2x3xf32>
  }
  graven.return %2 : tensor<1x2x3xf32>
}

// -----

graven.graph @forward(%x: tensor<2xf32>) -> tensor<2xf32> {
  graven.return %x : tensor<2xf32>
}
// expected-error @+1 {{graph contract: the module holds 'builtin.module', expected graphs and Parameters only}}
module @inner {
}
