"""Recurrent networks, as native code and by the reference evaluator, against PyTorch and ONNX Runtime.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import subprocess

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

import graven as package
from saving import saved

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore::FutureWarning",
                                        "ignore::UserWarning")
STEPS, BATCH, INPUT, HIDDEN = 5, 3, 7, 6


def check(got, expected):
    got = got if isinstance(got, (tuple, list)) else (got,)
    assert len(got) == len(expected)
    for a, b in zip(got, expected):
        assert a.shape == b.shape and a.dtype == b.dtype
        assert np.abs(a - b).max() <= 1e-5 * np.abs(b).max()


def flat(value):
    return [value.detach().numpy()] if isinstance(value, torch.Tensor) else [a for part in value for a in flat(part)]


class Network(torch.nn.Module):
    """A network with states given or not; scripted or traced."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        y, state = self.network(x)
        return y, state


class WithStates(Network):
    def forward(self, x, h):
        y, state = self.network(x, h)
        return y, state


class LstmStates(Network):
    def forward(self, x, h, c):
        y, state = self.network(x, (h, c))
        return y, state[0], state[1]


class Cells(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTMCell(INPUT, HIDDEN)
        self.gru = torch.nn.GRUCell(HIDDEN, HIDDEN)
        self.tanh = torch.nn.RNNCell(HIDDEN, HIDDEN)
        self.relu = torch.nn.RNNCell(HIDDEN, HIDDEN, nonlinearity="relu", bias=False)

    def forward(self, x):
        h, c = self.lstm(x)
        for _ in range(3):
            h, c = self.lstm(x, (h, c))
        h = self.gru(h, c)
        return h, self.tanh(h), self.relu(h, c)


def compiled(module, inputs, script=True, **options):
    model = saved(module, None if script else tuple(inputs))
    specifications = [f"{i}:f32[{','.join(map(str, x.shape))}]" for i, x in enumerate(inputs)]
    return package.compile(model, inputs=specifications, **options)


def run_both(graven, tmp_path, module, inputs, script=True):
    """Native code and the evaluator against PyTorch."""
    module = module.eval()
    with torch.no_grad():
        expected = flat(module(*inputs))
    arrays = [x.numpy() for x in inputs]
    check(compiled(module, inputs, script, threads=1)(*arrays), expected)
    path = tmp_path / "m.pt"
    path.write_bytes(saved(module, None if script else tuple(inputs)))
    command = [graven, "run", "--evaluate", path, "--save-outputs", tmp_path / "out"]
    for i, array in enumerate(arrays):
        np.save(tmp_path / f"{i}.npy", array)
        command += ["--input", f"{i}=@{tmp_path}/{i}.npy"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    check(tuple(np.load(tmp_path / f"out/{i}.npy") for i in range(len(expected))), expected)


KINDS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layers, bidirectional, batch_first, bias, script", [
    (1, False, False, True, True), (2, False, True, True, False), (1, True, False, False, True),
    (3, True, True, True, True)])
def test_networks(graven, tmp_path, kind, layers, bidirectional, batch_first, bias, script):
    torch.manual_seed(0)
    network = KINDS[kind](INPUT, HIDDEN, layers, bidirectional=bidirectional, batch_first=batch_first, bias=bias,
                          dropout=0.3 if layers > 1 else 0)
    x = torch.randn(*((BATCH, STEPS) if batch_first else (STEPS, BATCH)), INPUT)
    run_both(graven, tmp_path, Network(network), [x], script)


def test_relu(graven, tmp_path):
    torch.manual_seed(1)
    run_both(graven, tmp_path, Network(torch.nn.RNN(INPUT, HIDDEN, 2, nonlinearity="relu", bidirectional=True)),
             [torch.randn(STEPS, BATCH, INPUT)])


@pytest.mark.parametrize("script", [True, False])
def test_states(graven, tmp_path, script):
    torch.manual_seed(2)
    x, h, c = torch.randn(STEPS, BATCH, INPUT), torch.randn(4, BATCH, HIDDEN), torch.randn(4, BATCH, HIDDEN)
    network = torch.nn.GRU(INPUT, HIDDEN, 2, bidirectional=True)
    run_both(graven, tmp_path, WithStates(network), [x, h], script)
    network = torch.nn.LSTM(INPUT, HIDDEN, 2, bidirectional=True)
    run_both(graven, tmp_path, LstmStates(network), [x, h, c], script)


@pytest.mark.parametrize("layers, bidirectional, bias", [(1, False, False), (2, True, True)])
def test_projections(graven, tmp_path, layers, bidirectional, bias):
    torch.manual_seed(8)
    network = torch.nn.LSTM(INPUT, HIDDEN, layers, bidirectional=bidirectional, bias=bias, proj_size=4)
    x, count = torch.randn(STEPS, BATCH, INPUT), layers * (2 if bidirectional else 1)
    run_both(graven, tmp_path, Network(network), [x])
    h, c = torch.randn(count, BATCH, 4), torch.randn(count, BATCH, HIDDEN)
    run_both(graven, tmp_path, LstmStates(network), [x, h, c])


def test_projections_of_packed_sequences():
    class Packed(torch.nn.Module):
        def __init__(self, bidirectional):
            super().__init__()
            self.lstm = torch.nn.LSTM(INPUT, HIDDEN, proj_size=4, bidirectional=bidirectional)

        def forward(self, x, lengths, h, c):
            packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths)
            y, state = self.lstm(packed, (h, c))
            return torch.nn.utils.rnn.pad_packed_sequence(y, total_length=STEPS)[0], state[0], state[1]

    torch.manual_seed(9)
    inputs = torch.randn(STEPS, 3, INPUT), torch.tensor([5, 3, 1]), torch.randn(1, 3, 4), torch.randn(1, 3, HIDDEN)
    module = Packed(False).eval()
    with torch.no_grad():
        expected = flat(module(*inputs))
    check(package.compile(saved(module, inputs), threads=1)(*[x.numpy() for x in inputs]), expected)
    both = *inputs[:2], torch.randn(2, 3, 4), torch.randn(2, 3, HIDDEN)
    with pytest.raises(package.Error, match="GRV0202.*begin with zeros only"):
        package.compile(saved(Packed(True).eval(), both), inputs=[x.numpy() for x in both])


def test_unbatched(graven, tmp_path):
    torch.manual_seed(3)
    run_both(graven, tmp_path, Network(torch.nn.LSTM(INPUT, HIDDEN)), [torch.randn(STEPS, INPUT)], script=False)


def test_cells(graven, tmp_path):
    torch.manual_seed(4)
    run_both(graven, tmp_path, Cells(), [torch.randn(BATCH, INPUT)])


def test_threads_do_not_change_results():
    torch.manual_seed(5)
    module, x = Network(torch.nn.LSTM(64, 128, 2, bidirectional=True)).eval(), torch.randn(9, 2, 64)
    one = compiled(module, [x], threads=1)(x.numpy())
    for threads in (2, 3):
        for a, b in zip(one, compiled(module, [x], threads=threads)(x.numpy())):
            assert np.array_equal(a, b)


def onnx_model(op, gates, inputs, names, **attributes):
    """A model of one node, with weights as initializers, and its arrays."""
    rng = np.random.default_rng(6)
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    batch_first = attributes.get("layout", 0)
    shapes = {
        "X": (BATCH, STEPS, INPUT) if batch_first else (STEPS, BATCH, INPUT),
        "W": (directions, gates * HIDDEN, INPUT), "R": (directions, gates * HIDDEN, HIDDEN),
        "B": (directions, 2 * gates * HIDDEN), "P": (directions, 3 * HIDDEN)}
    shapes["initial_h"] = shapes["initial_c"] = (directions, BATCH, HIDDEN)
    arrays = {name: rng.standard_normal(shapes[name]).astype(np.float32) * 0.5 for name in names if name in shapes}
    if "sequence_lens" in names:
        arrays["sequence_lens"] = np.array([2, STEPS, 1], np.int32)
    fed = ["X", "sequence_lens"]
    outputs = ["Y", "Y_h", "Y_c"][:3 if op == "LSTM" else 2]
    node = helper.make_node(op, [name if name in names else "" for name in inputs], outputs, hidden_size=HIDDEN,
                            **attributes)
    types = {"sequence_lens": TensorProto.INT32}
    graph = helper.make_graph(
        [node], "g",
        [helper.make_tensor_value_info(n, types.get(n, TensorProto.FLOAT), arrays[n].shape) for n in fed if n in names],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
        [numpy_helper.from_array(arrays[n], n) for n in names if n not in fed])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    return model, {name: arrays[name] for name in fed if name in names}


LSTM = ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"]
GRU = LSTM[:6]
MODELS = {
    "lstm": ("LSTM", 4, LSTM, LSTM[:4], {}),
    "lstm_all": ("LSTM", 4, LSTM, LSTM, {"direction": "bidirectional", "clip": 0.6}),
    "lstm_reverse": ("LSTM", 4, LSTM, LSTM[:5], {"direction": "reverse"}),
    "lstm_input_forget": ("LSTM", 4, LSTM, LSTM[:4], {"input_forget": 1}),
    "lstm_activations": ("LSTM", 4, LSTM, LSTM[:4], {
        "activations": ["HardSigmoid", "ScaledTanh", "Softsign"], "activation_alpha": [0.3, 1.5],
        "activation_beta": [0.4, 0.7]}),
    "gru": ("GRU", 3, GRU, GRU[:4], {}),
    "gru_linear": ("GRU", 3, GRU, GRU, {"direction": "bidirectional", "linear_before_reset": 1}),
    "gru_reset_first": ("GRU", 3, GRU, GRU, {"direction": "reverse", "linear_before_reset": 0}),
    "rnn": ("RNN", 1, GRU, GRU, {"direction": "bidirectional", "activations": ["Relu", "Tanh"]}),
    "rnn_affine": ("RNN", 1, GRU, GRU[:3], {"activations": ["Affine"], "activation_alpha": [0.5],
                                            "activation_beta": [0.1]}),
}


@pytest.mark.parametrize("name", MODELS)
def test_onnx_runtime(name):
    ort = pytest.importorskip("onnxruntime")
    op, gates, inputs, names, attributes = MODELS[name]
    model, arrays = onnx_model(op, gates, inputs, names, **attributes)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    check(package.compile(model.SerializeToString(), threads=1)(*arrays.values()), session.run(None, arrays))


@pytest.mark.parametrize("op, gates, inputs", [("LSTM", 4, LSTM), ("GRU", 3, GRU), ("RNN", 1, GRU)])
def test_batch_first(op, gates, inputs):
    """Layout 1, which ONNX Runtime lacks, is layout 0 transposed."""
    first, arrays = onnx_model(op, gates, inputs, inputs[:4], layout=1)
    second, _ = onnx_model(op, gates, inputs, inputs[:4])
    got = package.compile(first.SerializeToString(), threads=1)(arrays["X"])
    y, *states = package.compile(second.SerializeToString(), threads=1)(
        np.ascontiguousarray(arrays["X"].transpose(1, 0, 2)))
    check(got, [y.transpose(2, 0, 1, 3)] + [state.transpose(1, 0, 2) for state in states])


def test_onnx_refuses_unknown_activation():
    model, _ = onnx_model("RNN", 1, GRU, GRU[:3], activations=["Sine"])
    with pytest.raises(package.Error, match="Sine"):
        package.compile(model.SerializeToString())
