# room tools, the part that needs nothing past the engine: options, and the kernels' bench,
# which is also a program of its own where the cohort binary's libraries are not at hand
room(commands NEEDS base SOURCES tools/args.c tools/exit_code.c)
room(kbench NEEDS commands engine kernels base m SOURCES
  tools/kbench_args.c tools/kbench_stats.c tools/kbench_case.c tools/kbench_kernels.c
  tools/kbench_rows.c tools/kbench_products.c tools/kbench_attend.c tools/kbench_draw.c)
