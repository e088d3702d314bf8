/* token_list - a growing list of tokens; see tokenizer.h. */
#include "tokenizer/tokenizer.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 64 };

void token_list_deinit(struct token_list *list)
{
    free(list->ids);
    *list = (struct token_list){0};
}

bool token_list_add(struct token_list *list, token_id id)
{
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity ? 2 * list->capacity : FIRST_CAPACITY;
        token_id *ids = reallocarray(list->ids, capacity, sizeof *ids);
        if (!ids)
            return false;
        list->ids = ids;
        list->capacity = capacity;
    }
    list->ids[list->count++] = id;
    return true;
}
