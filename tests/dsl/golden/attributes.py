# Attributes that a program sets, reads and deletes.
import re, json, math, functools, itertools, string
from collections import Counter, OrderedDict, defaultdict
def t(g):
    try:
        print(repr(g()))
    except Exception as e:
        print(type(e).__name__, '|', e)
def case():
    c = Counter('a')
    c.x = 1
    return c.x, c
def case2():
    c = Counter('a')
    c.total = 1
    return c.total, c
def case3():
    c = Counter('a')
    return c.x
def case4():
    c = Counter('a')
    c.x = 1
    return c.copy().x
def case5():
    c = Counter('a')
    c.x = 1
    return hasattr(c, 'x'), getattr(c, 'x'), getattr(c, 'y', 2), hasattr(c, 'y')
def case6():
    c = Counter('a')
    setattr(c, 'x', 1)
    del c.x
    return c.x
def case7():
    c = OrderedDict()
    c.x = 1
    return c.x, c
def case8():
    c = defaultdict(list)
    c.x = 1
    return c.x, c
def case9():
    def f():
        return 1
    f.x = 1
    return f.x
def case10():
    c = Counter('a')
    c.x = []
    c.x += [1]
    return c.x, c == Counter('a'), c + c
def case11():
    c = {}
    c.x = 1
def case12():
    c = {}
    del c.x
def case13():
    c = Counter()
    del c.x
def case14():
    c = functools.partial(max)
    c.x = 1
    return c.x
def case15():
    def f():
        f.calls += 1
        return f.calls
    f.calls = 0
    f()
    return f(), f.calls
def case16():
    def f():
        pass
    return f.calls
def case17():
    def f():
        pass
    f.__name__ = 'g'
    return f.__name__
def case18():
    f = lambda x: x
    f.cache = {}
    f.cache[1] = 2
    return f.cache, hasattr(f, 'cache'), hasattr(f, 'x')
def case19():
    c = Counter('a')
    c.total = lambda: 7
    return c.total()
def case20():
    c = [1]
    del c.append
def case21():
    c = [1]
    del c.x
def case22():
    e = ValueError(1)
    e.x = 1
    del e.x
    return e.x
def case23():
    c = re.compile('a')
    c.x = 1
def case24():
    c = Counter('a')
    c.update = 5
    c.update('b')
def case25():
    c = Counter()
    for i in range(3):
        c.n = i
    return c.n
def case26():
    len.x = 1
def case27():
    int.x = 1
def case28():
    x = 5
    x.y = 1
def case29():
    x = 5
    del x.y
def case30():
    x = 'a'
    del x.upper
def case31():
    c = defaultdict(list)
    c.default_factory = int
    return c['a'], c.default_factory
def case32():
    c = defaultdict(list)
    return c.default_factory, c
def case33():
    return Counter.x
def case34():
    c = functools.partial(max, 1, key=len)
    return c.func, c.args, c.keywords
def case35():
    OrderedDict.x = 1
def case36():
    ValueError.x = 1
t(case)  # expect: (1, Counter({'a': 1}))
t(case2)  # expect: (1, Counter({'a': 1}))
t(case3)  # expect: AttributeError | 'Counter' object has no attribute 'x'
t(case4)  # expect: AttributeError | 'Counter' object has no attribute 'x'
t(case5)  # expect: (True, 1, 2, False)
t(case6)  # expect: AttributeError | 'Counter' object has no attribute 'x'
t(case7)  # expect: (1, OrderedDict())
t(case8)  # expect: AttributeError | 'collections.defaultdict' object has no attribute 'x'
t(case9)  # expect: 1
t(case10)  # expect: ([1], True, Counter({'a': 2}))
t(case11)  # expect: AttributeError | 'dict' object has no attribute 'x'
t(case12)  # expect: AttributeError | 'dict' object has no attribute 'x'
t(case13)  # expect: AttributeError | 'Counter' object has no attribute 'x'
t(case14)  # expect: 1
t(case15)  # expect: (2, 2)
t(case16)  # expect: AttributeError | 'function' object has no attribute 'calls'
t(case17)  # expect: 'g'
t(case18)  # expect: ({1: 2}, True, False)
t(case19)  # expect: 7
t(case20)  # expect: AttributeError | 'list' object attribute 'append' is read-only
t(case21)  # expect: AttributeError | 'list' object has no attribute 'x'
t(case22)  # expect: AttributeError | 'ValueError' object has no attribute 'x'
t(case23)  # expect: AttributeError | 're.Pattern' object has no attribute 'x'
t(case24)  # expect: TypeError | 'int' object is not callable
t(case25)  # expect: 2
t(case26)  # expect: AttributeError | 'builtin_function_or_method' object has no attribute 'x'
t(case27)  # expect: TypeError | cannot set 'x' attribute of immutable type 'int'
t(case28)  # expect: AttributeError | 'int' object has no attribute 'y'
t(case29)  # expect: AttributeError | 'int' object has no attribute 'y'
t(case30)  # expect: AttributeError | 'str' object attribute 'upper' is read-only
t(case31)  # expect: (0, <class 'int'>)
t(case32)  # expect: (<class 'list'>, defaultdict(<class 'list'>, {}))
t(case33)  # expect: AttributeError | type object 'Counter' has no attribute 'x'
t(case34)  # expect: (<built-in function max>, (1,), {'key': <built-in function len>})
t(case35)  # expect: TypeError | cannot set 'x' attribute of immutable type 'collections.OrderedDict'
t(case36)  # expect: TypeError | cannot set 'x' attribute of immutable type 'ValueError'
