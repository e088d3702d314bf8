# A conversion that there is none of.
a = 5
print(f"{a!z}")  # expect refused: 3: the conversion !z of an f-string is none: there are !s, !r and !a
