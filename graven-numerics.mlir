// RUN: graven-opt --pass-pipeline='builtin.module(sccp)' --verify-numerics %s

module {
  graven.param @used : tensor<4xf32> = dense<2.000000e+00> : tensor<4xf32>
  graven.param @unused : tensor<4xf32> = dense<3.000000e+00> : tensor<4xf32>
  graven.graph private @dead(%arg0: tensor<4xf32>) -> tensor<4xf32> {
    graven.return %arg0 : tensor<4xf32>
  }
  graven.graph private @twice(%arg0: tensor<4xf32>) -> tensor<4xf32> {
    %0 = graven.add %arg0, %arg0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    graven.return %0 : tensor<4xf32>
  }
  graven.graph @forward(%arg0: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
    %0 = graven.constant dense<3.000000e+00> : tensor<4xf32>
    %1 = graven.get_param @used : tensor<4xf32>
    %2 = graven.mul %arg0, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %3 = graven.add %2, %2 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %4 = graven.call @twice(%0) : (tensor<4xf32>) -> tensor<4xf32>
    graven.return %3, %4 : tensor<4xf32>, tensor<4xf32>
  }
}
