// Strided loads and stores stay what they are where the CPU has gathers and
// scatters: here, the columns around an image that a convolution pads.
// RUN: graven compile %s -o %t.s --target-cpu znver5
// RUN: FileCheck %s --implicit-check-not=scatter --implicit-check-not=gather < %t.s
// RUN: graven compile %s -o %t.s --target-cpu sapphirerapids
// RUN: FileCheck %s --implicit-check-not=scatter --implicit-check-not=gather < %t.s

// CHECK: vfmadd231ps {{.*}}%zmm
graven.param @w : tensor<16x3x3x3xf32> = dense<0.01> : tensor<16x3x3x3xf32>
graven.graph @forward(%x: tensor<1x3x64x64xf32> {graven.name = "x"})
    -> (tensor<1x16x32x32xf32> {graven.name = "y"}) {
  %w = graven.get_param @w : tensor<16x3x3x3xf32>
  %0 = graven.conv %x, %w strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] groups 1
      : (tensor<1x3x64x64xf32>, tensor<16x3x3x3xf32>) -> tensor<1x16x32x32xf32>
  graven.return %0 : tensor<1x16x32x32xf32>
}
