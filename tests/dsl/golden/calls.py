# The arguments of a call: in which order they are evaluated, and what ** may bring.
import re, json, math, functools, string
from collections import Counter, OrderedDict
L = []
def log(x):
    L.append(x)
    return x
def t(g):
    L.clear()
    try:
        print(repr(g()), *L)
    except Exception as e:
        print(type(e).__name__, '|', e, *L)
def named(*a, **k):
    return a, k
t(lambda: named(**log({'b': 1}), a=log(2)))  # expect: ((), {'b': 1, 'a': 2}) {'b': 1} 2
t(lambda: named(**log({'b': 1}), b=log(2), c=log(3)))  # expect: TypeError | named() got multiple values for keyword argument 'b' {'b': 1} 2 3
t(lambda: named(a=log(1), **log({'a': 2}), b=log(3)))  # expect: TypeError | named() got multiple values for keyword argument 'a' 1 {'a': 2}
t(lambda: named(**log(5), c=log(6)))  # expect: TypeError | named() argument after ** must be a mapping, not int 5
t(lambda: named(*log(5), **log(4)))  # expect: TypeError | named() argument after ** must be a mapping, not int 5 4
t(lambda: named(1, *log(5), **log(4)))  # expect: TypeError | Value after * must be an iterable, not int 5
t(lambda: named(**log({1: 2}), c=log(3)))  # expect: TypeError | keywords must be strings {1: 2} 3
t(lambda: named(**{1: 2}, **{1: 3}))  # expect: TypeError | named() got multiple values for keyword argument '1'
t(lambda: (lambda **k: k)(a=1, **{'a': 2}))  # expect: TypeError | <lambda>.<locals>.<lambda>() got multiple values for keyword argument 'a'
t(lambda: OrderedDict(**{'a': 2}, a=log(1)))  # expect: TypeError | collections.OrderedDict() got multiple values for keyword argument 'a' 1
t(lambda: OrderedDict(a=1, **{'b': 2, 3: 4}))  # expect: OrderedDict([('a', 1), ('b', 2), (3, 4)])
t(lambda: OrderedDict().update(a=1, **{'a': 2}))  # expect: TypeError | OrderedDict.update() got multiple values for keyword argument 'a'
t(lambda: OrderedDict().update(**{1: 2}))  # expect: None
t(lambda: Counter().update(a=1, **{'a': 2}))  # expect: TypeError | collections.Counter.update() got multiple values for keyword argument 'a'
t(lambda: Counter().get(key=1, **{'key': 2}))  # expect: TypeError | Counter.get() got multiple values for keyword argument 'key'
t(lambda: {}.update(5, **{1: 2}))  # expect: TypeError | 'int' object is not iterable
t(lambda: {}.update(1, 2, **{1: 2}))  # expect: TypeError | update expected at most 1 argument, got 2
t(lambda: {}.update([], **{1: 2}))  # expect: TypeError | keywords must be strings
t(lambda: dict(**{1: 2}))  # expect: TypeError | keywords must be strings
t(lambda: '{a}{b}'.format(a=1, **{'b': 2, 3: 4}))  # expect: '12'
t(lambda: '{None}'.format(**{None: 1}))  # expect: KeyError | 'None'
t(lambda: json.dumps([1], indent=1, **{'indent': 2}))  # expect: TypeError | json.dumps() got multiple values for keyword argument 'indent'
t(lambda: re.sub('a', 'b', 'c', count=1, **{'count': 2}))  # expect: TypeError | re.sub() got multiple values for keyword argument 'count'
t(lambda: re.compile('a').sub('b', 'c', count=1, **{'count': 2}))  # expect: TypeError | Pattern.sub() got multiple values for keyword argument 'count'
t(lambda: functools.reduce(*3))  # expect: TypeError | _functools.reduce() argument after * must be an iterable, not int
t(lambda: functools.partial(max, key=1, **{'key': 2}))  # expect: TypeError | functools.partial() got multiple values for keyword argument 'key'
t(lambda: string.capwords('a', sep=' ', **{'sep': ' '}))  # expect: TypeError | string.capwords() got multiple values for keyword argument 'sep'
t(lambda: math.sqrt(**5))  # expect: TypeError | math.sqrt() argument after ** must be a mapping, not int
t(lambda: OrderedDict(1, 2))  # expect: TypeError | expected at most 1 arguments, got 2
