"""A short run of the fuzzer with a fixed seed and number of mutants: no crash, no hang, no error without a code. Longer runs are by hand:
test/fuzz/fuzz.py --seconds 3600 --seed N --corpus DIR --keep DIR.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import fuzz  # noqa: E402
import mutate  # noqa: E402


def test_mutants_are_refused_or_read(tmp_path):
    counts, findings = fuzz.fuzz(1, 300, ["pt", "onnx", "mlir", "py", "npy"], [], tmp_path / "kept", most=4000)
    assert not findings, f"{findings}; mutants and logs are in {tmp_path / 'kept'}"
    assert sum(counts.values()) > 50
    assert any(number == 0 for _, _, number in counts) and any(number == 2 for _, _, number in counts)


def test_a_seed_gives_the_same_mutants():
    data = (fuzz.ROOT / "examples" / "digits" / "digits.pt").read_bytes()
    for mutator in (mutate.mutate_zip, mutate.mutate_protobuf, mutate.mutate_bytes, mutate.mutate_text):
        assert mutator(random.Random(7), data[:5000]) == mutator(random.Random(7), data[:5000])


def test_zip_writer_writes_zips():
    entries = [("m/data.pkl", b"abc"), ("m/code/x.py", b"def")]
    for compress in (False, True):
        assert mutate.read_zip(mutate.write_zip(entries, compress)) == entries
