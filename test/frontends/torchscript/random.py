# RUN: graven import %s --input x:f32[4] 2>&1 | FileCheck %s
# Random tensors are hashes of counters, of which each call has its own; one warning says so.

# CHECK:     random.py{{"?}}:11:{{.*}}warning: aten::rand_like gives the same numbers in every run, other than PyTorch's
# CHECK-NOT: warning
# CHECK:     %[[FIRST:.*]] = graven.iota {{.*}} : () -> tensor<4xui64>
# CHECK:     graven.xor
# CHECK:     graven.iota {{.*}} : () -> tensor<4xui64>
# CHECK:     graven.return
def forward(x: Tensor):
  return torch.rand_like(x) + torch.rand_like(x)
