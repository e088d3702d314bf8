import re
pattern = r"a(?=b)"
print("runs")
re.search(pattern, "ab")
# expect: runs
# expect error: error: look-ahead (?=...) is not supported: match it and cut it off yourself at position 1
