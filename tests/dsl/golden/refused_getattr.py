name = "a"
x = getattr(1, name)
# expect refused: 2: getattr needs its attribute's name as a plain string
