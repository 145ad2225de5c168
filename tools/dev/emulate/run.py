#!/usr/bin/env python3
"""Runs an artifact on an emulated CPU with AVX-512, whatever this machine has: the variant that asks for most features,
on one thread, about a million vector instructions a second.

usage: run.py MODEL.so OUTPUT_FOLDER INPUT.npy ...      writes OUTPUT_FOLDER/0.npy, 1.npy, ...

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import ctypes
import pathlib
import sys

import numpy
from bochs import Emulator

DTYPES = {1: "f2", 2: "u2", 3: "f4", 4: "f8", 5: "?", 6: "i1", 7: "u1", 8: "i2", 9: "u2", 10: "i4", 11: "u4", 12: "i8",
          13: "u8"}  # GravenDType; bf16 as its bits


class TensorInfo(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("extents", ctypes.POINTER(ctypes.c_int64)), ("symbols", ctypes.c_void_p),
                ("dtype", ctypes.c_int32), ("rank", ctypes.c_int32)]


class Variant(ctypes.Structure):
    _fields_ = [("entry", ctypes.c_void_p), ("cpu_features", ctypes.c_uint64), ("cpu", ctypes.c_char_p)]


class Model(ctypes.Structure):
    """GravenModel of runtime/include/graven/runtime.h."""
    _fields_ = [("abi_version", ctypes.c_uint32), ("struct_size", ctypes.c_uint32), ("name", ctypes.c_char_p),
                ("inputs", ctypes.POINTER(TensorInfo)), ("outputs", ctypes.POINTER(TensorInfo)),
                ("num_inputs", ctypes.c_int64), ("num_outputs", ctypes.c_int64), ("workspace_size", ctypes.c_int64),
                ("workspace_alignment", ctypes.c_int64), ("weights", ctypes.c_void_p), ("weights_size", ctypes.c_int64),
                ("cpu_features", ctypes.c_uint64), ("provenance", ctypes.c_char_p), ("variants", ctypes.POINTER(Variant)),
                ("num_variants", ctypes.c_int64), ("support", ctypes.c_void_p), ("symbols", ctypes.c_void_p),
                ("num_symbols", ctypes.c_int64), ("sizes", ctypes.c_void_p), ("num_sizes", ctypes.c_int64),
                ("split", ctypes.c_int64), ("split_units", ctypes.c_void_p)]


def empty(info):
    return numpy.empty([info.extents[i] for i in range(info.rank)], DTYPES[info.dtype])


def pointers(arrays):
    return (ctypes.c_void_p * max(1, len(arrays)))(*(array.ctypes.data for array in arrays))


def main(artifact, folder, *files):
    library = ctypes.CDLL(str(pathlib.Path(artifact).resolve()))
    model = Model.in_dll(library, "graven_model")
    if model.struct_size != ctypes.sizeof(Model):
        raise SystemExit(f"run.py: expected a table of {ctypes.sizeof(Model)} bytes, got {model.struct_size}")
    if model.num_symbols:
        raise SystemExit("run.py: expected a model of static extents")
    inputs = [numpy.ascontiguousarray(numpy.load(file)) for file in files]
    wanted = [empty(model.inputs[i]) for i in range(model.num_inputs)]
    if [(a.shape, a.dtype) for a in inputs] != [(a.shape, a.dtype) for a in wanted]:
        raise SystemExit(f"run.py: expected inputs {[(a.shape, a.dtype.name) for a in wanted]}, "
                         f"got {[(a.shape, a.dtype.name) for a in inputs]}")
    outputs = [empty(model.outputs[i]) for i in range(model.num_outputs)]
    room = numpy.zeros(model.workspace_size + model.workspace_alignment, "u1")
    workspace = -room.ctypes.data % model.workspace_alignment + room.ctypes.data
    given, taken = pointers(inputs), pointers(outputs)
    variant = model.variants[0]
    status = Emulator().call(variant.entry, ctypes.addressof(given), ctypes.addressof(taken), workspace, model.weights or 0,
                             0) & 0xFFFFFFFF
    if status:
        raise SystemExit(f"run.py: status {status}")
    for i, output in enumerate(outputs):
        numpy.save(pathlib.Path(folder) / f"{i}.npy", output)
    print(variant.cpu.decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
