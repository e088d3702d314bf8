x = "{{a}} {0.__class__}".format(1)
# expect refused: 1: the attribute __class__ is not available
