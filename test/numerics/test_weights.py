"""Files of weights: what PyTorch and safetensors write is read as they read it, and a model compiled with the weights of
another file gives what PyTorch gives with them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import argparse
import copy
import json
import re
import struct
import subprocess

import numpy as np
import pytest
import safetensors.torch
import torch
from saving import exported, saved

nn = torch.nn
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.filterwarnings("ignore::UserWarning"),
              pytest.mark.filterwarnings("ignore::FutureWarning")]
DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
          "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U64": torch.uint64, "U32": torch.uint32,
          "U16": torch.uint16, "U8": torch.uint8, "BOOL": torch.bool, "C64": torch.complex64,
          "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2}


def run(graven, *arguments, code=0):
    result = subprocess.run([graven, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert result.returncode == code, result.stderr
    return result


def read_safetensors(path):
    """Names, types and bytes, by the description of the format."""
    data = path.read_bytes()
    length, = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    ends = sorted(tuple(entry["data_offsets"]) for entry in header.values())
    assert all(a[1] == b[0] for a, b in zip(ends, ends[1:])) and (not ends or ends[-1][1] == len(data) - 8 - length)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        raw = bytearray(data[8 + length + begin:8 + length + end])
        flat = torch.frombuffer(raw, dtype=torch.uint8) if raw else torch.empty(0, dtype=torch.uint8)
        tensors[name] = flat.view(DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def same(a, b):
    def raw(tensor):
        return tensor.contiguous().reshape(-1).view(torch.uint8)
    return a.dtype == b.dtype and a.shape == b.shape and torch.equal(raw(a), raw(b))


def views():
    """Storages that are shared, strided, of every type, empty and without axes."""
    whole = torch.arange(24.).reshape(4, 6)
    return {"whole": whole, "view": whole[1:, ::2], "turned": whole.t(), "tied": whole, "row": whole[2],
            "repeated": torch.ones(3, 1).expand(3, 4), "empty": torch.empty(0, 3), "scalar": torch.tensor(2.5),
            "deep.name": torch.randn(2, 2), "half": torch.randn(3).half(), "bf16": torch.randn(2, 3).bfloat16().t(),
            "f64": torch.randn(2, dtype=torch.float64), "bool": torch.tensor([True, False]),
            "complex": torch.randn(2, dtype=torch.complex64),
            **{f"int{i}": torch.arange(3, dtype=dtype) for i, dtype in enumerate(
                [torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64])},
            "u16": torch.arange(3, dtype=torch.int32).to(torch.uint16), "u32": torch.arange(3).to(torch.uint32),
            "f8": torch.randn(4).to(torch.float8_e4m3fn), "f8e5": torch.randn(4).to(torch.float8_e5m2)}


@pytest.mark.parametrize("form", ["zip", "legacy"])
def test_state_dict(graven, tmp_path, form):
    state = views()
    path, output = tmp_path / "w.pth", tmp_path / "w.safetensors"
    torch.save(state, path, _use_new_zipfile_serialization=form == "zip")
    report = json.loads(run(graven, "inspect", path, "--json").stdout)
    listed = {tensor["name"]: tensor for tensor in report["tensors"]}
    assert list(listed) == list(state) and report["format"].startswith("state_dict of torch.save")
    assert all(listed[name]["shape"] == list(tensor.shape) for name, tensor in state.items())
    assert listed["tied"]["tied_to"] == "whole" and listed["row"]["shares_storage_with"] == "whole"
    assert listed["view"]["strides"] == [6, 2] and "strides" not in listed["whole"]
    assert report["total"]["count"] == len(state) and report["total"]["storage_bytes"] < report["total"]["bytes"]
    run(graven, "import", path, "-o", output)
    converted = read_safetensors(output)
    assert set(converted) == set(state) and all(same(converted[name], tensor) for name, tensor in state.items())
    # And what was written is read again.
    again = tmp_path / "again.safetensors"
    run(graven, "import", output, "-o", again)
    assert all(same(tensor, state[name]) for name, tensor in read_safetensors(again).items())


class Net(nn.Module):
    """Tied weights, a buffer, one that is not persistent, and one that forward does not read."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10, 6)
        self.body = nn.Sequential(nn.Linear(6, 6), nn.BatchNorm1d(6), nn.Tanh())
        self.head = nn.Linear(6, 10)
        self.head.weight = self.embedding.weight
        self.register_buffer("shift", torch.randn(10))
        self.register_buffer("scale", torch.full((10,), 2.0), persistent=False)
        self.unused = nn.Linear(2, 2)

    def forward(self, i):
        return self.head(self.body(self.embedding(i))) * self.scale + self.shift


def other(net):
    """The net with other weights."""
    result = copy.deepcopy(net)
    with torch.no_grad():
        for name, tensor in result.state_dict().items():
            if tensor.is_floating_point() and name != "head.weight":
                tensor.copy_(torch.rand_like(tensor) + 0.25)
    return result.eval()


def compiled(graven, tmp_path, model, weights, inputs, *more, code=0):
    """The output of the compiled model with those weights."""
    np.save(tmp_path / "x.npy", inputs.numpy())
    out = tmp_path / "out"
    result = run(graven, "run", model, "--weights", weights, "--input", f"0=@{tmp_path / 'x.npy'}", "--save-outputs", out,
                 *more, code=code)
    return torch.from_numpy(np.load(out / "0.npy")) if code == 0 else result.stderr


@pytest.fixture(scope="module")
def nets():
    torch.manual_seed(1)
    net = Net().eval()
    return net, other(net), torch.tensor([1, 4, 7])


def model_file(form, net, inputs, tmp_path, graven):
    path = tmp_path / f"m.{form}"
    if form == "pt":
        path.write_bytes(saved(net, (inputs,)))
    elif form == "pt2":
        torch.export.save(torch.export.export(net, (inputs,)), path)
    else:
        (tmp_path / "source.pt").write_bytes(saved(net, (inputs,)))
        run(graven, "import", tmp_path / "source.pt", "-o", path)
    return path


@pytest.mark.parametrize("form", ["pt", "pt2", "mlir"])
@pytest.mark.parametrize("kind", ["pth", "legacy", "safetensors", "pt", "checkpoint"])
def test_other_weights(graven, tmp_path, nets, form, kind):
    net, wanted, inputs = nets
    model = model_file(form, net, inputs, tmp_path, graven)
    weights, state = tmp_path / "other", wanted.state_dict()
    # PyTorch's files of buffers that are not persistent lack them, an imported graph calls them Parameters.
    more = ["--keep-missing-weights"]
    if kind in ("pth", "legacy"):
        torch.save(state, weights, _use_new_zipfile_serialization=kind == "pth")
    elif kind == "safetensors":
        safetensors.torch.save_file({name: tensor.clone() for name, tensor in state.items()}, weights)
    elif kind == "pt":
        weights.write_bytes(saved(wanted, (inputs,)))
    else:
        optimizer = torch.optim.Adam(wanted.parameters())
        torch.save({"epoch": np.float64(3), "model": state, "optimizer": optimizer.state_dict(),
                    "arguments": argparse.Namespace(lr=1)}, weights)
    if form == "mlir":
        # Only what the graph reads is in it.
        names = re.findall(r'graven.param [^@\n]*@"?([^ "]+)', model.read_text())
        state = {name: tensor.clone() for name, tensor in wanted.state_dict().items() if name in names}
        torch.save(state, weights)
    result = compiled(graven, tmp_path, model, weights, inputs, *more)
    with torch.no_grad():
        expected = wanted(inputs)
    assert not torch.allclose(expected, net(inputs), atol=1e-3)
    assert torch.allclose(result, expected, rtol=1e-5, atol=1e-5)


def test_onnx_with_other_weights(graven, tmp_path):
    torch.manual_seed(2)
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    wanted, inputs = other(net), torch.randn(2, 4)
    (tmp_path / "m.onnx").write_bytes(exported(net, (inputs,), {"x": {}}))
    torch.save(wanted.state_dict(), tmp_path / "w.pth")
    result = compiled(graven, tmp_path, tmp_path / "m.onnx", tmp_path / "w.pth", inputs)
    assert torch.allclose(result, wanted(inputs), rtol=1e-5, atol=1e-5)


def test_names_of_wrappers(graven, tmp_path, nets):
    net, wanted, inputs = nets
    model = model_file("pt", net, inputs, tmp_path, graven)
    state = wanted.state_dict()
    with torch.no_grad():
        expected = wanted(inputs)
    for kind, names in [("module", {"module." + name: tensor for name, tensor in state.items()}),
                        ("deep", {"a": 1, "b": {"c": state}})]:
        torch.save(names, tmp_path / kind)
        assert torch.allclose(compiled(graven, tmp_path, model, tmp_path / kind, inputs, "--keep-missing-weights"), expected,
                              rtol=1e-5, atol=1e-5)
    torch.save({"model": net.state_dict(), "average": state}, tmp_path / "two")
    text = compiled(graven, tmp_path, model, tmp_path / "two", inputs, code=2)
    assert "[GRV0306]" in text
    result = compiled(graven, tmp_path, model, tmp_path / "two", inputs, "--keep-missing-weights", "--weights-prefix",
                      "average.")
    assert torch.allclose(result, expected, rtol=1e-5, atol=1e-5)
    # The model may be what wraps.
    class Wrapper(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, i):
            return self.inner(i)
    (tmp_path / "wrapped.pt").write_bytes(saved(Wrapper(net), (inputs,)))
    torch.save({**state, "scale": net.scale}, tmp_path / "plain")
    assert torch.allclose(compiled(graven, tmp_path, tmp_path / "wrapped.pt", tmp_path / "plain", inputs), expected,
                          rtol=1e-5, atol=1e-5)


def test_weights_that_do_not_fit(graven, tmp_path, nets):
    net, wanted, inputs = nets
    model = model_file("pt", net, inputs, tmp_path, graven)
    state = dict(wanted.state_dict(), scale=net.scale)
    del state["shift"]
    state["surplus"] = torch.zeros(2)
    state["body.0.weight"] = torch.zeros(6, 7)
    state["body.0.bias"] = torch.zeros(6, dtype=torch.float64)
    state["head.weight"] = torch.zeros(10, 6)
    torch.save(state, tmp_path / "w.pth")
    text = compiled(graven, tmp_path, model, tmp_path / "w.pth", inputs, code=2)
    for part in ["[GRV0306]", "missing 'shift' of f32[10]", "unexpected 'surplus' of f32[2]",
                 "'body.0.weight' is f32[6,7], expected f32[6,6]", "'body.0.bias' is f64[6], expected f32[6]",
                 "'embedding.weight' and 'head.weight' are one tensor in the model, and differ in the file"]:
        assert part in text
    assert text.count("error:") == 1


def test_what_the_importer_computes_with_values(graven, tmp_path):
    """A buffer's value that decides a branch is that of the other file."""
    class Chooses(nn.Module):
        def __init__(self, flag):
            super().__init__()
            self.register_buffer("flag", torch.tensor(flag))

        def forward(self, x):
            if bool(self.flag > 0):
                return x + 1
            return x - 1
    inputs = torch.zeros(2)
    (tmp_path / "m.pt").write_bytes(saved(Chooses(1)))
    torch.save({"flag": torch.tensor(-1)}, tmp_path / "w.pth")
    assert torch.equal(compiled(graven, tmp_path, tmp_path / "m.pt", tmp_path / "w.pth", inputs), inputs - 1)


def test_shards(graven, tmp_path, nets):
    net, wanted, inputs = nets
    model = model_file("pt", net, inputs, tmp_path, graven)
    state = {name: tensor.clone() for name, tensor in wanted.state_dict().items()}
    names = list(state)
    shards = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    for file, members in shards.items():
        safetensors.torch.save_file({name: state[name] for name in members}, tmp_path / file)
    index = {"metadata": {"total_size": 1, "deep": [{"a": None}]},
             "weight_map": {name: file for file, members in shards.items() for name in members}}
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(json.dumps(index, indent=2))
    report = json.loads(run(graven, "inspect", path, "--json").stdout)
    assert {tensor["name"] for tensor in report["tensors"]} == set(names)
    with torch.no_grad():
        assert torch.allclose(compiled(graven, tmp_path, model, path, inputs, "--keep-missing-weights"), wanted(inputs),
                              rtol=1e-5, atol=1e-5)


def test_checkpoint_and_module(graven, tmp_path, nets):
    net = nets[0]
    torch.save({"model": net.state_dict(), "best": np.float64(3), "arguments": argparse.Namespace(lr=1)},
               tmp_path / "c.pth")
    text = run(graven, "inspect", tmp_path / "c.pth", code=2).stderr
    for part in ["[GRV0102]", "argparse.Namespace", "'best'", "data.pkl: pickle byte"]:
        assert part in text
    report = json.loads(run(graven, "inspect", tmp_path / "c.pth", "--allow-opaque", "--json").stdout)
    assert [tensor["name"] for tensor in report["tensors"]] == ["model." + name for name in net.state_dict()]
    assert len(report["opaque"]) == 2
    # A module: a class that Graven does not know, and whose code it never runs.
    torch.save(net, tmp_path / "module.pth")
    report = json.loads(run(graven, "inspect", tmp_path / "module.pth", "--json").stdout)
    assert {tensor["name"] for tensor in report["tensors"]} == {*net.state_dict(), "scale"}


def test_weights_alone_are_no_model(graven, tmp_path):
    torch.save({"a": torch.ones(2)}, tmp_path / "w.pth")
    assert "[GRV0002]" in run(graven, "compile", tmp_path / "w.pth", "-o", tmp_path / "m.so", code=2).stderr
