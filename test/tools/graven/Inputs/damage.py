"""Flips the last bit of every file in a folder that has some."""
import pathlib
import sys

for path in pathlib.Path(sys.argv[1]).iterdir():
    data = bytearray(path.read_bytes())
    if not data:
        continue
    data[-1] ^= 1
    path.write_bytes(data)
