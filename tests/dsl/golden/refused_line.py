# Lines are counted in the source, not in what the grammar is shown.
a = 1, len('a')
[b] = 'b'
class X:  # expect refused: 4: a class definition is not part of this language: use functions, dicts and tuples
    pass
