# room engine
room(engine NEEDS kernels tokenizer base SOURCES
  engine/kv_pool.c)
