# RUN: graven import %s --input x:f32[2] 2>&1 | FileCheck %s
# A branch that raises is taken for one that data never takes; a warning says so.

def forward(x: Tensor) -> Tensor:
  if bool(torch.gt(torch.sum(x), 0.)):
    y = torch.neg(x)
  else:
    ops.prim.RaiseException("expected a positive sum", "builtins.ValueError")
    y = uninitialized(Tensor)
  return y

# CHECK: raise.py{{"?}}:8:{{.*}}warning: the model raises: expected a positive sum; this depends on data
# CHECK-NOT: graven.if
# CHECK: %[[Y:.*]] = graven.neg %arg0
# CHECK: graven.return %[[Y]]
