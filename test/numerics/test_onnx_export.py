"""`graven export`: models that ONNX Runtime computes as PyTorch does.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import subprocess

import numpy
import onnx
import onnxruntime
import pytest
import torch
import torchvision

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"),
              pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")]
OPSETS = [10, 13, 17, 21]


def export(graven, source, target, *flags):
    done = subprocess.run([graven, "export", source, "-o", target, *map(str, flags)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    onnx.checker.check_model(str(target), full_check=True)
    return done.stdout


def run(path, inputs):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [entry.name for entry in session.get_inputs()]
    return session.run(None, {name: value.numpy() for name, value in zip(names, inputs, strict=True)})


def flatten(result):
    if isinstance(result, torch.Tensor):
        return [result]
    return [tensor for item in result for tensor in flatten(item)]


def check(graven, folder, model, inputs, opsets=OPSETS, bound=1e-4):
    model = model.eval()
    with torch.no_grad():
        torch.jit.trace(model, tuple(inputs), check_trace=False).save(folder / "m.pt")
        expected = flatten(model(*inputs))
    for opset in opsets:
        path = folder / f"m{opset}.onnx"
        export(graven, folder / "m.pt", path, "--opset", opset)
        assert onnx.load(path).opset_import[0].version == opset
        got = run(path, inputs)
        assert len(got) == len(expected)
        for one, other in zip(got, expected):
            other = other.numpy()
            assert one.dtype == other.dtype and one.shape == other.shape
            assert numpy.allclose(one, other, rtol=0, atol=bound * max(numpy.abs(other).max(), 1e-6), equal_nan=True), opset


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_resnet18(graven, tmp_path):
    model = torchvision.models.resnet18()
    check(graven, tmp_path, model, [torch.randn(1, 3, 64, 64)], [9, 17])
    names = {tensor.name for tensor in onnx.load(tmp_path / "m17.onnx").graph.initializer}
    assert {"conv1.weight", "layer1.0.bn1.running_mean", "fc.bias"} <= names
    kinds = [node.op_type for node in onnx.load(tmp_path / "m17.onnx").graph.node]
    assert kinds.count("Conv") == 20 and kinds.count("Gemm") == 1


def test_mobilenet(graven, tmp_path):
    model = torchvision.models.mobilenet_v3_small()
    check(graven, tmp_path, model, [torch.randn(1, 3, 64, 64)], [10, 21])


def test_bert(graven, tmp_path):
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128,
                                     vocab_size=100, return_dict=False)
    model = transformers.BertModel(config, add_pooling_layer=True)

    class Wrapped(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.bert = model

        def forward(self, ids, mask):
            return self.bert(ids, attention_mask=mask)

    mask = torch.ones(2, 16, dtype=torch.int64)
    mask[1, 10:] = 0
    check(graven, tmp_path, Wrapped(), [torch.randint(0, 100, (2, 16)), mask], [11, 17])


@pytest.mark.parametrize("kind", [torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_recurrent(graven, tmp_path, kind, bidirectional):
    model = kind(6, 5, num_layers=2, bidirectional=bidirectional, batch_first=True)
    check(graven, tmp_path, model, [torch.randn(3, 7, 6)], [9, 17])


class UNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.down = torch.nn.Conv2d(3, 8, 3, padding=1, padding_mode="reflect")
        self.norm = torch.nn.GroupNorm(4, 8)
        self.inner = torch.nn.Conv2d(8, 16, 3, padding=1, stride=2)
        self.up = torch.nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.last = torch.nn.Conv2d(16, 2, 1)

    def forward(self, x):
        first = torch.nn.functional.gelu(self.norm(self.down(x)))
        inner = torch.nn.functional.silu(self.inner(first))
        both = torch.cat([self.up(inner), first], 1)
        small = torch.nn.functional.avg_pool2d(both, 3, 2, 1, ceil_mode=True, count_include_pad=False)
        large = torch.nn.functional.interpolate(small, scale_factor=2, mode="bilinear", align_corners=False)
        return self.last(large[:, :, :16, :16]).softmax(1)


def test_unet(graven, tmp_path):
    check(graven, tmp_path, UNet(), [torch.randn(1, 3, 16, 16)], [11, 13, 17, 21])


class Mixed(torch.nn.Module):
    def forward(self, x, i):
        y = torch.where(x > 0, x, x.atan2(x.flip(1)))
        values, indices = y.topk(2, 1)
        z = x.clone()
        z[:, 1:3] = values
        s = torch.nn.functional.scaled_dot_product_attention(*[z.view(1, 2, 4, 2)] * 3, is_causal=True)
        return y[:, i], indices, z.cumsum(1), s, x.var(1), x.std(0), x.amax(1) // 0.3, torch.nn.functional.elu(x, 0.5), \
            x.softmax(0), torch.nn.functional.celu(x, 0.7), (x.argmax(0) + 1) % 3, x.norm(dim=1), x.log1p(), (x > 0).any(1)


def test_operations(graven, tmp_path):
    check(graven, tmp_path, Mixed(), [torch.rand(4, 4) - 0.5, torch.tensor([2, 0])], [12, 17, 21])


def test_digits_from_both_formats(graven, root, tmp_path):
    folder = root / "examples/digits"
    images = numpy.load(folder / "heldout_images.npy")[:1]
    model = torch.jit.load(str(folder / "digits.pt"))
    expected = model(torch.from_numpy(images)).detach().numpy()
    for name in ["digits.pt", "digits.onnx"]:
        path = tmp_path / f"{name}.out.onnx"
        report = json.loads(export(graven, folder / name, path, "--json", "--input-names", "image", "--output-names",
                                   "digit"))
        assert report["nodes"] == len(onnx.load(path).graph.node) and report["opset"] == 17
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        got = session.run(["digit"], {"image": images})[0]
        assert numpy.abs(got - expected).max() <= 1e-4 * numpy.abs(expected).max()


def test_external_data(graven, root, tmp_path):
    model = root / "examples/digits/digits.pt"
    export(graven, model, tmp_path / "inside.onnx", "--external-data", "never")
    export(graven, model, tmp_path / "beside.onnx", "--external-data", "always")
    assert (tmp_path / "beside.onnx.data").stat().st_size > 50_000 > (tmp_path / "beside.onnx").stat().st_size
    image = [torch.from_numpy(numpy.load(root / "examples/digits/heldout_images.npy")[:1])]
    assert numpy.array_equal(run(tmp_path / "inside.onnx", image)[0], run(tmp_path / "beside.onnx", image)[0])


def test_control_flow(graven, tmp_path):
    source = "def forward(x: Tensor) -> Tensor:\n  if bool(torch.sum(x) > 0):\n    y = torch.relu(x)\n  else:\n    y = -x\n" \
             "  return y * 2\n"
    (tmp_path / "m.py").write_text(source)
    export(graven, tmp_path / "m.py", tmp_path / "m.onnx", "--input", "x:f32[3]")
    assert "If" in [node.op_type for node in onnx.load(tmp_path / "m.onnx").graph.node]
    for x in [torch.tensor([1.0, -0.5, 2]), torch.tensor([-1.0, 0.5, -2])]:
        expected = (torch.relu(x) if x.sum() > 0 else -x) * 2
        assert numpy.array_equal(run(tmp_path / "m.onnx", [x])[0], expected.numpy())


def test_without_folding(graven, root, tmp_path):
    export(graven, root / "examples/digits/digits.onnx", tmp_path / "m.onnx", "--no-constant-folding")
    export(graven, root / "examples/digits/digits.onnx", tmp_path / "f.onnx")
    count = [len(onnx.load(tmp_path / name).graph.node) for name in ["m.onnx", "f.onnx"]]
    assert count[0] >= count[1]
