x = b"abc"
# expect refused: 1: bytes are not part of this language: use str, without the b
