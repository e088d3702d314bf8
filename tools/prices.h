/*
 * prices - what paid models cost, dollars per million tokens in and out.
 *
 * A line each: `NAME IN OUT`. A model whose name begins with NAME is meant, the longest NAME
 * counts, and # begins a remark. The file is $XDG_CONFIG_HOME/cohort/prices, else
 * ~/.config/cohort/prices; where it has no line for a model, a table of list prices has
 * (PRICES_DATE: look before you rely on it).
 */
#ifndef TOOLS_PRICES_H
#define TOOLS_PRICES_H

#include "base/error.h"
#include "protocol/minions/ledger.h"

#include <stdbool.h>

#define PRICES_DATE "January 2026"

/* A model that nobody knows. */
#define PRICES_UNKNOWN ((struct ledger_price){2.5, 10})

/* *is_known: a line was found; else price is PRICES_UNKNOWN. ERR_FORMAT a line of the file
 * cannot be read (its number is told); ERR_IO the file is there and cannot be read. */
MUST_USE enum status prices_find(const char *model, struct ledger_price *price, bool *is_known,
                                 struct error *err);

#endif
