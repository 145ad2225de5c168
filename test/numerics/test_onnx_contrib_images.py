"""com.microsoft's ops of images with channels last, which ONNX Runtime has for GPUs: against PyTorch.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import pytest
import torch
from onnx import TensorProto, helper
from torch.nn import functional

import graven

F32 = TensorProto.FLOAT


def run(op, arrays, outputs=("y",), **attributes):
    names = [f"x{i}" for i in range(len(arrays))]
    infos = [helper.make_tensor_value_info(name, F32, list(x.shape)) for name, x in zip(names, arrays)]
    graph = helper.make_graph([helper.make_node(op, names, outputs, domain="com.microsoft", **attributes)], "g", infos,
                              [helper.make_tensor_value_info(name, F32, None) for name in outputs])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)])
    return graven.compile(proto.SerializeToString(), threads=1)(*[x.numpy() for x in arrays])


def close(own, wanted):
    np.testing.assert_allclose(own, wanted.numpy(), rtol=1e-4, atol=1e-5)


def last(x):
    return x.movedim(1, -1).contiguous()


def test_convolution():
    torch.manual_seed(0)
    x, w, b = torch.randn(2, 4, 7, 6), torch.randn(5, 4, 3, 3), torch.randn(5)
    own = run("NhwcConv", [last(x), last(w), b], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 1])
    close(own, last(functional.conv2d(x, w, b, (2, 1), 1)))


@pytest.mark.parametrize("activation", [0, 1])
@pytest.mark.parametrize("channels_last", [0, 1])
def test_norm_of_groups(activation, channels_last):
    torch.manual_seed(0)
    x, scale, bias = torch.randn(2, 6, 4, 3), torch.randn(6), torch.randn(6)
    wanted = functional.group_norm(x, 3, scale, bias, 1e-5)
    wanted = functional.silu(wanted) if activation else wanted
    own = run("GroupNorm", [last(x) if channels_last else x, scale, bias], groups=3, epsilon=1e-5, activation=activation,
              channels_last=channels_last)
    close(own, last(wanted) if channels_last else wanted)


@pytest.mark.parametrize("wide", [False, True])
def test_norm_of_sums(wide):
    torch.manual_seed(0)
    x, scale, shift, bias = last(torch.randn(2, 6, 4, 3)), torch.randn(6), torch.randn(6), torch.randn(6)
    skip = torch.randn(2, 4, 3, 6) if wide else torch.randn(2, 6)
    total = x + (skip if wide else skip[:, None, None]) + bias
    wanted = last(functional.group_norm(total.movedim(-1, 1), 2, scale, shift, 1e-5))
    y, s = run("SkipGroupNorm", [x, scale, shift, skip, bias], ("y", "s"), groups=2, epsilon=1e-5)
    close(y, wanted)
    close(s, total)


def test_gate_and_sum():
    torch.manual_seed(0)
    x, bias, skip = torch.randn(2, 5, 8), torch.randn(8), torch.randn(2, 5, 8)
    left, right = (x + bias).chunk(2, -1)
    close(run("BiasSplitGelu", [x, bias]), left * functional.gelu(right))
    close(run("BiasAdd", [x, bias, skip]), x + bias + skip)
    with pytest.raises(graven.Error, match="even number of columns"):
        run("BiasSplitGelu", [x[..., :7].contiguous(), bias[:7].contiguous()])
