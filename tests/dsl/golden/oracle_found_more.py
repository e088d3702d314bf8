# More of what random programs, held against CPython, found to be otherwise once.
import re, math, itertools, functools, string, json
from collections import Counter, OrderedDict, defaultdict
def t(g):
    try:
        print(repr(g()))
    except Exception as e:
        print(type(e).__name__, '|', e)
def counted_and(c, other):
    c &= other
    return c
def named_twice(**k):
    return k
def regex_error(pattern):
    try:
        re.compile(pattern)
    except re.error as e:
        return e.msg, e.pos, e.lineno, e.colno, e.pattern
def keyword_first(a, /, b):
    return a
def noted():
    e = ValueError('a')
    e.note = 1
    return e.note, e.args
t(lambda: ({'a'}, Counter(a=None) & Counter()))  # expect: TypeError | '<' not supported between instances of 'NoneType' and 'int'
t(lambda: Counter(a='x') + Counter())  # expect: TypeError | can only concatenate str (not "int") to str
t(lambda: Counter(a='x') - Counter(b=1))  # expect: TypeError | unsupported operand type(s) for -: 'str' and 'int'
t(lambda: (Counter(a=3, b=1) & Counter(a=1, c=5), Counter(a=1) | Counter(b=-2, a=4), Counter(a=1) - Counter(a=2, b=-1)))  # expect: (Counter({'a': 1}), Counter({'a': 4}), Counter({'b': 1}))
t(lambda: sum((Counter('ab'), Counter('a')), Counter()))  # expect: Counter({'a': 2, 'b': 1})
t(lambda: counted_and(Counter('abb'), Counter('bbb')))  # expect: Counter({'b': 2})
t(lambda: counted_and(Counter('abb'), [1]))  # expect: TypeError | list indices must be integers or slices, not str
t(lambda: counted_and(Counter(), 5))  # expect: Counter()
t(lambda: int('\n' * 1000))  # expect: ValueError | invalid literal for int() with base 10: '\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\
t(lambda: [].index('x' * 1000))  # expect: ValueError | 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' is not in list
t(lambda: (6 & 3 ^ 5, 6 ^ 3 & 5, 1 ^ 2 & 3 ^ 4 & 6 | 8, (6 & 3) ^ 5, 6 & (3 ^ 5), {1} & {2} ^ {3}))  # expect: (7, 7, 15, 7, 6, {3})
t(lambda: re.findall('a{,}b{,2}', 'aabbb'))  # expect: ['aabb', 'b', '']
t(lambda: re.search('[z-a]', 'x'))  # expect: error | bad character range z-a at position 1
t(lambda: re.search(r'[a-\d]', 'x'))  # expect: error | bad character range a-\d at position 1
t(lambda: re.search('(?P<1>a)', 'x'))  # expect: error | bad character in group name '1' at position 4
t(lambda: re.search('(?P<a>.)(?P<a>.)', 'x'))  # expect: error | redefinition of group name 'a' as group 2; was group 1 at position 12
t(lambda: re.search('(?P<a', 'x'))  # expect: error | missing >, unterminated name at position 4
t(lambda: re.search('(?', 'x'))  # expect: error | unexpected end of pattern at position 2
t(lambda: re.search('(?z)', 'x'))  # expect: error | unknown extension ?z at position 1
t(lambda: re.search('(?L)a', 'x'))  # expect: error | bad inline flags: cannot use 'L' flag with a str pattern at position 3
t(lambda: re.search('a(?i)b', 'x'))  # expect: error | global flags not at the start of the expression at position 1
t(lambda: re.search('(?i-:a)', 'x'))  # expect: error | missing flag at position 4
t(lambda: re.search('a\n(b', 'x'))  # expect: error | missing ), unterminated subpattern at position 2 (line 2, column 1)
t(lambda: re.search(r'\x1', 'x'))  # expect: error | incomplete escape \x1 at position 0
t(lambda: re.search(r'\8', 'x'))  # expect: error | invalid group reference 8 at position 1
t(lambda: re.search(r'(a)\777', 'x'))  # expect: error | octal escape value \777 outside of range 0-0o377 at position 3
t(lambda: re.search(r'(?P<é>a)', 'a').group('é'))  # expect: 'a'
t(lambda: re.search('(?u)a', 'a', re.ASCII))  # expect: ValueError | ASCII and UNICODE flags are incompatible
t(lambda: re.sub('a', r'\g<1a>', 'a'))  # expect: error | bad character in group name '1a' at position 3
t(lambda: re.sub('a', r'\g<a', 'a'))  # expect: error | missing >, unterminated name at position 3
t(lambda: re.sub('a', r'\g<', 'a'))  # expect: error | missing group name at position 3
t(lambda: re.sub('a', r'\g', 'a'))  # expect: error | missing < at position 2
t(lambda: re.sub('(?P<x>a)', r'[\g<x>\g<0>\g<1>\101\0\x]', 'a'))  # expect: error | bad escape \x at position 22
t(lambda: re.sub('(?P<x>a)', r'[\g<x>\g<0>\g<1>\101\0]', 'a'))  # expect: '[aaaA\x00]'
t(lambda: re.sub('a', r'\g<y>', 'a'))  # expect: IndexError | unknown group name 'y'
t(lambda: re.search('(a)(?P<n>b)?', 'xab').expand(r'\2-\g<n>\1'))  # expect: 'b-ba'
t(lambda: (re.compile('a', re.I | re.M), re.compile("it's"), re.compile('a', re.A).flags, re.compile('a').flags))  # expect: (re.compile('a', re.IGNORECASE|re.MULTILINE), re.compile("it's"), 256, 32)
t(lambda: (re.compile('b').search('abab', 2, 99).pos, re.compile('b').search('abab', 2, 99).endpos))  # expect: (2, 4)
t(lambda: regex_error('a\n(b'))  # expect: ('missing ), unterminated subpattern', 2, 2, 1, 'a\n(b')
t(lambda: [Counter, defaultdict, OrderedDict, type(re.compile('')), re.error, slice(1, None)])  # expect: [<class 'collections.Counter'>, <class 'collections.defaultdict'>, <class 'collections.OrderedDict'>, <class 're.Pattern'>, <class 're.error'>, slice(1, None, None)]
t(lambda: 'abcdef'[slice(1, 4)] + str(slice(2).stop) + str(range(2, 9, 3).step))  # expect: 'bcd23'
t(lambda: (range(0, 10, 3).index(9), range(3).count(5), range(5, 0, -2).index(1)))  # expect: (3, 0, 2)
t(lambda: range(3).index('a'))  # expect: ValueError | sequence.index(x): x not in sequence
t(lambda: range(3).index(7))  # expect: ValueError | 7 is not in range
t(lambda: (range(3, 1000)[::255], range(10)[5:2], range(10)[::-3]))  # expect: (range(3, 1000, 255), range(5, 2), range(9, -1, -3))
t(lambda: '{a} {b[0]}'.format_map({'a': 1, 'b': [2]}))  # expect: '1 2'
t(lambda: '{}'.format_map({}))  # expect: ValueError | Format string contains positional fields
t(lambda: '{a}'.format_map(defaultdict(int)))  # expect: '0'
t(lambda: 'a\nb'.splitlines('x'))  # expect: TypeError | 'str' object cannot be interpreted as an integer
t(lambda: 'a'.splitlines(1 << 40))  # expect: OverflowError | Python int too large to convert to C int
t(lambda: list(itertools.combinations([1, 2], None)))  # expect: TypeError | 'NoneType' object cannot be interpreted as an integer
t(lambda: itertools.combinations([1]))  # expect: TypeError | combinations() missing required argument 'r' (pos 2)
t(lambda: list(itertools.permutations([1], 'a')))  # expect: TypeError | Expected int as r
t(lambda: functools.partial(3))  # expect: TypeError | the first argument must be callable
t(lambda: functools.partial(max, 1, key=None))  # expect: functools.partial(<built-in function max>, 1, key=None)
t(lambda: isinstance(1, None))  # expect: TypeError | isinstance() arg 2 must be a type, a tuple of types, or a union
t(lambda: issubclass(int, (str, (int,))))  # expect: True
t(lambda: issubclass(1, int))  # expect: TypeError | issubclass() arg 1 must be a class
t(lambda: OrderedDict('ab'))  # expect: ValueError | need more than 1 value to unpack
t(lambda: OrderedDict([1]))  # expect: TypeError | 'int' object is not iterable
t(lambda: OrderedDict([(1, 2, 3)]))  # expect: ValueError | too many values to unpack (expected 2)
t(lambda: dict({}, **{'a': 1}, a=2))  # expect: TypeError | dict() got multiple values for keyword argument 'a'
t(lambda: named_twice(a=1, **{'a': 2}))  # expect: TypeError | named_twice() got multiple values for keyword argument 'a'
t(lambda: (lambda a, /, b: a)(1, 2, 3, c=4))  # expect: TypeError | <lambda>.<locals>.<lambda>() got an unexpected keyword argument 'c'
t(lambda: max(*3, 4))  # expect: TypeError | Value after * must be an iterable, not int
t(lambda: 'abc'.translate(['x'] * 98))  # expect: 'xbc'
t(lambda: 'a'.translate({97: -1}))  # expect: ValueError | character mapping must be in range(0x110000)
t(lambda: 'a'.translate({97: 1.5}))  # expect: TypeError | character mapping must return integer, None or str
t(lambda: {'a': 1}.keys().isdisjoint('bc'))  # expect: True
t(lambda: frozenset([1]).add([].pop()))  # expect: AttributeError | 'frozenset' object has no attribute 'add'
t(lambda: json.dumps([1], separators='a'))  # expect: ValueError | not enough values to unpack (expected 2, got 1)
t(lambda: json.dumps('a', indent=[1], separators=(1, 2)))  # expect: '"a"'
t(lambda: json.dumps([1], indent=2.5))  # expect: TypeError | can't multiply sequence by non-int of type 'float'
t(lambda: json.loads('\ufeff[]'))  # expect: JSONDecodeError | Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)
t(lambda: sorted([2, 1], reverse=None))  # expect: TypeError | 'NoneType' object cannot be interpreted as an integer
t(lambda: [1, 2].sort(reverse='x'))  # expect: TypeError | 'str' object cannot be interpreted as an integer
t(lambda: string.capwords('a b', 5))  # expect: AttributeError | 'int' object has no attribute 'join'
t(lambda: sum(-1, ''))  # expect: TypeError | 'int' object is not iterable
t(lambda: type(None)(1))  # expect: TypeError | NoneType takes no arguments
t(lambda: math.degrees(1.7976931348623157e308))  # expect: inf
t(lambda: math.isclose(1, 2, rel_tol=-1))  # expect: ValueError | tolerances must be non-negative
t(lambda: Counter.fromkeys('a'))  # expect: NotImplementedError | Counter.fromkeys() is undefined.  Use Counter(iterable) instead.
t(lambda: (OrderedDict(a=1).fromkeys('b'), defaultdict(int).fromkeys('b'), OrderedDict.fromkeys('b')))  # expect: (OrderedDict([('b', None)]), defaultdict(None, {'b': None}), OrderedDict([('b', None)]))
t(lambda: Counter(a='x').elements() is None)  # expect: False
t(lambda: list(Counter(a=2, b=0, c=-1, d=1).elements()))  # expect: ['a', 'a', 'd']
t(lambda: Counter('ab').most_common('a'))  # expect: TypeError | '>=' not supported between instances of 'str' and 'int'
t(lambda: Counter('ab').most_common(1.0))  # expect: [('a', 1)]
t(lambda: (format(24, '^08'), format('a', '08'), format('a', '0>3'), format(-0.04, 'z.1f')))  # expect: ('00024000', 'a0000000', '00a', '0.0')
t(lambda: format('a', '0=5'))  # expect: ValueError | '=' alignment not allowed in string format specifier
t(lambda: format('a', '#5'))  # expect: ValueError | Alternate form (#) not allowed in string format specifier
t(lambda: format(5, ',x'))  # expect: ValueError | Cannot specify ',' with 'x'.
t(lambda: format(5, '.3d'))  # expect: ValueError | Precision not allowed in integer format specifier
t(lambda: format(True, 'y'))  # expect: ValueError | Unknown format code 'y' for object of type 'bool'
t(lambda: format(65, '+c'))  # expect: ValueError | Sign not allowed with integer format specifier 'c'
t(lambda: format(1, 'é'))  # expect: ValueError | Unknown format code '\xe9' for object of type 'int'
t(lambda: (next(itertools.count(True)), next(itertools.count(True, 2))))  # expect: (1, True)
t(lambda: {*[1], *[[2]], 'a'.index('b')})  # expect: TypeError | unhashable type: 'list'
t(lambda: {[1], 'a'.index('b')})  # expect: ValueError | substring not found
t(lambda: type(None)[1])  # expect: TypeError | type 'NoneType' is not subscriptable
t(lambda: chr(-1 << 40))  # expect: OverflowError | Python int too large to convert to C int
t(lambda: str('a', 'utf-8'))  # expect: TypeError | decoding str is not supported
t(lambda: 'a'.center(9, None))  # expect: TypeError | The fill character must be a unicode character, not NoneType
t(lambda: [1].index(1, None))  # expect: TypeError | slice indices must be integers or have an __index__ method
t(lambda: list.pop())  # expect: TypeError | unbound method list.pop() needs an argument
t(lambda: 'a'.lower(1))  # expect: TypeError | str.lower() takes no arguments (1 given)
t(lambda: round())  # expect: TypeError | round() missing required argument 'number' (pos 1)
t(lambda: sorted())  # expect: TypeError | sorted expected 1 argument, got 0
t(lambda: pow(2, 'a', 1.5))  # expect: TypeError | pow() 3rd argument not allowed unless all arguments are integers
t(lambda: re.split('+', 'a', maxsplit=None))  # expect: error | nothing to repeat at position 0
t(lambda: re.compile([]))  # expect: TypeError | unhashable type: 'list'
t(lambda: json.dumps('\x7f\xad\x00'))  # expect: '"\\u007f\\u00ad\\u0000"'
t(lambda: re.sub('b', lambda m: None, 'abc'))  # expect: 'ac'
t(lambda: (format('abc', '.99999999999'), format('abc', '.2')))  # expect: ('abc', 'ab')
t(noted)  # expect: (1, ('a',))
