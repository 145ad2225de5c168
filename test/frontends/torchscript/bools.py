# Sums and products of bools that are to be bools are "any" and "all".
# RUN: graven import %s --input x:i1[4] --input i:i64[2] | FileCheck %s
# CHECK: graven.reduce or %{{.*}} axes [0]
# CHECK: graven.reduce and %{{.*}} axes [0]
# CHECK: %[[SUM:.*]] = graven.scatter_nd {{.*}}tensor<4xi64>
# CHECK: %[[BOOL:.*]] = graven.{{cast|compare}} {{.*}}-> tensor<4xi1>
def forward(x: Tensor, i: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
  a = torch.sum(x, [0], False, dtype=11)
  b = torch.prod(x, dtype=11)
  c = torch.index_put(x, [i], torch.ones_like(i, dtype=11), True)
  return (a, b, c)
