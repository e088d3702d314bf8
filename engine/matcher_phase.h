/*
 * matcher_phase - where a frame stands in its value. A part of engine/matcher.
 */
#ifndef ENGINE_MATCHER_PHASE_H
#define ENGINE_MATCHER_PHASE_H

enum matcher_phase {
    MATCHER_VALUE,        /* before a value of node */
    MATCHER_STRING,       /* between the quotes */
    MATCHER_NUMBER,       /* within a number */
    MATCHER_WORD,         /* within null, true or false: count says which, state how far */
    MATCHER_OBJECT_FIRST, /* after { */
    MATCHER_OBJECT_NAME,  /* within a name */
    MATCHER_OBJECT_COLON, /* state: the node of the value */
    MATCHER_OBJECT_NEXT,  /* after a value */
    MATCHER_OBJECT_COMMA,
    MATCHER_ARRAY_FIRST, /* after [ */
    MATCHER_ARRAY_NEXT,  /* after an item */
    MATCHER_LIST /* no frame of a way: the parents are parent and those of the list state */
};

#endif
