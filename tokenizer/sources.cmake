# room tokenizer
room(tokenizer NEEDS base SOURCES
  tokenizer/tokenizer.c)
