def f(x):
    from re import compile as c
    return [c(r"(a)\1").sub("", y) for y in x]
# expect refused: 3: regular expression: back-references (\1) are not supported at position 3
