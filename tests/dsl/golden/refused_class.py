# expect refused: 3: a class definition is not part of this language: use functions, dicts and tuples

class Helper:
    pass
