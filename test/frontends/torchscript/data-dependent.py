# RUN: graven import %s --input x:f32[2] | FileCheck %s
# RUN: not graven import %s --input x:f32[3] 2>&1 | FileCheck %s --check-prefix=REFUSED
# A branch on the elements of an input is a graven.if; one that decides a shape is an error at its line.

def forward(x: Tensor) -> Tensor:
  if bool(torch.gt(torch.sum(x), 0.)):
    y = x
  else:
    y = torch.neg(torch.slice(x, 0, 0, 2))
  return y

# CHECK: %[[C:.*]] = graven.compare gt
# CHECK: %[[Y:.*]] = graven.if %[[C]] -> (tensor<2xf32>) {
# CHECK:   graven.yield %arg0
# CHECK: } else {
# CHECK:   %[[N:.*]] = graven.neg
# CHECK:   graven.yield %[[N]]
# CHECK: graven.return %[[Y]]

# REFUSED: data-dependent.py{{"?}}:6:{{.*}}error: [GRV0204] 'y' is tensor<3xf32> or tensor<2xf32>, depending on data
