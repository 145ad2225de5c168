# RUN: not graven import %s --input x:f32[4] 2>&1 | FileCheck %s
# From the second iteration on y is x itself, so that the write reaches both: that is refused, not computed wrongly.

def forward(x: Tensor, n: int) -> Tuple[Tensor, Tensor]:
  x0 = torch.mul(x, 2)
  y = torch.mul(x0, 3)
  for i in range(n):
    y1 = torch.add_(y, 1)
    y = x0
  return (x0, y)

# CHECK: loop-aliases.py{{"?}}:7:{{.*}}error: [GRV0204] 'y' may share its storage with another tensor, and one of them is written
