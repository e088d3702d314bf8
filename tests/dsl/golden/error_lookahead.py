import re
re.search(r"a(?=b)", "ab")
# expect error: error: look-ahead (?=...) is not supported: match it and cut it off yourself at position 1
