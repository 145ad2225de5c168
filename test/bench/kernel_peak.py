#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Time single kernels, warm and on one thread, as a share of the machine's multiply-add peak.

usage: kernel_peak.py --opt build/bin/graven-opt [--llvm /usr/lib/llvm-22] [--cpu NAME] [--bytes 32] [--registers 16]
Each kernel goes through graven-outline-kernels, graven-expand-kernels, the upstream conversions, opt -O3 and llc
with the machine scheduler off; the peak is measured in the same process before and after each. Times are processor times: other work on the
machine costs cache, not time.
"""
import argparse
import ctypes
import os
import re
import subprocess
import tempfile

import numpy as np

TIMER = r"""
#include <time.h>
#include <immintrin.h>
static double now(void) { struct timespec s; clock_gettime(CLOCK_THREAD_CPUTIME_ID, &s); return s.tv_sec + s.tv_nsec * 1e-9; }
typedef void (*F)(void *, void *, void *, long, long);
double time_of(F f, void *a, void *b, void *c, long tasks, long reps) {
  double best = 1e9;
  for (long r = 0; r < reps; r++) { double t = now(); f(a, b, c, 0, tasks); t = now() - t; if (t < best) best = t; }
  return best;
}
#ifdef __AVX512F__
typedef __m512 V;
#define SET(x) _mm512_set1_ps(x)
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define N 16
#else
typedef __m256 V;
#define SET(x) _mm256_set1_ps(x)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define N 12
#endif
double peak(void) {
  V a[N], b = SET(1.0000001f), c = SET(1e-9f);
  double best = 0;
  for (int i = 0; i < N; i++) a[i] = SET(i * 1e-3f);
  for (int r = 0; r < 10; r++) {
    double t = now();
    for (long k = 0; k < 100000; k++) {
#pragma GCC unroll 16
      for (int i = 0; i < N; i++) a[i] = FMA(a[i], b, c);
    }
    double g = 100000.0 * N * (sizeof(V) / 4) * 2 / (now() - t);
    if (g > best) best = g;
  }
  volatile float o = 0;
  for (int i = 0; i < N; i++) o += a[i][0];
  return best;
}
"""

PIPELINE = [
    "--canonicalize", "--cse", "--lower-affine", "--expand-strided-metadata", "--convert-scf-to-cf", "--canonicalize",
    "--cse", "--lower-affine", "--convert-vector-to-llvm", "--convert-math-to-llvm", "--convert-arith-to-llvm",
    "--finalize-memref-to-llvm", "--convert-func-to-llvm=use-bare-ptr-memref-call-conv=1", "--convert-cf-to-llvm",
    "--convert-index-to-llvm", "--reconcile-unrealized-casts", "--canonicalize", "--cse",
]


def up(a, b):
    return -(-a // b)


def gemm(m, n, k, tile):
    mr, nr = tile
    a, b, c = f"memref<1x{m}x{k}xf32>", f"memref<1x{up(n, nr)}x{k}x{nr}xf32>", f"memref<1x{m}x{n}xf32>"
    text = (f"func.func @main(%a: {a}, %b: {b}, %c: {c}) {{\n kernel.gemm ins(%a, %b : {a}, {b}) outs(%c : {c}) "
            f"attributes {{mr = {mr} : i64, kc = 384 : i64}}\n return\n}}\n")
    return text, [m * k, up(n, nr) * k * nr, m * n], 2 * m * n * k


def conv(ic, oc, h, k, stride, tile, channels, rows, planar=False):
    pad = k // 2
    hp, oh = h + 2 * pad, (h + 2 * pad - k) // stride + 1
    x = f"memref<1x{ic}x{hp}x{hp}xf32>" if planar else f"memref<1x{up(ic, 16)}x{hp}x{hp}x16xf32>"
    w = f"memref<{up(oc, channels)}x{1 if planar else up(ic, 16)}x{k}x{k}x{ic if planar else 16}x{channels}xf32>"
    o = f"memref<1x{up(oc, 16)}x{oh}x{oh}x16xf32>"
    text = (f"func.func @main(%x: {x}, %w: {w}, %o: {o}) {{\n kernel.conv ins(%x, %w : {x}, {w}) outs(%o : {o}) "
            f"attributes {{in_channels = {ic} : i64, out_channels = {oc} : i64, strides = array<i64: {stride}, {stride}>, "
            f"dilations = array<i64: 1, 1>, tile = array<i64: {tile[0]}, {tile[1]}>, row_block = {rows} : i64}}\n"
            " return\n}\n")
    sizes = [up(ic, 16) * 16 * hp * hp, up(oc, channels) * channels * up(ic, 16) * 16 * k * k, up(oc, 16) * 16 * oh * oh]
    return text, sizes, 2 * ic * oc * k * k * oh * oh


def compile_kernel(text, options, folder):
    llvm = os.path.join(options.llvm, "bin")
    fma = "true" if options.bytes >= 32 else "false"
    expand = f"func.func(graven-expand-kernels{{vector-bytes={options.bytes} vector-registers={options.registers} fma={fma} l2-bytes={options.l2}}})"
    out = subprocess.run([options.opt, f"--pass-pipeline=builtin.module(graven-outline-kernels,{expand})"], input=text,
                         capture_output=True, text=True, check=True).stdout
    tasks = int(re.search(r"tasks\((\d+)\)", out).group(1))
    body = re.sub(r"  func\.func @main.*?\n  }\n", "", out, flags=re.S)
    body = body.replace("func.func private @k_0", "func.func @k_0").replace(" attributes {kernel.entry}", "")
    llvm_ir = subprocess.run([os.path.join(llvm, "mlir-opt"), *PIPELINE], input=body, capture_output=True, text=True,
                             check=True).stdout
    ir = subprocess.run([os.path.join(llvm, "mlir-translate"), "--mlir-to-llvmir"], input=llvm_ir, capture_output=True,
                        text=True, check=True).stdout
    ir = "\n".join(re.sub(r"\bptr %", "ptr noalias align 64 %", l) if l.startswith("define") else l
                   for l in ir.split("\n"))
    base = os.path.join(folder, "kernel")
    machine = [f"-mcpu={options.cpu}", "-mtriple=x86_64-unknown-linux-gnu"]
    opt = subprocess.run([os.path.join(llvm, "opt"), "-O3", *machine, "-S"], input=ir, capture_output=True, text=True,
                         check=True).stdout
    asm = subprocess.run([os.path.join(llvm, "llc"), "-O3", *machine, "-enable-misched=0", "-relocation-model=pic"],
                         input=opt, capture_output=True, text=True, check=True).stdout
    with open(base + ".s", "w", encoding="utf-8") as f:
        f.write(asm)
    library = tempfile.mktemp(suffix=".so", dir=folder)
    subprocess.run([os.path.join(llvm, "clang"), "-shared", "-fPIC", base + ".s", "-o", library, "-lm"], check=True)
    spills = len(re.findall(r"v?mov[au]ps\s+%[yz]mm\d+, -?\d*\(%rsp\)", asm))
    return library, tasks, spills


def aligned(size):
    buffer = np.zeros(size * 4 + 4096 + 8192, np.uint8)
    offset = -buffer.ctypes.data % 4096
    array = buffer[offset:offset + size * 4].view(np.float32)
    array[...] = np.random.rand(size) - 0.5
    return array


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--opt", required=True)
    parser.add_argument("--llvm", default="/usr/lib/llvm-22")
    parser.add_argument("--cpu", default="x86-64-v3")
    parser.add_argument("--bytes", type=int, default=32)
    parser.add_argument("--registers", type=int, default=16)
    parser.add_argument("--l2", type=int, default=512 << 10)
    parser.add_argument("--only", default="")
    parser.add_argument("--asm-only", action="store_true", help="report spills, time nothing")
    options = parser.parse_args()
    wide = options.registers >= 32
    narrow, channels = ((14, 32), 32) if wide else ((6, 16), 16)
    pixels = (1, 14) if wide else (1, 6)
    small = (2, 7) if wide else (2, 3)
    stem = (1, 13) if wide else (1, 5)
    kernels = {
        "gemm 128x768x768": gemm(128, 768, 768, narrow),
        "gemm 128x3072x768": gemm(128, 3072, 768, narrow),
        "gemm 128x768x3072": gemm(128, 768, 3072, (8, 48) if wide else (6, 16)),
        "gemm 197x768x768": gemm(197, 768, 768, narrow),
        "gemm 1x1000x2048": gemm(1, 1000, 2048, (1, 64 if wide else 32)),
        "conv 3->64 224 7x7/2": conv(3, 64, 224, 7, 2, stem, channels, 16, True),
        "conv 64->64 56 1x1": conv(64, 64, 56, 1, 1, pixels, channels, 14),
        "conv 64->64 56 3x3": conv(64, 64, 56, 3, 1, pixels, channels, 14),
        "conv 128->128 28 3x3": conv(128, 128, 28, 3, 1, pixels, channels, 28),
        "conv 256->1024 14 1x1": conv(256, 1024, 14, 1, 1, pixels, channels, 14),
        "conv 512->512 7 3x3": conv(512, 512, 7, 3, 1, small, channels, 7),
    }
    with tempfile.TemporaryDirectory() as folder:
        timer = None
        if not options.asm_only:
            source = os.path.join(folder, "timer.c")
            with open(source, "w", encoding="utf-8") as f:
                f.write(TIMER)
            subprocess.run([os.path.join(options.llvm, "bin", "clang"), "-O2", "-march=native", "-shared", "-fPIC", source,
                            "-o", source + ".so"], check=True)
            timer = ctypes.CDLL(source + ".so")
            timer.time_of.restype = timer.peak.restype = ctypes.c_double
            timer.time_of.argtypes = [ctypes.c_void_p] * 4 + [ctypes.c_long] * 2
        for name, (text, sizes, flops) in kernels.items():
            if options.only not in name:
                continue
            library, tasks, spills = compile_kernel(text, options, folder)
            if timer is None:
                print(f"{name:24} tasks {tasks:4} spills {spills}", flush=True)
                continue
            arrays = [aligned(size) for size in sizes]
            function = ctypes.cast(ctypes.CDLL(library).k_0, ctypes.c_void_p)
            peak = timer.peak()
            best = min(timer.time_of(function, *[a.ctypes.data for a in arrays], tasks, 20) for _ in range(3))
            peak = max(peak, timer.peak())
            print(f"{name:24} {best * 1e6:9.1f} us {flops / best / 1e9:7.1f} GF/s {100 * flops / best / peak:6.1f} % of "
                  f"{peak / 1e9:.0f}  tasks {tasks:4} spills {spills}", flush=True)


if __name__ == "__main__":
    main()
