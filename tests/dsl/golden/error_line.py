print("before")
x = {"a": 1}
x["b"]
print("never")
# expect: before
# expect error: KeyError: 'b'
