"""The operations that ops.py times: ONNX nodes, inputs, and the same in PyTorch, which is evaluated in f64.

Shapes are those of real models (feature maps, attention scores, hidden states), some of odd extents, and for what memory
bounds one that no cache holds.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import dataclasses

import numpy
import torch
import torch.nn.functional as F
from onnx import helper

CASES = []


@dataclasses.dataclass
class Case:
    name: str
    nodes: list
    shapes: list
    exact: object
    constants: dict = dataclasses.field(default_factory=dict)
    integer: bool = False
    positive: bool = False

    def inputs(self, generator):
        arrays = [generator.standard_normal(shape).astype(numpy.float32) * 2 for shape in self.shapes]
        return [numpy.abs(x) + numpy.float32(0.01) for x in arrays] if self.positive else arrays


def node(op, inputs="x0", output="y", **attributes):
    return helper.make_node(op, inputs.split(), [output], **attributes)


def add(name, nodes, shapes, exact, **more):
    """One case for each of `shapes`, each the shape of the only input or a list of shapes."""
    nodes = nodes if isinstance(nodes, list) else [nodes]
    for shape in shapes:
        all_shapes = shape if isinstance(shape, list) else [shape]
        text = "x".join(map(str, all_shapes[0]))
        CASES.append(Case(f"{name} {text}", nodes, all_shapes, exact, **more))


def ints(*values):
    return numpy.array(values, numpy.int64)


MAP, HIDDEN, FAR = (1, 64, 56, 56), (128, 3072), (16, 1024, 1024)

# Elementary functions.
UNARY = {"Tanh": torch.tanh, "Sigmoid": torch.sigmoid, "Erf": torch.erf, "Exp": torch.exp, "Sin": torch.sin, "Cos": torch.cos,
         "Softplus": F.softplus, "HardSwish": F.hardswish, "Elu": F.elu, "LeakyRelu": lambda x: F.leaky_relu(x, 0.01),
         "Abs": torch.abs, "Relu": torch.relu, "Mish": F.mish, "Atan": torch.atan, "Floor": torch.floor}
for op, exact in UNARY.items():
    add(op, node(op), [MAP], exact)
for op in ("Tanh", "Sigmoid", "Exp", "Relu", "Sin"):
    add(op, node(op), [(7, 1001), FAR], UNARY[op])
add("Log", node("Log"), [MAP], torch.log, positive=True)
add("Sqrt", node("Sqrt"), [MAP], torch.sqrt, positive=True)
add("Pow 1.7", node("Pow", "x0 p"), [MAP], lambda x: x ** float(numpy.float32(1.7)), positive=True,
    constants={"p": numpy.array(1.7, numpy.float32)})
add("Gelu", node("Gelu"), [HIDDEN, (197, 3072)], F.gelu)
add("Gelu tanh", node("Gelu", approximate="tanh"), [HIDDEN], lambda x: F.gelu(x, approximate="tanh"))
add("Silu", [node("Sigmoid", output="s"), node("Mul", "x0 s")], [MAP, FAR], F.silu)
add("Clip", node("Clip", "x0 low high"), [MAP], lambda x: x.clamp(0, 6),
    constants={"low": numpy.float32(0), "high": numpy.float32(6)})

# With a second operand.
add("Add", node("Add", "x0 x1"), [[MAP, MAP], [FAR, FAR]], torch.add)
add("Add channel", node("Add", "x0 x1"), [[MAP, (64, 1, 1)]], torch.add)
add("Mul row", node("Mul", "x0 x1"), [[HIDDEN, (3072,)]], torch.mul)
add("Mul column", node("Mul", "x0 x1"), [[HIDDEN, (128, 1)]], torch.mul)
add("Where", [node("Greater", "x0 zero", "c"), node("Where", "c x0 x1")], [[MAP, MAP]],
    lambda x, y: torch.where(x > 0, x, y), constants={"zero": numpy.float32(0)})
add("PRelu", node("PRelu", "x0 x1"), [[MAP, (64, 1, 1)]], lambda x, a: torch.where(x < 0, x * a, x))

# Normalisations.
SCORES = [(12, 128, 128), (12, 197, 197), (1, 1000), (12, 64, 64), (64, 4096), (16, 30522)]
add("Softmax last", node("Softmax", axis=-1), SCORES, lambda x: x.softmax(-1))
add("Softmax channels", node("Softmax", axis=1), [(1, 21, 128, 128)], lambda x: x.softmax(1))
add("LogSoftmax last", node("LogSoftmax", axis=-1), [(128, 512), (64, 1000)], lambda x: x.log_softmax(-1))
add("LayerNorm", node("LayerNormalization", "x0 x1 x2", axis=-1), [[(128, 768), (768,), (768,)], [(197, 1021), (1021,), (1021,)]],
    lambda x, w, b: F.layer_norm(x, x.shape[-1:], w, b))
add("InstanceNorm", node("InstanceNormalization", "x0 x1 x2"), [[(1, 32, 64, 64), (32,), (32,)]],
    lambda x, w, b: F.instance_norm(x, weight=w, bias=b))
add("GroupNorm", node("GroupNormalization", "x0 s b", num_groups=8), [(1, 32, 64, 64)], lambda x: F.group_norm(x, 8),
    constants={"s": numpy.ones(8, numpy.float32), "b": numpy.zeros(8, numpy.float32)})

# Reductions.
REDUCE = {"ReduceSum": lambda x, axes: x.sum(axes), "ReduceMean": lambda x, axes: x.mean(axes),
          "ReduceMax": lambda x, axes: x.amax(axes), "ReduceL2": lambda x, axes: x.norm(dim=axes)}


def reduce(op, axes, shapes, name):
    add(f"{op} {name}", node(op, "x0 axes", keepdims=0), shapes, lambda x: REDUCE[op](x, axes), constants={"axes": ints(*axes)})


reduce("ReduceSum", [1], [(512, 768), (513, 1023), (16384, 1024)], "last")
reduce("ReduceSum", [0], [(512, 768), (513, 1023), (16384, 1024)], "first")
reduce("ReduceSum", [1], [(16, 256, 64)], "middle")
reduce("ReduceSum", [0, 1], [(512, 768), (16384, 1024)], "all")
reduce("ReduceMean", [2, 3], [(1, 256, 28, 28), (1, 512, 7, 7)], "spatial")
reduce("ReduceMean", [1], [(1, 64, 56, 56)], "channels")
reduce("ReduceMax", [1], [(512, 768)], "last")
reduce("ReduceMax", [0], [(512, 768)], "first")
reduce("ReduceL2", [1], [(512, 768)], "last")
add("ArgMax last", node("ArgMax", axis=-1, keepdims=0), [(128, 1000), (1, 30522)], lambda x: x.argmax(-1), integer=True)
add("ArgMax channels", node("ArgMax", axis=1, keepdims=0), [(1, 21, 128, 128)], lambda x: x.argmax(1), integer=True)
add("CumSum last", node("CumSum", "x0 axis"), [(512, 768), (512, 100)], lambda x: x.cumsum(1), constants={"axis": ints(1)[0]})
add("CumSum first", node("CumSum", "x0 axis"), [(512, 768)], lambda x: x.cumsum(0), constants={"axis": ints(0)[0]})
add("TopK 5", [helper.make_node("TopK", ["x0", "k"], ["y", "i"])], [(128, 1000)], lambda x: x.topk(5)[0], constants={"k": ints(5)})

# Pools and resizes.
add("MaxPool 3 stride 2", node("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    [(1, 64, 112, 112), (1, 96, 55, 55)], lambda x: F.max_pool2d(x, 3, 2, 1))
add("MaxPool 2", node("MaxPool", kernel_shape=[2, 2], strides=[2, 2]), [(1, 64, 112, 112), (1, 128, 56, 56)],
    lambda x: F.max_pool2d(x, 2))
add("MaxPool 3 stride 1", node("MaxPool", kernel_shape=[3, 3], pads=[1, 1, 1, 1]), [(1, 192, 28, 28)],
    lambda x: F.max_pool2d(x, 3, 1, 1))
add("MaxPool 5 stride 1", node("MaxPool", kernel_shape=[5, 5], pads=[2, 2, 2, 2]), [(1, 256, 20, 20)],
    lambda x: F.max_pool2d(x, 5, 1, 2))
add("AveragePool 3 stride 1", node("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1]), [(1, 192, 35, 35)],
    lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False))
add("AveragePool 2", node("AveragePool", kernel_shape=[2, 2], strides=[2, 2]), [(1, 128, 56, 56)], lambda x: F.avg_pool2d(x, 2))
add("GlobalAveragePool", node("GlobalAveragePool"), [(1, 2048, 7, 7)], lambda x: F.adaptive_avg_pool2d(x, 1))
SCALE2 = {"none": numpy.zeros(0, numpy.float32), "scales": numpy.array([1, 1, 2, 2], numpy.float32)}
add("Resize nearest 2", node("Resize", "x0 none scales", mode="nearest", coordinate_transformation_mode="asymmetric",
                             nearest_mode="floor"), [(1, 64, 40, 40)], lambda x: F.interpolate(x, scale_factor=2.0), constants=SCALE2)
add("Resize linear 2", node("Resize", "x0 none scales", mode="linear", coordinate_transformation_mode="half_pixel"),
    [(1, 64, 40, 40)], lambda x: F.interpolate(x, scale_factor=2.0, mode="bilinear"), constants=SCALE2)

# Movements.
add("Transpose 10", node("Transpose", perm=[1, 0]), [(1024, 768), (1001, 513)], lambda x: x.t().contiguous())
add("Transpose 0231", node("Transpose", perm=[0, 2, 3, 1]), [(1, 3, 224, 224), MAP], lambda x: x.permute(0, 2, 3, 1).contiguous())
add("Transpose 0312", node("Transpose", perm=[0, 3, 1, 2]), [(1, 224, 224, 3), (1, 56, 56, 64)],
    lambda x: x.permute(0, 3, 1, 2).contiguous())
add("Transpose heads", node("Transpose", perm=[0, 2, 1, 3]), [(1, 128, 12, 64)], lambda x: x.transpose(1, 2).contiguous())
add("Transpose keys", node("Transpose", perm=[0, 2, 3, 1]), [(1, 128, 12, 64)], lambda x: x.permute(0, 2, 3, 1).contiguous())
for mode, torch_mode in (("reflect", "reflect"), ("edge", "replicate"), ("constant", "constant")):
    add(f"Pad {mode}", node("Pad", "x0 pads", mode=mode), [(1, 32, 177, 177), (1, 3, 224, 224)],
        lambda x, torch_mode=torch_mode: F.pad(x, (2, 2, 2, 2), mode=torch_mode), constants={"pads": ints(0, 0, 2, 2, 0, 0, 2, 2)})
add("Concat channels", node("Concat", "x0 x1", axis=1), [[(1, 64, 56, 56), (1, 64, 56, 56)]], lambda x, y: torch.cat([x, y], 1))
add("Concat last", node("Concat", "x0 x1", axis=2), [[(1, 128, 48), (1, 128, 17)], [(1, 8400, 4), (1, 8400, 80)]],
    lambda x, y: torch.cat([x, y], 2))
add("Slice step 2", node("Slice", "x0 starts ends axes steps"), [(512, 1536)], lambda x: x[:, ::2],
    constants={"starts": ints(0), "ends": ints(1536), "axes": ints(1), "steps": ints(2)})
add("Gather rows", node("Gather", "x0 rows", axis=0), [(4096, 256)], lambda x: x[torch.arange(4095, -1, -3)],
    constants={"rows": numpy.arange(4095, -1, -3, dtype=numpy.int64)})
add("Expand", node("Expand", "x0 shape"), [(128, 1, 64)], lambda x: x.expand(128, 32, 64), constants={"shape": ints(128, 32, 64)})
add("Tile", node("Tile", "x0 times"), [(128, 192)], lambda x: x.repeat(4, 4), constants={"times": ints(4, 4)})
add("DepthToSpace", node("DepthToSpace", blocksize=2), [(1, 64, 64, 64)], lambda x: F.pixel_shuffle(x.reshape(1, 2, 2, 16, 64, 64)
    .permute(0, 3, 1, 2, 4, 5).reshape(1, 64, 64, 64), 2))
add("Trilu", node("Trilu", upper=0), [(512, 768)], torch.tril)

# Convolutions of one or three axes. Weights are constants, as in models.


def conv(name, shape, weight, **attributes):
    generator = numpy.random.default_rng(1)
    w = (generator.standard_normal(weight) / numpy.prod(weight[1:]) ** 0.5).astype(numpy.float32)
    b = generator.standard_normal(weight[0]).astype(numpy.float32)
    rank = len(weight) - 2
    strides, pads, group = attributes.get("strides", 1), attributes["pads"][:rank], attributes.get("group", 1)
    function = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[rank]
    add(name, node("Conv", "x0 w b", kernel_shape=weight[2:], **attributes), [shape],
        lambda x: function(x, torch.from_numpy(w).double(), torch.from_numpy(b).double(), strides, pads, 1, group),
        constants={"w": w, "b": b})


conv("Conv1d 5", (1, 32, 3000), [32, 32, 5], pads=[2, 2])
conv("Conv1d 3", (1, 80, 300), [384, 80, 3], pads=[1, 1])
conv("Conv3d 3", (1, 16, 8, 88, 88), [16, 16, 3, 3, 3], pads=[1] * 6)
conv("Conv3d 3", (1, 64, 8, 28, 28), [64, 64, 3, 3, 3], pads=[1] * 6)
conv("Conv3d 3 stride 2", (1, 64, 8, 28, 28), [128, 64, 3, 3, 3], pads=[1] * 6, strides=[2] * 3)
conv("Conv3d 1 3 3", (1, 32, 8, 56, 56), [64, 32, 1, 3, 3], pads=[0, 1, 1, 0, 1, 1])
conv("Conv3d first", (1, 3, 16, 56, 56), [64, 3, 3, 7, 7], pads=[1, 3, 3, 1, 3, 3])
conv("Depthwise 7", (1, 96, 56, 56), [96, 1, 7, 7], pads=[3] * 4, group=96)
