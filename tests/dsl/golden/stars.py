# What a star in a display or a call spreads: all of the item, however it goes on.
def f(*a, **k):
    return a, k
d = {'a': 1}
print([*'a b'.split(), *d.items()])  # expect: ['a', 'b', ('a', 1)]
print(max(*'ab'.upper()), {*d.keys()}, [*[1] + [2]])  # expect: B {'a'} [1, 2]
print([*[[1], [2]][1]], [*([1] if d else 3)])  # expect: [2] [1]
def g():
    return *d.keys(), 2
print(g(), f(*d.values(), **dict(b=2)))  # expect: ('a', 2) ((1,), {'b': 2})
def t(g):
    try:
        print(g())
    except Exception as e:
        print(type(e).__name__, e)
t(lambda: [*None])  # expect: TypeError Value after * must be an iterable, not NoneType
t(lambda: f(*1))  # expect: TypeError f() argument after * must be an iterable, not int
t(lambda: ''.join(*2.5))  # expect: TypeError str.join() argument after * must be an iterable, not float
t(lambda: f(**[1]))  # expect: TypeError f() argument after ** must be a mapping, not list
