# Arguments that a function written in C does not take, in CPython's words.
import re, math, itertools
from collections import OrderedDict, defaultdict
def t(g):
    try:
        print(repr(g()))
    except Exception as e:
        print(type(e).__name__, '|', e)
t(lambda: OrderedDict(a=1, b=2).popitem(False))  # expect: ('a', 1)
t(lambda: OrderedDict(a=1, b=2).popitem(last=0))  # expect: ('a', 1)
t(lambda: OrderedDict(a=1, b=2).popitem())  # expect: ('b', 2)
t(lambda: OrderedDict().popitem())  # expect: KeyError | 'dictionary is empty'
t(lambda: OrderedDict().popitem(1, 2))  # expect: TypeError | popitem() takes at most 1 argument (2 given)
t(lambda: OrderedDict().pop('a', default=1))  # expect: 1
t(lambda: OrderedDict().setdefault(key='a', default=1))  # expect: 1
t(lambda: OrderedDict().pop())  # expect: TypeError | pop() missing required argument 'key' (pos 1)
t(lambda: OrderedDict().keys(zz=1))  # expect: TypeError | OrderedDict.keys() takes no keyword arguments
t(lambda: OrderedDict().copy(1))  # expect: TypeError | OrderedDict.copy() takes no arguments (1 given)
t(lambda: defaultdict(int).copy(1))  # expect: TypeError | defaultdict.copy() takes no arguments (1 given)
t(lambda: {}.popitem(last=1))  # expect: TypeError | dict.popitem() takes no keyword arguments
t(lambda: {}.get(zz=1))  # expect: TypeError | dict.get() takes no keyword arguments
t(lambda: {1}.difference(zz=1))  # expect: TypeError | set.difference() takes no keyword arguments
t(lambda: {1}.update(zz=1))  # expect: TypeError | set.update() takes no keyword arguments
t(lambda: {1}.symmetric_difference())  # expect: TypeError | set.symmetric_difference() takes exactly one argument (0 given)
t(lambda: {1}.symmetric_difference_update(1, 2))  # expect: TypeError | set.symmetric_difference_update() takes exactly one argument (2 given)
t(lambda: {1}.union(zz=1))  # expect: TypeError | set.union() takes no keyword arguments
t(lambda: frozenset().intersection(zz=1))  # expect: TypeError | frozenset.intersection() takes no keyword arguments
t(lambda: {1}.issubset(zz=1))  # expect: TypeError | set.issubset() takes no keyword arguments
t(lambda: [1].index(zz=1))  # expect: TypeError | list.index() takes no keyword arguments
t(lambda: 'a'.upper(zz=1))  # expect: TypeError | str.upper() takes no keyword arguments
t(lambda: 'a'.split(1, 2, 3))  # expect: TypeError | split() takes at most 2 arguments (3 given)
t(lambda: 'a'.expandtabs(1, 2))  # expect: TypeError | expandtabs() takes at most 1 argument (2 given)
t(lambda: (1).bit_length(1))  # expect: TypeError | int.bit_length() takes no arguments (1 given)
t(lambda: (1.5).is_integer(zz=1))  # expect: TypeError | float.is_integer() takes no keyword arguments
t(lambda: re.search('a', 'a').group(zz=1))  # expect: TypeError | Match.group() takes no keyword arguments
t(lambda: re.search('a', 'a').groups(1, 2))  # expect: TypeError | groups() takes at most 1 argument (2 given)
t(lambda: re.search('a', 'a').start(zz=1))  # expect: TypeError | Match.start() takes no keyword arguments
t(lambda: re.search('a', 'a').expand(zz=1))  # expect: TypeError | expand() missing required argument 'template' (pos 1)
t(lambda: re.compile('a').search('a', 1, 2, 3))  # expect: TypeError | search() takes at most 3 arguments (4 given)
t(lambda: re.compile('a').search(zz=1))  # expect: TypeError | search() missing required argument 'string' (pos 1)
t(lambda: re.compile('a').sub('a', 'b', 1, 2))  # expect: TypeError | sub() takes at most 3 arguments (4 given)
t(lambda: math.hypot(zz=1))  # expect: TypeError | math.hypot() takes no keyword arguments
t(lambda: math.gcd(zz=1))  # expect: TypeError | math.gcd() takes no keyword arguments
t(lambda: math.lcm(zz=1))  # expect: TypeError | math.lcm() takes no keyword arguments
t(lambda: math.sqrt())  # expect: TypeError | math.sqrt() takes exactly one argument (0 given)
t(lambda: math.sqrt(zz=1))  # expect: TypeError | math.sqrt() takes no keyword arguments
t(lambda: math.pow(1))  # expect: TypeError | pow expected 2 arguments, got 1
t(lambda: math.log())  # expect: TypeError | math.log requires 1 to 2 arguments
t(lambda: math.log(1, zz=1))  # expect: TypeError | log() takes no keyword arguments
t(lambda: math.prod([1], 2))  # expect: TypeError | prod() takes exactly 1 positional argument (2 given)
t(lambda: math.prod(1, 2, 3))  # expect: TypeError | prod() takes at most 2 arguments (3 given)
t(lambda: math.isclose(1, 2, 3))  # expect: TypeError | isclose() takes exactly 2 positional arguments (3 given)
t(lambda: math.fsum(1, 2))  # expect: TypeError | math.fsum() takes exactly one argument (2 given)
t(lambda: itertools.chain(zz=1))  # expect: TypeError | chain() takes no keyword arguments
t(lambda: itertools.chain.from_iterable())  # expect: TypeError | chain.from_iterable() takes exactly one argument (0 given)
t(lambda: itertools.combinations([1], zz=3))  # expect: TypeError | combinations() missing required argument 'r' (pos 2)
t(lambda: itertools.permutations([1], 2, 3))  # expect: TypeError | permutations() takes at most 2 arguments (3 given)
t(lambda: itertools.accumulate([1], 2, 3))  # expect: TypeError | accumulate() takes at most 2 positional arguments (3 given)
t(lambda: itertools.groupby([1], 1, 2))  # expect: TypeError | groupby() takes at most 2 arguments (3 given)
t(lambda: sum([1], 2, 3))  # expect: TypeError | sum() takes at most 2 arguments (3 given)
t(lambda: pow(1, 2, 3, 4))  # expect: TypeError | pow() takes at most 3 arguments (4 given)
t(lambda: round(zz=1))  # expect: TypeError | round() missing required argument 'number' (pos 1)
