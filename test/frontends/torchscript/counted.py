# RUN: graven import %s --input x:f32[2,3] --input m:i1[2,3] --input n:i64[] | FileCheck %s
# Extents that data decide: what is not zero, and windows, are prefixes of what there may be at most.

def forward(x: Tensor, m: Tensor, n: Tensor) -> Dict[str, Tensor]:
  # The mask's places are found once.
  a = torch.index(x, [m])
  b = torch.index(torch.neg(x), [m])
  c = torch.add(a, b)
  # Written elementwise: no extent is needed.
  y = torch.index_put(x, [m], a)
  # A window whose end is data.
  k = annotate(int, n.item())
  z = torch.slice(x, 1, 1, torch.sub(k, 1))
  return {"c": c, "y": y, "z": z}

# CHECK: graven.graph @forward
# CHECK: %[[I:.*]], %[[N:.*]] = graven.nonzero %arg1 : (tensor<2x3xi1>) -> (tensor<6x2xi64>, tensor<i64>)
# CHECK: %[[P:.*]] = graven.prefix %[[I]] count %[[N]] axis 0 extent 6
# CHECK: %[[A:.*]] = graven.gather_nd %arg0[%[[P]]] nonneg
# CHECK: %[[X:.*]] = graven.neg %arg0
# CHECK-NOT: graven.nonzero
# CHECK: %[[B:.*]] = graven.gather_nd %[[X]][%[[P]]] nonneg
# CHECK: %[[C:.*]] = graven.add %[[A]], %[[B]]
# CHECK: %[[R:.*]] = graven.cum_reduce
# CHECK: %[[V:.*]] = graven.gather %[[A]]
# CHECK: %[[Y:.*]] = graven.select %arg1, %{{.*}}, %arg0
# CHECK: %[[W:.*]] = graven.slice %arg0
# CHECK: %[[Z:.*]] = graven.prefix %[[W]] count %{{.*}} axis 1 extent 2
# CHECK: graven.return %[[C]], %[[Y]], %[[Z]]
