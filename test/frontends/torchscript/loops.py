# RUN: graven import %s --input x:f32[4] | FileCheck %s
# RUN: graven import %s --input x:f32[4] --input n:i64[] | FileCheck %s
# RUN: not graven import %s --input x:f32[4] --input n:i32[] 2>&1 | FileCheck %s --check-prefix=TYPE
# A loop as often as an input says is a graven.loop that carries what it changes: the variable h, the number m, and the
# storage of acc, which is written in place. What it does not change, such as two, stays known.

def forward(x: Tensor, n: int) -> Tuple[Tensor, Tensor, int]:
  acc = torch.zeros_like(x)
  h = x
  m = 0
  two = 2
  for i in range(n):
    h = torch.mul(h, two)
    acc0 = torch.add_(acc, h)
    m = torch.add(m, two)
    two = 2
  return (acc, h, m)

# CHECK: graven.graph @forward(%arg0: tensor<4xf32> {graven.name = "x"}, %arg1: tensor<i64> {graven.name = "n"})
# CHECK: %[[ZERO:.*]] = graven.constant dense<0.000000e+00> : tensor<4xf32>
# CHECK: %[[L:.*]]:3 = graven.loop trip(%{{.*}}) init(%arg0, %{{.*}}, %[[ZERO]] : tensor<4xf32>, tensor<i64>, tensor<4xf32>)
# CHECK: ^bb0(%{{.*}}: tensor<i64>, %[[H:.*]]: tensor<4xf32>, %[[M:.*]]: tensor<i64>, %[[ACC:.*]]: tensor<4xf32>):
# CHECK: %[[H1:.*]] = graven.mul %[[H]]
# CHECK: %[[ACC1:.*]] = graven.add %[[ACC]], %[[H1]]
# CHECK: %[[M1:.*]] = graven.add %[[M]]
# CHECK: graven.yield %{{.*}}, %[[H1]], %[[M1]], %[[ACC1]]
# CHECK: graven.return %[[L]]#2, %[[L]]#0, %[[L]]#1

# TYPE: error: [GRV{{[0-9]+}}] --input says 'tensor<i32>' of 'n', which is of type 'int', so that it is 'tensor<i64>'
