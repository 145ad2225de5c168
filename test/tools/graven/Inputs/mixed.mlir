graven.graph @forward(%x: tensor<?x3xf32> {graven.name = "x", graven.symbols = ["batch", ""]})
    -> (tensor<3xf32> {graven.name = "y"}) {
  %0 = graven.reduce sum %x axes [0] : (tensor<?x3xf32>) -> tensor<3xf32>
  graven.return %0 : tensor<3xf32>
}
