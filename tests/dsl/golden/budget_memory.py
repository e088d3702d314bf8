x = "a"
try:
    while True:
        x = x + x
except Exception:
    print("caught")
# expect budget
