# room bench
