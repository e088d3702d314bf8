# What random programs and idioms of supervisors, held against CPython, found at last.
import re, math, itertools, string, functools
from collections import OrderedDict, Counter
def t(g):
    try:
        print(repr(g()))
    except Exception as e:
        print(type(e).__name__, '|', e)
def raised(f, *a):
    try:
        f(*a)
    except Exception as e:
        return repr(str(e))
def twice_handled():
    try:
        raise ValueError('a')
    except ValueError:
        return dict(a=1, **{'a': 2})
def twice_in_finally():
    try:
        raise ValueError('a')
    finally:
        OrderedDict(a=1, **{'a': 2})
def raised_again():
    try:
        raise ValueError('a')
    finally:
        raise
def calls():
    seen = []
    def answer(m):
        seen.append(m[0])
        return 1 if m[0] == 'b' else 'x'
    try:
        re.sub('[ab]', answer, 'abb')
    except TypeError as e:
        return str(e), seen
def positional(a, /, b=1):
    return a
def only_two(a, b, /, c=1):
    return a
def teed():
    a, b, c = itertools.tee((x * x for x in range(5)), 3)
    return next(a), next(a), list(b), list(a), next(c), list(zip(c, c))
t(lambda: re.findall(r'[^\w\s]', 'ʰª\u0345', re.I) == ['\u0345'])  # expect: True
t(lambda: (re.findall(r'\w', '\u0345ι', re.I), len(re.findall(r'\W', '\u0345ι', re.I)), len(re.findall(r'[\W\s]', 'ι \u0345', re.I)), re.findall(r'[^\W\d_]+', '\u0345Éé1_', re.I)))  # expect: (['ι'], 1, 2, ['Éé'])
t(lambda: re.sub(r'[\W_]+', ' ', 'Söme text, größer__ﬁne (ὈΔ) 日本語… x'))  # expect: 'Söme text größer ﬁne ὈΔ 日本語 x'
t(lambda: re.findall(r'[\W\d]', 'é1-_ !'))  # expect: ['1', '-', ' ', '!']
t(lambda: re.split(r'[\W_]', 'a-b_c‿d．e'))  # expect: ['a', 'b', 'c', 'd', 'e']
t(lambda: (re.findall(r'(?i)[a-z]+', 'aſtK Z', re.A), re.findall(r'(?i)sk', 'SK ſK sK', re.A), re.findall(r'(?i)\x53[^k]', 'sKsaſ', re.A), re.findall('é', 'É', re.I | re.A), re.findall('É', 'é', re.I), re.findall('(?i)iI[^i-k]', 'IiıiII', re.A)))  # expect: (['a', 'tK', 'Z'], ['SK', 'sK'], ['sa'], [], ['é'], ['Iiı'])
t(lambda: '%S' % ())  # expect: TypeError | not enough arguments for format string
t(lambda: '%S' % (1,))  # expect: ValueError | unsupported format character 'S' (0x53) at index 1
t(lambda: '%s %S' % (1,))  # expect: TypeError | not enough arguments for format string
t(lambda: (f'{math.inf:+010,.1f}', f'{math.nan:08}', f'{-math.inf:012,}', f'{1234.5:012,}'))  # expect: ('+000000inf', '00000nan', '-00000000inf', '00,001,234.5')
t(lambda: raised(float, '0\x1f'))  # expect: '"could not convert string to float: \'0\\\\x1f\'"'
t(lambda: raised(int, '\x1c1'))  # expect: '"invalid literal for int() with base 10: \'\\\\x1c1\'"'
t(lambda: (float('\x85 1\u2003'), int('\x0b1\n')))  # expect: (1.0, 1)
t(lambda: list(zip('ab', enumerate('cd', 9223372036854775806)))[1])  # expect: ('b', (9223372036854775807, 'd'))
t(lambda: string.capwords(re.compile('a')))  # expect: TypeError | expected string or bytes-like object, got 'NoneType'
t(lambda: string.capwords('a  b'))  # expect: 'A B'
t(lambda: string.capwords(5))  # expect: AttributeError | 'int' object has no attribute 'split'
t(lambda: re.sub('a', lambda m: Counter(), 'xa'))  # expect: TypeError | sequence item 1: expected str instance, Counter found
t(lambda: calls())  # expect: ('sequence item 1: expected str instance, int found', ['a', 'b', 'b'])
t(lambda: functools.partial(max, 5)(*4))  # expect: TypeError | functools.partial(<built-in function max>, 5) argument after * must be an iterable, not int
t(lambda: functools.partial(max, 5, b=3)(b=1, **{'b': 2}))  # expect: TypeError | functools.partial(<built-in function max>, 5, b=3) got multiple values for keyword argument 'b'
t(lambda: print(*4))  # expect: TypeError | print() argument after * must be an iterable, not int
t(lambda: 'a'.join(**4))  # expect: TypeError | str.join() argument after ** must be a mapping, not int
t(lambda: twice_handled())  # expect: KeyError | 'a'
t(lambda: twice_in_finally())  # expect: KeyError | 'a'
t(lambda: raised_again())  # expect: ValueError | a
t(lambda: dict(a=1, **{'a': 2}))  # expect: TypeError | dict() got multiple values for keyword argument 'a'
t(lambda: positional(1, **{'T': 1, 'a': 2}))  # expect: TypeError | positional() got some positional-only arguments passed as keyword arguments: 'a'
t(lambda: only_two(1, **{'T': 1, 'b': 3, 'a': 2}))  # expect: TypeError | only_two() got some positional-only arguments passed as keyword arguments: 'a, b'
t(lambda: positional(1, **{'T': 1}))  # expect: TypeError | positional() got an unexpected keyword argument 'T'
t(lambda: type(re.compile(''))('a'))  # expect: TypeError | cannot create 're.Pattern' instances
t(lambda: teed())  # expect: (0, 1, [0, 1, 4, 9, 16], [4, 9, 16], 0, [(1, 4), (9, 16)])
t(lambda: itertools.tee([], -1))  # expect: ValueError | n must be >= 0
t(lambda: (itertools.tee(5, 0), [list(x) for x in itertools.tee('ab')]))  # expect: ((), [['a', 'b'], ['a', 'b']])
t(lambda: itertools.tee(5))  # expect: TypeError | 'int' object is not iterable
def twice_in_classes():
    try:
        raise ValueError
    except dict(a=1, **{'a': 2}):
        pass
def nested():
    try:
        try:
            raise ValueError('x')
        except TypeError:
            pass
    except ValueError as e:
        try:
            raise
        except ValueError as f:
            return e is f
def after():
    try:
        raise ValueError('x')
    except ValueError:
        pass
    raise
t(lambda: twice_in_classes())  # expect: KeyError | 'a'
t(lambda: nested())  # expect: True
t(lambda: after())  # expect: RuntimeError | No active exception to reraise
t(lambda: dict(a=1, **{'a': 2}))  # expect: TypeError | dict() got multiple values for keyword argument 'a'
t(lambda: range(0, 100, -2147483648)[::-9007199254740992])  # expect: OverflowError | the integer result does not fit in 64 bits
t(lambda: (range(9)[::-1], range(1, 10, 3)[1:], range(3)[7:]))  # expect: (range(8, -1, -1), range(4, 10, 3), range(3, 3))
