# Still more of what random programs, held against CPython, found to be otherwise once.
import re, json, math
from collections import Counter, OrderedDict, defaultdict
def t(g):
    try:
        print(repr(g()))
    except Exception as e:
        print(type(e).__name__, '|', e)
def named_by(k):
    return (lambda a=1: a)(**k)
def starred():
    a = 1, *True
def put(p):
    p['a'] = 1
def drop(p):
    del p['a']
def merge(p):
    p |= {}
def raised(f, *a):
    try:
        f(*a)
    except Exception as e:
        return repr(str(e))
P = re.compile('(?P<a>x)').groupindex
t(lambda: (P, type(P).__name__, P['a'], dict(P), P | {'b': 2}, {'b': 2} | P, P.copy(), list(P.items()), P == {'a': 1}, isinstance(P, dict)))  # expect: (mappingproxy({'a': 1}), 'mappingproxy', 1, {'a': 1}, {'a': 1, 'b': 2}, {'b': 2, 'a': 1}, {'a': 1}, [('a', 1)], True, False)
t(lambda: json.dumps(P))  # expect: TypeError | Object of type mappingproxy is not JSON serializable
t(lambda: P.pop('a'))  # expect: AttributeError | 'mappingproxy' object has no attribute 'pop'
t(lambda: put(P))  # expect: TypeError | 'mappingproxy' object does not support item assignment
t(lambda: drop(P))  # expect: TypeError | 'mappingproxy' object does not support item deletion
t(lambda: merge(P))  # expect: TypeError | '|=' is not supported by mappingproxy; use '|' instead
t(lambda: {P})  # expect: TypeError | unhashable type: 'mappingproxy'
t(lambda: raised(named_by, {'a\x00\x7fb': 1}))  # expect: '"named_by.<locals>.<lambda>() got an unexpected keyword argument \'a\\x00\\x7fb\'"'
t(lambda: raised(format, 2.5, '\x00\x7f'))  # expect: '"Invalid format specifier \'\\x00\\x7f\' for object of type \'float\'"'
t(lambda: re.compile('x').groupindex)  # expect: {}
t(lambda: str(None, '\x00'))  # expect: ValueError | embedded null character
t(lambda: math.pow(0, -1))  # expect: ValueError | math domain error
t(lambda: math.pow(False, -3))  # expect: ValueError | math domain error
t(lambda: math.pow(10, 400))  # expect: OverflowError | math range error
t(lambda: Counter({0: 'b', 1: 2}).most_common(0))  # expect: []
t(lambda: Counter({0: 'b', 1: 2}).most_common(-1))  # expect: []
t(lambda: [round(-1e32, -4), round(15.0, -1), round(25.0, -1), round(25.000001, -1), round(5.0, -1), round(5.5, -1), round(4.9, -1), round(-6, -1), round(-6.0, -1), round(1e22, -22), round(5e22, -23), round(6e22, -23), round(1234.5, -2), round(0.0, -3), round(-0.4, -1), round(5e-324, 323), round(1.5e300, -300)])  # expect: [-1e+32, 20.0, 20.0, 30.0, 0.0, 10.0, 0.0, -10, -10.0, 1e+22, 0.0, 1e+23, 1200.0, 0.0, -0.0, 0.0, 2e+300]
t(lambda: round(1.7e308, -308))  # expect: OverflowError | rounded value too large to represent
t(lambda: json.loads(defaultdict()))  # expect: TypeError | the JSON object must be str, bytes or bytearray, not defaultdict
t(lambda: json.loads(OrderedDict()))  # expect: TypeError | the JSON object must be str, bytes or bytearray, not OrderedDict
t(lambda: re.sub('a', ({}, 1), 'a'))  # expect: TypeError | unhashable type: 'dict'
t(lambda: re.sub('a', (1,), 'a'))  # expect: TypeError | decoding to str: need a bytes-like object, tuple found
t(lambda: starred())  # expect: TypeError | Value after * must be an iterable, not bool
t(lambda: '%c' % 'ab')  # expect: TypeError | %c requires int or char
t(lambda: [].index('a\0b'))  # expect: ValueError | 'a\x00b' is not in list
t(lambda: int('a\0b'))  # expect: ValueError | invalid literal for int() with base 10: 'a\x00b'
t(lambda: ({1}.isdisjoint([1, []]), {1}.issuperset([5, []])))  # expect: (False, False)
t(lambda: {1}.issuperset([1, []]))  # expect: TypeError | unhashable type: 'list'
t(lambda: {1}.isdisjoint([2, []]))  # expect: TypeError | unhashable type: 'list'
t(lambda: ({1, 2}.issuperset({1}), {1}.isdisjoint({2}), {1}.issubset([1, 2])))  # expect: (True, True, True)
