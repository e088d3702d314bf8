import re, json
from collections import defaultdict
def tr(f, *a):
    try:
        print(repr(f(*a)))
    except Exception as e:
        print(type(e).__name__, '|', e)
def f1():
    try:
        return 1
    finally:
        print('fin')
tr(f1)
def f2():
    for i in range(3):
        try:
            if i == 1: continue
            if i == 2: break
            print('b', i)
        finally:
            print('f', i)
    else:
        print('else')
    return i
tr(f2)
def f3():
    try:
        int('x')
    except (KeyError, ValueError) as e:
        msg = str(e)
    else:
        msg = 'no'
    try:
        e
    except NameError as n:
        print(type(n).__name__, n)
    return msg
tr(f3)
def f4():
    x = 1
    def g():
        nonlocal x
        x += 1
        return x
    g(); g()
    return x
tr(f4)
def f5():
    print(y5)
    y5 = 1
tr(f5)
def f6():
    fs = [lambda: i for i in range(3)]
    return [h() for h in fs]
tr(f6)
def f7():
    fs = [lambda i=i: i for i in range(3)]
    return [h() for h in fs]
tr(f7)
def f8():
    a, *b = [1, 2, 3]
    *c, d = 'xyz'
    (e, f), g = (1, 2), 3
    return a, b, c, d, e, f, g
tr(f8)
def f9(): a, b = 1, 2, 3
tr(f9)
def f10(): a, b = [1]
tr(f10)
def f11(): a, b = 5
tr(f11)
def f12(): a, *b, c = [1]
tr(f12)
def f13():
    for k, v in {'a': 1}: pass
tr(f13)
def f14():
    d = {'a': 1}
    for k in d: d['b' + k] = 1
tr(f14)
def f15():
    raise ValueError('a', 1)
tr(f15)
def f16():
    raise KeyError('x')
tr(f16)
def f17():
    try:
        raise ValueError('a')
    except ValueError:
        raise RuntimeError('b') from None
tr(f17)
def f18():
    try:
        1/0
    except ZeroDivisionError:
        raise
tr(f18)
def f19():
    assert False, 'msg'
tr(f19)
def f20(): assert 0
tr(f20)
def f21():
    x = [1, 2, 3, 4, 5]
    del x[0]
    x[1:3] = ['a', 'b', 'c']
    x[::2] = [0, 0, 0]
    x += (9,)
    y = x
    y *= 2
    return x, x is y
tr(f21)
def f22():
    n = 0
    while True:
        n += 1
        if n > 5: break
    else:
        n = -1
    while n > 0:
        n -= 1
    else:
        n = 'done'
    return n
tr(f22)
def f23():
    d = defaultdict(lambda: defaultdict(list))
    d['a']['b'].append(1)
    return json.dumps(d), d['a']
tr(f23)
def f24():
    return {k: v for k, v in zip('abc', range(3))}, {c for c in 'a'}, [x for y in [[1], [2]] for x in y], [[j for j in range(i)] for i in range(3)]
tr(f24)
def f25(*args, **kw): return args, kw
print(f25(*[1, 2], 3, **{'a': 1}, b=2))
tr(lambda: f25(**{1: 2}))
def f26(a, /, b, *, c): return a, b, c
tr(lambda: f26(1, 2, c=3))
tr(lambda: f26(1, 2, 3))
tr(lambda: f26(1, b=2))
tr(lambda: f26(a=1, b=2, c=3))
tr(lambda: f26(1, 2, c=3, d=4))
tr(lambda: f26(1, 1, b=2, c=3))
tr(lambda: f26())
def f27():
    if (n := len('abc')) > 2: return n
tr(f27)
def f28():
    x = 5
    return 1 < x < 10, 1 < x > 10, x == 5 == 5.0, not x, x and 0 or 'z', x if x else 0
tr(f28)
def f29():
    global G
    G = 7
    return G
tr(f29); print(G)
tr(lambda: undefined_name)
tr(lambda: [].append(1, 2))
tr(lambda: len())
tr(lambda: len(1))
tr(lambda: 'a'.join(5))
tr(lambda: sorted(5))
tr(lambda: sum(['a', 'b']))
tr(lambda: {}['k']['z'])
tr(lambda: [1, 2]['a'])
tr(lambda: None['a'])
tr(lambda: (1).x)
tr(lambda: 5())
tr(lambda: 'abc'())
tr(lambda: int('12', 40))
tr(lambda: 'abc'.split(5))
tr(lambda: 'abc'.strip(5))
tr(lambda: 'abc'.replace('a'))
tr(lambda: range('a'))
tr(lambda: 'a' in 5)
tr(lambda: 5 in 'a')
tr(lambda: max(1))
tr(lambda: round('1'))
tr(lambda: isinstance(1, 'a'))
tr(lambda: zip([1], 5))
tr(lambda: dict(5))
tr(lambda: list(5))
tr(lambda: 'abc'[1.5])
tr(lambda: [1][None])
tr(lambda: 'a' * 1.5)
tr(lambda: -'a')
tr(lambda: 'a' - 'b')
tr(lambda: [1] - [2])
tr(lambda: {} + {})
tr(lambda: 'a' % 1)
tr(lambda: float([]))
tr(lambda: int([]))
tr(lambda: float('million.'))
tr(lambda: 1 < None)
tr(lambda: [] < 'a')
tr(lambda: hash([]))
tr(lambda: {[]})
tr(lambda: {{}: 1})
tr(lambda: 'x'.format_foo())
tr(lambda: '{x}'.format(y=1))
tr(lambda: [*range(3), *'ab'], )
tr(lambda: (*[1], 2))
tr(lambda: f"{'a' if True else 'b'} {{x}} {1+1:>4} {'%.2f' % 1.5} {[i for i in range(2)]}")
tr(lambda: f"{3.0} {10**3} {1e100} {None} {True}")
tr(lambda: "a" "b" f"{1}" 'c')
tr(lambda: '''multi
line''')
tr(lambda: r"\d\n" + "\t\x41\u00e9\101\
")
tr(lambda: 0x1F + 0b11 + 0o17 + 1_000)
tr(lambda: (lambda *a: a)(1, 2))
tr(lambda: list(map(str, [1, None])))
tr(lambda: list(map(int, '123')))
tr(lambda: str.upper('a'))
tr(lambda: list(map(str.strip, [' a '])))
tr(lambda: dict.fromkeys('ab', 0))
tr(lambda: sorted(['b', 'A'], key=str.lower))
tr(lambda: [1, 2, 3][-1:], )
tr(lambda: 'abc'[-2:])
tr(lambda: list('abc')[1:][::-1])
tr(lambda: any(c.isdigit() for c in 'a1'))
tr(lambda: max({'a': 1, 'b': 3}.items(), key=lambda kv: kv[1]))
tr(lambda: min('b', 'a', key=lambda x: x))
tr(lambda: "%s" % [1])
tr(lambda: "%s-%s" % ('a', None))
x = y = [1]
x.append(2)
print(y, x is y)
try:
    try:
        raise KeyError('inner')
    except KeyError as e:
        raise ValueError('outer') from e
except ValueError as e:
    print(e.args, e)
class_like = {'a': lambda self: 1}
print(class_like['a'](None))
i = 10
print([i for i in range(2)], i)
def outer():
    total = 0
    items = []
    def add(v):
        nonlocal total
        total += v
        items.append(v)
        def deeper():
            return total, items
        return deeper
    add(1); return add(2)()
print(outer())
def rec(n): return 1 if n == 0 else n * rec(n - 1)
print(rec(15))
def gen_sum(): return sum(x * x for x in range(10) if x % 2)
print(gen_sum())
it = (x for x in [1, 2, 3])
print(next(it), list(it), list(it))
print(getattr('a', 'foo', 'dflt'), hasattr([], 'append'), hasattr([], 'zzz'))
print(sorted([('b', 1), ('a', 1)], key=lambda t: t[1]))
print(*[1, 2], sep='-', end='!\n')
print(isinstance({}, dict), isinstance((1,), (list, tuple)), type([]) == list, type('').__name__)
a = [1, 2, 3]
for v in a:
    if v == 2: a.remove(v)
print(a)
s = 'abc'
s += 'd'; t = s; s += 'e'; t += 'x'
print(s, t)
m = {}
m.setdefault('k', []).append(1)
m.update(z=2); m.update({'q': 3}); m.update([('w', 4)])
print(m, 'k' in m, len(m), list(m), list(m.values()))
del m['k']
print(m)
print('a' < 'b' < 'c', 'é' > 'z', [1, [2]] == [1, [2]])
print("Total: {:,} ({:.1%})".format(1234567, 0.1234))
print(str(1e16), str(123456789012345680.0), 1/3, 2/3*100, 5e-324, 1.7976931348623157e308, 100.0, 1e2, 0.1+0.7)
print(round(0.5), round(1.5), round(2.345, 2), round(-1.005, 2), round(1234567.891, 1), round(5), round(5.0), round(1e20, 2))
print(int(1e15), 10//3, -10//3, 10%3, -10%3, 10%-3, 7.0//2, 2**0.5, (-8)**2)
# expect: fin
# expect: 1
# expect: b 0
# expect: f 0
# expect: f 1
# expect: f 2
# expect: 2
# expect: UnboundLocalError cannot access local variable 'e' where it is not associated with a value
# expect: "invalid literal for int() with base 10: 'x'"
# expect: 3
# expect: UnboundLocalError | cannot access local variable 'y5' where it is not associated with a value
# expect: [2, 2, 2]
# expect: [0, 1, 2]
# expect: (1, [2, 3], ['x', 'y'], 'z', 1, 2, 3)
# expect: ValueError | too many values to unpack (expected 2)
# expect: ValueError | not enough values to unpack (expected 2, got 1)
# expect: TypeError | cannot unpack non-iterable int object
# expect: ValueError | not enough values to unpack (expected at least 2, got 1)
# expect: ValueError | not enough values to unpack (expected 2, got 1)
# expect: RuntimeError | dictionary changed size during iteration
# expect: ValueError | ('a', 1)
# expect: KeyError | 'x'
# expect: RuntimeError | b
# expect: ZeroDivisionError | division by zero
# expect: AssertionError | msg
# expect: AssertionError | 
# expect: ([0, 'a', 0, 'c', 0, 9, 0, 'a', 0, 'c', 0, 9], True)
# expect: 'done'
# expect: ('{"a": {"b": [1]}}', defaultdict(<class 'list'>, {'b': [1]}))
# expect: ({'a': 0, 'b': 1, 'c': 2}, {'a'}, [1, 2], [[], [0], [0, 1]])
# expect: ((1, 2, 3), {'a': 1, 'b': 2})
# expect: TypeError | keywords must be strings
# expect: (1, 2, 3)
# expect: TypeError | f26() takes 2 positional arguments but 3 were given
# expect: TypeError | f26() missing 1 required keyword-only argument: 'c'
# expect: TypeError | f26() got some positional-only arguments passed as keyword arguments: 'a'
# expect: TypeError | f26() got an unexpected keyword argument 'd'
# expect: TypeError | f26() got multiple values for argument 'b'
# expect: TypeError | f26() missing 2 required positional arguments: 'a' and 'b'
# expect: 3
# expect: (True, False, True, False, 'z', 5)
# expect: 7
# expect: 7
# expect: NameError | name 'undefined_name' is not defined
# expect: TypeError | list.append() takes exactly one argument (2 given)
# expect: TypeError | len() takes exactly one argument (0 given)
# expect: TypeError | object of type 'int' has no len()
# expect: TypeError | can only join an iterable
# expect: TypeError | 'int' object is not iterable
# expect: TypeError | unsupported operand type(s) for +: 'int' and 'str'
# expect: KeyError | 'k'
# expect: TypeError | list indices must be integers or slices, not str
# expect: TypeError | 'NoneType' object is not subscriptable
# expect: AttributeError | 'int' object has no attribute 'x'
# expect: TypeError | 'int' object is not callable
# expect: TypeError | 'str' object is not callable
# expect: ValueError | int() base must be >= 2 and <= 36, or 0
# expect: TypeError | must be str or None, not int
# expect: TypeError | strip arg must be None or str
# expect: TypeError | replace expected at least 2 arguments, got 1
# expect: TypeError | 'str' object cannot be interpreted as an integer
# expect: TypeError | argument of type 'int' is not iterable
# expect: TypeError | 'in <string>' requires string as left operand, not int
# expect: TypeError | 'int' object is not iterable
# expect: TypeError | type str doesn't define __round__ method
# expect: TypeError | isinstance() arg 2 must be a type, a tuple of types, or a union
# expect: TypeError | 'int' object is not iterable
# expect: TypeError | 'int' object is not iterable
# expect: TypeError | 'int' object is not iterable
# expect: TypeError | string indices must be integers, not 'float'
# expect: TypeError | list indices must be integers or slices, not NoneType
# expect: TypeError | can't multiply sequence by non-int of type 'float'
# expect: TypeError | bad operand type for unary -: 'str'
# expect: TypeError | unsupported operand type(s) for -: 'str' and 'str'
# expect: TypeError | unsupported operand type(s) for -: 'list' and 'list'
# expect: TypeError | unsupported operand type(s) for +: 'dict' and 'dict'
# expect: TypeError | not all arguments converted during string formatting
# expect: TypeError | float() argument must be a string or a real number, not 'list'
# expect: TypeError | int() argument must be a string, a bytes-like object or a real number, not 'list'
# expect: ValueError | could not convert string to float: 'million.'
# expect: TypeError | '<' not supported between instances of 'int' and 'NoneType'
# expect: TypeError | '<' not supported between instances of 'list' and 'str'
# expect: TypeError | unhashable type: 'list'
# expect: TypeError | unhashable type: 'list'
# expect: TypeError | unhashable type: 'dict'
# expect: AttributeError | 'str' object has no attribute 'format_foo'
# expect: KeyError | 'x'
# expect: [0, 1, 2, 'a', 'b']
# expect: (1, 2)
# expect: 'a {x}    2 1.50 [0, 1]'
# expect: '3.0 1000 1e+100 None True'
# expect: 'ab1c'
# expect: 'multi\nline'
# expect: '\\d\\n\tAéA'
# expect: 1049
# expect: (1, 2)
# expect: ['1', 'None']
# expect: [1, 2, 3]
# expect: 'A'
# expect: ['a']
# expect: {'a': 0, 'b': 0}
# expect: ['A', 'b']
# expect: [3]
# expect: 'bc'
# expect: ['c', 'b']
# expect: True
# expect: ('b', 3)
# expect: 'a'
# expect: '[1]'
# expect: 'a-None'
# expect: [1, 2] True
# expect: ('outer',) outer
# expect: 1
# expect: [0, 1] 10
# expect: (3, [1, 2])
# expect: 1307674368000
# expect: 165
# expect: 1 [2, 3] []
# expect: dflt True False
# expect: [('b', 1), ('a', 1)]
# expect: 1-2!
# expect: True True True str
# expect: [1, 3]
# expect: abcde abcdx
# expect: {'k': [1], 'z': 2, 'q': 3, 'w': 4} True 4 ['k', 'z', 'q', 'w'] [[1], 2, 3, 4]
# expect: {'z': 2, 'q': 3, 'w': 4}
# expect: True True True
# expect: Total: 1,234,567 (12.3%)
# expect: 1e+16 1.2345678901234568e+17 0.3333333333333333 66.66666666666666 5e-324 1.7976931348623157e+308 100.0 100.0 0.7999999999999999
# expect: 0 2 2.35 -1.0 1234567.9 5 5 1e+20
# expect: 1000000000000000 3 -4 1 2 -2 3.0 1.4142135623730951 64
def starred_right(l):
    a, b, *rest = 1, 2, *l
    x = a, *l
    y = *l, *rest
    return a, b, rest, x, y
print(starred_right([3]))  # expect: (1, 2, [3], (1, 3), (3, 3))
