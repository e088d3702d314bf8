# room protocol: dsl and minions
