# room protocol: dsl and minions

# ---- minions ----
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
room(minions NEEDS base engine tokenizer PkgConfig::CURL m SOURCES
  protocol/minions/fold.c protocol/minions/words.c protocol/minions/bm25.c protocol/minions/question.c
  protocol/minions/sentence.c protocol/minions/documents.c protocol/minions/ledger.c
  protocol/minions/remote.c protocol/minions/job_output.c protocol/minions/prompts.c
  protocol/minions/aggregate.c protocol/minions/worker_engine.c protocol/minions/jobs.c
  protocol/minions/extract.c protocol/minions/supervisor_local.c
  protocol/minions/supervisor_remote.c protocol/minions/round.c)

# ---- api ----
room(api NEEDS base engine tokenizer SOURCES
  protocol/api/id_set.c protocol/api/openai.c protocol/api/batch_file.c)
