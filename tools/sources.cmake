# room tools: the cohort binary
