# What the grammar reads otherwise than Python: stars without brackets, specs that begin with =.
L = []
def log(x):
    L.append(x)
def t(g):
    L.clear()
    try:
        print(repr(g()), *L)
    except Exception as e:
        print(type(e).__name__, '|', e, *L)
def f():
    return [5]
def star16():
    b = 2
    a = b, *[1], b
    return a
def star19():
    b = 2
    a = b, *(f() or [])
    return a
def star21():
    b = 2
    return b, *(f() or [])
def star22():
    b = 2
    return b, *[1], *{2}
def star23():
    for x in 1, *[2, 3]:
        log(x)
def star24():
    a = *[1, 2],
    return a
def star25():
    a = [1]
    a += 1, *[2]
    return a
def star26():
    a = *'ab', 1
    return a
def star27():
    a, b = *'ab',
    return a, b
def star28():
    d = {}
    d['x'] = 1, *(2, 3)
    return d
def star29():
    a = b = 1, *(2, 3)
    return a, b
def star30():
    a = 1, *(x for x in [2])
    return a
def star31():
    a = 1, *{'k': 1}
    return a
def star32():
    a: tuple = 1, *(2, 3)
    return a
def star35():
    a = 1, *-1
    return a
def fs1():
    a = 5
    return f'{a:=+9}'
def fs2():
    a = 5
    return f'{a:=9}'
def fs3():
    a = 5
    return f'{a:=09}'
def fs4():
    a = 5
    return f'{a:=>9}'
def fs5():
    a = 5
    w = 7
    return f'{a:={w}}'
def fs6():
    a = 5
    return f'{a:=10.2f}'
def fs7():
    a = 5
    return f'{a:=^9}'
def fs8():
    a = 5
    return f'{a:=10,}'
def fs9():
    a = 5
    w = 7
    return f'{a:=+{w}}'
def fs10():
    a = 5
    return f'{(a:=9)}'
def fs11():
    a = 5
    return f'{a!r:=>9}'
def fs12():
    a = 5
    return f'{a:=-9}'
def fs13():
    a = 5
    return f'{a:= 9}'
def fs14():
    a = 5
    return f'{a:=+9.1f}|{a:=<4}|{a:==6}'
def fs15():
    a = [5]
    return f'{a[0]:=+9}'
def fs16():
    a = 5
    return f'{a:=#9x}'
def g2():
    a, *b = *[1], 2
    return a, b
def g3():
    return [*[1], *(2,)], {**{}, 'a': 1}
def g4():
    x = 3
    x *= (2)
    return x, x *(2), x **-1, x *-1
def g5():
    a = 5
    return f"{a:=+9}|{{a:=+9}}|{a!r:=^5}|{a=:=4}|{ {'k': a}['k'] :=4}|{a if a else 0:=4}"
def g7():
    a = 5
    return f'{"x:=y"}{a!r}{[1, 2][0:1]}{(lambda: 3)():=4}'
def g8():
    return f'{3 != 4}{3!r:=4}{5:{">"}{3}}'
def g9():
    a = 5
    return [f'{a:{b}}' for b in ['=4', '=+4']]
t(star16)  # expect: (2, 1, 2)
t(star19)  # expect: (2, 5)
t(star21)  # expect: (2, 5)
t(star22)  # expect: (2, 1, 2)
t(star23)  # expect: None 1 2 3
t(star24)  # expect: (1, 2)
t(star25)  # expect: [1, 1, 2]
t(star26)  # expect: ('a', 'b', 1)
t(star27)  # expect: ('a', 'b')
t(star28)  # expect: {'x': (1, 2, 3)}
t(star29)  # expect: ((1, 2, 3), (1, 2, 3))
t(star30)  # expect: (1, 2)
t(star31)  # expect: (1, 'k')
t(star32)  # expect: (1, 2, 3)
t(star35)  # expect: TypeError | Value after * must be an iterable, not int
t(fs1)  # expect: '+       5'
t(fs2)  # expect: '        5'
t(fs3)  # expect: '000000005'
t(fs4)  # expect: '========5'
t(fs5)  # expect: '      5'
t(fs6)  # expect: '      5.00'
t(fs7)  # expect: '====5===='
t(fs8)  # expect: '         5'
t(fs9)  # expect: '+     5'
t(fs10)  # expect: '9'
t(fs11)  # expect: '========5'
t(fs12)  # expect: '        5'
t(fs13)  # expect: '        5'
t(fs14)  # expect: '+     5.0|5===|=====5'
t(fs15)  # expect: '+       5'
t(fs16)  # expect: '0x      5'
t(g2)  # expect: (1, [2])
t(g3)  # expect: ([1, 2], {'a': 1})
t(g4)  # expect: (6, 12, 0.16666666666666666, -6)
t(g5)  # expect: '+       5|{a:=+9}|==5==|a=   5|   5|   5'
t(g7)  # expect: 'x:=y5[1]   3'
t(g8)  # expect: ValueError | '=' alignment not allowed in string format specifier
t(g9)  # expect: ['   5', '+  5']
a = 6
print(f'''{a:=4}
{a:=4}''' + rf'\{a:=4}' + '{a:=4}' + ('' if'{a:=3}'else''))
# expect:    6
# expect:    6\   6{a:=4}
