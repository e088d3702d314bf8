# Orders that there are not, braces and format specs: each as CPython words it.
import re, json, math, functools, itertools, string
from collections import Counter, OrderedDict, defaultdict
def t(g):
    try:
        print(repr(g()))
    except Exception as e:
        print(type(e).__name__, '|', e)
def sortrev():
    x = [1, 'a']
    x.sort(reverse=True)
def sortfwd():
    x = [1, 'a']
    x.sort()
def many():
    return sorted([3, 1, None, 2], reverse=True)
def many2():
    return sorted([3, 1, None, 2])
def many3():
    return sorted(list(range(20)) + ['a'] + list(range(5)), reverse=True)
def many4():
    return sorted(list(range(20)) + ['a'] + list(range(5)))
def many5():
    return sorted(['a'] + list(range(20)), reverse=True)
def many6():
    return sorted([5, 4, 3, 'a', 1])
def many7():
    return sorted([5, 4, 3, 'a', 1], reverse=True)
def many8():
    return sorted([1, 'a', None], reverse=True)
def many9():
    return sorted([1, 2, 3, 'a', None, (), [], {}], reverse=True)
def many10():
    return sorted([1, 2, 2, 1, 3, 'a', None, (), [], {}])
def many11():
    return sorted([[1], [2], ['a'], [3, 'x'], [None]], reverse=True)
def many12():
    return sorted({'a': 1, 'b': None, 'c': 'x'}.items(), key=lambda x: x[1])
def long1():
    return sorted([(i * 37) % 101 for i in range(300)])
def long2():
    return sorted([((i * 37) % 11, i) for i in range(300)], key=lambda x: x[0], reverse=True)
def long3():
    return sorted([((i * 37) % 11, i) for i in range(150)], key=lambda x: x[0])
t(lambda: sortrev())  # expect: TypeError | '<' not supported between instances of 'int' and 'str'
t(lambda: sortfwd())  # expect: TypeError | '<' not supported between instances of 'str' and 'int'
t(lambda: many())  # expect: TypeError | '<' not supported between instances of 'NoneType' and 'int'
t(lambda: many2())  # expect: TypeError | '<' not supported between instances of 'NoneType' and 'int'
t(lambda: many3())  # expect: TypeError | '<' not supported between instances of 'str' and 'int'
t(lambda: many4())  # expect: TypeError | '<' not supported between instances of 'str' and 'int'
t(lambda: many5())  # expect: TypeError | '<' not supported between instances of 'str' and 'int'
t(lambda: many6())  # expect: TypeError | '<' not supported between instances of 'str' and 'int'
t(lambda: many7())  # expect: TypeError | '<' not supported between instances of 'str' and 'int'
t(lambda: many8())  # expect: TypeError | '<' not supported between instances of 'str' and 'NoneType'
t(lambda: many9())  # expect: TypeError | '<' not supported between instances of 'list' and 'dict'
t(lambda: many10())  # expect: TypeError | '<' not supported between instances of 'str' and 'int'
t(lambda: many11())  # expect: TypeError | '<' not supported between instances of 'int' and 'NoneType'
t(lambda: many12())  # expect: TypeError | '<' not supported between instances of 'NoneType' and 'int'
t(lambda: sorted([1, 'a'], reverse=True))  # expect: TypeError | '<' not supported between instances of 'int' and 'str'
t(lambda: sorted([1, 'a', 2], key=lambda x: x, reverse=True))  # expect: TypeError | '<' not supported between instances of 'str' and 'int'
t(lambda: Counter(a=1, b='x').most_common())  # expect: TypeError | '<' not supported between instances of 'int' and 'str'
t(lambda: Counter(a=1, b='x', c=None).most_common(1))  # expect: TypeError | '>' not supported between instances of 'str' and 'int'
t(lambda: max([1, 'a']))  # expect: TypeError | '>' not supported between instances of 'str' and 'int'
t(lambda: min([1, 'a']))  # expect: TypeError | '<' not supported between instances of 'str' and 'int'
t(lambda: '{:{}'.format(1, 2))  # expect: ValueError | unmatched '{' in format spec
t(lambda: '{:{'.format(1, 2))  # expect: ValueError | unmatched '{' in format spec
t(lambda: '{0:{1}'.format(1, 2))  # expect: ValueError | unmatched '{' in format spec
t(lambda: '{0:{1'.format(1, 2))  # expect: ValueError | unmatched '{' in format spec
t(lambda: '{0:{}{'.format(1, 2))  # expect: ValueError | unmatched '{' in format spec
t(lambda: '{'.format(1))  # expect: ValueError | Single '{' encountered in format string
t(lambda: '{0'.format(1))  # expect: ValueError | expected '}' before end of string
t(lambda: '{0!'.format(1))  # expect: ValueError | end of string while looking for conversion specifier
t(lambda: '{0!r'.format(1))  # expect: ValueError | unmatched '{' in format spec
t(lambda: '{0!r:'.format(1))  # expect: ValueError | unmatched '{' in format spec
t(lambda: '{0!rx}'.format(1))  # expect: ValueError | expected ':' after conversion specifier
t(lambda: '{0!x}'.format(1))  # expect: ValueError | Unknown conversion specifier x
t(lambda: '{0!}'.format(1))  # expect: ValueError | unmatched '{' in format spec
t(lambda: '{0[}'.format([1]))  # expect: ValueError | expected '}' before end of string
t(lambda: '{0[0}'.format([1]))  # expect: ValueError | expected '}' before end of string
t(lambda: '{0[0]x}'.format([1]))  # expect: ValueError | Only '.' or '[' may follow ']' in format field specifier
t(lambda: '{0.}'.format([1]))  # expect: ValueError | Empty attribute in format string
t(lambda: '{0[]}'.format([1]))  # expect: ValueError | Empty attribute in format string
t(lambda: '{0[0]'.format([1]))  # expect: ValueError | expected '}' before end of string
t(lambda: '{0:}}'.format(1))  # expect: ValueError | Single '}' encountered in format string
t(lambda: '}'.format(1))  # expect: ValueError | Single '}' encountered in format string
t(lambda: '{0:{{}}}'.format(1))  # expect: ValueError | Invalid format specifier '{}' for object of type 'int'
t(lambda: '{:{:{}}}'.format(1, 2, 3))  # expect: ValueError | Max string recursion exceeded
t(lambda: '{a:{b}'.format(a=1, b=2))  # expect: ValueError | unmatched '{' in format spec
t(lambda: '{a b}'.format(a=1))  # expect: KeyError | 'a b'
t(lambda: '{ 0}'.format(1))  # expect: KeyError | ' 0'
t(lambda: '{0 }'.format(1))  # expect: KeyError | '0 '
t(lambda: '{-1}'.format(1))  # expect: KeyError | '-1'
t(lambda: '{0.real.imag}'.format(1))  # expect: '0'
t(lambda: '{0.real}'.format(1))  # expect: '1'
t(lambda: format(5, '٣'))  # expect: '  5'
t(lambda: format(5, '٣d'))  # expect: '  5'
t(lambda: format(5.5, '.٣f'))  # expect: '5.500'
t(lambda: format('a', '٣'))  # expect: 'a  '
t(lambda: format(5, '²'))  # expect: ValueError | Unknown format code '\xb2' for object of type 'int'
t(lambda: format('abc', '.٢'))  # expect: 'ab'
t(lambda: format(5, '0٣'))  # expect: '005'
t(lambda: format(5, '１２'))  # expect: '           5'
t(lambda: format(5, '1٣'))  # expect: '            5'
t(lambda: '%٣d' % 5)  # expect: ValueError | unsupported format character '?' (0x663) at index 1
t(lambda: '{:٣}'.format(5))  # expect: '  5'
t(lambda: '{٠}'.format(5))  # expect: '5'
t(lambda: '{0[٠]}'.format([5]))  # expect: '5'
t(lambda: f'{5:٣}')  # expect: '  5'
t(lambda: format(5, '99999999999999999999'))  # expect: ValueError | Too many decimal digits in format string
t(lambda: format(5, '.'))  # expect: ValueError | Format specifier missing precision
t(lambda: format(5, 'dd'))  # expect: ValueError | Invalid format specifier 'dd' for object of type 'int'
t(lambda: format(5, '\x00'))  # expect: ValueError | Unknown format code '\x0' for object of type 'int'
t(lambda: format([], 'd'))  # expect: TypeError | unsupported format string passed to list.__format__
t(lambda: format(None, '>5'))  # expect: TypeError | unsupported format string passed to NoneType.__format__
t(lambda: f'{None:>5}')  # expect: TypeError | unsupported format string passed to NoneType.__format__
t(lambda: f'{[1]:5}')  # expect: TypeError | unsupported format string passed to list.__format__
t(lambda: Counter('abbcc').most_common(1))  # expect: [('b', 2)]
t(lambda: Counter().most_common(1))  # expect: []
t(lambda: long1())  # expect: [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10, 10, 11, 11, 11, 12, 12, 12, 13, 13, 13, 14, 14, 14, 15, 15, 15, 16, 16, 16, 17, 17, 17, 18, 18, 18, 19, 19, 19, 20, 20, 20, 21, 21, 21, 22, 22, 22, 23, 23, 23, 24, 24, 24, 25, 25, 25, 26, 26, 26, 27, 27, 28, 28, 28, 29, 29, 29, 30, 30, 30, 31, 31, 31, 32, 32, 32, 33, 33, 33, 34, 34, 34, 35, 35, 35, 36, 36, 36, 37, 37, 37, 38, 38, 38, 39, 39, 39, 40, 40, 40, 41, 41, 41, 42, 42, 42, 43, 43, 43, 44, 44, 44, 45, 45, 45, 46, 46, 46, 47, 47, 47, 48, 48, 48, 49, 49, 49, 50, 50, 50, 51, 51, 51, 52, 52, 52, 53, 53, 53, 54, 54, 54, 55, 55, 55, 56, 56, 56, 57, 57, 57, 58, 58, 58, 59, 59, 59, 60, 60, 60, 61, 61, 61, 62, 62, 62, 63, 63, 63, 64, 64, 65, 65, 65, 66, 66, 66, 67, 67, 67, 68, 68, 68, 69, 69, 69, 70, 70, 70, 71, 71, 71, 72, 72, 72, 73, 73, 73, 74, 74, 74, 75, 75, 75, 76, 76, 76, 77, 77, 77, 78, 78, 78, 79, 79, 79, 80, 80, 80, 81, 81, 81, 82, 82, 82, 83, 83, 83, 84, 84, 84, 85, 85, 85, 86, 86, 86, 87, 87, 87, 88, 88, 88, 89, 89, 89, 90, 90, 90, 91, 91, 92, 92, 92, 93, 93, 93, 94, 94, 94, 95, 95, 95, 96, 96, 96, 97, 97, 97, 98, 98, 98, 99, 99, 99, 100, 100, 100]
t(lambda: long2())  # expect: [(10, 8), (10, 19), (10, 30), (10, 41), (10, 52), (10, 63), (10, 74), (10, 85), (10, 96), (10, 107), (10, 118), (10, 129), (10, 140), (10, 151), (10, 162), (10, 173), (10, 184), (10, 195), (10, 206), (10, 217), (10, 228), (10, 239), (10, 250), (10, 261), (10, 272), (10, 283), (10, 294), (9, 5), (9, 16), (9, 27), (9, 38), (9, 49), (9, 60), (9, 71), (9, 82), (9, 93), (9, 104), (9, 115), (9, 126), (9, 137), (9, 148), (9, 159), (9, 170), (9, 181), (9, 192), (9, 203), (9, 214), (9, 225), (9, 236), (9, 247), (9, 258), (9, 269), (9, 280), (9, 291), (8, 2), (8, 13), (8, 24), (8, 35), (8, 46), (8, 57), (8, 68), (8, 79), (8, 90), (8, 101), (8, 112), (8, 123), (8, 134), (8, 145), (8, 156), (8, 167), (8, 178), (8, 189), (8, 200), (8, 211), (8, 222), (8, 233), (8, 244), (8, 255), (8, 266), (8, 277), (8, 288), (8, 299), (7, 10), (7, 21), (7, 32), (7, 43), (7, 54), (7, 65), (7, 76), (7, 87), (7, 98), (7, 109), (7, 120), (7, 131), (7, 142), (7, 153), (7, 164), (7, 175), (7, 186), (7, 197), (7, 208), (7, 219), (7, 230), (7, 241), (7, 252), (7, 263), (7, 274), (7, 285), (7, 296), (6, 7), (6, 18), (6, 29), (6, 40), (6, 51), (6, 62), (6, 73), (6, 84), (6, 95), (6, 106), (6, 117), (6, 128), (6, 139), (6, 150), (6, 161), (6, 172), (6, 183), (6, 194), (6, 205), (6, 216), (6, 227), (6, 238), (6, 249), (6, 260), (6, 271), (6, 282), (6, 293), (5, 4), (5, 15), (5, 26), (5, 37), (5, 48), (5, 59), (5, 70), (5, 81), (5, 92), (5, 103), (5, 114), (5, 125), (5, 136), (5, 147), (5, 158), (5, 169), (5, 180), (5, 191), (5, 202), (5, 213), (5, 224), (5, 235), (5, 246), (5, 257), (5, 268), (5, 279), (5, 290), (4, 1), (4, 12), (4, 23), (4, 34), (4, 45), (4, 56), (4, 67), (4, 78), (4, 89), (4, 100), (4, 111), (4, 122), (4, 133), (4, 144), (4, 155), (4, 166), (4, 177), (4, 188), (4, 199), (4, 210), (4, 221), (4, 232), (4, 243), (4, 254), (4, 265), (4, 276), (4, 287), (4, 298), (3, 9), (3, 20), (3, 31), (3, 42), (3, 53), (3, 64), (3, 75), (3, 86), (3, 97), (3, 108), (3, 119), (3, 130), (3, 141), (3, 152), (3, 163), (3, 174), (3, 185), (3, 196), (3, 207), (3, 218), (3, 229), (3, 240), (3, 251), (3, 262), (3, 273), (3, 284), (3, 295), (2, 6), (2, 17), (2, 28), (2, 39), (2, 50), (2, 61), (2, 72), (2, 83), (2, 94), (2, 105), (2, 116), (2, 127), (2, 138), (2, 149), (2, 160), (2, 171), (2, 182), (2, 193), (2, 204), (2, 215), (2, 226), (2, 237), (2, 248), (2, 259), (2, 270), (2, 281), (2, 292), (1, 3), (1, 14), (1, 25), (1, 36), (1, 47), (1, 58), (1, 69), (1, 80), (1, 91), (1, 102), (1, 113), (1, 124), (1, 135), (1, 146), (1, 157), (1, 168), (1, 179), (1, 190), (1, 201), (1, 212), (1, 223), (1, 234), (1, 245), (1, 256), (1, 267), (1, 278), (1, 289), (0, 0), (0, 11), (0, 22), (0, 33), (0, 44), (0, 55), (0, 66), (0, 77), (0, 88), (0, 99), (0, 110), (0, 121), (0, 132), (0, 143), (0, 154), (0, 165), (0, 176), (0, 187), (0, 198), (0, 209), (0, 220), (0, 231), (0, 242), (0, 253), (0, 264), (0, 275), (0, 286), (0, 297)]
t(lambda: long3())  # expect: [(0, 0), (0, 11), (0, 22), (0, 33), (0, 44), (0, 55), (0, 66), (0, 77), (0, 88), (0, 99), (0, 110), (0, 121), (0, 132), (0, 143), (1, 3), (1, 14), (1, 25), (1, 36), (1, 47), (1, 58), (1, 69), (1, 80), (1, 91), (1, 102), (1, 113), (1, 124), (1, 135), (1, 146), (2, 6), (2, 17), (2, 28), (2, 39), (2, 50), (2, 61), (2, 72), (2, 83), (2, 94), (2, 105), (2, 116), (2, 127), (2, 138), (2, 149), (3, 9), (3, 20), (3, 31), (3, 42), (3, 53), (3, 64), (3, 75), (3, 86), (3, 97), (3, 108), (3, 119), (3, 130), (3, 141), (4, 1), (4, 12), (4, 23), (4, 34), (4, 45), (4, 56), (4, 67), (4, 78), (4, 89), (4, 100), (4, 111), (4, 122), (4, 133), (4, 144), (5, 4), (5, 15), (5, 26), (5, 37), (5, 48), (5, 59), (5, 70), (5, 81), (5, 92), (5, 103), (5, 114), (5, 125), (5, 136), (5, 147), (6, 7), (6, 18), (6, 29), (6, 40), (6, 51), (6, 62), (6, 73), (6, 84), (6, 95), (6, 106), (6, 117), (6, 128), (6, 139), (7, 10), (7, 21), (7, 32), (7, 43), (7, 54), (7, 65), (7, 76), (7, 87), (7, 98), (7, 109), (7, 120), (7, 131), (7, 142), (8, 2), (8, 13), (8, 24), (8, 35), (8, 46), (8, 57), (8, 68), (8, 79), (8, 90), (8, 101), (8, 112), (8, 123), (8, 134), (8, 145), (9, 5), (9, 16), (9, 27), (9, 38), (9, 49), (9, 60), (9, 71), (9, 82), (9, 93), (9, 104), (9, 115), (9, 126), (9, 137), (9, 148), (10, 8), (10, 19), (10, 30), (10, 41), (10, 52), (10, 63), (10, 74), (10, 85), (10, 96), (10, 107), (10, 118), (10, 129), (10, 140)]
t(lambda: Counter('abbcc').most_common(2))  # expect: [('b', 2), ('c', 2)]
