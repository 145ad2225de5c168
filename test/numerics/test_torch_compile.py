"""torch.compile(module, backend="graven"): results are those of eager execution, and stats() says what became of graphs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import pytest
import torch

import graven as package

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def fresh():
    torch._dynamo.reset()
    package.torch.reset_stats()
    torch.manual_seed(0)
    with torch.no_grad():
        yield


def compiled(function, **options):
    return torch.compile(function, backend="graven", options={"threads": 1}, **options)


def agree(got, expected):
    assert type(got) is type(expected)
    if isinstance(expected, (tuple, list)):
        assert len(got) == len(expected)
        for one, other in zip(got, expected):
            agree(one, other)
    elif isinstance(expected, torch.Tensor):
        assert (got.dtype, got.shape, got.stride()) == (expected.dtype, expected.shape, expected.stride())
        if expected.is_floating_point():
            limit = 1e-4 * expected.abs().max() if expected.numel() else 0
            assert ((got - expected).abs() <= limit).all()
        else:
            assert torch.equal(got, expected)
    else:
        assert got == expected


def stats():
    return package.torch.stats()


class Classifier(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3)
        self.norm = torch.nn.BatchNorm2d(8)
        self.head = torch.nn.Linear(8, 5)

    def forward(self, x):
        return self.head(torch.relu(self.norm(self.conv(x))).mean((2, 3)))


def test_a_module():
    module, x = Classifier().eval(), torch.randn(2, 3, 16, 16)
    fast = compiled(module)
    for _ in range(3):
        agree(fast(x), module(x))
    assert stats() == package.torch.CompileStats(1, {}, 0)
    assert "graven" in torch._dynamo.list_backends()


def test_the_function_itself():
    x = torch.randn(4)
    agree(torch.compile(torch.sin, backend=package.torch.backend)(x), torch.sin(x))
    assert stats().compiled == 1


def test_weights_are_packed_until_somebody_writes_them():
    module, x = torch.nn.Linear(64, 64).eval(), torch.randn(3, 64)
    fast = compiled(module)
    agree(fast(x), module(x))
    for _ in range(3):
        module.weight.mul_(1.5)
        agree(fast(x), module(x))
    module.load_state_dict(torch.nn.Linear(64, 64).state_dict())
    agree(fast(x), module(x))
    module.weight.data = torch.randn(64, 64)
    agree(fast(x), module(x))
    assert stats().compiled == 2 and not stats().fallbacks


def test_sizes():
    module = Classifier().eval()
    fast = compiled(module)
    for shape in ((2, 3, 16, 16), (3, 3, 16, 16), (4, 3, 16, 16), (3, 3, 16, 16), (4, 3, 9, 17)):
        x = torch.randn(shape)
        agree(fast(x), module(x))
    assert stats().compiled == 4 and not stats().fallbacks


def test_sizes_have_an_end(monkeypatch):
    monkeypatch.setattr(package.torch, "MOST_SIZES", 3)
    fast = compiled(lambda x: x * 2 + x.shape[0], dynamic=True)
    for size in range(2, 8):
        x = torch.randn(size, 3)
        agree(fast(x), x * 2 + size)
    assert stats().compiled == 3 and stats().fallbacks == {"more than 3 combinations of sizes": 3}


def test_graph_breaks_are_counted():
    def broken(x):
        y = torch.tanh(x) * 2
        torch._dynamo.graph_break()
        return y.view(-1), y + 1

    x = torch.randn(3, 4)
    agree(compiled(broken)(x), broken(x))
    assert stats().compiled == 2 and stats().graph_breaks == 1 and not stats().fallbacks


def test_unsupported_graphs_run_in_pytorch():
    x = torch.randn(4, 4)
    agree(compiled(lambda x: torch.linalg.eigvals(x).abs())(x), torch.linalg.eigvals(x).abs())
    (reason, count), = stats().fallbacks.items()
    assert count == 1 and "GRV0201" in reason and "eigvals" in reason and stats().compiled == 0


def test_training_runs_in_pytorch():
    module, x = Classifier().eval(), torch.randn(2, 3, 8, 8)
    fast = compiled(module)
    with torch.enable_grad():
        fast(x).sum().backward()
    assert module.conv.weight.grad.abs().sum() > 0
    (reason, count), = stats().fallbacks.items()
    assert reason.startswith("gradients are wanted") and count == 1 and stats().compiled == 0
    with torch.inference_mode():
        agree(fast(x), module(x))
    assert stats().compiled == 1


def test_effects_on_inputs_and_buffers_are_kept():
    class Counter(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("total", torch.zeros(3))

        def forward(self, x):
            self.total += x
            return self.total * 2

    module, other, x = Counter(), Counter(), torch.randn(3)
    fast = compiled(module)
    for _ in range(3):
        agree(fast(x), other(x))
    agree(module.total, other.total)

    def write(x):
        x.add_(1)
        return x * 2

    y, z = torch.randn(5), torch.randn(5)
    z.copy_(y)
    agree(compiled(write)(y), write(z))
    agree(y, z)
    assert stats().compiled == 0 and set(stats().fallbacks) == {"it writes its inputs or buffers"}


def test_outputs_share_memory_as_in_pytorch():
    def views(x):
        y = x * 3
        return y, y.t(), y[1:, ::2], x, x[1:], x.t()

    x = torch.randn(4, 6)
    got, expected = compiled(views)(x), views(x)
    agree(got, expected)
    got[0].add_(1)
    expected[0].add_(1)
    agree(got, expected)
    assert got[4].data_ptr() == x[1:].data_ptr() and stats().compiled == 1


def test_strides_are_those_of_pytorch():
    x = torch.randn(2, 3, 8, 8).to(memory_format=torch.channels_last)
    module = torch.nn.Conv2d(3, 4, 3).eval().to(memory_format=torch.channels_last)
    agree(compiled(module)(x), module(x))
    agree(compiled(lambda x: x.t() * 2)(torch.ones(3, 4)), torch.ones(3, 4).t() * 2)
    assert stats().compiled == 2


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8,
                                   torch.bool])
def test_element_types(dtype):
    x = torch.tensor([[0, 1, 1], [1, 0, 1]]).to(dtype)
    agree(compiled(lambda x: (x.flip(0), torch.cat([x, x]), x.sum()))(x), (x.flip(0), torch.cat([x, x]), x.sum()))
    assert stats().compiled == 1


def test_structures_numbers_and_scalars():
    def structured(inputs, scale, flag):
        a, b = inputs["a"], inputs["b"]
        y = a * scale + (b if flag else -b)
        return {"y": y, "parts": [y.sum(), a.shape[0]], "none": None}

    inputs = {"a": torch.randn(2, 3), "b": torch.randn(3)}
    fast = compiled(structured)
    for scale, flag in ((2, True), (3, False), (2.5, False)):
        got, expected = fast(inputs, scale, flag), structured(inputs, scale, flag)
        agree(got["y"], expected["y"])
        agree(got["parts"], expected["parts"])
        assert got["none"] is None
    assert stats().compiled >= 2
    # A float that changes becomes a tensor that the graph asks for its value.
    assert all("GRV0204" in reason for reason in stats().fallbacks)


def test_attention_and_recurrence():
    attention = torch.nn.TransformerEncoderLayer(32, 4, 64, batch_first=True).eval()
    x = torch.randn(2, 7, 32)
    agree(compiled(attention)(x), attention(x))
    module = torch.nn.GRU(8, 16, batch_first=True).eval()
    agree(compiled(module)(torch.ones(2, 5, 8)), module(torch.ones(2, 5, 8)))
    assert stats().compiled >= 1


def test_noncontiguous_inputs():
    x = torch.randn(6, 4)
    fast = compiled(lambda x: torch.softmax(x, -1))
    for other in (x, x.t(), x[::2], x[:, 1:3]):
        agree(fast(other.clone(memory_format=torch.preserve_format)), torch.softmax(other, -1).clone())
    agree(fast(x[::2]), torch.softmax(x[::2], -1))


def test_options():
    x = torch.randn(8)
    agree(torch.compile(torch.exp, backend="graven", options={"threads": 2, "opt_level": 1})(x), torch.exp(x))
    with pytest.raises(Exception, match="unknown option speed"):
        torch.compile(torch.cos, backend="graven", options={"speed": 1})(x)
    with pytest.raises(Exception, match="mode must be"):
        torch.compile(torch.tan, backend="graven", mode="max-autotune")(x)


def test_results_are_pytorch_s_own_memory():
    fast, x = compiled(lambda x: x + 1), torch.zeros(3)
    first, second = fast(x), fast(x)
    first.add_(1)
    np.testing.assert_array_equal(second.numpy(), [1, 1, 1])
