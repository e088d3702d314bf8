import os
# expect refused: 1: import of os is not allowed: there are re, json, math, collections, itertools, functools, string and typing
