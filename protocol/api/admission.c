/* admission - see admission.h. */
#include "protocol/api/admission.h"

#include <assert.h>
#include <stdlib.h>

enum status admission_init(struct admission *admission, const struct admission_shares *shares,
                           struct error *err)
{
    const uint32_t count = shares->key_count > 0 ? shares->key_count : 1;
    uint32_t *held = calloc(count, sizeof *held);
    if (!held || pthread_mutex_init(&admission->lock, NULL) != 0) {
        free(held);
        FAIL(err, ERR_MEMORY, "no memory for the shares of %u keys", count);
    }
    admission->held = held;
    admission->key_count = count;
    admission->held_max = shares->held_max;
    admission->fair_max = shares->fair_max;
    admission->total = 0;
    return OK;
}

void admission_deinit(struct admission *admission)
{
    if (!admission->held)
        return;
    pthread_mutex_destroy(&admission->lock);
    free(admission->held);
    admission->held = NULL;
}

static uint32_t *share_of(const struct admission *admission, uint32_t key)
{
    return &admission->held[key < admission->key_count ? key : 0];
}

bool admission_enter(struct admission *admission, uint32_t key, int32_t *lowered)
{
    pthread_mutex_lock(&admission->lock);
    uint32_t *held = share_of(admission, key);
    const uint32_t free_count = admission->held_max - admission->total;
    const bool has_others = admission->key_count > 1;
    const bool is_in = free_count > 0 && (!has_others || *held < free_count);
    *lowered = has_others && *held >= admission->fair_max ? ADMISSION_LOWERED : 0;
    if (is_in) {
        ++*held;
        admission->total++;
    }
    pthread_mutex_unlock(&admission->lock);
    return is_in;
}

void admission_leave(struct admission *admission, uint32_t key)
{
    pthread_mutex_lock(&admission->lock);
    uint32_t *held = share_of(admission, key);
    assert(*held > 0 && admission->total > 0);
    --*held;
    admission->total--;
    pthread_mutex_unlock(&admission->lock);
}
