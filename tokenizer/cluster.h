/*
 * cluster - extended grapheme clusters (Unicode Standard Annex 29, section 3): what people take
 * for one character, such as a letter and the marks on it.
 *
 * Left out are the rules that join two pictographs, by U+200D between them, and the two halves
 * of a flag, which have eight bytes: who asks does so for clusters of fewer than six.
 */
#ifndef TOKENIZER_CLUSTER_H
#define TOKENIZER_CLUSTER_H

#include "base/text.h"

/* Where the cluster that begins at at, before the text's end, ends. A malformed byte counts as
 * a character that joins no other. */
size_t cluster_end(struct text text, size_t at);

#endif
