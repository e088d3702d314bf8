/* matcher_parents - see matcher_parents.h. */
#include "engine/matcher_parents.h"

#include "engine/matcher_phase.h"

/* Parents are in ascending order in a list, the last one for itself. */
uint32_t matcher_parents_read(const struct matcher *matcher, uint16_t list, uint16_t *parents)
{
    uint32_t count = 0;
    while (list != 0 && matcher->frames[list].phase == MATCHER_LIST &&
           count < MATCHER_PARENTS_MAX - 1) {
        parents[count++] = matcher->frames[list].parent;
        list = (uint16_t)matcher->frames[list].state;
    }
    parents[count++] = list;
    return count;
}

/* The list of what is in both. */
uint16_t matcher_parents_join(struct matcher *matcher, uint16_t a, uint16_t b)
{
    uint16_t from[2][MATCHER_PARENTS_MAX];
    uint16_t joined[2 * MATCHER_PARENTS_MAX];
    uint32_t count = 0;
    uint32_t at[2] = {0, 0};
    if (a == b)
        return a;
    const uint32_t sizes[2] = {matcher_parents_read(matcher, a, from[0]),
                               matcher_parents_read(matcher, b, from[1])};
    while (at[0] < sizes[0] || at[1] < sizes[1]) {
        const int s =
            at[0] == sizes[0] || (at[1] < sizes[1] && from[1][at[1]] < from[0][at[0]]);
        const uint16_t parent = from[s][at[s]++];
        if (count == 0 || joined[count - 1] != parent)
            joined[count++] = parent;
    }
    if (count > MATCHER_PARENTS_MAX) {
        matcher->dropped += count - MATCHER_PARENTS_MAX;
        count = MATCHER_PARENTS_MAX;
    }
    uint16_t list = joined[count - 1];
    for (uint32_t i = count - 1; i-- > 0;) {
        const struct matcher_frame link = {
            .phase = MATCHER_LIST, .parent = joined[i], .state = list};
        const uint16_t longer = matcher_intern(matcher, &link);
        list = longer ? longer : list;
    }
    return list;
}
