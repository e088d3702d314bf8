/*
 * cluster - extended grapheme clusters (Unicode Standard Annex 29, section 3): what people take
 * for one character, such as a letter and the marks on it.
 *
 * Left out are flags, whose two halves join, and pictographs with U+200D between them: who asks
 * does so for clusters of fewer than six bytes, and these are longer. The second pictograph and
 * a mark behind it are then taken for a cluster, which they are not.
 */
#ifndef TOKENIZER_CLUSTER_H
#define TOKENIZER_CLUSTER_H

#include "base/text.h"

/* Where the cluster that begins at at, before the text's end, ends. A malformed byte counts as
 * a character that joins no other. */
size_t cluster_end(struct text text, size_t at);

#endif
