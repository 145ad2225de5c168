"""Mutators: bytes, text tokens, protobuf fields, zip entries. All take the driver's random generator, so that a seed
gives the same mutants again.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import io
import re
import struct
import zipfile

NUMBERS = [0, 1, -1, 2, 7, 8, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256, 1000, 32767, 65535, 65536, 2**24, 2**31 - 1,
           2**31, -2**31, 2**32 - 1, 2**32, 2**40, 2**62, 2**63 - 1, -2**63, 2**63, 2**64 - 1, 2**64, 10**30]
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[@%#!^]?[A-Za-z_][\w.$-]*|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\s+|.', re.S)
NUMBER = re.compile(r"-?\d+")
MOST_BYTES = 1 << 20


def varint(value):
    value &= 2**64 - 1
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def some_number(random):
    return random.choice(NUMBERS) if random.random() < 0.7 else random.randrange(-300, 300)


def number_bytes(random):
    number = some_number(random)
    if random.random() < 0.3:
        return varint(number)
    size, order = random.choice([1, 2, 4, 8]), random.choice(["little", "big"])
    return (number & (1 << 8 * size) - 1).to_bytes(size, order)


def mutate_bytes(random, data, others=()):
    data = bytearray(data)
    for _ in range(random.choice([1, 1, 1, 2, 3, 8])):
        at = random.randrange(len(data) + 1)
        end = min(len(data), at + random.choice([1, 2, 4, 8, 16, 64, 256]))
        kind = random.randrange(8)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << random.randrange(8)
        elif kind == 1 and at < len(data):
            data[at] = random.randrange(256)
        elif kind == 2:
            new = number_bytes(random)
            data[at:at + len(new)] = new
        elif kind == 3:
            del data[at:end]
        elif kind == 4:
            data[at:at] = data[at:end] * random.choice([1, 1, 2, 50])
        elif kind == 5 and random.random() < 0.3:
            del data[at:]
        elif kind == 6 and others:
            other = random.choice(others)
            begin = random.randrange(len(other) + 1)
            data[at:end] = other[begin:begin + random.choice([4, 16, 64, 1024])]
        elif kind == 7:
            data[at:at] = number_bytes(random)
        del data[MOST_BYTES:]
    return bytes(data)


def mutate_text(random, data, others=()):
    """Works on tokens, so that most mutants get past the lexer."""
    tokens = TOKEN.findall(data.decode("utf-8", "replace"))
    if not tokens:
        return data
    for _ in range(random.choice([1, 1, 2, 3, 6])):
        at = random.randrange(len(tokens))
        kind = random.randrange(9)
        numbers = [i for i, token in enumerate(tokens) if NUMBER.search(token) and not token.isspace()]
        if kind <= 2 and numbers:
            at = random.choice(numbers)
            pieces = list(NUMBER.finditer(tokens[at]))
            piece = random.choice(pieces)
            tokens[at] = tokens[at][:piece.start()] + str(some_number(random)) + tokens[at][piece.end():]
        elif kind == 3:
            del tokens[at:at + random.choice([1, 1, 2, 10])]
        elif kind == 4:
            tokens[at:at] = tokens[at:at + random.choice([1, 3, 30])]
        elif kind == 5:
            tokens[at] = random.choice(tokens)
        elif kind == 6 and others:
            tokens[at] = random.choice(TOKEN.findall(random.choice(others).decode("utf-8", "replace")) or [""])
        elif kind == 7:
            tokens[at] = random.choice("()[]{}<>,:=%@\"'-\n") * random.choice([1, 1, 1, 2, 40, 3000])
        else:
            lines = "".join(tokens).split("\n")
            a, b = random.randrange(len(lines)), random.randrange(len(lines))
            lines[a], lines[b] = random.choice([(lines[b], lines[a]), (lines[b], lines[b]), ("", lines[b])])
            tokens = TOKEN.findall("\n".join(lines))
        if not tokens:
            break
    return "".join(tokens).encode()[:MOST_BYTES]


def parse_fields(data):
    """(number, wire type, payload) of a message, or None when the bytes are none."""
    fields, at = [], 0

    def read():
        nonlocal at
        value = shift = 0
        while True:
            if at >= len(data) or shift > 63:
                raise ValueError
            value |= (data[at] & 127) << shift
            shift += 7
            at += 1
            if data[at - 1] < 128:
                return value

    try:
        while at < len(data):
            key = read()
            number, wire = key >> 3, key & 7
            if number == 0:
                return None
            if wire == 0:
                fields.append((number, wire, read()))
                continue
            size = {1: 8, 5: 4}.get(wire)
            if wire == 2:
                size = read()
            if size is None or at + size > len(data):
                return None
            fields.append((number, wire, data[at:at + size]))
            at += size
    except ValueError:
        return None
    return fields


def write_fields(fields):
    out = bytearray()
    for number, wire, payload in fields:
        out += varint(number << 3 | wire)
        if wire == 0:
            out += varint(payload)
        else:
            out += (varint(len(payload)) if wire == 2 else b"") + payload
    return bytes(out)


def mutate_protobuf(random, data, others=(), depth=0):
    fields = parse_fields(data)
    if not fields or random.random() < 0.03:
        return mutate_bytes(random, data, others) if data else number_bytes(random)
    at = random.randrange(len(fields))
    number, wire, payload = fields[at]
    kind = random.randrange(12)
    if kind == 0:
        del fields[at]
    elif kind == 1:
        fields.insert(random.randrange(len(fields) + 1), fields[at])
    elif kind == 2:
        other = random.randrange(len(fields))
        fields[at], fields[other] = fields[other], fields[at]
    elif kind == 3:
        fields[at] = (random.choice([number, number + 1, random.randrange(1, 30)]), wire, payload)
    elif kind == 4:
        same = [field for field in fields if field[1] == wire]
        fields[at] = (number, wire, random.choice(same)[2])
    elif wire == 0:
        fields[at] = (number, wire, some_number(random) & 2**64 - 1)
    elif wire == 2 and len(payload) > 1 and depth < 12:
        fields[at] = (number, wire, mutate_protobuf(random, payload, others, depth + 1))
    else:
        fields[at] = (number, wire, mutate_bytes(random, payload, others) if wire == 2 else random.randbytes(len(payload)))
    return write_fields(fields)[:MOST_BYTES]


def read_zip(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(info.filename, archive.read(info)) for info in archive.infolist()]


def write_zip(entries, compress=False):
    """By hand, because zipfile renames and refuses what a mutant needs: doubled and empty names."""
    import zlib
    out, directory = bytearray(), bytearray()
    for name, content in entries:
        raw, method = content, 0
        if compress:
            packer = zlib.compressobj(wbits=-15)
            raw, method = packer.compress(content) + packer.flush(), 8
        encoded = name.encode("utf-8", "surrogateescape")[:60000]
        common = struct.pack("<HHHHHIIIH", 20, 0, method, 0, 0, zlib.crc32(content), len(raw), len(content),
                             len(encoded))
        start = len(out)
        padding = -(start + 30 + len(encoded)) % 64
        out += b"PK\3\4" + common + struct.pack("<H", padding) + encoded + bytes(padding) + raw
        directory += b"PK\1\2" + struct.pack("<H", 20) + common + struct.pack("<HHHHII", 0, 0, 0, 0, 0, start) + encoded
    count = min(len(entries), 65535)
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(out), 0)
    return bytes(out + directory + b"PK\5\6" + end)


def mutate_zip(random, data, others=()):
    if random.random() < 0.15:
        return mutate_bytes(random, data, others)
    try:
        entries = read_zip(data)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
        return mutate_bytes(random, data, others)
    for _ in range(random.choice([1, 1, 2])):
        # The program and its constants are where the parsers are; the weights are only bytes.
        weight = [1 if "/data/" in name or name.endswith(".debug_pkl") else 12 for name, _ in entries]
        at = random.choices(range(len(entries)), weight)[0]
        name, content = entries[at]
        kind = random.randrange(14)
        if kind == 0:
            del entries[at]
        elif kind == 1:
            entries.append(random.choice([entries[at], (name + "x", content), (name.upper(), content)]))
        elif kind == 2:
            entries[at] = (mutate_text(random, name.encode(), ()).decode("utf-8", "replace"), content)
        elif name.endswith(".py"):
            entries[at] = (name, mutate_text(random, content, others))
        else:
            entries[at] = (name, mutate_bytes(random, content, others))
        if not entries:
            break
    return write_zip(entries, compress=random.random() < 0.1)
