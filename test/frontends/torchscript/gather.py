# Indices that are none may have any rank; the result has their shape.
# RUN: graven import %s --input x:f32[4] --input i:i64[2,0] | FileCheck %s --check-prefix=NONE
# RUN: graven import %s --input x:f32[4] --input i:i64[2] | FileCheck %s --check-prefix=SOME
# RUN: %exits 2 graven import %s --input x:f32[4] --input i:i64[2,1] 2>&1 | FileCheck %s --check-prefix=RANKS
# NONE: graven.constant dense<0.000000e+00> : tensor<2x0xf32>
# SOME: graven.gather_elements %{{.*}}[%{{.*}}] axis 0 nonneg
# RANKS: [GRV0202] aten::gather: indices has rank 2, expected 1
def forward(x: Tensor, i: Tensor) -> Tensor:
  return torch.gather(x, 0, i)
