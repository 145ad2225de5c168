# RUN: graven import %s --input x:f16[3] --input n:f16[3] | FileCheck %s
# Special functions compute in f64 and round once.

# CHECK:       graven.graph @forward
# CHECK:       %[[X:.*]] = graven.cast %{{.*}} : (tensor<3xf16>) -> tensor<3xf64>
# CHECK:       graven.gelu
# CHECK:       graven.cast %{{.*}} : (tensor<3xf64>) -> tensor<3xf16>
# The degree of a polynomial is data: a loop runs up to the greatest.
# CHECK:       %[[MOST:.*]] = graven.reduce max %{{.*}} : (tensor<3xf64>) -> tensor<f64>
# CHECK:       graven.loop trip({{.*}}) init({{.*}} : tensor<3xf64>, tensor<3xf64>)
# CHECK:         graven.yield
# CHECK-NOT:   tensor<3xf32>
def forward(x: Tensor, n: Tensor):
  return torch.special_erfcx(x), torch.special_legendre_polynomial_p(x, n)
