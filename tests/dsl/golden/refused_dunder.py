x = (1).__class__
# expect refused: 1: the attribute __class__ is not available: this language has no double-underscore names
