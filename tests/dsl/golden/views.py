# dict.keys() and dict.items() as sets: what comes into the result must be hashable, no more.
from collections import Counter
def t(g):
    try:
        print(repr(g()))
    except Exception as e:
        print(type(e).__name__, '|', e)
def inplace():
    s = t = {'a', 'b'}
    s &= {'a': 1}.keys()
    t |= {'c': 1}.keys()
    return sorted(s), sorted(t)
t(lambda: {'a': [1], 'b': 2}.items() & [('b', 2), ('a', 3)])  # expect: {('b', 2)}
t(lambda: {'a': [1]}.items() & [('a', [1])])  # expect: TypeError | unhashable type: 'list'
t(lambda: {'a': [1], 'b': 2}.items() & {('b', 2)})  # expect: {('b', 2)}
t(lambda: {'a': [1]}.items() & {('b', 2)})  # expect: TypeError | unhashable type: 'list'
t(lambda: ({'a': [1], 'b': 2}.items() & {'b': 2}.items(), {'b': 2}.items() & {'a': [1], 'b': 2}.items()))  # expect: ({('b', 2)}, {('b', 2)})
t(lambda: ([('a', 1)] & {'a': [1]}.items(), [[1]] & {'a': 1}.items(), {}.items() & [[]]))  # expect: (set(), set(), set())
t(lambda: {'a': 1}.keys() & [[1]])  # expect: TypeError | unhashable type: 'list'
t(lambda: 5 & {'a': 1}.keys())  # expect: TypeError | 'int' object is not iterable
t(lambda: (frozenset('a') & {'a': 1}.keys(), frozenset('a') | {'a': 1}.keys(), {'a': 1}.keys() - frozenset('b')))  # expect: ({'a'}, {'a'}, {'a'})
t(lambda: ({1: 1} | {1: 1}.keys(), Counter('a') & {'a': 1}.keys(), 'abc' & {'a': 1}.keys()))  # expect: ({1}, {'a'}, {'a'})
t(lambda: {'a': [1]}.items() | {('a', 1)})  # expect: TypeError | unhashable type: 'list'
t(lambda: {'a': [1]}.items() - {('a', 1)})  # expect: TypeError | unhashable type: 'list'
t(lambda: {1: [1]}.keys() - {1: [1]}.items())  # expect: TypeError | unhashable type: 'list'
t(lambda: ({'a': [1]}.items() ^ {'a': [1]}.items(), {1: [1]}.items() ^ {1: [1], 2: 3}.items()))  # expect: (set(), {(2, 3)})
t(lambda: {1: [1]}.items() ^ {1: 2}.items())  # expect: TypeError | unhashable type: 'list'
t(lambda: [{'a': [1]}.items().isdisjoint(x) for x in ([('a', 1)], [('a', [1])], [[1]], {('a', 2), 5}, {}.keys())])  # expect: TypeError | unhashable type: 'list'
t(lambda: {'a': []}.items().isdisjoint({('a', 2)}))  # expect: True
t(lambda: {'a': 1}.keys().isdisjoint())  # expect: TypeError | dict_keys.isdisjoint() takes exactly one argument (0 given)
t(lambda: inplace())  # expect: (['a'], ['a', 'b', 'c'])
