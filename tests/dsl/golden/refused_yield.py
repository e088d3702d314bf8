def f():
    yield 1
# expect refused: 2: yield is not part of this language: build a list and return it, or use a generator expression
