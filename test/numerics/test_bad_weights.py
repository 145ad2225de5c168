"""Hostile files of weights: each is refused with a code and the place in the file, in bounded time and memory, and
nothing in it is executed.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import io
import json
import os
import pathlib
import pickle
import resource
import struct
import subprocess
import sys
import time
import zipfile

import pytest
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "fuzz"))
import mutate  # noqa: E402


@pytest.fixture
def inspect(graven, tmp_path):
    """Inspects the bytes as a file; the message, or None when they were accepted."""
    def run(content, *more, name="w", seconds=10):
        path = tmp_path / name
        path.write_bytes(content)

        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
        start = time.monotonic()
        result = subprocess.run([graven, "inspect", path, *more], capture_output=True, text=True, errors="replace",
                                timeout=60, preexec_fn=limit, cwd=tmp_path)
        assert time.monotonic() - start < seconds
        assert result.returncode in (0, 2), (result.returncode, result.stderr[-2000:])
        assert result.returncode == 0 or "[GRV" in result.stderr, result.stderr[-2000:]
        return result.stderr if result.returncode else None
    return run


def saved(value, legacy=False):
    stream = io.BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=not legacy)
    return stream.getvalue()


STATE = {"a.weight": torch.arange(6.).reshape(2, 3), "a.bias": torch.ones(2).half(), "n": torch.tensor(3)}


def safetensors(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(shape, begin, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


GOOD = safetensors({"a": entry([2, 3], 0, 24), "b": entry([], 24, 28)}, bytes(28))


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors"])
def test_truncated(inspect, form):
    data = GOOD if form == "safetensors" else saved(STATE, form == "legacy")
    assert inspect(data) is None
    step = max(1, len(data) // 60)
    for size in sorted({*range(0, len(data), step), *range(max(0, len(data) - 24), len(data))}):
        assert inspect(data[:size]) is not None, size


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors"])
def test_flipped_bits(inspect, form):
    data = GOOD if form == "safetensors" else saved(STATE, form == "legacy")
    for at in range(0, len(data), max(1, len(data) // 80)):
        flipped = bytearray(data)
        flipped[at] ^= 1 << at % 8
        inspect(bytes(flipped))


class Runs:
    """Runs a command when Python unpickles it."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("legacy", [False, True])
def test_nothing_is_executed(inspect, tmp_path, legacy):
    mark = tmp_path / "executed"
    for value in (Runs(f"touch {mark}"), {"w": torch.ones(2), "x": [Runs(f"touch {mark}")]}):
        text = inspect(saved(value, legacy))
        assert "[GRV0102]" in text and "system" in text and "pickle byte" in text
        assert inspect(saved(value, legacy), "--allow-opaque") is None
    assert not mark.exists()


def with_pickle(stream):
    content = mutate.read_zip(saved(STATE))
    return mutate.write_zip([(name, stream if name.endswith("/data.pkl") else old) for name, old in content])


TENSOR = (b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000"
          b"X\x03\x00\x00\x00cpuK\x06tQ%s%s%s\x89ccollections\nOrderedDict\n)RtR")


@pytest.mark.parametrize("name,stream", [
    ("memo", b"\x80\x02jff\xff\x7f."),
    ("text", b"\x80\x02X\xff\xff\xff\x7fab."),
    ("underflow", b"\x80\x02R."),
    ("no-stop", b"\x80\x02}"),
    ("protocol", b"\x80\x04}."),
    ("outside", b"\x80\x02}X\x01\x00\x00\x00w" + TENSOR % (b"K\x00", b"K\x07\x85", b"K\x01\x85") + b"s."),
    ("offset", b"\x80\x02}X\x01\x00\x00\x00w" + TENSOR % (b"K\x06", b"K\x01\x85", b"K\x01\x85") + b"s."),
    ("overflow", b"\x80\x02}X\x01\x00\x00\x00w" + TENSOR % (
        b"K\x00", b"\x8a\x08" + b"\xff" * 7 + b"\x7f" + b"K\x03\x86", b"\x8a\x08" + b"\xff" * 7 + b"\x7f" + b"K\x01\x86")
        + b"s."),
    ("negative", b"\x80\x02}X\x01\x00\x00\x00w" + TENSOR % (b"K\x05", b"K\x02\x85", b"J\xff\xff\xff\xff\x85") + b"s."),
    ("cycle", b"\x80\x02]q\x00h\x00a."),
    ("deep", b"\x80\x02" + b"]" * 100000 + b"a" * 99999 + b"."),
    # A list of two that are the list before, sixty times: 2^60 ways to its end.
    ("doubled", b"\x80\x02(]q\x00K\x01a" + b"".join(b"]q%c(h%ch%ce" % (i + 1, i, i) for i in range(60)) + b"t."),
    ("two-names", b"\x80\x02}(X\x03\x00\x00\x00a.bq\x01" + TENSOR % (b"K\x00", b"K\x01\x85", b"K\x01\x85")
     + b"X\x01\x00\x00\x00a}X\x01\x00\x00\x00b" + TENSOR % (b"K\x00", b"K\x02\x85", b"K\x01\x85") + b"su."),
])
def test_hostile_pickle(inspect, name, stream):
    text = inspect(with_pickle(stream))
    assert text is not None and "data.pkl" in text, name


@pytest.mark.parametrize("content,part", [
    (safetensors(b"{}", length=99000000), "header of"),
    (safetensors(b'{"a":', length=100), "header of"),
    (safetensors({"a": entry([6], 0, 24), "b": entry([6], 20, 44)}, bytes(44)), "overlaps"),
    (safetensors({"a": entry([2], 0, 8), "b": entry([2], 12, 20)}, bytes(20)), "gap"),
    (safetensors({"a": entry([2], 0, 8)}, bytes(9)), "the tensors have 8 bytes, the file 9"),
    (safetensors({"a": entry([2], 0, 8)}, bytes(7)), "the tensors have 8 bytes, the file 7"),
    (safetensors({"a": entry([2], 8, 0)}, bytes(8)), "has bytes [8, 0)"),
    (safetensors({"a": entry([2**40, 2**40], 0, 8)}, bytes(8)), "more than 2^63 bytes"),
    (safetensors({"a": entry([2**62], 0, 8)}, bytes(8)), "more than 2^63 bytes"),
    (safetensors({"a": entry([-2], 0, 8)}, bytes(8)), "expected a number"),
    (safetensors({"a": entry([1.5], 0, 8)}, bytes(8)), "expected an integer"),
    (safetensors({"a": entry([2], 0, 8, "F99")}, bytes(8)), "unknown dtype 'F99'"),
    (safetensors({"a": {"dtype": "F32", "shape": [2]}}, bytes(8)), "needs dtype, shape and two data_offsets"),
    (safetensors(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],'
                 b'"data_offsets":[0,8]}}', bytes(8)), "the key 'a' occurs twice"),
    (safetensors(b'{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8)),
     "the key 'dtype' occurs twice"),
    (safetensors(b'{"a":' + b"[" * 100000, bytes(8)), "expected '{'"),
    (safetensors(b'{"__metadata__":{"a":' + b"[" * 100000, bytes(8)), "expected '\"'"),
    (safetensors(b'{"\xff":1}', bytes(8)), "UTF-8"),
    (safetensors(b'{"\\ud800":1}', bytes(8)), "surrogate"),
    (safetensors(b"{} {}"), "behind the end"),
    (safetensors({"a": entry([1] * 65, 0, 4)}, bytes(4)), "more than 64"),
])
def test_hostile_safetensors(inspect, content, part):
    text = inspect(content, name="w.safetensors")
    assert text is not None and part in text and "[GRV0110]" in text
    assert "byte" in text


def test_blanks_and_empty_tensors_are_fine(inspect):
    assert inspect(safetensors(json.dumps({"a": entry([0, 3], 0, 0), "b": entry([1], 0, 4)}).encode() + b" " * 20,
                               bytes(4))) is None


def test_hostile_index(inspect, tmp_path):
    (tmp_path / "sub").mkdir()
    secret = tmp_path.parent / "secret.safetensors"
    secret.write_bytes(GOOD)
    (tmp_path / "link.safetensors").symlink_to(secret)
    (tmp_path / "good.safetensors").write_bytes(GOOD)

    def index(text, code="[GRV0110]"):
        message = inspect(text.encode() if isinstance(text, str) else json.dumps(text).encode(),
                          name="model.safetensors.index.json")
        assert message is None or code in message
        return message
    assert index({"weight_map": {"a": "good.safetensors"}}) is None
    for file in ("../secret.safetensors", str(secret), "sub/../good.safetensors", "link.safetensors", "sub", "", ".", "..",
                 "none.safetensors", "a\0b"):
        assert index({"weight_map": {"a": file}}) is not None, file
    assert "has no tensor 'c'" in index({"weight_map": {"c": "good.safetensors"}})
    assert "occurs twice" in index('{"weight_map": {"a": "good.safetensors", "a": "good.safetensors"}}')
    assert "nested deeper" in index('{"metadata": ' + "[" * 100000 + "}")
    assert "nested deeper" in index('{"metadata": ' + '{"a":' * 100000 + "}")
    assert "weight_map" in index({"files": {}})
    assert index('{"weight_map": {"a": 3}}') is not None


def test_records_that_lie(inspect):
    content = mutate.read_zip(saved(STATE))
    short = mutate.write_zip([(name, old[:-1] if name.endswith("data/0") else old) for name, old in content])
    text = inspect(short)
    assert "[GRV0105]" in text and "a.weight" in text and "data/0" in text
    gone = mutate.write_zip([(name, old) for name, old in content if not name.endswith("data/0")])
    assert "is not in the archive" in inspect(gone)


def test_many_names_take_linear_time(inspect):
    header = {f"layer{i}.weight": entry([1], 4 * i, 4 * i + 4) for i in range(100000)}
    assert inspect(safetensors(header, bytes(400000)), seconds=20) is None
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("w/data.pkl", pickle.dumps({f"k{i}": i for i in range(200000)}, protocol=2))
    assert inspect(stream.getvalue(), seconds=20) is None
