# RUN: not graven import %s --input x:f32[2,2] 2>&1 | FileCheck %s
# All unsupported operations are reported at once, with counts and places.

def forward(x: Tensor) -> Tensor:
  a = torch.lgamma(x)
  b = torch.det(torch.lgamma(a))
  return torch.add(a, b)

# CHECK:     error: [GRV0201] 2 unsupported operations in 3 places
# CHECK:     unsupported.py:5:{{[0-9]+}}: note: aten::lgamma: 2 uses
# CHECK:     unsupported.py:6:{{[0-9]+}}: note: aten::lgamma here too
# CHECK:     unsupported.py:6:{{[0-9]+}}: note: aten::det: 1 use
# CHECK-NOT: graven.graph
