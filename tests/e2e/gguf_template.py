"""gguf_template - a copy of a GGUF model that has another chat template, or one at last."""

import struct

SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
STRING, ARRAY = 8, 9
ALIGN = 32
NAME = b"tokenizer.chat_template"


def _value_end(data, kind, at):
    if kind == STRING:
        return at + 8 + struct.unpack_from("<Q", data, at)[0]
    if kind != ARRAY:
        return at + SIZES[kind]
    of, count = struct.unpack_from("<IQ", data, at)
    at += 12
    if of != STRING:
        return at + count * SIZES[of]
    for _ in range(count):
        at = _value_end(data, STRING, at)
    return at


def _tensors_end(data, count, at):
    for _ in range(count):
        at = _value_end(data, STRING, at)
        dimensions = struct.unpack_from("<I", data, at)[0]
        at += 4 + 8 * dimensions + 12
    return at


def _aligned(size):
    return -(-size // ALIGN) * ALIGN


def copy(source, target, template):
    """Offsets of tensors count from where their data begins: only that place moves."""
    data = source.read_bytes()
    assert data[:4] == b"GGUF"
    tensors, keys = struct.unpack_from("<QQ", data, 8)
    at, pieces, text = 24, [], template.encode()
    own = struct.pack("<Q", len(NAME)) + NAME + struct.pack("<IQ", STRING, len(text)) + text
    for _ in range(keys):
        begin = at
        at = _value_end(data, STRING, at)
        name = data[begin + 8:at]
        kind = struct.unpack_from("<I", data, at)[0]
        at = _value_end(data, kind, at + 4)
        if name != NAME:
            pieces.append(data[begin:at])
    pieces.append(own)
    end = _tensors_end(data, tensors, at)
    head = data[:16] + struct.pack("<Q", len(pieces)) + b"".join(pieces) + data[at:end]
    with open(target, "wb") as out:
        out.write(head.ljust(_aligned(len(head)), b"\0"))
        out.write(data[_aligned(end):])
