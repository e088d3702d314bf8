# room tokenizer
room(tokenizer NEEDS base SOURCES
  tokenizer/unicode_table.c
  tokenizer/unicode.c
  tokenizer/pretokenize.c
  tokenizer/pair_map.c
  tokenizer/merge_heap.c
  tokenizer/vocab.c
  tokenizer/special.c
  tokenizer/bpe.c
  tokenizer/spm.c
  tokenizer/token_list.c
  tokenizer/tokenizer_stream.c
  tokenizer/tokenizer.c)
