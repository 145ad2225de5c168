# RUN: not graven compile %s --input x:f32[8] --input n:i64[] -o %t.so 2>&1 | FileCheck %s
# A number of elements that only running tells, and that nothing bounds, is an error that says what to do.

def forward(x: Tensor, n: Tensor) -> Tensor:
  k = annotate(int, n.item())
  y = torch.slice(x, 0, 0, k)
  return torch.add(y, torch.arange(k))

# CHECK: unknown-sizes.py{{"?}}:7:{{.*}}error: [GRV0204] aten::arange: argument 'end' is not a known number; a tensor of n elements, where data decide n, is the first ones of the most there may be: torch.arange(MOST)[:n]
