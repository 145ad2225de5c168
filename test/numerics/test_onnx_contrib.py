"""com.microsoft, which ONNX Runtime's optimizer and exporters for it write, and counts of n-grams, against ONNX Runtime.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import onnxruntime
import pytest
import torch
import torchvision
from onnx import TensorProto, helper, numpy_helper

from onnx_driver import Driver

RANDOM = np.random.default_rng(2)


def floats(*shape):
    return RANDOM.standard_normal(shape, np.float32)


def bytes_of(*shape):
    return RANDOM.integers(0, 256, shape, np.uint8)


@pytest.fixture(scope="module")
def driver(build, tmp_path_factory):
    made = Driver(build / "bin" / "evaluate-onnx", tmp_path_factory.mktemp("contrib"))
    yield made
    made.close()


def model(op, inputs, outputs, attributes, constants, domain):
    """One node. None is an absent input; `constants` says which inputs the file has, by number."""
    names = ["" if x is None else f"x{i}" for i, x in enumerate(inputs)]
    infos = [helper.make_tensor_value_info(f"x{i}", helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
             for i, x in enumerate(inputs) if x is not None and i not in constants]
    held = [numpy_helper.from_array(inputs[i], f"x{i}") for i in constants]
    results = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in outputs if name]
    for info in results:
        info.type.tensor_type.elem_type = TensorProto.INT32 if info.name == "count" else TensorProto.FLOAT
    node = helper.make_node(op, names, outputs, domain=domain, **attributes)
    graph = helper.make_graph([node], "g", infos, results, held)
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17),
                                                                 helper.make_opsetid("com.microsoft", 1)])


def check(driver, op, inputs, outputs=("y",), constants=(), domain="com.microsoft", tolerance=2e-6, **attributes):
    made = model(op, inputs, list(outputs), attributes, constants, domain)
    feed = {f"x{i}": x for i, x in enumerate(inputs) if x is not None and i not in constants}
    wanted = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, feed)
    answer, results = driver.run(made, list(feed.values()))
    assert answer == "ok", answer
    for a, b in zip(wanted, results, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        assert np.max(np.abs(a.astype(np.float64) - b), initial=0) <= tolerance * max(1, np.max(np.abs(a), initial=0))


def refused(driver, op, inputs, **attributes):
    answer = driver.import_bytes(model(op, inputs, ["y"], attributes, (), "com.microsoft").SerializeToString())
    assert answer.startswith("error"), answer
    return answer


@pytest.mark.parametrize("activation", [
    {}, {"activation": "Relu"}, {"activation": "Sigmoid"}, {"activation": "Tanh"},
    {"activation": "LeakyRelu", "activation_params": [0.2]}, {"activation": "Clip", "activation_params": [-0.5, 0.7]},
    {"activation": "HardSigmoid", "activation_params": [0.3, 0.4]}], ids=str)
def test_fused_conv(driver, activation):
    x, w, b = floats(1, 4, 7, 8), floats(6, 2, 3, 3), floats(6)
    window = {"group": 2, "pads": [1, 1, 1, 1], "strides": [2, 1], "kernel_shape": [3, 3]}
    check(driver, "FusedConv", [x, w, b], constants=(1, 2), **window, **activation)


def test_fused_conv_adds_an_input(driver):
    x, w, b, z = floats(1, 4, 7, 8), floats(6, 4, 1, 1), floats(6), floats(1, 6, 7, 8)
    check(driver, "FusedConv", [x, w, b, z], constants=(1, 2), kernel_shape=[1, 1], activation="Relu")


def test_fused_products(driver):
    check(driver, "FusedMatMul", [floats(2, 3, 5, 4), floats(2, 3, 5, 6)], transA=1, alpha=0.5)
    check(driver, "FusedMatMul", [floats(2, 3, 5, 4), floats(6, 4)], transB=1)
    check(driver, "FusedGemm", [floats(5, 4), floats(6, 4), floats(6)], transB=1, alpha=2.0, beta=0.5, activation="LeakyRelu",
          activation_alpha=0.3)
    for flags in [{"transBatchA": 1}, {"transBatchA": 1, "transA": 1}, {"transBatchA": 1, "transBatchB": 1, "transB": 1}]:
        a = (5, 2, 3, 4) if "transBatchA" in flags else (2, 3, 5, 4)
        a = (4, *a[1:3], 5) if "transA" in flags else a
        b = (6, 2, 3, 4) if "transBatchB" in flags else (2, 3, 4, 6)
        check(driver, "FusedMatMul", [floats(*a), floats(*b)], **flags)
    assert "have rank 1 and 2" in refused(driver, "FusedMatMul", [floats(4), floats(4, 6)])


def test_gelus(driver):
    x, b = floats(3, 5, 16) * 3, floats(16)
    check(driver, "Gelu", [x])
    check(driver, "BiasGelu", [x, b])
    check(driver, "FastGelu", [x], tolerance=1e-5)
    check(driver, "FastGelu", [x, b], tolerance=1e-5)
    check(driver, "QuickGelu", [x])
    check(driver, "QuickGelu", [x], alpha=0.7)


@pytest.mark.parametrize("skip", [(2, 5, 16), (1, 5, 16), (5, 16)], ids=str)
def test_skip_norms(driver, skip):
    x, gamma, beta, bias = floats(2, 5, 16), floats(16), floats(16), floats(16)
    check(driver, "SkipLayerNormalization", [x, floats(*skip), gamma, beta, bias], ("y", "", "", "sum"), epsilon=1e-5)
    check(driver, "SkipLayerNormalization", [x, floats(*skip), gamma])
    check(driver, "SkipSimplifiedLayerNormalization", [x, floats(*skip), gamma, bias], ("y", "", "", "sum"), epsilon=1e-6)


def test_simplified_norm(driver):
    check(driver, "SimplifiedLayerNormalization", [floats(2, 5, 16), floats(16)], domain="", axis=-1, epsilon=1e-6,
          stash_type=1)


@pytest.mark.parametrize("masked", [False, True])
def test_embeddings(driver, masked):
    ids, segments = RANDOM.integers(0, 20, (2, 6), np.int32), RANDOM.integers(0, 2, (2, 6), np.int32)
    mask = (np.arange(6) < np.array([[6], [4]])).astype(np.int32) if masked else None
    tables = [floats(20, 16), floats(10, 16), floats(2, 16)]
    check(driver, "EmbedLayerNormalization", [ids, segments, *tables, floats(16), floats(16), mask], ("y", "count"),
          epsilon=1e-5)


@pytest.mark.parametrize("bits, block, k", [(4, 32, 64), (4, 16, 40), (8, 32, 64), (2, 32, 64)])
@pytest.mark.parametrize("zeros", [False, True])
def test_packed_weights(driver, bits, block, k, zeros):
    n, blocks = 24, -(-k // block)
    packed = bytes_of(n, blocks, block * bits // 8)
    points = bytes_of(n, -(-blocks * bits // 8)) if zeros else None
    inputs = [floats(3, 5, k), packed, np.abs(floats(n, blocks)), points]
    made = [x for i, x in enumerate(inputs) if i < 3 or zeros]
    check(driver, "MatMulNBits", made, constants=tuple(range(1, len(made))), K=k, N=n, bits=bits, block_size=block,
          tolerance=1e-5)


def test_packed_weights_of_wrong_sizes(driver):
    answer = refused(driver, "MatMulNBits", [floats(2, 64), bytes_of(24, 2, 15), floats(48)], K=64, N=24, block_size=32)
    assert "[GRV0107]" in answer and "expected 24 rows of 2 blocks" in answer


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("k, n, block", [(64, 24, 16), (33, 5, 64), (15, 7, 16)])
def test_packed_weights_of_bitsandbytes(driver, kind, k, n, block):
    inputs = [floats(3, 5, k), bytes_of((n * k + 1) // 2), np.abs(floats(-(-n * k // block)))]
    check(driver, "MatMulBnb4", inputs, constants=(1, 2), K=k, N=n, block_size=block, quant_type=kind, tolerance=1e-5)


def test_weights_of_bitsandbytes_that_do_not_fit(driver):
    good = {"K": 16, "N": 4, "block_size": 16, "quant_type": 1}
    for change, answer in [({"quant_type": 2}, "quant_type is 2"), ({"N": 5}, "expected 40 bytes and 5 blocks"),
                           ({"block_size": 0}, "block_size are 16, 4 and 0"), ({"N": 1 << 40}, "block_size are")]:
        made = refused(driver, "MatMulBnb4", [floats(2, 16), bytes_of(32), floats(4)], **{**good, **change})
        assert "[GRV0107]" in made and answer in made, made


@pytest.mark.parametrize("segments, mask", [(True, True), (False, False)])
def test_quantized_embedding(driver, segments, mask):
    ids, kinds = RANDOM.integers(0, 30, (2, 6), np.int32), RANDOM.integers(0, 2, (2, 6), np.int32)
    sizes = [(30, 8), (12, 8), (2, 8), (8,), (8,)]
    scale = lambda: np.float32(RANDOM.uniform(0.01, 0.1))  # noqa: E731
    codes = [bytes_of(*size) for size in sizes]
    scales, zeros = [np.array(scale()) for _ in sizes], [np.array(RANDOM.integers(100, 150), np.uint8) for _ in sizes]
    if not segments:
        kinds = codes[2] = scales[2] = zeros[2] = None
    inputs = [ids, kinds, *codes, MARKS if mask else None, *scales, *zeros]
    check(driver, "QEmbedLayerNormalization", inputs, ("y", "count"), tolerance=1e-5, epsilon=1e-12,
          constants=tuple(i for i in range(2, 18) if i != 7 and inputs[i] is not None))
    for i, wanted in [(2, "#2 is absent"), (12, "#12 is absent")] + [(10, "no scale")] * segments:
        answer = refused(driver, "QEmbedLayerNormalization", [*inputs[:i], None, *inputs[i + 1:]])
        assert "[GRV0107]" in answer and wanted in answer, answer


LENGTHS, MARKS = np.array([5, 3], np.int32), (RANDOM.random((2, 6)) < 0.7).astype(np.int32)


@pytest.mark.parametrize("mask", [None, np.array([6, 3], np.int32), MARKS], ids=["none", "lengths", "marks"])
@pytest.mark.parametrize("causal", [0, 1])
def test_attention_of_one_product(driver, mask, causal):
    inputs = [floats(2, 6, 16), floats(16, 48), floats(48), mask]
    made = inputs if mask is not None else inputs[:3]
    check(driver, "Attention", made, num_heads=4, unidirectional=causal, tolerance=1e-5)


def test_attention_goes_on(driver):
    past = floats(2, 2, 4, 3, 4)
    check(driver, "Attention", [floats(2, 1, 16), floats(16, 48), floats(48), None, past], ("y", "present"), num_heads=4,
          unidirectional=1, tolerance=1e-5)
    assert "do_rotary" in refused(driver, "Attention", [floats(2, 6, 16), floats(16, 48), floats(48)], num_heads=4, do_rotary=1)


@pytest.mark.parametrize("case", ["plain", "bias", "lengths", "marks", "scores", "past"])
def test_multi_head_attention(driver, case):
    q, k, v = floats(2, 6, 16), floats(2, 6, 16), floats(2, 6, 16)
    inputs = [q, k, v, floats(48) if case == "bias" else None,
              LENGTHS if case == "lengths" else MARKS if case == "marks" else None,
              floats(2, 4, 6, 6) if case == "scores" else None]
    outputs = ["y"]
    if case == "past":
        inputs += [floats(2, 4, 3, 4), floats(2, 4, 3, 4)]
        outputs += ["key", "value"]
    while inputs[-1] is None:
        inputs.pop()
    check(driver, "MultiHeadAttention", inputs, outputs, num_heads=4, tolerance=1e-5)


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("places", [np.array([3]), np.array([[0, 1, 2, 3], [2, 3, 4, 5]])], ids=["first", "all"])
def test_rotary_embedding(driver, places, interleaved):
    cache = [np.cos(floats(10, 4)), np.sin(floats(10, 4))]
    check(driver, "RotaryEmbedding", [floats(2, 4, 24), places, *cache], interleaved=interleaved)
    check(driver, "RotaryEmbedding", [floats(2, 3, 4, 8), places, *cache], interleaved=interleaved)


@pytest.mark.parametrize("mode", ["TF", "IDF", "TFIDF"])
@pytest.mark.parametrize("lengths, skips", [((1, 1), 0), ((2, 2), 0), ((2, 2), 5), ((1, 3), 2)])
@pytest.mark.parametrize("shape", [(12,), (3, 12)], ids=str)
def test_counts_of_n_grams(driver, mode, lengths, skips, shape):
    x = RANDOM.integers(1, 5, shape, np.int64)
    check(driver, "TfIdfVectorizer", [x], domain="", mode=mode, min_gram_length=lengths[0], max_gram_length=lengths[1],
          max_skip_count=skips, pool_int64s=[2, 3, 9, 1, 2, 4, 4, 3, 1, 1, 2, 3], ngram_counts=[0, 3, 9],
          ngram_indexes=[4, 0, 1, 3, 2, 6, 5], weights=[0.5, 2.0, 1.5, 1.0, 3.0, 0.25, 4.0])


@pytest.mark.parametrize("skips", [1000, 2**31 - 1])
def test_more_skips_than_numbers(driver, skips):
    x = RANDOM.integers(1, 4, (2, 9), np.int64)
    attributes = {"mode": "TF", "min_gram_length": 2, "max_gram_length": 2, "pool_int64s": [1, 2, 2, 3],
                  "ngram_counts": [0, 0], "ngram_indexes": [0, 1]}
    made = [model("TfIdfVectorizer", [x], ["y"], {**attributes, "max_skip_count": n}, (), "") for n in (8, skips)]
    (_, (wanted,)), (answer, (got,)) = [driver.run(one, [x]) for one in made]
    assert answer == "ok" and wanted.sum() > 0
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("group, parts, stride, pad, dilation", [(1, 1, 1, 0, 1), (2, 2, 2, 1, 1), (2, 1, 1, 2, 2)])
@pytest.mark.parametrize("modulated", [False, True])
def test_deformable_convolution(driver, group, parts, stride, pad, dilation, modulated):
    x, w, b = floats(2, 4, 9, 10), floats(6, 4 // group, 3, 3), floats(6)
    height, width = [(extent + 2 * pad - 2 * dilation - 1) // stride + 1 for extent in (9, 10)]
    offset = floats(2, 18 * parts, height, width) * 2
    mask = floats(2, 9 * parts, height, width) if modulated else None
    wanted = torchvision.ops.deform_conv2d(
        *map(torch.from_numpy, (x, offset, w, b)), stride, pad, dilation, None if mask is None else torch.from_numpy(mask))
    inputs = [x, w, offset, b] + ([mask] if modulated else [])
    made = model("DeformConv", inputs, ["y"], {"group": group, "offset_group": parts, "strides": [stride] * 2,
                                               "pads": [pad] * 4, "dilations": [dilation] * 2}, (), "")
    made.opset_import[0].version = 19
    answer, (result,) = driver.run(made, inputs)
    assert answer == "ok", answer
    np.testing.assert_allclose(result, wanted.numpy(), rtol=1e-4, atol=1e-4)
