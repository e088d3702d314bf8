import math as m
def f(x):
    return m.sqr(x)
# expect refused: 3: math.sqr is not part of this language: the nearest is math.sqrt
