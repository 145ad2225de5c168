graven.graph @forward(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = "mine.rectify"(%x) : (tensor<4xf32>) -> tensor<4xf32>
  graven.return %0 : tensor<4xf32>
}
