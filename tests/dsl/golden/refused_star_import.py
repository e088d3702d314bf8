from re import *
# expect refused: 1: a star import is not part of this language: import the names one by one
