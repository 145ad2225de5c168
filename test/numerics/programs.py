"""Programs that every way out of PyTorch must bring over.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import torch
from torch import nn


class Encoder(nn.Module):
    """Attention with shape arithmetic that a trace writes as tensors."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 16)
        self.qkv = nn.Linear(16, 48)
        self.norm = nn.LayerNorm(16)

    def forward(self, ids, mask):
        x = self.embed(ids) + torch.arange(ids.size(1)).unsqueeze(-1) / 10
        b, t, c = x.size()
        q, k, v = self.qkv(self.norm(x)).split(16, dim=2)
        q, k, v = [y.view(b, t, 4, c // 4).transpose(1, 2) for y in (q, k, v)]
        keep = mask[:, None, None, :].to(torch.bool)
        y = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=keep)
        return x + nn.functional.gelu(y.transpose(1, 2).reshape(b, t, c))


class Mutating(nn.Module):
    def forward(self, x):
        z = x * 2
        z[:, 1] += 10
        z[z > 11] = -1.0
        a, b = z.chunk(2, dim=0)
        a.relu_()
        return torch.cat([b, a]), {"sum": z.sum(dim=0, keepdim=True)}
