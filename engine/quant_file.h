/*
 * quant_file - a model file with its matrices in another of the block formats.
 *
 * What becomes of a tensor:
 *
 *     the head            output.weight, or token_embd.weight where that is the head too: the
 *                         type asked for, but Q8_0 for one of fewer than 8 bits, since rounding
 *                         the head costs the most
 *     the embedding,      the type asked for
 *     every other matrix
 *     all else            copied
 *
 * Rows that are no multiple of the type's block get Q8_0, or F16 where its block does not fit
 * either.
 *
 * Any type that is read may be the source; rounding twice costs more than rounding once.
 */
#ifndef ENGINE_QUANT_FILE_H
#define ENGINE_QUANT_FILE_H

#include "engine/gguf.h"
#include "kernels/device.h"

/* The type of that name, any case ("Q4_0", "q4_k"); false: none that can be written. */
bool quant_file_type(const char *name, enum weight_type *type);

/* The names of those that can: "F16, BF16, Q8_0 ...". */
struct quant_file_names {
    char text[96];
};
struct quant_file_names quant_file_names(void);

/* The type that the tensor gets; its own: it is copied. */
enum weight_type quant_file_choose(const struct gguf *gguf, const struct gguf_tensor *tensor,
                                   enum weight_type type);

/* Writes gguf's model to path with the device's threads; as gguf_write_file. ERR_FORMAT a
 * matrix with a number that is not finite, or that the type cannot hold; ERR_LIMIT rows too
 * long. */
MUST_USE enum status quant_file_write(const char *path, const struct gguf *gguf,
                                      enum weight_type type, struct device *device,
                                      struct error *err);

#endif
