# room engine
room(engine NEEDS kernels tokenizer base SOURCES
  engine/gguf.c engine/gguf_get.c engine/model_config.c engine/weights.c engine/model.c
  engine/forward.c
  engine/kv_pool.c)
