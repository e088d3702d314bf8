# What random programs, held against CPython, found to be otherwise once.
import re, math, itertools, string
from collections import Counter, OrderedDict, defaultdict
def t(g):
    try:
        print(repr(g()))
    except Exception as e:
        print(type(e).__name__, '|', e)
t(lambda: (len(r'\\'), re.sub('x', r'\\', 'axb'), f'{{}}', r'\'"', f'\\'))  # expect: (2, 'a\\b', '{}', '\\\'"', '\\')
t(lambda: re.sub('x', r'\1', 'abc'))  # expect: error | invalid group reference 1 at position 1
t(lambda: re.search('*a', ''))  # expect: error | nothing to repeat at position 0
t(lambda: re.search('a**', ''))  # expect: error | multiple repeat at position 2
t(lambda: re.search('é(a|(b', ''))  # expect: error | missing ), unterminated subpattern at position 4
t(lambda: re.search('a{3,2}', ''))  # expect: error | min repeat greater than max repeat at position 2
t(lambda: (+Counter(a=2, b=-1), -Counter(a=2, b=-1)))  # expect: (Counter({'a': 2}), Counter({'b': 1}))
def in_place():
    a = b = Counter('ab')
    a += Counter('a')
    return b, Counter(a=1) | {'b': 2}, {'b': 2} | OrderedDict(a=1)
t(in_place)  # expect: (Counter({'a': 2, 'b': 1}), {'a': 1, 'b': 2}, OrderedDict([('b', 2), ('a', 1)]))
t(lambda: (sorted(['b'] | {'a': 1}.keys()), {'a': 1}.items() & {('a', 1)}))  # expect: (['a', 'b'], {('a', 1)})
t(lambda: {'a': 1}.values() | {1})  # expect: TypeError | unsupported operand type(s) for |: 'dict_values' and 'set'
t(lambda: OrderedDict(a=1).keys())  # expect: odict_keys(['a'])
t(lambda: range(3)[5])  # expect: IndexError | range object index out of range
t(lambda: divmod(1.5, 0))  # expect: ZeroDivisionError | float divmod()
t(lambda: divmod('a', 0))  # expect: TypeError | unsupported operand type(s) for divmod(): 'str' and 'int'
t(lambda: (pow(3, -1, 7), pow(2, 5, -7), pow(5, 3, 1)))  # expect: (5, -3, 0)
t(lambda: pow(2, -1, 4))  # expect: ValueError | base is not invertible for the given modulus
t(lambda: int('00001', 0))  # expect: ValueError | invalid literal for int() with base 0: '00001'
t(lambda: '' % [1])  # expect: ''
t(lambda: {}.pop([], 3))  # expect: 3
t(lambda: re.search('a', 'a') + 1)  # expect: TypeError | unsupported operand type(s) for +: 're.Match' and 'int'
t(lambda: list(itertools.islice([1], -1)))  # expect: ValueError | Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.
t(lambda: [list(itertools.compress('abc', [1, 0, 1])), list(itertools.filterfalse(None, [0, 1, '']))])  # expect: [['a', 'c'], [0, '']]
t(lambda: (math.comb(60, 30), math.perm(5, 2), math.isqrt(17), math.lcm(4, 6), math.lcm(0, 3)))  # expect: (118264581564861424, 20, 4, 12, 0)
t(lambda: (math.degrees(math.pi), math.dist([0, 0], [3, 4]), math.modf(-2.5), math.frexp(10), math.ldexp(0.5, 3)))  # expect: (180.0, 5.0, (-0.5, -2.0), (0.625, 4), 4.0)
t(lambda: math.comb(-1, 2))  # expect: ValueError | n must be a non-negative integer
t(lambda: (string.capwords(' the  quick fox'), (255).bit_length(), (2.0).is_integer()))  # expect: ('The Quick Fox', 8, True)
t(lambda: 'a'.replace(None, 'b'))  # expect: TypeError | replace() argument 1 must be str, not None
def f():
    return [(lambda: 1)(2) for i in [1]]
t(f)  # expect: TypeError | f.<locals>.<listcomp>.<lambda>() takes 0 positional arguments but 1 was given
x = 6
t(lambda: f'{x:=4}|')  # expect: '   6|'
t(lambda: (2.0 ** -24, 2.0 ** -44, 5e-324, 9007199254740993.0))  # expect: (5.960464477539063e-08, 5.684341886080802e-14, 5e-324, 9007199254740992.0)
t(lambda: ('İµſς'.casefold(), 'straße ßß ŉ'.title(), 'ß'.capitalize()))  # expect: ('i̇μsσ', 'Straße Ssß ʼN', 'Ss')
def sets():
    a = {1, frozenset([2])}
    a.discard({3})
    a.remove({2})
    return a
t(sets)  # expect: {1}
t(lambda: chr(1 << 40))  # expect: OverflowError | Python int too large to convert to C int
t(lambda: re.sub('(a)', r'\2', None))  # expect: error | invalid group reference 2 at position 1
l = [1, 2]
t(lambda: l.sort(key=lambda x: len(l)) or l)  # expect: [1, 2]
t(lambda: l.sort(key=lambda x: min(l)))  # expect: ValueError | min() arg is an empty sequence
t(lambda: l.sort(key=lambda x: l.append(1) or 1))  # expect: ValueError | list modified during sort
t(lambda: l)  # expect: [1, 2]
t(lambda: (int('٣4'), int('-1२३'), float('１.𝟗'), int('፩') if '፩'.isdecimal() else 0))  # expect: (34, -123, 1.9, 0)
t(lambda: (Counter('ab') < Counter('aab'), Counter('ab') <= Counter('ac'), Counter('aab') > Counter('aa'), Counter(a=-1) < Counter(), Counter('a') >= Counter('a'), Counter('a') < Counter('a')))  # expect: (True, False, True, True, True, False)
t(lambda: (Counter(a=0) == Counter(), Counter(a=0) != Counter(), Counter('a') == {'a': 1}, Counter(a=0) == {}))  # expect: (True, False, True, False)
t(lambda: Counter('a') < {'a': 2})  # expect: TypeError | '<' not supported between instances of 'Counter' and 'dict'
t(lambda: ({'a': 1}.keys() == {'a'}, {'a': [1]}.items() < {'a': [1], 'b': 2}.items(), {1} >= {1: 2}.keys(), {1: 2}.keys() == {1: 3}.keys(), {1: 2}.values() == {1: 2}.values(), ('a', [1]) in {'a': [1]}.items(), 'a' in {'a': 1}.keys()))  # expect: (True, True, True, True, False, True, True)
t(lambda: [] in {1: 2}.keys())  # expect: TypeError | unhashable type: 'list'
t(lambda: (bool({}.values()), bool({1: 1}.items()), {} .keys() or 'none'))  # expect: (False, True, 'none')
t(lambda: {}.get({}.items()))  # expect: TypeError | unhashable type: 'dict_items'
t(lambda: [(k, list(g)) for k, g in list(itertools.groupby('aab'))])  # expect: [('a', []), ('b', [])]
def grouped():
    calls = []
    by = itertools.groupby([1, 3, 2, 4, 5], key=lambda x: calls.append(x) or x % 2)
    k, first = next(by)
    a = next(first)
    k2, second = next(by)
    return k, a, list(first), k2, list(second), list(second), calls, [(k, list(g)) for k, g in by]
t(grouped)  # expect: (1, 1, [], 0, [2, 4], [], [1, 3, 2, 4, 5], [(1, [5])])
t(lambda: next(itertools.groupby([])))  # expect: StopIteration | 
t(lambda: [k for k, _ in itertools.groupby([1, 1, 2, 1])])  # expect: [1, 2, 1]
t(lambda: list(itertools.islice(itertools.groupby(itertools.count(), lambda x: x // 3), 2))[1][0])  # expect: 1
t(lambda: [(k, [x for x in g][:1]) for k, g in itertools.groupby(sorted(['bb', 'a', 'cc'], key=len), key=len)])  # expect: [(1, ['a']), (2, ['bb'])]
t(lambda: list(itertools.groupby([1, 'a'], key=lambda x: x + 1)))  # expect: TypeError | can only concatenate str (not "int") to str
def merged(d, other):
    same = d
    d |= other
    return same
t(lambda: merged({'a': 1}, [('b', 2), ['a', 3]]))  # expect: {'a': 3, 'b': 2}
t(lambda: merged({}, [[]]))  # expect: ValueError | dictionary update sequence element #0 has length 0; 2 is required
t(lambda: merged({}, 3))  # expect: TypeError | 'int' object is not iterable
t(lambda: merged(Counter('ab'), {'a': 3, 'c': 0}))  # expect: Counter({'a': 3, 'b': 1})
t(lambda: merged(Counter('ab'), [('a', 3)]))  # expect: AttributeError | 'list' object has no attribute 'items'
t(lambda: merged(OrderedDict(a=1), {'b': 2}))  # expect: OrderedDict([('a', 1), ('b', 2)])
t(lambda: merged(defaultdict(int, a=1), Counter('b')))  # expect: defaultdict(<class 'int'>, {'a': 1, 'b': 1})
def counted(c):
    c += {'a': 2}
    c -= {'b': 1}
    c &= {'a': 2}
    return c
t(lambda: counted(Counter('ab')))  # expect: Counter({'a': 2})
t(lambda: counted(Counter('abbc')))  # expect: KeyError | 'b'
t(lambda: (Counter({'a': [1]}), Counter({'a': None}, b=2)))  # expect: (Counter({'a': [1]}), Counter({'a': None, 'b': 2}))
t(lambda: Counter({'a': None}, a=2))  # expect: TypeError | unsupported operand type(s) for +: 'int' and 'NoneType'
t(lambda: Counter('a').subtract({'a': 's'}))  # expect: TypeError | unsupported operand type(s) for -: 'int' and 'str'
t(lambda: Counter(a='x').update('a'))  # expect: TypeError | can only concatenate str (not "int") to str
t(lambda: Counter(a='x').update({'a': 1}))  # expect: TypeError | unsupported operand type(s) for +: 'int' and 'str'
t(lambda: Counter(a=2).subtract('a'))  # expect: None
t(lambda: {[1]: 2, 'a': 'b'.index('c')})  # expect: ValueError | substring not found
t(lambda: {[1]: 2, **{'a': 'b'.index('c')}})  # expect: TypeError | unhashable type: 'list'
t(lambda: list(map(next, [iter([1]), iter([]), iter([2])])))  # expect: [1]
t(lambda: list(map(lambda x: next(x), [iter([1]), iter([])])))  # expect: [1]
t(lambda: next(map(next, [iter([])])))  # expect: StopIteration | 
t(lambda: next(map(next, [iter([])]), 'none'))  # expect: 'none'
t(lambda: [next(x) for x in [iter([])]])  # expect: StopIteration | 
t(lambda: list(next(x) for x in [iter([])]))  # expect: RuntimeError | generator raised StopIteration
t(lambda: sum(map(next, [iter([1]), iter([])])))  # expect: 1
t(lambda: ('fig' % re.search('a', 'a'), 'fig' % [1], 'fig' % {}))  # expect: ('fig', 'fig', 'fig')
t(lambda: 'fig' % range(3))  # expect: 'fig'
t(lambda: 'fig' % {1})  # expect: TypeError | not all arguments converted during string formatting
t(lambda: itertools.count('a'))  # expect: TypeError | a number is required
t(lambda: list(itertools.islice(itertools.count(1, 0.5), 2)) + [itertools.count(0, None)])  # expect: TypeError | a number is required
t(lambda: (re.search('é+', 'é' * 60), re.search('a+', 'a' * 48), re.search('b', 'b')))  # expect: (<re.Match object; span=(0, 60), match='ééééééééééééééééééééééééééééééééééééééééééééééééé>, <re.Match object; span=(0, 48), match='aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'>, <re.Match object; span=(0, 1), match='b'>)
t(lambda: [bool(re.fullmatch(p, x, re.I)) for p in ('i', 'İ', '[h-k]', '[^a-z]', 'x') for x in 'iIİı'])  # expect: [True, True, True, True, True, True, True, True, True, True, True, True, False, False, False, False, False, False, False, False]
t(lambda: [re.findall(r'[^\W\d]+', 'Aé_9²x'), re.findall(r'[^\W_]+', 'Aé_9²x')])  # expect: [['Aé_', '²x'], ['Aé', '9²x']]
t(lambda: ['i̇i'.isidentifier(), 'a·'.isidentifier(), '℘'.isidentifier(), '1a'.isidentifier(), '·a'.isidentifier()])  # expect: [True, True, True, False, False]
t(lambda: re.sub('a', 5, 'x'))  # expect: TypeError | decoding to str: need a bytes-like object, int found
t(lambda: re.sub('a', {'a': 1}, 'x'))  # expect: TypeError | unhashable type: 'dict'
t(lambda: re.sub('a', [], 'x'))  # expect: TypeError | unhashable type: 'list'
t(lambda: '0a'.startswith(('0', 5)))  # expect: True
t(lambda: 'b'.startswith(('0', 5)))  # expect: TypeError | tuple for startswith must only contain str, not int
t(lambda: 'abc'.find('a', 'b'))  # expect: TypeError | slice indices must be integers or None or have an __index__ method
t(lambda: 'abc'.find(1))  # expect: TypeError | must be str, not int
t(lambda: 'abc'.partition(None))  # expect: TypeError | must be str, not NoneType
def walk_and_change(d):
    for k in d:
        del d[k]
        d[k + 'b'] = 1
def index_by(l, k):
    l[k] = 1
t(lambda: walk_and_change({'a': 1}))  # expect: RuntimeError | dictionary keys changed during iteration
t(lambda: index_by([], 'x'))  # expect: TypeError | list indices must be integers or slices, not str
t(lambda: re.search(r'(?P<a>[a-z])(.)', 'ab')[1:])  # expect: TypeError | unhashable type: 'slice'
t(lambda: re.search('(a)', 'a')[1:])  # expect: IndexError | no such group
t(lambda: int(5, 1))  # expect: ValueError | int() base must be >= 2 and <= 36, or 0
t(lambda: int([], 99))  # expect: ValueError | int() base must be >= 2 and <= 36, or 0
t(lambda: math.fsum([1e-7, 1e16, 5]))  # expect: 1.0000000000000006e+16
t(lambda: math.fsum([float('inf'), 1]))  # expect: inf
t(lambda: math.fsum([float('inf'), float('-inf')]))  # expect: ValueError | -inf + inf in fsum
t(lambda: math.fsum([1e308, 1e308]))  # expect: OverflowError | intermediate overflow in fsum
t(lambda: math.fsum([1e16, 1, 1e-16, -1e16, 0.1]))  # expect: 1.1
def without(counter, key):
    del counter[key]
    return counter
t(lambda: without(Counter('ab'), 'x'))  # expect: Counter({'a': 1, 'b': 1})
