"""ai.onnx.ml: trees, linear models and labels, against ONNX Runtime.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

import graven

RNG = np.random.default_rng(0)
FLOAT, INT, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING
KINDS = {np.dtype("float32"): FLOAT, np.dtype("int64"): INT, np.dtype("float64"): TensorProto.DOUBLE, np.dtype("O"): STRING}


def model(op, x, outputs=(("y", FLOAT),), version=3, **attributes):
    node = helper.make_node(op, ["x"], [name for name, _ in outputs], domain="ai.onnx.ml", **attributes)
    infos = [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs]
    graph = helper.make_graph([node], "g", [helper.make_tensor_value_info("x", KINDS[x.dtype], x.shape)], infos)
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", version)]
    return helper.make_model(graph, opset_imports=imports, ir_version=10).SerializeToString()


def check(proto, x):
    session = onnxruntime.InferenceSession(proto, providers=["CPUExecutionProvider"])
    for own, other in zip(graven.compile(proto, threads=1).run(x), session.run(None, {"x": x})):
        if other.dtype.kind == "f":
            np.testing.assert_allclose(own, other, rtol=1e-5, atol=1e-6)
            assert own.dtype == other.dtype
        else:
            np.testing.assert_array_equal(own, other)


def trees(number, depth, features, targets, of, modes):
    """Full binary trees; the leaf of each adds to all targets."""
    inner, size = 2**depth - 1, 2**(depth + 1) - 1
    nodes = {name: [] for name in ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids",
                                   "missing_value_tracks_true")}
    weights = {name: [] for name in ("treeids", "nodeids", "ids", "weights")}
    for tree in range(number):
        for node in range(size):
            is_leaf = node >= inner
            values = (tree, node, int(RNG.integers(features)), "LEAF" if is_leaf else str(RNG.choice(modes)),
                      float(np.round(RNG.standard_normal(), 1)), 0 if is_leaf else 2 * node + 1,
                      0 if is_leaf else 2 * node + 2, int(RNG.integers(2)))
            for name, value in zip(nodes, values):
                nodes[name].append(value)
            for target in range(targets) if is_leaf else ():
                for name, value in zip(weights, (tree, node, target, float(RNG.standard_normal()))):
                    weights[name].append(value)
    return {f"nodes_{name}": value for name, value in nodes.items()} | {f"{of}_{name}": value for name, value in weights.items()}


def rows(features=3, count=40):
    x = np.round(RNG.standard_normal((count, features)), 1).astype(np.float32)
    x[::7, 0] = np.nan
    return x


@pytest.mark.parametrize("modes", [["BRANCH_LEQ"], ["BRANCH_LT"], ["BRANCH_GTE"], ["BRANCH_GT"], ["BRANCH_EQ"], ["BRANCH_NEQ"],
                                   ["BRANCH_LEQ", "BRANCH_GT", "BRANCH_EQ"]])
def test_trees_of_all_comparisons(modes):
    x = rows()
    check(model("TreeEnsembleRegressor", x, n_targets=2, base_values=[0.5, -1.0], **trees(3, 4, 3, 2, "target", modes)), x)


@pytest.mark.parametrize("how", ["SUM", "AVERAGE", "MIN", "MAX"])
def test_what_becomes_of_several_trees(how):
    x = rows()
    check(model("TreeEnsembleRegressor", x, n_targets=1, aggregate_function=how,
                **trees(4, 3, 3, 1, "target", ["BRANCH_LEQ"])), x)


@pytest.mark.parametrize("transform", ["NONE", "SOFTMAX", "LOGISTIC"])
@pytest.mark.parametrize("labels", [{"classlabels_int64s": [5, 7, 9]}, {"classlabels_strings": ["a", "b", "c"]}])
def test_classes_by_trees(transform, labels):
    x = rows()
    outputs = [("y", STRING if "classlabels_strings" in labels else INT), ("p", FLOAT)]
    check(model("TreeEnsembleClassifier", x, outputs, post_transform=transform, **labels,
                **trees(5, 3, 3, 3, "class", ["BRANCH_LEQ"])), x)


def test_trees_in_a_circle():
    attributes = trees(1, 2, 3, 1, "target", ["BRANCH_LEQ"]) | {"nodes_truenodeids": [0, 0, 5, 0, 0, 0, 0]}
    attributes["nodes_falsenodeids"] = [1, 0, 6, 0, 0, 0, 0]
    with pytest.raises(graven.Error, match="go in a circle"):
        graven.compile(model("TreeEnsembleRegressor", rows(), n_targets=1, **attributes))


@pytest.mark.parametrize("name, values, why", [
    ("nodes_featureids", [3] * 7, "feature 3 of 3"), ("nodes_modes", ["BRANCH"] * 7, "has mode 'BRANCH'"),
    ("nodes_truenodeids", [9] * 7, "goes on to nodes -1"), ("target_ids", [1] * 4, "target 1 of 1"),
    ("nodes_nodeids", [0] * 7, "twice"), ("nodes_values", [0.0], "7 and 1 entries"),
])
def test_trees_are_checked(name, values, why):
    attributes = trees(1, 2, 3, 1, "target", ["BRANCH_LEQ"]) | {name: values}
    with pytest.raises(graven.Error, match=f"GRV0107.*{why}"):
        graven.compile(model("TreeEnsembleRegressor", rows(), n_targets=1, **attributes))


def test_linear_models():
    x = RNG.standard_normal((5, 3)).astype(np.float32)
    check(model("LinearRegressor", x, version=1, coefficients=[1.0, 2, 3, 4, 5, 6], intercepts=[0.5, -1], targets=2), x)
    outputs = [("y", INT), ("p", FLOAT)]
    numbers = {"coefficients": RNG.standard_normal(9).tolist(), "intercepts": [0.1, 0.2, 0.3]}
    for transform in ("NONE", "LOGISTIC", "SOFTMAX"):
        check(model("LinearClassifier", x, outputs, version=1, classlabels_ints=[1, 2, 3], post_transform=transform, **numbers), x)


@pytest.mark.parametrize("norm", ["MAX", "L1", "L2"])
def test_normalizer(norm):
    x = np.abs(RNG.standard_normal((5, 3))).astype(np.float32)
    check(model("Normalizer", x, version=1, norm=norm), x)


def test_imputer():
    x = np.float32([[1, np.nan, 3], [np.nan, 5, np.nan]])
    check(model("Imputer", x, version=1, imputed_value_floats=[7.0, 8, 9], replaced_value_float=float("nan")), x)
    x = np.int64([[1, -1, 3]])
    check(model("Imputer", x, (("y", INT),), version=1, imputed_value_int64s=[7], replaced_value_int64=-1), x)


@pytest.mark.parametrize("x, to, attributes", [
    (np.array(["a", "b", "?"], object), INT, {"keys_strings": ["a", "b"], "values_int64s": [3, 4], "default_int64": 9}),
    (np.int64([[1, 2], [3, 1]]), STRING, {"keys_int64s": [1, 2], "values_strings": ["x", "y"]}),
    (np.float32([1.5, np.nan, 2]), FLOAT, {"keys_floats": [1.5, float("nan")], "values_floats": [3.0, 4], "default_float": 0.25}),
    (np.array(["b"], object), STRING, {"keys_strings": ["a", "b"], "values_strings": ["x", "y"], "default_string": ""}),
])
def test_labels(x, to, attributes):
    check(model("LabelEncoder", x, (("y", to),), version=4, **attributes), x)


def test_labels_of_another_type():
    with pytest.raises(graven.Error, match="keys are of another type"):
        graven.compile(model("LabelEncoder", np.float32([1]), version=2, keys_int64s=[1], values_floats=[1.0]))


def test_counts_of_words():
    x = np.array([["a", "b", "a", "c"], ["b", "c", "b", "?"]], object)
    node = helper.make_node("TfIdfVectorizer", ["x"], ["y"], mode="TF", min_gram_length=1, max_gram_length=2, max_skip_count=1,
                            ngram_counts=[0, 2], ngram_indexes=[0, 1, 2, 3], pool_strings=["a", "b", "a", "b", "b", "c"])
    graph = helper.make_graph([node], "g", [helper.make_tensor_value_info("x", STRING, x.shape)],
                              [helper.make_tensor_value_info("y", FLOAT, None)])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    check(proto.SerializeToString(), x)


def vectors(classes, features, kernel, per=3):
    """Support vectors of a kernel, `per` of each class."""
    count = classes * per
    return {"kernel_type": kernel, "kernel_params": [0.4, 0.3, 3.0],
            "support_vectors": RNG.standard_normal(count * features).round(2).tolist()}, count


KERNELS = pytest.mark.parametrize("kernel", ["LINEAR", "POLY", "RBF", "SIGMOID"])


@KERNELS
def test_support_vector_regressor(kernel):
    table, count = vectors(2, 4, kernel)
    x = RNG.standard_normal((20, 4)).astype(np.float32)
    for one_class in (0, 1):
        check(model("SVMRegressor", x, n_supports=count, coefficients=RNG.standard_normal(count).tolist(), rho=[0.3],
                    one_class=one_class, **table), x)
    check(model("SVMRegressor", x, n_supports=0, coefficients=[0.1, -0.2, 0.3, 0.4], rho=[0.3], kernel_type="LINEAR",
                kernel_params=[0.0, 0.0, 0.0]), x)


@KERNELS
@pytest.mark.parametrize("classes", [2, 3, 5])
def test_support_vector_classifier(kernel, classes):
    table, count = vectors(classes, 4, kernel)
    x = RNG.standard_normal((30, 4)).astype(np.float32)
    pairs = classes * (classes - 1) // 2
    common = {"coefficients": RNG.standard_normal((classes - 1) * count).tolist(), "rho": RNG.standard_normal(pairs).tolist(),
              "vectors_per_class": [3] * classes, **table}
    outputs = (("label", INT), ("score", FLOAT))
    check(model("SVMClassifier", x, outputs, classlabels_ints=list(range(10, 10 + classes)), **common), x)
    if classes == 2:
        check(model("SVMClassifier", x, outputs, classlabels_ints=[3, 4], prob_a=[-1.2], prob_b=[0.3], **common), x)
        return
    with pytest.raises(graven.Error, match="probabilities of"):
        graven.compile(model("SVMClassifier", x, outputs, classlabels_ints=list(range(classes)), prob_a=[1.0] * pairs,
                             prob_b=[0.5] * pairs, **common))


def test_linear_support_vector_classifier():
    x = RNG.standard_normal((30, 4)).astype(np.float32)
    check(model("SVMClassifier", x, (("label", STRING), ("score", FLOAT)), classlabels_strings=["a", "b", "c"], rho=[0.2],
                coefficients=RNG.standard_normal(12).tolist(), kernel_params=[0.0, 0.0, 0.0], kernel_type="LINEAR"), x)


def test_categories():
    numbers, words = np.array([[3, 1, 9], [2, 3, 3]]), np.array([["a", "c"], ["b", "z"]], object)
    check(model("OneHotEncoder", numbers, cats_int64s=[1, 2, 3]), numbers)
    check(model("OneHotEncoder", words, cats_strings=["a", "b", "c"]), words)
    with pytest.raises(graven.Error, match="zeros is 0"):
        graven.compile(model("OneHotEncoder", numbers, cats_int64s=[1, 2, 3], zeros=0))
    mapping = {"cats_strings": ["a", "b", "c"], "cats_int64s": [3, 1, 2], "default_int64": -7, "default_string": "none"}
    check(model("CategoryMapper", words, (("y", INT),), **mapping), words)
    check(model("CategoryMapper", numbers, (("y", STRING),), **mapping), numbers)
    first = {"classes_strings": ["a", "b", "c"], "default_int64": -7, "default_string": "none", "version": 1}
    check(model("LabelEncoder", words, (("y", INT),), **first), words)
    check(model("LabelEncoder", numbers, (("y", STRING),), **first), numbers)


def test_columns_side_by_side():
    parts = [RNG.standard_normal((4, 2)).astype(np.float32), np.arange(12, dtype=np.int64).reshape(4, 3)]
    own = []
    for x in parts:
        proto = model("FeatureVectorizer", x, inputdimensions=[x.shape[1]])
        own.append(graven.compile(proto, threads=1)(x))
        np.testing.assert_array_equal(own[-1], x.astype(np.float32))


def test_maps_are_no_tensors():
    x = RNG.random((4, 2)).astype(np.float32)
    with pytest.raises(graven.Error, match=r"GRV0202.*ZipMap.*zipmap"):
        graven.compile(model("ZipMap", x, classlabels_int64s=[0, 1]))


def test_one_score_of_two_classes():
    """What gradient boosting of two classes is written as, and a forest's share of one class."""
    x, outputs = rows(), (("label", INT), ("score", FLOAT))
    leaves = trees(3, 3, 3, 1, "class", ["BRANCH_LEQ"])
    labels = {"classlabels_int64s": [5, 7]}
    check(model("TreeEnsembleClassifier", x, outputs, post_transform="LOGISTIC", base_values=[0.3], **labels, **leaves), x)
    with pytest.raises(graven.Error, match="post_transform of one score .* expected 'LOGISTIC'"):
        graven.compile(model("TreeEnsembleClassifier", x, outputs, **labels, **leaves))
    shares = leaves | {"class_weights": [abs(weight) / 9 for weight in leaves["class_weights"]]}
    check(model("TreeEnsembleClassifier", x, outputs, **labels, **shares), x)


def test_an_op_set_that_is_imported_twice():
    """In one version, as skl2onnx does it."""
    x = np.nan_to_num(rows())
    proto = onnx.ModelProto.FromString(model("Binarizer", x, threshold=0.5))
    proto.opset_import.append(helper.make_opsetid("", 21))
    check(proto.SerializeToString(), x)
    proto.opset_import.append(helper.make_opsetid("", 20))
    with pytest.raises(graven.Error, match="GRV0107.*imported twice, as version 21 and 20"):
        graven.compile(proto.SerializeToString())
