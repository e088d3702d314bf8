/* token - the number of a token in a model's vocabulary, as the kernels read it. */
#ifndef BASE_TOKEN_H
#define BASE_TOKEN_H

#include <stdint.h>

typedef int32_t token_id; /* 0 .. vocab_size-1 */

enum { TOKEN_NONE = -1 };

#endif
