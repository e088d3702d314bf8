from json import loadz
# expect refused: 1: cannot import name 'loadz' from 'json': the nearest there is 'loads'
