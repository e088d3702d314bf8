with open("x") as f:
    pass
# expect refused: 1: a with statement is not part of this language: there are no files here; use plain statements
