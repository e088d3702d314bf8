/*
 * int8_file - a model file whose matrices are in our int8 form already, so that loading it
 * quantizes nothing. What it holds has the bits that weights_load would make from the source.
 * The format is told at the top of int8_file.c.
 */
#ifndef ENGINE_INT8_FILE_H
#define ENGINE_INT8_FILE_H

#include "engine/quant_report.h"

#define INT8_FILE_KEY "cohort.int8.version"
enum { INT8_FILE_VERSION = 1 };

struct int8_file_name {
    char text[GGUF_NAME_BYTES_MAX + 1];
};
/* The tensor of scales that belongs to a matrix: "blk.0.ffn_up.weight" has
 * "blk.0.ffn_up.scale". */
struct int8_file_name int8_file_scale_name(struct text matrix);

/* True when the file is one of int8 rows.
 * ERR_FORMAT, ERR_LIMIT: it says so in another way than we write it. */
MUST_USE enum status int8_file_check(const struct gguf *gguf, bool *is_int8, struct error *err);

/* Writes gguf's model to path: matrices of the report that are not kept as int8, all else as it
 * is. gguf is that of a model which weights_load takes. Uses the device's threads. A file of
 * that name is replaced at the end, or not at all.
 * ERR_IO cannot be written; ERR_LIMIT a matrix past what a kernel takes; ERR_MEMORY. */
MUST_USE enum status int8_file_write(const char *path, const struct gguf *gguf,
                                     const struct quant_report *report, struct device *device,
                                     struct error *err);

#endif
