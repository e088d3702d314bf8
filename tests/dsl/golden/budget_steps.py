try:
    while True:
        pass
except BaseException:
    print("caught")
finally:
    print("finally")
# expect budget
