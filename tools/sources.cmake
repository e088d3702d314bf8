# room tools: the cohort binary, one file per subcommand
room(tools NEEDS minions api kbench commands engine tokenizer base SOURCES
  tools/model_path.c tools/engine_args.c tools/machine.c
  tools/ask.c tools/batch.c tools/doctor.c tools/inspect.c tools/quantize.c
  tools/logprob.c tools/run.c tools/tokenize.c)
add_executable(cohort tools/cohort.c)
target_link_libraries(cohort PRIVATE tools warnings)
