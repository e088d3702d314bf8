# room tools: the cohort binary, one file per subcommand
room(tools NEEDS api engine tokenizer base SOURCES
  tools/args.c tools/exit_code.c tools/model_path.c tools/engine_args.c
  tools/batch.c tools/run.c)
