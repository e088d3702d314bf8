# Names that may mean something else, or that the program is ready to miss, are left to run.
import re, math, json
from re import search
print(re.sub(r"""(?x) a # not (?=this)
    """, "b", "a"))
# expect: b
print(re.findall("a # (?=b)\n", "a", re.X))
# expect: ['a']
def shadow(re):
    return re.nothing
def local():
    math = JobManifest(chunk="c", task="t", advice="a")
    return math.task
print(local())
# expect: t
try:
    math.nothing(1)
except AttributeError as e:
    print(e)
# expect: module 'math' has no attribute 'nothing'
def rebind():
    global json
    json = JobManifest(chunk="c", task="t", advice="a")
rebind()
print(json.task)
# expect: t
def outer():
    import string
    def inner():
        nonlocal string
        string = JobManifest(chunk="c", task="u", advice="a")
    inner()
    return string.task
print(outer())
# expect: u
try:
    re.compile("(")
except re.error:
    print("no pattern")
# expect: no pattern
print(["".format for search in ["{0.__class__}"]][0]())
# expect:
print("{{0.__class__}} {0}".format(1))
# expect: {0.__class__} 1
