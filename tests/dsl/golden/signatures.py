# Arguments that a function does not take: of one's own, of those written in Python.
import re, json, math, functools, itertools, string
from collections import Counter, OrderedDict, defaultdict
def t(g):
    try:
        print(repr(g()))
    except Exception as e:
        print(type(e).__name__, '|', e)
def own(a, b=1, *, k, m=2):
    return a
def three(a, b, c):
    return a
t(lambda: re.search())  # expect: TypeError | search() missing 2 required positional arguments: 'pattern' and 'string'
t(lambda: re.search('a'))  # expect: TypeError | search() missing 1 required positional argument: 'string'
t(lambda: re.search('a', 'b', 0, 1))  # expect: TypeError | search() takes from 2 to 3 positional arguments but 4 were given
t(lambda: re.search('a', pattern='b'))  # expect: TypeError | search() got multiple values for argument 'pattern'
t(lambda: re.sub('a'))  # expect: TypeError | sub() missing 2 required positional arguments: 'repl' and 'string'
t(lambda: re.sub())  # expect: TypeError | sub() missing 3 required positional arguments: 'pattern', 'repl', and 'string'
t(lambda: re.sub('a', 'b', 'c', foo=2))  # expect: TypeError | sub() got an unexpected keyword argument 'foo'
t(lambda: re.sub('a', 'b', 'c', 1, 2, 3))  # expect: TypeError | sub() takes from 3 to 5 positional arguments but 6 were given
t(lambda: re.split('a', 'b', 1, 0, 0))  # expect: TypeError | split() takes from 2 to 4 positional arguments but 5 were given
t(lambda: re.findall(pattern='a'))  # expect: TypeError | findall() missing 1 required positional argument: 'string'
t(lambda: re.compile('a', x=0))  # expect: TypeError | compile() got an unexpected keyword argument 'x'
t(lambda: re.escape('a', 'b'))  # expect: TypeError | escape() takes 1 positional argument but 2 were given
t(lambda: re.purge(1))  # expect: TypeError | purge() takes 0 positional arguments but 1 was given
t(lambda: string.capwords())  # expect: TypeError | capwords() missing 1 required positional argument: 's'
t(lambda: string.capwords('a', 'b', 'c'))  # expect: TypeError | capwords() takes from 1 to 2 positional arguments but 3 were given
t(lambda: string.capwords('a', x=1))  # expect: TypeError | capwords() got an unexpected keyword argument 'x'
t(lambda: Counter().most_common(1, 2))  # expect: TypeError | Counter.most_common() takes from 1 to 2 positional arguments but 3 were given
t(lambda: Counter().most_common(1, n=1))  # expect: TypeError | Counter.most_common() got multiple values for argument 'n'
t(lambda: Counter().elements(1))  # expect: TypeError | Counter.elements() takes 1 positional argument but 2 were given
t(lambda: Counter().elements(x=1))  # expect: TypeError | Counter.elements() got an unexpected keyword argument 'x'
t(lambda: Counter().total(1))  # expect: TypeError | Counter.total() takes 1 positional argument but 2 were given
t(lambda: Counter().copy(1))  # expect: TypeError | Counter.copy() takes 1 positional argument but 2 were given
t(lambda: Counter.fromkeys())  # expect: TypeError | Counter.fromkeys() missing 1 required positional argument: 'iterable'
t(lambda: Counter.fromkeys([1], 2, 3))  # expect: TypeError | Counter.fromkeys() takes from 2 to 3 positional arguments but 4 were given
t(lambda: own(1, 2, 3, k=1))  # expect: TypeError | own() takes from 1 to 2 positional arguments but 3 positional arguments (and 1 keyword-only argument) were given
t(lambda: own(1, 2, 3, 4, k=1, m=3))  # expect: TypeError | own() takes from 1 to 2 positional arguments but 4 positional arguments (and 2 keyword-only arguments) were given
t(lambda: own(1))  # expect: TypeError | own() missing 1 required keyword-only argument: 'k'
t(lambda: own(k=1))  # expect: TypeError | own() missing 1 required positional argument: 'a'
t(lambda: own(1, 2, k=1, a=3))  # expect: TypeError | own() got multiple values for argument 'a'
t(lambda: own(1, k=1, z=3))  # expect: TypeError | own() got an unexpected keyword argument 'z'
t(lambda: three(1, 2, 3, 4))  # expect: TypeError | three() takes 3 positional arguments but 4 were given
t(lambda: three())  # expect: TypeError | three() missing 3 required positional arguments: 'a', 'b', and 'c'
t(lambda: three(1))  # expect: TypeError | three() missing 2 required positional arguments: 'b' and 'c'
t(lambda: three(1, 2))  # expect: TypeError | three() missing 1 required positional argument: 'c'
