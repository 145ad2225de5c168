# RUN: graven import %s --input x:f32[4,6] | FileCheck %s
# A write through a view goes back into its base by the inverse of the view; the input is not written.

def forward(x: Tensor) -> Tensor:
  z = torch.neg(x)
  row = torch.select(z, 0, 1)
  _0 = torch.add_(row, 1)
  return z

# CHECK-LABEL: graven.graph @forward
# CHECK:       %[[Z:.*]] = graven.neg
# CHECK:       %[[WINDOW:.*]] = graven.slice %[[Z]]
# CHECK:       %[[ROW:.*]] = graven.reshape %[[WINDOW]]
# CHECK:       %[[SUM:.*]] = graven.add %[[ROW]]
# CHECK:       %[[BACK:.*]] = graven.reshape %[[SUM]]
# CHECK:       %[[NEW:.*]] = graven.insert_slice %[[BACK]] into %[[Z]]
# CHECK:       graven.return %[[NEW]]
