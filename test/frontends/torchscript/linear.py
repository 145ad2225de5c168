# RUN: graven import %s --input 0:f32[2,5,8] --input w:f32[4,8] --input b:f32[4] | FileCheck %s
# Batches fold into the rows of one product; the weight's transpose is a flag, the bias a row.

def forward(x: Tensor, w: Tensor, b: Optional[Tensor]=None) -> Tensor:
  return torch.linear(x, w, b)

# CHECK-LABEL: graven.graph @forward
# CHECK:       %[[ROWS:.*]] = graven.reshape %{{.*}} to [10, 8]
# CHECK:       %[[Y:.*]] = graven.matmul %[[ROWS]], %{{.*}} transpose_b
# CHECK:       %[[BIAS:.*]] = graven.reshape %{{.*}} to [1, 4]
# CHECK:       graven.add %[[Y]], %[[BIAS]]
# CHECK:       graven.reshape %{{.*}} to [2, 5, 4]
