import re, json, math
from collections import Counter, defaultdict, OrderedDict
import itertools
from functools import reduce, partial
import string
def t(f, *a, **k):
    try:
        r = f(*a, **k)
        print(repr(r), type(r).__name__)
    except Exception as e:
        print(type(e).__name__ + ': ' + str(e))
exprs = [
    lambda: 1/0,
    lambda: 1//0,
    lambda: 7//-2,
    lambda: -7%3,
    lambda: 7.5//-2,
    lambda: -7.5%2,
    lambda: 2**10,
    lambda: 2**-1,
    lambda: 0.1+0.2,
    lambda: 1e16,
    lambda: 1e15,
    lambda: 123456789.123,
    lambda: 1e-5,
    lambda: 0.0001,
    lambda: 1.0,
    lambda: -0.0,
    lambda: 1e22,
    lambda: 1.5e300*1e10,
    lambda: round(2.675,2),
    lambda: round(2.5),
    lambda: round(-3.5),
    lambda: round(1234.5678,-2),
    lambda: round(15,-1),
    lambda: round(25,-1),
    lambda: int("12"),
    lambda: int(" -12 "),
    lambda: int("x"),
    lambda: int("1_000"),
    lambda: int("0x1f",16),
    lambda: int("ff",16),
    lambda: int(3.9),
    lambda: int("3.5"),
    lambda: int(None),
    lambda: float("1e5"),
    lambda: float("inf"),
    lambda: float("-nan"),
    lambda: float("1,000"),
    lambda: float("$5"),
    lambda: float(""),
    lambda: float(" 2.50 "),
    lambda: float("million."),
    lambda: "abc"[1],
    lambda: "abc"[-1],
    lambda: "abc"[5],
    lambda: "abc"[::-1],
    lambda: "héllo"[1:3],
    lambda: [1,2,3][::-2],
    lambda: [1,2,3][5:],
    lambda: (1,2)[3],
    lambda: "a,b,,c".split(","),
    lambda: " a  b ".split(),
    lambda: "a b c d".split(None,2),
    lambda: "a-b-c".rsplit("-",1),
    lambda: "abc".split(""),
    lambda: "a\nb\r\nc".splitlines(),
    lambda: "a\n".splitlines(True),
    lambda: "x".join(["a","b"]),
    lambda: "x".join([1]),
    lambda: ",".join("abc"),
    lambda: "".join([]),
    lambda: "abc".replace("b","XX"),
    lambda: "aaa".replace("a","b",2),
    lambda: "abc".replace("","-"),
    lambda: "  a ".strip(),
    lambda: "xxaxx".strip("x"),
    lambda: "abc".find("c"),
    lambda: "abc".find("z"),
    lambda: "abc".index("z"),
    lambda: "aXbX".rfind("X"),
    lambda: "abcabc".count("bc"),
    lambda: "aaa".count(""),
    lambda: "Hello World".lower(),
    lambda: "hello world".title(),
    lambda: "hELLO".capitalize(),
    lambda: "ß".upper(),
    lambda: "ΑΣ".lower(),
    lambda: "hi".center(7,"*"),
    lambda: "hi".center(6,"*"),
    lambda: "42".zfill(5),
    lambda: "-42".zfill(5),
    lambda: "hi".ljust(5)+"|",
    lambda:"hi".rjust(5),
    lambda: "abc".isalpha(),
    lambda: "12".isdigit(),
    lambda: "1.2".isdigit(),
    lambda: "".isalpha(),
    lambda: "²".isdigit(),
    lambda: "Abc".istitle(),
    lambda: "ABC".isupper(),
    lambda: "a1".isalnum(),
    lambda:" \t".isspace(),
    lambda: "a=b=c".partition("="),
    lambda: "a=b=c".rpartition("="),
    lambda: "abc".partition("x"),
    lambda: "abc".startswith(("x","ab")),
    lambda: "abc".endswith("bc"),
    lambda: "abc".startswith("b",1),
    lambda: f"{3.14159:.2f}",
    lambda: f"{1234567.891:,.2f}",
    lambda: f"{0.256:.1%}",
    lambda: f"{42:05d}",
    lambda: f"{42:+}",
    lambda: f"{42:x}",
    lambda: f"{42:#x}",
    lambda: f"{'a':>5}|",
    lambda: f"{'a':*^7}",
    lambda: f"{1e10:g}",
    lambda: f"{123456789:,}",
    lambda: f"{12.5:e}",
    lambda: f"{True}",
    lambda: f"{None!r:>6}",
    lambda: f"{[1,2]}",
    lambda: f"{1.0:.0f}",
    lambda: f"{2.5:.0f}",
    lambda: f"{1234.5:010,.1f}",
    lambda: f"{-5:=+6d}",
    lambda: f"{1e300:.3}",
    lambda: f"{3.0:.3}",
    lambda: f"{'abc':.2}",
    lambda: f"{5:s}",
    lambda: f"{'a':d}",
    lambda: f"{1.5:d}",
    lambda: f"{float('nan'):5.1f}",
    lambda: f"{1:c}" ,
    lambda: f"{255:b}",
    lambda: f"{255:_b}",
    lambda: f"{1234567:_}",
    lambda: "%s %d %.2f" % ("a", 3, 2.5),
    lambda: "%5s|%-5s|%05d" % ("a","b",7),
    lambda: "%(x)s" % {"x":1},
    lambda: "%d%%" % 5,
    lambda: "%s" % (1,2),
    lambda: "%s %s" % 1,
    lambda: "%x %o %e %g" % (255,8,12345.678,0.00001),
    lambda: "%r" % "a'b",
    lambda: "%+d % d" % (3,4),
    lambda: "%c%c" % ("a",98),
    lambda: "%10.3f|" % 3.14159,
    lambda: "%d" % 3.7,
    lambda: "%d" % "a",
    lambda: "{} {}".format(1,2),
    lambda: "{1} {0}".format(1,2),
    lambda: "{a:>5}".format(a=3),
    lambda: "{0[x]} {1.real}".format({"x":1},5),
    lambda: "{!r}".format("a"),
    lambda: "{{}}".format(),
    lambda: "{".format(),
    lambda: "}".format(),
    lambda: "{:{}}".format("a",5),
    lambda: "{} {0}".format(1),
    lambda: [1,2]+[3],
    lambda: [1]*3,
    lambda: [1]+(2,),
    lambda: "a"+1,
    lambda: 1+"a",
    lambda: [1,2]<[1,3],
    lambda: (1,"a")<(1,2),
    lambda: 1<"a",
    lambda: None<1,
    lambda: [1]==(1,),
    lambda: 1==1.0,
    lambda: True+1,
    lambda: "a"*3,
    lambda: "a"*-1,
    lambda: sorted([3,1,2],reverse=True),
    lambda: sorted("banana"),
    lambda: sorted([(2,"b"),(1,"a"),(2,"a")],key=lambda p:p[0]),
    lambda: sorted([1,"a"]),
    lambda: sorted({"b":1,"a":2}),
    lambda: max([1,5,3]),
    lambda: max("a","b"),
    lambda: max([]),
    lambda: max([],default=0),
    lambda: min([3,1],key=lambda x:-x),
    lambda: sum([1,2.5]),
    lambda: sum([[1],[2]],[]),
    lambda: sum(["a"]),
    lambda: list(zip([1,2],"ab")),
    lambda: list(enumerate("ab",1)),
    lambda: list(map(lambda x:x*2,[1,2])),
    lambda: list(filter(None,[0,1,"",2])),
    lambda: list(reversed([1,2,3])),
    lambda: any(x>2 for x in [1,2,3]),
    lambda: all([]),
    lambda: list(range(10,0,-3)),
    lambda: range(5)[-1],
    lambda: len(range(0,10,3)),
    lambda: 3 in range(5),
    lambda: range(3)==range(0,3),
    lambda: divmod(-7,2),
    lambda: pow(3,4,5),
    lambda: abs(-3.5),
    lambda: {"a":1}["b"],
    lambda: {"a":1}.get("b"),
    lambda: {"a":1}.get("b",5),
    lambda: {1:2,1.0:3},
    lambda: {True:1,1:2},
    lambda: {[]:1},
    lambda: dict([(1,2)]),
    lambda: dict(a=1),
    lambda: dict([1]),
    lambda: {**{"a":1},"b":2},
    lambda: {"a":1}|{"b":2},
    lambda: list({"a":1}.items()),
    lambda: {"a":1}.keys(),
    lambda: {"a":1}.items(),
    lambda: {"a":1}.pop("z"),
    lambda: {"a":1}.pop("z",3),
    lambda: {}.popitem(),
    lambda: {1,2}|{3},
    lambda: {1,2}&{2},
    lambda: {1,2}-{2},
    lambda: {1,2}^{2,3},
    lambda: set(),
    lambda: {1}<{1,2},
    lambda: frozenset([1]),
    lambda: len({1,1.0,True}),
    lambda: [1,2,3].index(5),
    lambda: [1,2].remove(5),
    lambda: [].pop(),
    lambda: [1,2,3].pop(0),
    lambda: [1,2].foo,
    lambda: None.strip(),
    lambda: (5).foo,
    lambda: "a".foo(),
    lambda: isinstance(1,int),
    lambda: isinstance(True,int),
    lambda: isinstance("a",(int,str)),
    lambda: type(1),
    lambda: type("a").__name__,
    lambda: str(1.0),
    lambda: str(None),
    lambda: repr("a\n'"),
    lambda: repr('a"\''),
    lambda: repr("é\xa0\u200b\t\\"),
    lambda: str([1,"a",None,True,2.0]),
    lambda: str({"a":[1]}),
    lambda: str((1,)),
    lambda: bool([]),
    lambda: bool("0"),
    lambda: int(True),
    lambda: chr(233),
    lambda: ord("é"),
    lambda: hex(255),
    lambda: bin(5),
    lambda: oct(8),
    lambda: next(iter([])),
    lambda: next(iter([]),5),
    lambda: next(x for x in [1,2,3] if x>1),
    lambda: (lambda a,b=2:a+b)(1),
    lambda: (lambda a:a)(),
    lambda: (lambda a:a)(1,2),
    lambda: (lambda a:a)(b=1),
    lambda: (lambda *,k:k)(),
    lambda: (lambda a,b,c:0)(1),
    lambda: (lambda a,b=1:0)(1,2,3),
    lambda: re.search(r"(\d+)-(\w+)","ab 12-xy").groups(),
    lambda: re.findall(r"\d+","a1b22"),
    lambda: re.findall(r"(\w)(\d)","a1b2"),
    lambda: re.sub(r"\s+"," ","a  b \n c"),
    lambda: re.sub(r"(\w+) (\w+)",r"\2 \1","ab cd"),
    lambda: re.sub("a",lambda m:m.group().upper(),"banana"),
    lambda: re.split(r"[,;]\s*","a, b;c"),
    lambda: re.split(r"(,)","a,b"),
    lambda: re.match(r"b","ab"),
    lambda: re.fullmatch(r"\d+","123").span(),
    lambda: [m.start() for m in re.finditer("a","banana")],
    lambda: re.search(r"(?P<y>\d{4})","in 2020").group("y"),
    lambda: re.search(r"(?P<y>\d{4})","in 2020").groupdict(),
    lambda: re.search("x","abc"),
    lambda: re.escape("a.b*c"),
    lambda: re.findall(r"^\w+","ab\ncd",re.M),
    lambda: re.findall(r"x*","axb"),
    lambda: re.sub(r"x*","-","abxd"),
    lambda: re.search(r"a.c","a\nc",re.S).group(),
    lambda: re.search(r"ABC","xabc",re.I).group(),
    lambda: re.split(r"x*","axbc"),
    lambda: re.search(r"é(\w)","caféx").span(),
    lambda: re.findall(r"\$[\d,]+(?:\.\d+)?","$1,234.50 and $5"),
    lambda: re.compile(r"(a)(b)?").match("a").groups(),
    lambda: re.search(r"foo$","foo\n").span(),
    lambda: re.sub(r"(?i)HELLO","x","Hello hello"),
    lambda: re.findall(r"[^\W\d_]+","ab1_cd"),
    lambda: re.search(r"[\w.-]+@[\w-]+","me.x@y-z").group(0),
    lambda: re.match(r"(\d+)?(a)","a").group(1),
    lambda: re.search("a","b").group(),
    lambda: re.search(r"\bfoo\b","a foo b").start(),
    lambda: re.search(r"\u00e9","é").end(),
    lambda: re.findall("a|", "ba"),
    lambda: re.split(r"\n{2,}","a\n\n\nb"),
    lambda: json.dumps({"a":[1,2.5,None,True],"b":"é\n\"x"}),
    lambda: json.dumps({"b":1,"a":2},indent=2,sort_keys=True),
    lambda: json.dumps([]),
    lambda: json.dumps({}),
    lambda: json.dumps("é",ensure_ascii=False),
    lambda: json.dumps({1:2,None:3}),
    lambda: json.dumps([1,[2]],indent=1),
    lambda: json.dumps({1,2}),
    lambda: json.loads('{"a": [1, 2.0, null, true, "x\\u00e9\\n"]}'),
    lambda: json.loads(""),
    lambda: json.loads("{'a':1}"),
    lambda: json.loads("[1,]"),
    lambda: json.loads('{"a":1,}'),
    lambda: json.loads('{"a" 1}'),
    lambda: json.loads("[1 2]"),
    lambda: json.loads('"abc'),
    lambda: json.loads("1 2"),
    lambda: json.loads("nul"),
    lambda: json.loads(None),
    lambda: json.loads('{"a":\n 1,\n "b" x}'),
    lambda: json.loads("-"),
    lambda: json.loads('"\\x"'),
    lambda: json.loads('"a\nb"'),
    lambda: json.dumps((1,"a"),separators=(",",":")),
    lambda: math.sqrt(2),
    lambda: math.floor(-2.5),
    lambda: math.ceil(2.1),
    lambda: math.log(8,2),
    lambda: math.log10(1000),
    lambda: math.sqrt(-1),
    lambda: math.pi,
    lambda: math.isnan(float("nan")),
    lambda: math.inf,
    lambda: math.gcd(12,18),
    lambda: math.isclose(0.1+0.2,0.3),
    lambda: math.factorial(5),
    lambda: math.prod([2,3]),
    lambda: math.hypot(3,4),
    lambda: math.trunc(-2.7),
    lambda: math.fsum([0.1]*10),
    lambda: Counter("banana"),
    lambda: Counter("banana").most_common(2),
    lambda: Counter(["a","b","a"])["z"],
    lambda: Counter("ab")+Counter("bc"),
    lambda: Counter("aab")-Counter("a"),
    lambda: defaultdict(list),
    lambda: defaultdict(int)["x"],
    lambda: OrderedDict([("a",1)]),
    lambda: dict(Counter("aab")),
    lambda: sum(Counter("aab").values()),
    lambda: list(itertools.chain([1],[2,3])),
    lambda: list(itertools.chain.from_iterable([[1],[2]])),
    lambda: list(itertools.islice(itertools.count(),3,9,2)),
    lambda: [(k,list(g)) for k,g in itertools.groupby("aabbc")],
    lambda: list(itertools.product("ab",[1,2])),
    lambda: list(itertools.combinations("abc",2)),
    lambda: list(itertools.permutations([1,2,3],2)),
    lambda: list(itertools.zip_longest([1,2],[3],fillvalue=0)),
    lambda: list(itertools.accumulate([1,2,3])),
    lambda: list(itertools.takewhile(lambda x:x<3,[1,2,3,1])),
    lambda: list(itertools.dropwhile(lambda x:x<3,[1,2,3,1])),
    lambda: list(itertools.repeat(1,2)),
    lambda: list(itertools.product([0,1],repeat=2)),
    lambda: list(itertools.combinations_with_replacement("ab",2)),
    lambda: list(itertools.starmap(pow,[(2,3)])),
    lambda: list(itertools.pairwise([1,2,3])),
    lambda: list(itertools.permutations("abc")),
    lambda: list(itertools.combinations([1,2,3],0)),
    lambda: list(itertools.combinations([1],2)),
    lambda: reduce(lambda a,b:a*b,[1,2,3,4]),
    lambda: reduce(lambda a,b:a+b,[]),
    lambda: partial(int,base=2)("101"),
    lambda: string.ascii_lowercase,
    lambda: string.punctuation,
    lambda: string.digits,
]
for i, e in enumerate(exprs):
    t(e)
# expect: ZeroDivisionError: division by zero
# expect: ZeroDivisionError: integer division or modulo by zero
# expect: -4 int
# expect: 2 int
# expect: -4.0 float
# expect: 0.5 float
# expect: 1024 int
# expect: 0.5 float
# expect: 0.30000000000000004 float
# expect: 1e+16 float
# expect: 1000000000000000.0 float
# expect: 123456789.123 float
# expect: 1e-05 float
# expect: 0.0001 float
# expect: 1.0 float
# expect: -0.0 float
# expect: 1e+22 float
# expect: inf float
# expect: 2.67 float
# expect: 2 int
# expect: -4 int
# expect: 1200.0 float
# expect: 20 int
# expect: 20 int
# expect: 12 int
# expect: -12 int
# expect: ValueError: invalid literal for int() with base 10: 'x'
# expect: 1000 int
# expect: 31 int
# expect: 255 int
# expect: 3 int
# expect: ValueError: invalid literal for int() with base 10: '3.5'
# expect: TypeError: int() argument must be a string, a bytes-like object or a real number, not 'NoneType'
# expect: 100000.0 float
# expect: inf float
# expect: nan float
# expect: ValueError: could not convert string to float: '1,000'
# expect: ValueError: could not convert string to float: '$5'
# expect: ValueError: could not convert string to float: ''
# expect: 2.5 float
# expect: ValueError: could not convert string to float: 'million.'
# expect: 'b' str
# expect: 'c' str
# expect: IndexError: string index out of range
# expect: 'cba' str
# expect: 'él' str
# expect: [3, 1] list
# expect: [] list
# expect: IndexError: tuple index out of range
# expect: ['a', 'b', '', 'c'] list
# expect: ['a', 'b'] list
# expect: ['a', 'b', 'c d'] list
# expect: ['a-b', 'c'] list
# expect: ValueError: empty separator
# expect: ['a', 'b', 'c'] list
# expect: ['a\n'] list
# expect: 'axb' str
# expect: TypeError: sequence item 0: expected str instance, int found
# expect: 'a,b,c' str
# expect: '' str
# expect: 'aXXc' str
# expect: 'bba' str
# expect: '-a-b-c-' str
# expect: 'a' str
# expect: 'a' str
# expect: 2 int
# expect: -1 int
# expect: ValueError: substring not found
# expect: 3 int
# expect: 2 int
# expect: 4 int
# expect: 'hello world' str
# expect: 'Hello World' str
# expect: 'Hello' str
# expect: 'SS' str
# expect: 'ας' str
# expect: '***hi**' str
# expect: '**hi**' str
# expect: '00042' str
# expect: '-0042' str
# expect: 'hi   |' str
# expect: '   hi' str
# expect: True bool
# expect: True bool
# expect: False bool
# expect: False bool
# expect: True bool
# expect: True bool
# expect: True bool
# expect: True bool
# expect: True bool
# expect: ('a', '=', 'b=c') tuple
# expect: ('a=b', '=', 'c') tuple
# expect: ('abc', '', '') tuple
# expect: True bool
# expect: True bool
# expect: True bool
# expect: '3.14' str
# expect: '1,234,567.89' str
# expect: '25.6%' str
# expect: '00042' str
# expect: '+42' str
# expect: '2a' str
# expect: '0x2a' str
# expect: '    a|' str
# expect: '***a***' str
# expect: '1e+10' str
# expect: '123,456,789' str
# expect: '1.250000e+01' str
# expect: 'True' str
# expect: '  None' str
# expect: '[1, 2]' str
# expect: '1' str
# expect: '2' str
# expect: '0,001,234.5' str
# expect: '-    5' str
# expect: '1e+300' str
# expect: '3.0' str
# expect: 'ab' str
# expect: ValueError: Unknown format code 's' for object of type 'int'
# expect: ValueError: Unknown format code 'd' for object of type 'str'
# expect: ValueError: Unknown format code 'd' for object of type 'float'
# expect: '  nan' str
# expect: '\x01' str
# expect: '11111111' str
# expect: '1111_1111' str
# expect: '1_234_567' str
# expect: 'a 3 2.50' str
# expect: '    a|b    |00007' str
# expect: '1' str
# expect: '5%' str
# expect: TypeError: not all arguments converted during string formatting
# expect: TypeError: not enough arguments for format string
# expect: 'ff 10 1.234568e+04 1e-05' str
# expect: '"a\'b"' str
# expect: '+3  4' str
# expect: 'ab' str
# expect: '     3.142|' str
# expect: '3' str
# expect: TypeError: %d format: a real number is required, not str
# expect: '1 2' str
# expect: '2 1' str
# expect: '    3' str
# expect: '1 5' str
# expect: "'a'" str
# expect: '{}' str
# expect: ValueError: Single '{' encountered in format string
# expect: ValueError: Single '}' encountered in format string
# expect: 'a    ' str
# expect: ValueError: cannot switch from automatic field numbering to manual field specification
# expect: [1, 2, 3] list
# expect: [1, 1, 1] list
# expect: TypeError: can only concatenate list (not "tuple") to list
# expect: TypeError: can only concatenate str (not "int") to str
# expect: TypeError: unsupported operand type(s) for +: 'int' and 'str'
# expect: True bool
# expect: TypeError: '<' not supported between instances of 'str' and 'int'
# expect: TypeError: '<' not supported between instances of 'int' and 'str'
# expect: TypeError: '<' not supported between instances of 'NoneType' and 'int'
# expect: False bool
# expect: True bool
# expect: 2 int
# expect: 'aaa' str
# expect: '' str
# expect: [3, 2, 1] list
# expect: ['a', 'a', 'a', 'b', 'n', 'n'] list
# expect: [(1, 'a'), (2, 'b'), (2, 'a')] list
# expect: TypeError: '<' not supported between instances of 'str' and 'int'
# expect: ['a', 'b'] list
# expect: 5 int
# expect: 'b' str
# expect: ValueError: max() arg is an empty sequence
# expect: 0 int
# expect: 3 int
# expect: 3.5 float
# expect: [1, 2] list
# expect: TypeError: unsupported operand type(s) for +: 'int' and 'str'
# expect: [(1, 'a'), (2, 'b')] list
# expect: [(1, 'a'), (2, 'b')] list
# expect: [2, 4] list
# expect: [1, 2] list
# expect: [3, 2, 1] list
# expect: True bool
# expect: True bool
# expect: [10, 7, 4, 1] list
# expect: 4 int
# expect: 4 int
# expect: True bool
# expect: True bool
# expect: (-4, 1) tuple
# expect: 1 int
# expect: 3.5 float
# expect: KeyError: 'b'
# expect: None NoneType
# expect: 5 int
# expect: {1: 3} dict
# expect: {True: 2} dict
# expect: TypeError: unhashable type: 'list'
# expect: {1: 2} dict
# expect: {'a': 1} dict
# expect: TypeError: cannot convert dictionary update sequence element #0 to a sequence
# expect: {'a': 1, 'b': 2} dict
# expect: {'a': 1, 'b': 2} dict
# expect: [('a', 1)] list
# expect: dict_keys(['a']) dict_keys
# expect: dict_items([('a', 1)]) dict_items
# expect: KeyError: 'z'
# expect: 3 int
# expect: KeyError: 'popitem(): dictionary is empty'
# expect: {1, 2, 3} set
# expect: {2} set
# expect: {1} set
# expect: {1, 3} set
# expect: set() set
# expect: True bool
# expect: frozenset({1}) frozenset
# expect: 1 int
# expect: ValueError: 5 is not in list
# expect: ValueError: list.remove(x): x not in list
# expect: IndexError: pop from empty list
# expect: 1 int
# expect: AttributeError: 'list' object has no attribute 'foo'
# expect: AttributeError: 'NoneType' object has no attribute 'strip'
# expect: AttributeError: 'int' object has no attribute 'foo'
# expect: AttributeError: 'str' object has no attribute 'foo'
# expect: True bool
# expect: True bool
# expect: True bool
# expect: <class 'int'> type
# expect: 'str' str
# expect: '1.0' str
# expect: 'None' str
# expect: '"a\\n\'"' str
# expect: '\'a"\\\'\'' str
# expect: "'é\\xa0\\u200b\\t\\\\'" str
# expect: "[1, 'a', None, True, 2.0]" str
# expect: "{'a': [1]}" str
# expect: '(1,)' str
# expect: False bool
# expect: True bool
# expect: 1 int
# expect: 'é' str
# expect: 233 int
# expect: '0xff' str
# expect: '0b101' str
# expect: '0o10' str
# expect: StopIteration: 
# expect: 5 int
# expect: 2 int
# expect: 3 int
# expect: TypeError: <lambda>.<locals>.<lambda>() missing 1 required positional argument: 'a'
# expect: TypeError: <lambda>.<locals>.<lambda>() takes 1 positional argument but 2 were given
# expect: TypeError: <lambda>.<locals>.<lambda>() got an unexpected keyword argument 'b'
# expect: TypeError: <lambda>.<locals>.<lambda>() missing 1 required keyword-only argument: 'k'
# expect: TypeError: <lambda>.<locals>.<lambda>() missing 2 required positional arguments: 'b' and 'c'
# expect: TypeError: <lambda>.<locals>.<lambda>() takes from 1 to 2 positional arguments but 3 were given
# expect: ('12', 'xy') tuple
# expect: ['1', '22'] list
# expect: [('a', '1'), ('b', '2')] list
# expect: 'a b c' str
# expect: 'cd ab' str
# expect: 'bAnAnA' str
# expect: ['a', 'b', 'c'] list
# expect: ['a', ',', 'b'] list
# expect: None NoneType
# expect: (0, 3) tuple
# expect: [1, 3, 5] list
# expect: '2020' str
# expect: {'y': '2020'} dict
# expect: None NoneType
# expect: 'a\\.b\\*c' str
# expect: ['ab', 'cd'] list
# expect: ['', 'x', '', ''] list
# expect: '-a-b--d-' str
# expect: 'a\nc' str
# expect: 'abc' str
# expect: ['', 'a', '', 'b', 'c', ''] list
# expect: (3, 5) tuple
# expect: ['$1,234.50', '$5'] list
# expect: ('a', None) tuple
# expect: (0, 3) tuple
# expect: 'x x' str
# expect: ['ab', 'cd'] list
# expect: 'me.x@y-z' str
# expect: None NoneType
# expect: AttributeError: 'NoneType' object has no attribute 'group'
# expect: 2 int
# expect: 1 int
# expect: ['', 'a', ''] list
# expect: ['a', 'b'] list
# expect: '{"a": [1, 2.5, null, true], "b": "\\u00e9\\n\\"x"}' str
# expect: '{\n  "a": 2,\n  "b": 1\n}' str
# expect: '[]' str
# expect: '{}' str
# expect: '"é"' str
# expect: '{"1": 2, "null": 3}' str
# expect: '[\n 1,\n [\n  2\n ]\n]' str
# expect: TypeError: Object of type set is not JSON serializable
# expect: {'a': [1, 2.0, None, True, 'xé\n']} dict
# expect: JSONDecodeError: Expecting value: line 1 column 1 (char 0)
# expect: JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)
# expect: JSONDecodeError: Expecting value: line 1 column 4 (char 3)
# expect: JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 8 (char 7)
# expect: JSONDecodeError: Expecting ':' delimiter: line 1 column 6 (char 5)
# expect: JSONDecodeError: Expecting ',' delimiter: line 1 column 4 (char 3)
# expect: JSONDecodeError: Unterminated string starting at: line 1 column 1 (char 0)
# expect: JSONDecodeError: Extra data: line 1 column 3 (char 2)
# expect: JSONDecodeError: Expecting value: line 1 column 1 (char 0)
# expect: TypeError: the JSON object must be str, bytes or bytearray, not NoneType
# expect: JSONDecodeError: Expecting ':' delimiter: line 3 column 6 (char 15)
# expect: JSONDecodeError: Expecting value: line 1 column 1 (char 0)
# expect: JSONDecodeError: Invalid \escape: line 1 column 2 (char 1)
# expect: JSONDecodeError: Invalid control character at: line 1 column 3 (char 2)
# expect: '[1,"a"]' str
# expect: 1.4142135623730951 float
# expect: -3 int
# expect: 3 int
# expect: 3.0 float
# expect: 3.0 float
# expect: ValueError: math domain error
# expect: 3.141592653589793 float
# expect: True bool
# expect: inf float
# expect: 6 int
# expect: True bool
# expect: 120 int
# expect: 6 int
# expect: 5.0 float
# expect: -2 int
# expect: 1.0 float
# expect: Counter({'a': 3, 'n': 2, 'b': 1}) Counter
# expect: [('a', 3), ('n', 2)] list
# expect: 0 int
# expect: Counter({'b': 2, 'a': 1, 'c': 1}) Counter
# expect: Counter({'a': 1, 'b': 1}) Counter
# expect: defaultdict(<class 'list'>, {}) defaultdict
# expect: 0 int
# expect: OrderedDict([('a', 1)]) OrderedDict
# expect: {'a': 2, 'b': 1} dict
# expect: 3 int
# expect: [1, 2, 3] list
# expect: [1, 2] list
# expect: [3, 5, 7] list
# expect: [('a', ['a', 'a']), ('b', ['b', 'b']), ('c', ['c'])] list
# expect: [('a', 1), ('a', 2), ('b', 1), ('b', 2)] list
# expect: [('a', 'b'), ('a', 'c'), ('b', 'c')] list
# expect: [(1, 2), (1, 3), (2, 1), (2, 3), (3, 1), (3, 2)] list
# expect: [(1, 3), (2, 0)] list
# expect: [1, 3, 6] list
# expect: [1, 2] list
# expect: [3, 1] list
# expect: [1, 1] list
# expect: [(0, 0), (0, 1), (1, 0), (1, 1)] list
# expect: [('a', 'a'), ('a', 'b'), ('b', 'b')] list
# expect: [8] list
# expect: [(1, 2), (2, 3)] list
# expect: [('a', 'b', 'c'), ('a', 'c', 'b'), ('b', 'a', 'c'), ('b', 'c', 'a'), ('c', 'a', 'b'), ('c', 'b', 'a')] list
# expect: [()] list
# expect: [] list
# expect: 24 int
# expect: TypeError: reduce() of empty iterable with no initial value
# expect: 5 int
# expect: 'abcdefghijklmnopqrstuvwxyz' str
# expect: '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~' str
# expect: '0123456789' str
