#!/usr/bin/env python3
"""shape_model - a GGUF file of a known shape with random Q4_0 weights, for us and for peers.

    bench/shape_model.py llama-3.2-1b --like MODEL.gguf OUT.gguf

Names, tokenizer and the other keys are those of MODEL, a Llama; sizes are the shape's (the
vocabulary stays MODEL's), weights come from a seed. What it writes is noise, at the speed of a
model of that shape: so that a peer which reads only files can be measured beside us.
"""

import argparse
import random
import struct

#         hidden, layers, heads, kv_heads, head_dim, ffn
SHAPES = {"llama-3.2-1b": (2048, 16, 32, 8, 64, 8192),
          "llama-3.2-3b": (3072, 28, 24, 8, 128, 8192),
          "llama-3.1-8b": (4096, 32, 32, 8, 128, 14336),
          "tiny": (256, 2, 4, 2, 64, 512)}

U32, F32, STRING, ARRAY = 4, 6, 8, 9
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
TYPE_F32, TYPE_Q4_0 = 0, 2
BLOCK, BLOCK_BYTES, ALIGNMENT = 32, 18, 32


class Reader:
    """The keys of a GGUF file, each with the bytes of its value."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read(64 << 20)
        self.at = 8
        _, count = self.take("<QQ")
        self.keys = {}
        for _ in range(count):
            name = self.string()
            begin = self.at
            (kind,) = self.take("<I")
            self.skip(kind)
            self.keys[name] = self.data[begin:self.at]

    def take(self, form):
        values = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return values

    def string(self):
        (size,) = self.take("<Q")
        self.at += size
        return self.data[self.at - size:self.at].decode()

    def skip(self, kind):
        if kind == STRING:
            self.string()
        elif kind == ARRAY:
            element, count = self.take("<IQ")
            if element == STRING:
                for _ in range(count):
                    self.string()
            else:
                self.at += SIZES[element] * count
        else:
            self.at += SIZES[kind]


def text(value):
    return struct.pack("<Q", len(value.encode())) + value.encode()


def tensors(shape, vocab):
    hidden, layers, heads, kv_heads, head_dim, ffn = shape
    yield "token_embd.weight", (hidden, vocab)
    yield "output_norm.weight", (hidden,)
    for i in range(layers):
        yield f"blk.{i}.attn_norm.weight", (hidden,)
        yield f"blk.{i}.attn_q.weight", (hidden, heads * head_dim)
        yield f"blk.{i}.attn_k.weight", (hidden, kv_heads * head_dim)
        yield f"blk.{i}.attn_v.weight", (hidden, kv_heads * head_dim)
        yield f"blk.{i}.attn_output.weight", (heads * head_dim, hidden)
        yield f"blk.{i}.ffn_norm.weight", (hidden,)
        yield f"blk.{i}.ffn_gate.weight", (hidden, ffn)
        yield f"blk.{i}.ffn_up.weight", (hidden, ffn)
        yield f"blk.{i}.ffn_down.weight", (ffn, hidden)


def rows(dims, source):
    """A tensor's bytes, a row at a time: ones for norms, else nibbles and one scale."""
    if len(dims) == 1:
        yield struct.pack("<f", 1.0) * dims[0]
        return
    scale = struct.pack("<e", 1 / (4.6 * dims[0] ** 0.5))  # 4.6: the spread of a nibble
    for _ in range(dims[1]):
        row = bytearray(source.randbytes(dims[0] // BLOCK * BLOCK_BYTES))
        row[0::BLOCK_BYTES] = scale[:1] * (dims[0] // BLOCK)
        row[1::BLOCK_BYTES] = scale[1:] * (dims[0] // BLOCK)
        yield row


def size_of(dims):
    return 4 * dims[0] if len(dims) == 1 else dims[0] // BLOCK * BLOCK_BYTES * dims[1]


def padding(size):
    return b"\0" * (-size % ALIGNMENT)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("shape", choices=sorted(SHAPES))
    parser.add_argument("--like", required=True, metavar="MODEL.gguf")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("out")
    args = parser.parse_args()

    shape = SHAPES[args.shape]
    hidden, layers, heads, kv_heads, head_dim, ffn = shape
    keys = Reader(args.like).keys
    (vocab,) = struct.unpack_from("<Q", keys["tokenizer.ggml.tokens"], 8)
    sizes = {"embedding_length": hidden, "block_count": layers, "feed_forward_length": ffn,
             "attention.head_count": heads, "attention.head_count_kv": kv_heads,
             "attention.key_length": head_dim, "attention.value_length": head_dim,
             "rope.dimension_count": head_dim}
    for name, value in sizes.items():
        keys["llama." + name] = struct.pack("<II", U32, value)
    keys["general.name"] = struct.pack("<I", STRING) + text(args.shape + ", random")
    keys["general.file_type"] = struct.pack("<II", U32, TYPE_Q4_0)

    table = list(tensors(shape, vocab))
    header = b"GGUF" + struct.pack("<IQQ", 3, len(table), len(keys))
    header += b"".join(text(name) + value for name, value in keys.items())
    offset = 0
    for name, dims in table:
        kind = TYPE_F32 if len(dims) == 1 else TYPE_Q4_0
        header += text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)
        offset += size_of(dims) + len(padding(size_of(dims)))
    source = random.Random(args.seed)
    with open(args.out, "wb") as file:
        file.write(header + padding(len(header)))
        for _, dims in table:
            for row in rows(dims, source):
                file.write(row)
            file.write(padding(size_of(dims)))


main()
