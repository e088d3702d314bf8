# room protocol: dsl and minions

# ---- minions ----
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
room(minions NEEDS base PkgConfig::CURL m SOURCES
  protocol/minions/fold.c protocol/minions/words.c protocol/minions/bm25.c
  protocol/minions/sentence.c)
