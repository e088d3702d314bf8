# room protocol: dsl and minions

# ---- minions ----
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
room(minions NEEDS base PkgConfig::CURL m SOURCES
  protocol/minions/fold.c protocol/minions/words.c protocol/minions/bm25.c
  protocol/minions/sentence.c)

# ---- api ----
room(api NEEDS base engine tokenizer SOURCES
  protocol/api/id_set.c protocol/api/openai.c protocol/api/batch_file.c)
