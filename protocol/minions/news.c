/* news - see news.h. */
#include "protocol/minions/news.h"

#include <string.h>

void news_tell(struct queue *to, const struct news *news, struct text text)
{
    struct news told = *news;
    if (!to)
        return;
    struct text kept = text_slice(text, 0, NEWS_TEXT_BYTES);
    kept.size = text_utf8_valid(kept);
    told.text_size = (uint32_t)kept.size;
    if (kept.size > 0)
        memcpy(told.text, kept.data, kept.size);
    (void)!queue_push(to, &told, 0);
}
