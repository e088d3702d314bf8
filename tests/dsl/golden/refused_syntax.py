x = 1
if x
    print(x)
# expect refused: 2: invalid syntax near `if x`
