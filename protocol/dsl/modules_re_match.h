/*
 * modules_re_match - match objects: groups, spans, templates.
 */
#ifndef DSL_MODULES_RE_MATCH_H
#define DSL_MODULES_RE_MATCH_H

#include "protocol/dsl/modules_re.h"

/* The match that the scan stands at, as a value. */
bool modules_re_match_new(struct interp *in, const struct modules_re_scan *scan,
                          struct value *out);
/* Appends a template in which \1, \g<1> and \g<name> stand for groups. */
bool modules_re_match_expand(struct interp *in, const struct modules_re_scan *scan,
                             struct str *template, struct str_builder *b);
#endif
