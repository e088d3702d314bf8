# room tools: the cohort binary, one file per subcommand
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
room(tools NEEDS minions api kbench commands engine tokenizer base PkgConfig::CURL SOURCES
  tools/model_path.c tools/model_store.c tools/fetch.c
  tools/hub.c tools/pull.c tools/models.c
  tools/engine_args.c tools/output.c tools/machine.c tools/memory_plan.c tools/state_path.c tools/prices.c
  tools/supervisor_args.c tools/workers_args.c tools/run_record.c tools/progress.c
  tools/ask.c tools/ask_args.c tools/ask_journal.c tools/ask_print.c tools/ask_ticker.c
  tools/batch.c tools/batch_workers.c tools/doctor.c tools/dsl.c tools/inspect.c tools/quantize.c
  tools/eval.c tools/eval_args.c tools/eval_questions.c tools/eval_results.c tools/eval_run.c
  tools/eval_table.c
  tools/embed.c tools/perplexity.c tools/run.c tools/serve.c tools/serve_minions.c tools/serve_body.c tools/answer_json.c tools/runs.c tools/tokenize.c)
add_executable(cohort tools/cohort.c)
target_link_libraries(cohort PRIVATE tools warnings)
