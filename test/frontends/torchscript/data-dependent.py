# RUN: not graven import %s --input x:f32[2] 2>&1 | FileCheck %s
# A branch on the elements of an input is an error at its line.

def forward(x: Tensor) -> Tensor:
  if bool(torch.gt(torch.sum(x), 0.)):
    y = x
  else:
    y = torch.neg(x)
  return y

# CHECK: data-dependent.py{{"?}}:5:{{.*}}error: [GRV0204]
