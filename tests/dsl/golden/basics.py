x = 1 + 2 * 3
print(x)  # expect: 7
print("a" + "b", [1, 2.5, "c"], (1,), {}, {"k": None})  # expect: ab [1, 2.5, 'c'] (1,) {} {'k': None}
def f(a, b=2, *rest, c=3, **named):
    return a, b, rest, c, named
print(f(1), f(1, 5, 6, 7, c=8, d=9))  # expect: (1, 2, (), 3, {}) (1, 5, (6, 7), 8, {'d': 9})
print([i * i for i in range(5) if i % 2 == 0])  # expect: [0, 4, 16]
print(f"{x:>5}|{x!r}|{1.5:.3f}")  # expect:     7|7|1.500
