# A line that begins with a bracket behind one that ends in one.
def t(g):
    try:
        print(repr(g()))
    except Exception as e:
        print(type(e).__name__, '|', e)
def tuples(x):
    total, n = 0, len(x)
    [a, b] = x
    total, n = 0, len(x)

    # a comment
    [c, d] = x, n
    e = 1, len(x)  # another
    [f, g] = x, e
    h = 1, len(x)  
    ([f]).x = 1
def dedented(x):
    if x:
        a = 1, len(x)
    [b, c] = a, x
    if x: d = 1, len(x)
    [d, e] = a, b
    if not x: d = 1, len(x)
    [d, e] = d, b
    f = (1,
       len(x))
    [g] = f[:1]
    h = 1, 'a\
(b)'.upper()
    [i] = 'z'
    for j in f: k = 1, len(x)
    [l] = 'y'
    return a, b, c, d, e, f, g, h, i, j, k, l
def lines(x):
    a = 1, len(x)
    [b] = x
    return 1 // 0
def star(x):
    def h(x, y=2):
        return x
    a, *l = x, *(x)
    (a, *l), v = ([a, *l]), x
    w = v
    (a, *l), v = ([a, *l],), w
    [a, *l], v = (*a,), w
    return a, l, v
t(lambda: tuples('ab'))  # expect: AttributeError | 'list' object has no attribute 'x'
t(lambda: dedented('ab'))  # expect: ((1, 2), (1, 2), 'ab', (1, 2), (1, 2), (1, 2), 1, (1, 'A(B)'), 'z', 2, (1, 2), 'y')
t(lambda: lines('ab'))  # expect: ValueError | too many values to unpack (expected 1)
t(lambda: star('ab'))  # expect: ('ab', ['a', 'b'], 'ab')
