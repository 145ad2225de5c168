"""com.microsoft's attention of language models and its packed heads, against ONNX Runtime.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import graven

RNG = np.random.default_rng(7)
HEADS, GROUPS, SIZE = 4, 2, 16


def floats(*shape):
    return RNG.standard_normal(shape, np.float32)


def model(op, inputs, outputs, constants, **attributes):
    names = ["" if x is None else f"x{i}" for i, x in enumerate(inputs)]
    given = [(i, x) for i, x in enumerate(inputs) if x is not None]
    infos = [helper.make_tensor_value_info(f"x{i}", helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
             for i, x in given if i not in constants]
    held = [numpy_helper.from_array(x, f"x{i}") for i, x in given if i in constants]
    results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    graph = helper.make_graph([helper.make_node(op, names, outputs, domain="com.microsoft", **attributes)], "g", infos, results, held)
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    feed = {f"x{i}": x for i, x in given if i not in constants}
    return helper.make_model(graph, opset_imports=imports, ir_version=9).SerializeToString(), feed


def check(op, inputs, outputs=("y",), constants=(), only=None, **attributes):
    """`only` says which part of the results is compared."""
    proto, feed = model(op, inputs, outputs, constants, **attributes)
    wanted = onnxruntime.InferenceSession(proto, providers=["CPUExecutionProvider"]).run(None, feed)
    own = graven.compile(proto, threads=1)(**feed)
    for a, b in zip(own if len(outputs) > 1 else [own], wanted, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a if only is None else only(a), b if only is None else only(b), rtol=1e-4, atol=2e-5)


def grouped(batch, queries, past, lengths=None, packed=False, room=None, **more):
    """The inputs of GroupQueryAttention of `queries` tokens after `past`, in a cache of `room`."""
    own = [floats(batch, queries, heads * SIZE) for heads in (HEADS, GROUPS, GROUPS)]
    if packed:
        own = [np.concatenate(own, -1), None, None]
    cache = [floats(batch, GROUPS, past if room is None else room, SIZE) for _ in range(2)]
    lengths = np.array(lengths or [past + queries] * batch, np.int32) - 1
    inputs = [*own, *cache, lengths, np.array(past + queries, np.int32)]
    for position in sorted(more):
        inputs += [None] * (int(position[1:]) - len(inputs)) + [more[position]]
    return inputs


ALL = ("y", "key", "value")
NUMBERS = {"num_heads": HEADS, "kv_num_heads": GROUPS}


def caches(rows=32, width=SIZE // 2):
    angles = np.arange(rows)[:, None] / 10 ** np.linspace(0, 3, width)
    return {"i7": np.cos(angles).astype(np.float32), "i8": np.sin(angles).astype(np.float32)}


# Several queries after earlier ones are those of one sample.
@pytest.mark.parametrize("batch, queries, past", [(1, 5, 0), (2, 5, 0), (1, 1, 6), (2, 1, 6), (1, 3, 6)])
@pytest.mark.parametrize("attributes", [{}, {"packed": True}, {"local_window_size": 3}, {"softcap": 5.0}, {"scale": 0.2},
                                        {"smooth_softmax": 1}], ids=str)
def test_grouped(batch, queries, past, attributes):
    inputs = grouped(batch, queries, past, packed=attributes.get("packed", False))
    check("GroupQueryAttention", inputs, ALL, (6,), **NUMBERS, **{k: v for k, v in attributes.items() if k != "packed"})


@pytest.mark.parametrize("queries, past", [(5, 0), (1, 6)])
@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("packed", [False, True])
def test_grouped_with_turned_heads(queries, past, interleaved, packed):
    check("GroupQueryAttention", grouped(2, queries, past, packed=packed, **caches()), ALL, (6, 7, 8), do_rotary=1,
          rotary_interleaved=interleaved, **NUMBERS)


def test_grouped_of_several_lengths():
    """Each sample has as many keys of earlier calls as its length says; the rest of its cache is nothing."""
    check("GroupQueryAttention", grouped(3, 1, 6, [7, 3, 5], **caches()), ALL, (6, 7, 8), do_rotary=1, **NUMBERS)


def test_grouped_in_a_larger_cache():
    check("GroupQueryAttention", grouped(2, 1, 6, room=12), ALL, (6,), **NUMBERS)
    check("GroupQueryAttention", grouped(1, 4, 0, room=12), ALL, (6,), **NUMBERS)


def test_grouped_with_a_bias_and_sinks():
    check("GroupQueryAttention", grouped(1, 3, 4, i10=floats(1, HEADS, 3, 7)), ALL, (6,), **NUMBERS)
    check("GroupQueryAttention", grouped(1, 3, 4, i11=floats(HEADS)), ALL, (6,), **NUMBERS)


def test_grouped_length_of_the_caller():
    """total_sequence_length decides extents: the model is compiled for it."""
    proto, feed = model("GroupQueryAttention", grouped(1, 2, 3), ALL, (), **NUMBERS)
    own = graven.compile(proto, threads=1)(**feed)
    wanted = onnxruntime.InferenceSession(proto, providers=["CPUExecutionProvider"]).run(None, feed)
    np.testing.assert_allclose(own[0], wanted[0], rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("change, why", [({"num_heads": 3}, "in 3 heads"), ({"causal": 0}, "causal = 0"),
                                         ({"sliding_window_cache": 1}, "sliding_window_cache")])
def test_grouped_that_is_refused(change, why):
    proto, _ = model("GroupQueryAttention", grouped(1, 2, 3), ALL, (6,), **{**NUMBERS, **change})
    with pytest.raises(graven.Error, match=rf"GRV0.*GroupQueryAttention.*{why}"):
        graven.compile(proto)


def unpacked(batch, keys):
    return [floats(batch, count, HEADS, SIZE) for count in (5, keys, keys)]


def test_packed_heads():
    """The kernel of ONNX Runtime for the CPU takes them apart only."""
    q, k, v = unpacked(2, 5)
    apart, feed = model("MultiHeadAttention", [x.reshape(2, 5, -1) for x in (q, k, v)], ["y"], (), num_heads=HEADS)
    wanted, = onnxruntime.InferenceSession(apart, providers=["CPUExecutionProvider"]).run(None, feed)
    for packed in ([np.stack([q, k, v], 3)], [q.reshape(2, 5, -1), np.stack([k, v], 3)]):
        proto, feed = model("MultiHeadAttention", packed, ["y"], (), num_heads=HEADS)
        np.testing.assert_allclose(graven.compile(proto, threads=1)(**feed), wanted, rtol=1e-4, atol=2e-5)


def test_heads_of_another_sequence():
    q, k, v = unpacked(2, 7)
    heads = [x.transpose(0, 2, 1, 3).copy() for x in (k, v)]
    check("MultiHeadAttention", [q.reshape(2, 5, -1), *heads], num_heads=HEADS)
