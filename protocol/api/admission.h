/*
 * admission - who is let in when more ask than can be served: shares by API key.
 *
 * Two rules, for servers with several keys; with one key or none all is one share.
 *
 *   room   A key may hold as many requests as are still free. One that floods alone stops at
 *          half of them, two at a third each: whoever comes next always finds room.
 *   order  A key's first fair_max requests go as they came, those beyond them behind
 *          everybody's first ones: lowered by ADMISSION_LOWERED steps of priority, each worth
 *          having come ENGINE_PRIORITY_JOBS jobs later; so they wait, and not for ever.
 *
 * Owner    admission_init allocates, admission_deinit frees.
 * Thread   any.
 */
#ifndef API_ADMISSION_H
#define API_ADMISSION_H

#include "base/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { ADMISSION_LOWERED = 4 };

struct admission {
    pthread_mutex_t lock;
    uint32_t *held; /* [key_count] */
    uint32_t key_count, held_max, fair_max, total;
};

struct admission_shares {
    uint32_t key_count; /* 0: no keys are demanded */
    uint32_t held_max;  /* of all keys together */
    uint32_t fair_max;  /* of one key, before the others' go first */
};

MUST_USE enum status admission_init(struct admission *admission,
                                    const struct admission_shares *shares, struct error *err);
void admission_deinit(struct admission *admission); /* safe on a zeroed struct */

/* One more request of key (keys_find; anything where there are no keys). False: not now. True:
 * it is held until admission_leave; lowered is what its priority loses. */
bool admission_enter(struct admission *admission, uint32_t key, int32_t *lowered);
void admission_leave(struct admission *admission, uint32_t key);

#endif
