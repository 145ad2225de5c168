# RUN: not graven import %s --input x:f32[2,2] 2>&1 | FileCheck %s
# All unsupported operations are reported at once, with counts and places.

def forward(x: Tensor) -> Tensor:
  a = torch.to_sparse(x)
  b = torch.linalg_eigvals(torch.to_sparse(a))
  return torch.add(a, b)

# CHECK:     unsupported.py{{"?}}:5:{{.*}}error: [GRV0201] aten::to_sparse is not supported: 2 uses, also at {{.*}}unsupported.py:6
# CHECK:     unsupported.py{{"?}}:6:{{.*}}error: [GRV0201] aten::linalg_eigvals is not supported: 1 use
# CHECK-NOT: graven.graph
