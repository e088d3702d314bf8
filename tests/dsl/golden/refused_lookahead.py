import re
print("never")
re.search(r"a(?=b)", "ab")
# expect refused: 3: regular expression: look-ahead (?=...) is not supported: match it and cut it off yourself at position 1
