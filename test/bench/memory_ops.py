#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Time single operations that memory bounds against PyTorch and ONNX Runtime.

usage: memory_ops.py [--graven build/bin/graven] [--sizes 4,6] [--threads 1] [NAME ...]
Each operation is a traced model of its own, about 10^size elements. Microseconds are minima of interleaved calls;
"GB/s" counts what the operation must read and write once, "copy" is what a copy of as many bytes reaches in the same
run, and "share" the quotient of both. A ratio above 1 is in favour of Graven.
"""
import argparse
import json
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

CASES = {}


def case(name, shapes, **kwargs):
    """shapes(n) gives the inputs for about n elements; the decorated function is the operation."""
    def add(function):
        CASES[name] = (function, shapes)
        return function
    return add


def square(n):
    side = max(4, int(n ** 0.5))
    return side, n // side


def rows(n, length):
    return [(max(1, n // length), length)]


def image(n, channels=32):
    side = max(4, int((n / channels) ** 0.5))
    return [(1, channels, side, side)]


case("softmax 128", lambda n: rows(n, 128))(lambda x: F.softmax(x, -1))
case("softmax 1000", lambda n: rows(n, 1000))(lambda x: F.softmax(x, -1))
case("softmax axis 1", lambda n: image(n))(lambda x: F.softmax(x, 1))
case("softmax first", lambda n: [square(n)])(lambda x: F.softmax(x, 0))
case("softmax middle", lambda n: [(16, max(1, n // 1024), 64)])(lambda x: F.softmax(x, 1))
case("log_softmax", lambda n: rows(n, 512))(lambda x: F.log_softmax(x, -1))
case("layer_norm 768", lambda n: rows(n, 768))(lambda x: F.layer_norm(x, (768,)))
case("layer_norm 64", lambda n: rows(n, 64))(lambda x: F.layer_norm(x, (64,)))
case("group_norm", lambda n: image(n))(lambda x: F.group_norm(x, 8))
case("instance_norm", lambda n: image(n))(lambda x: F.instance_norm(x))
case("batch_norm", lambda n: image(n))(lambda x: F.batch_norm(x, x.new_zeros(32), x.new_ones(32)))
case("max_pool 2", lambda n: image(n))(lambda x: F.max_pool2d(x, 2))
case("max_pool 3s2", lambda n: image(n))(lambda x: F.max_pool2d(x, 3, 2, 1))
case("avg_pool 3s1", lambda n: image(n))(lambda x: F.avg_pool2d(x, 3, 1, 1))
case("global pool", lambda n: image(n))(lambda x: F.adaptive_avg_pool2d(x, 1))
case("adaptive 7", lambda n: image(n))(lambda x: F.adaptive_avg_pool2d(x, 7))
case("resize nearest 2", lambda n: image(n // 4))(lambda x: F.interpolate(x, scale_factor=2.0))
case("resize bilinear 2", lambda n: image(n // 4))(
    lambda x: F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False))
case("resize bicubic 2", lambda n: image(n // 4))(
    lambda x: F.interpolate(x, scale_factor=2.0, mode="bicubic", align_corners=False))
case("resize nearest 1.5", lambda n: image(n // 2))(lambda x: F.interpolate(x, scale_factor=1.5))
case("resize bilinear half", lambda n: image(n))(
    lambda x: F.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=False))
case("transpose", lambda n: [square(n)])(lambda x: x.t().contiguous())
case("nchw to nhwc", lambda n: image(n))(lambda x: x.permute(0, 2, 3, 1).contiguous())
case("heads", lambda n: [(1, max(1, n // 768), 12, 64)])(lambda x: x.transpose(1, 2).contiguous())
case("embedding", lambda n: [(4096, 256)])(lambda x: F.embedding(torch.arange(4095, -1, -3), x))
case("gather columns", lambda n: [square(n)])(lambda x: x[:, torch.arange(square(x.numel())[1] - 1, -1, -1)])
case("gather rows", lambda n: [(1024, max(1, n // 1024))])(lambda x: x[torch.arange(1023, -1, -1)])
case("concat channels", lambda n: image(n // 2) * 2)(lambda x, y: torch.cat([x, y], 1))
case("concat last", lambda n: rows(n // 2, 48) * 2)(lambda x, y: torch.cat([x, y], -1))
case("split channels", lambda n: image(n))(lambda x: tuple(t + 0 for t in x.split(16, 1)))
case("concat rows", lambda n: rows(n // 2, 48) * 2)(lambda x, y: torch.cat([x, y], 0))
case("slice step 2", lambda n: [square(2 * n)])(lambda x: x[:, ::2].contiguous())
case("sum outer two", lambda n: [(16, 64, max(1, n // 1024))])(lambda x: x.sum((0, 1)))
case("sum first last", lambda n: [(16, 64, max(1, n // 1024))])(lambda x: x.sum((0, 2)))
case("mean spatial", lambda n: image(n))(lambda x: x.mean((2, 3)))
case("var last", lambda n: [square(n)])(lambda x: x.var(-1))
case("prod first", lambda n: [square(n)])(lambda x: x.prod(0))
case("l2 norm last", lambda n: [square(n)])(lambda x: x.norm(dim=-1))
case("any last", lambda n: [square(n)])(lambda x: (x > 4).any(-1))
case("logsumexp first", lambda n: [square(n)])(lambda x: x.logsumexp(0))
case("sum last", lambda n: [square(n)])(lambda x: x.sum(-1))
case("sum first", lambda n: [square(n)])(lambda x: x.sum(0))
case("sum middle", lambda n: [(16, max(1, n // 1024), 64)])(lambda x: x.sum(1))
case("sum all", lambda n: [(n,)])(lambda x: x.sum())
case("max last", lambda n: [square(n)])(lambda x: x.amax(-1))
case("argmax last", lambda n: [square(n)])(lambda x: x.argmax(-1))
case("argmax channels", lambda n: image(n))(lambda x: x.argmax(1))
case("cumsum last", lambda n: [square(n)])(lambda x: x.cumsum(-1))
case("cumsum first", lambda n: [square(n)])(lambda x: x.cumsum(0))
case("topk 5", lambda n: [square(n)])(lambda x: x.topk(5)[0])
case("sort", lambda n: [square(n)])(lambda x: x.sort(-1)[0])
case("topk 50", lambda n: [square(n)])(lambda x: x.topk(50)[0])
case("argsort", lambda n: [square(n)])(lambda x: x.argsort(-1))
case("add relu mul", lambda n: [(n,), (n,)])(lambda x, y: torch.relu(x + y) * x)
case("bias gelu", lambda n: rows(n, 768))(lambda x: F.gelu(x + 0.5))
case("silu", lambda n: [(n,)])(lambda x: F.silu(x))
case("exp", lambda n: [(n,)])(torch.exp)
case("gelu", lambda n: [(n,)])(lambda x: F.gelu(x))
case("gelu tanh", lambda n: [(n,)])(lambda x: F.gelu(x, approximate="tanh"))
case("tanh", lambda n: [(n,)])(torch.tanh)
case("erf", lambda n: [(n,)])(torch.erf)
case("sigmoid", lambda n: [(n,)])(torch.sigmoid)
case("log", lambda n: [(n,)])(lambda x: torch.log(x.abs()))
case("sqrt", lambda n: [(n,)])(lambda x: torch.sqrt(x.abs()))
case("hardswish", lambda n: [(n,)])(F.hardswish)
case("softplus", lambda n: [(n,)])(F.softplus)
case("clip", lambda n: [(n,)])(lambda x: x.clamp(-1, 1))
case("broadcast row", lambda n: [square(n), (1, square(n)[1])])(lambda x, y: x * y)
case("broadcast channel", lambda n: [*image(n), (1, 32, 1, 1)])(lambda x, y: x * y)
case("sin", lambda n: [(n,)])(torch.sin)
case("pow", lambda n: [(n,)])(lambda x: torch.pow(torch.abs(x) + 0.1, 1.7))
case("broadcast column", lambda n: [square(n), (square(n)[0], 1)])(lambda x, y: x * y)
case("where", lambda n: [(n,), (n,)])(lambda x, y: torch.where(x > 0, x, y))
case("pad zero", lambda n: image(n))(lambda x: F.pad(x, (2, 2, 2, 2)))
case("pad edge", lambda n: image(n))(lambda x: F.pad(x, (2, 2, 2, 2), mode="replicate"))
case("tril", lambda n: [square(n)])(torch.tril)
case("flip", lambda n: [square(n)])(lambda x: x.flip(-1))
case("roll", lambda n: [square(n)])(lambda x: x.roll(3, -1))
case("repeat", lambda n: [square(n // 4)])(lambda x: x.repeat(2, 2))
case("pad reflect", lambda n: image(n))(lambda x: F.pad(x, (2, 2, 2, 2), mode="reflect"))
case("pixel_shuffle", lambda n: image(n))(lambda x: F.pixel_shuffle(x, 2))
case("unfold 3", lambda n: image(n // 9))(lambda x: F.unfold(x, 3, padding=1))
case("scatter_nd", lambda n: [(1024, max(1, n // 1024))])(
    lambda x: x.index_put((torch.arange(0, 1024, 2),), x[:512]))
case("cast to i64", lambda n: [(n,)])(lambda x: x.to(torch.int64))
case("conv1d 5", lambda n: [(1, 32, max(16, n // 32))])(None)
case("depthwise 7", lambda n: image(n))(None)
case("conv3d 3", lambda n: [(1, 16, 8, *square(max(16, n // 128)))])(None)

MODULES = {
    "conv1d 5": lambda: nn.Conv1d(32, 32, 5, padding=2),
    "depthwise 7": lambda: nn.Conv2d(32, 32, 7, padding=3, groups=32),
    "conv3d 3": lambda: nn.Conv3d(16, 16, 3, padding=1),
}


class Op(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


def best_of(function, seconds):
    function()
    best, end = 1e9, time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best * 1e6


def graven_time(args, folder, module, inputs):
    model, artifact = folder / "m.pt", folder / "m.so"
    torch.jit.trace(module, inputs, check_trace=False).save(str(model))
    done = subprocess.run([args.graven, "compile", str(model), "-o", str(artifact)], capture_output=True, text=True)
    if done.returncode:
        return None, done.stderr.strip().splitlines()[0][:90]
    done = subprocess.run([args.graven, "bench", str(artifact), "--json", "--threads", str(args.threads), "--seconds",
                           str(args.seconds)], capture_output=True, text=True)
    if done.returncode:
        return None, done.stderr.strip().splitlines()[0][:90]
    report = json.loads(done.stdout)
    return next(v for k, v in report.items() if k.startswith("min")) * 1e3, ""


def ort_time(args, folder, module, inputs):
    import onnxruntime
    path = folder / "m.onnx"
    try:
        torch.onnx.export(module, inputs, str(path), dynamo=False, opset_version=17)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = args.threads
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception:
        return None
    feed = {i.name: v.numpy() for i, v in zip(session.get_inputs(), inputs)}
    return best_of(lambda: session.run(None, feed), args.seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graven", default="build/bin/graven")
    parser.add_argument("--sizes", default="4,6")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--no-ort", action="store_true")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    target = torch.empty(1 << 26)
    print(f"{'operation':20} {'elements':>9} {'graven us':>10} {'GB/s':>6} {'copy':>6} {'share':>6} {'torch':>9} {'ORT':>9} {'best/graven':>11}")
    for name, (function, shapes) in CASES.items():
        if args.names and name not in args.names:
            continue
        module = (MODULES[name]() if function is None else Op(function)).eval()
        for size in args.sizes.split(","):
            inputs = tuple(torch.randn(shape) for shape in shapes(int(10 ** float(size))))
            with tempfile.TemporaryDirectory() as temporary, torch.no_grad():
                folder = Path(temporary)
                output = module(*inputs)
                outputs = output if isinstance(output, tuple) else (output,)
                moved = sum(t.numel() * t.element_size() for t in (*inputs, *outputs))
                half = torch.empty(max(1, moved // 8))
                copied = 8 * half.numel() / best_of(lambda: target[: half.numel()].copy_(half), args.seconds) / 1e3
                ours, why = graven_time(args, folder, module, inputs)
                theirs = best_of(lambda: module(*inputs), args.seconds)
                ort = None if args.no_ort else ort_time(args, folder, module, inputs)
            best = min(t for t in (theirs, ort) if t)
            elements = sum(t.numel() for t in inputs)
            if ours is None:
                print(f"{name:20} {elements:9} {why}", flush=True)
                continue
            print(f"{name:20} {elements:9} {ours:10.1f} {moved / ours / 1e3:6.1f} {copied:6.1f} {moved / ours / 1e3 / copied:6.0%} {theirs:9.1f} "
                  f"{'' if ort is None else format(ort, '.1f'):>9} {best / ours:11.2f}", flush=True)


if __name__ == "__main__":
    main()
