"""Writes w.safetensors, bad.safetensors and own.safetensors into a folder.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import pathlib
import struct
import sys


def write(path, name, shape, values):
    header = json.dumps({name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 4 * len(values)]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + struct.pack(f"<{len(values)}f", *values))


folder = pathlib.Path(sys.argv[1])
write(folder / "w.safetensors", "w", [2, 8], range(16))
write(folder / "bad.safetensors", "v", [1], [1])
(folder / "own.safetensors").write_bytes(bytes(64))
