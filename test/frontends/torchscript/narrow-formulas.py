# RUN: graven import %s --input x:f16[4] --input y:f16[4] --input z:f32[4] | FileCheck %s
# Formulas of several Nodes compute f16 in f32 and round once; operators of one Node stay f16. A tensor of f32 with axes
# makes the result f32.

def forward(x: Tensor, y: Tensor, z: Tensor):
  return torch.hypot(x, y), torch.mul(x, y), torch.hypot(x, z)

# CHECK-LABEL: graven.graph @forward
# CHECK:  graven.cast %arg0 {to = f32} : (tensor<4xf16>) -> tensor<4xf32>
# CHECK:  graven.sqrt %{{.*}} : tensor<4xf32>
# CHECK:  %[[H:.*]] = graven.cast %{{.*}} {to = f16} : (tensor<4xf32>) -> tensor<4xf16>
# CHECK:  %[[M:.*]] = graven.mul %arg0, %arg1 : (tensor<4xf16>, tensor<4xf16>) -> tensor<4xf16>
# CHECK:  graven.sqrt %{{.*}} : tensor<4xf32>
# CHECK:  graven.return %[[H]], %[[M]], %{{.*}} : tensor<4xf16>, tensor<4xf16>, tensor<4xf32>
