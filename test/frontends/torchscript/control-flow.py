# RUN: graven import %s --input x:f32[1,3,8,8] | FileCheck %s
# A condition on shapes is decided, a loop over a known range unrolled, a helper inlined.

def scale(x: Tensor, times: int=2) -> Tensor:
  y = x
  for i in range(times):
    y = torch.mul(y, 3.)
  return y

def forward(x: Tensor) -> Tensor:
  if torch.eq(torch.dim(x), 4):
    y = torch.relu(x)
  else:
    ops.prim.RaiseException("expected four axes", "builtins.ValueError")
    y = torch.neg(x)
  return scale(y, 2)

# CHECK-LABEL: graven.graph @forward
# CHECK-SAME:  tensor<1x3x8x8xf32>
# CHECK-NOT:   graven.neg
# CHECK:       %[[Y:.*]] = graven.relu
# CHECK-COUNT-2: graven.mul
# CHECK-NOT:   graven.mul
# CHECK:       graven.return
