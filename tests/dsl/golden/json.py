# json: hooks, separators, what is refused; each line as CPython prints it.
import re, json, math, functools, itertools, string
from collections import Counter, OrderedDict, defaultdict
def t(g):
    try:
        print(repr(g()))
    except Exception as e:
        print(type(e).__name__, '|', e)
def odd():
    return json.loads('{"a": [1.5, {"b": NaN}], "c": -7}', parse_float=str, parse_int=lambda x: x + '!', parse_constant=lambda x: [x])
def deep():
    return json.dumps({'a': [1, {'b': (2, {})}], 'c': {}}, indent=1, separators=(',', 2))
t(lambda: json.dumps([], indent=1, separators=(1, 2)))  # expect: '[]'
t(lambda: json.dumps({}, indent=1, separators=(1, 2)))  # expect: '{}'
t(lambda: json.dumps(5, indent=1, separators=(1, 2)))  # expect: '5'
t(lambda: json.dumps([1], indent=1, separators=(1, 2)))  # expect: TypeError | unsupported operand type(s) for +: 'int' and 'str'
t(lambda: json.dumps([[1], 2], indent=1, separators=([], 2)))  # expect: TypeError | can only concatenate list (not "str") to list
t(lambda: json.dumps([1], indent=1, separators=(None, None)))  # expect: TypeError | unsupported operand type(s) for +: 'NoneType' and 'str'
t(lambda: json.dumps({'a': 1}, indent=1, separators=(',', 2)))  # expect: TypeError | sequence item 3: expected str instance, int found
t(lambda: json.dumps([1, [], [2], {}, {'a': 1}], indent=1, separators=(',', 2)))  # expect: TypeError | sequence item 13: expected str instance, int found
t(lambda: json.dumps([1, [2, 3], {'a': {'b': 1}}, 'x', None, 2.5, True], indent=1, separators=(',', None)))  # expect: TypeError | sequence item 10: expected str instance, NoneType found
t(lambda: json.dumps([int], indent=2, separators=(',', 2)))  # expect: TypeError | Object of type type is not JSON serializable
t(lambda: json.dumps({'a': int}, indent=2, separators=(',', 2)))  # expect: TypeError | Object of type type is not JSON serializable
t(lambda: json.dumps([int, {'a': 1}], indent=2, separators=(',', 2), default=str))  # expect: TypeError | sequence item 6: expected str instance, int found
t(lambda: json.dumps([1, 2], separators=(None, ':')))  # expect: TypeError | make_encoder() argument 6 must be str, not None
t(lambda: json.dumps({'a': 1, 'b': [1, {'c': 2}]}, indent='--', separators=('; ', ' = ')))  # expect: '{\n--"a" = 1; \n--"b" = [\n----1; \n----{\n------"c" = 2\n----}\n--]\n}'
t(lambda: deep())  # expect: TypeError | sequence item 3: expected str instance, int found
t(lambda: json.dumps({(1, 2): 3, 'a': 4, None: 5, (): 6}, skipkeys=True))  # expect: '{"a": 4, "null": 5}'
t(lambda: json.dumps({(1, 2): 3}, skipkeys=True))  # expect: '{}'
t(lambda: json.dumps({(1, 2): 3}, skipkeys=True, indent=2))  # expect: '{\n  \n}'
t(lambda: json.dumps({(1, 2): 3, 'a': 4}, skipkeys=True, indent=2))  # expect: '{\n  "a": 4\n}'
t(lambda: json.dumps({(1, 2): 3}))  # expect: TypeError | keys must be str, int, float, bool or None, not tuple
t(lambda: json.dumps(float('nan'), allow_nan=False))  # expect: ValueError | Out of range float values are not JSON compliant
t(lambda: json.dumps([float('inf')], allow_nan=False))  # expect: ValueError | Out of range float values are not JSON compliant
t(lambda: json.dumps([-float('inf')], allow_nan=False, indent=1))  # expect: ValueError | Out of range float values are not JSON compliant: -inf
t(lambda: json.dumps({float('inf'): 1}, allow_nan=False))  # expect: ValueError | Out of range float values are not JSON compliant
t(lambda: json.dumps([1], check_circular=True, allow_nan=False, cls=None, skipkeys=False))  # expect: '[1]'
t(lambda: json.dumps([1], foo=2))  # expect: TypeError | JSONEncoder.__init__() got an unexpected keyword argument 'foo'
t(lambda: json.dumps(1, 2, 3, indent=2, sort_keys=True))  # expect: TypeError | dumps() takes 1 positional argument but 3 positional arguments (and 2 keyword-only arguments) were given
t(lambda: json.dumps(1, 2))  # expect: TypeError | dumps() takes 1 positional argument but 2 were given
t(lambda: json.dumps())  # expect: TypeError | dumps() missing 1 required positional argument: 'obj'
t(lambda: json.dumps(indent=2))  # expect: TypeError | dumps() missing 1 required positional argument: 'obj'
t(lambda: json.dumps(1, obj=2))  # expect: TypeError | dumps() got multiple values for argument 'obj'
t(lambda: json.dumps([1], ensure_ascii=None, sort_keys=None))  # expect: '[1]'
t(lambda: odd())  # expect: {'a': ['1.5', {'b': ['NaN']}], 'c': '-7!'}
t(lambda: json.loads('{"a": 1, "a": {"b": 2}}', object_pairs_hook=OrderedDict))  # expect: OrderedDict([('a', OrderedDict([('b', 2)]))])
t(lambda: json.loads('{"a": 1, "a": {"b": 2}}', object_pairs_hook=lambda x: x, object_hook=len))  # expect: [('a', 1), ('a', [('b', 2)])]
t(lambda: json.loads('{"a": 1, "c": {"b": 2}}', object_hook=lambda d: list(d.items())))  # expect: [('a', 1), ('c', [('b', 2)])]
t(lambda: json.loads('{"a": {}}', object_hook=5))  # expect: TypeError | 'int' object is not callable
t(lambda: json.loads('[1, 2.5]', parse_int=float, parse_float=None))  # expect: [1.0, 2.5]
t(lambda: json.loads('[1, 2.5]', parse_int=int, parse_float=float, cls=None, object_hook=None))  # expect: [1, 2.5]
t(lambda: json.loads('[1, 2.5]', parse_int=0))  # expect: [1, 2.5]
t(lambda: json.loads('[true, null]', parse_constant=str))  # expect: [True, None]
t(lambda: json.loads('["a\n\tb"]', strict=False))  # expect: ['a\n\tb']
t(lambda: json.loads('["a\n\tb"]', strict=True))  # expect: JSONDecodeError | Invalid control character at: line 1 column 4 (char 3)
t(lambda: json.loads('[1]', foo=2))  # expect: TypeError | JSONDecoder.__init__() got an unexpected keyword argument 'foo'
t(lambda: json.loads(5, foo=2))  # expect: TypeError | the JSON object must be str, bytes or bytearray, not int
t(lambda: json.loads())  # expect: TypeError | loads() missing 1 required positional argument: 's'
t(lambda: json.loads('1', '2'))  # expect: TypeError | loads() takes 1 positional argument but 2 were given
t(lambda: json.loads(s='[1]', strict=None))  # expect: [1]
t(lambda: json.loads('{"a": {"b": ]}', object_hook=lambda d: 1 // 0))  # expect: JSONDecodeError | Expecting value: line 1 column 13 (char 12)
t(lambda: json.loads('{"a": {"b": 1}}', object_hook=lambda d: 1 // 0))  # expect: ZeroDivisionError | integer division or modulo by zero
