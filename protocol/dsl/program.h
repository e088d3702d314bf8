/*
 * program - a supervisor's program, in this process: what dsl.h has another process do.
 *
 * The functions are those of dsl.h, with the same failures; limits hold no zeros, and nobody
 * looks at wall time here.
 */
#ifndef DSL_PROGRAM_H
#define DSL_PROGRAM_H

#include "protocol/dsl/dsl.h"

struct program;

MUST_USE enum status program_open(struct program **program, const struct dsl_options *options,
                                  struct dsl_fault *fault, struct error *err);
void program_close(struct program *program); /* NULL is fine */
MUST_USE enum status program_prepare_jobs(struct program *program,
                                          const struct dsl_finished *past,
                                          struct dsl_jobs *jobs, struct dsl_fault *fault,
                                          struct error *err);
MUST_USE enum status program_transform(struct program *program,
                                       const struct dsl_finished *finished, struct text *text,
                                       struct dsl_fault *fault, struct error *err);

/* What is left of its memory, for the reply that its process makes. */
size_t program_bytes_left(const struct program *program);

#endif
