/*
 * journal_tables - the tables of a journal's file, and those of earlier formats made into them.
 *
 *     run; call (run, number); job (run, hash of what was asked); round (run, number)
 */
#ifndef MINIONS_JOURNAL_TABLES_H
#define MINIONS_JOURNAL_TABLES_H

#include "base/error.h"

struct sqlite3;

/* Makes the tables where they are not there. ERR_FORMAT the file is damaged or of a later
 * format; ERR_IO. On failure close db: that undoes what was begun. */
MUST_USE enum status journal_tables_make(struct sqlite3 *db, const char *path,
                                         struct error *err);

/* Tells what SQLite's code means for the file at path; db may be NULL. */
enum status journal_tables_fail(struct sqlite3 *db, const char *path, int code,
                                struct error *err);

#endif
