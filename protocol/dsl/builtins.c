/* builtins - see builtins.h. */
#include "protocol/dsl/builtins.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/attribute.h"
#include "protocol/dsl/chunk.h"
#include "protocol/dsl/compare.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/eval.h"
#include "protocol/dsl/format.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/repr.h"
#include "protocol/dsl/retrieve.h"
#include "protocol/dsl/type.h"

#include <stdio.h>
#include <string.h>

static bool print(struct interp *in, const struct args *args, struct value *out)
{
    struct text separator = TEXT(" "), end = TEXT("\n");
    *out = value_none();
    for (uint32_t i = 0; i < args->named_count; i++) {
        const struct text name = str_text(args->names[i]);
        struct text *to = text_equal(name, TEXT("sep"))   ? &separator
                          : text_equal(name, TEXT("end")) ? &end
                                                          : NULL;
        if (to && args->named[i].kind == VALUE_STR)
            *to = str_text(args->named[i].as.str);
        else if (!to && !text_equal(name, TEXT("flush")) && !text_equal(name, TEXT("file")))
            return exception_raise(in, &exception_type,
                                   "'%.*s' is an invalid keyword argument for print()",
                                   TEXT_ARG(name));
    }
    for (uint32_t i = 0; i < args->count; i++) {
        struct str *text = repr_str(in, args->values[i]);
        if (!text)
            return false;
        if (in->print_to && i > 0)
            text_buf_add(in->print_to, separator);
        if (in->print_to)
            text_buf_add(in->print_to, str_text(text));
    }
    if (in->print_to)
        text_buf_add(in->print_to, end);
    return true;
}

static bool len(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"len", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    switch (values[0].kind) {
    case VALUE_STR:
        *out = value_int((int64_t)values[0].as.str->length);
        return true;
    case VALUE_LIST:
    case VALUE_TUPLE:
        *out = value_int(values[0].as.list->count);
        return true;
    case VALUE_DICT:
    case VALUE_SET:
        *out = value_int(values[0].as.dict->count);
        return true;
    case VALUE_RANGE:
        *out = value_int(values[0].as.range->count);
        return true;
    case VALUE_ITER:
        if (iter_is_view(values[0].as.iter)) {
            *out = value_int(values[0].as.iter->source.as.dict->count);
            return true;
        }
        break;
    default:
        break;
    }
    return exception_raise(in, &exception_type, "object of type '%s' has no len()",
                           type_name(values[0]));
}

static bool absolute(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"abs", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    if (!number_is(values[0]))
        return exception_raise(in, &exception_type, "bad operand type for abs(): '%s'",
                               type_name(values[0]));
    if (values[0].kind == VALUE_FLOAT) {
        *out = value_float(__builtin_fabs(values[0].as.real));
        return true;
    }
    *out = value_int(number_integer(values[0]));
    return out->as.integer >= 0 || number_negate(in, *out, out);
}

static bool round_number(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"round", 1, 2, {"number", "ndigits"}, {NULL}};
    struct value values[2];
    return args_bind(in, &SPEC, args, values) && number_round(in, values[0], values[1], out);
}

__extension__ typedef unsigned __int128 wide; /* a product of two 64-bit numbers */

static int64_t power_modulo(int64_t base, int64_t exponent, int64_t modulus)
{
    const wide mod = (uint64_t)modulus;
    const uint64_t magnitude = base < 0 ? 0 - (uint64_t)base : (uint64_t)base;
    wide result = 1 % mod, factor = magnitude % mod;
    if (base < 0 && factor != 0)
        factor = mod - factor;
    for (; exponent > 0; exponent >>= 1) {
        if (exponent & 1)
            result = result * factor % mod;
        factor = factor * factor % mod;
    }
    return (int64_t)result;
}

/* The inverse of base modulo modulus > 0 by Euclid's algorithm; 0 when there is none. */
static int64_t inverse(int64_t base, int64_t modulus)
{
    __extension__ typedef __int128 signed_wide;
    signed_wide a = ((signed_wide)base % modulus + modulus) % modulus, b = modulus;
    signed_wide x = 1, y = 0; /* a = x * base, b = y * base modulo modulus */
    while (b != 0) {
        const signed_wide quotient = a / b, rest = a - quotient * b, z = x - quotient * y;
        a = b;
        b = rest;
        x = y;
        y = z;
    }
    return a == 1 ? (int64_t)((x % modulus + modulus) % modulus) : 0;
}

static bool power_of_three(struct interp *in, const struct value values[3], struct value *out)
{
    bool reals = false; /* a float among them answers for all */
    for (uint32_t i = 0; i < 3; i++)
        reals |= values[i].kind == VALUE_FLOAT;
    for (uint32_t i = 0; i < 3 && !reals; i++)
        if (!number_is(values[i]))
            return exception_raise(
                in, &exception_type,
                "unsupported operand type(s) for ** or pow(): '%s', '%s', '%s'",
                type_name(values[0]), type_name(values[1]), type_name(values[2]));
    for (uint32_t i = 0; i < 3; i++)
        if (!number_is_int(values[i]))
            return exception_raise(
                in, &exception_type,
                "pow() 3rd argument not allowed unless all arguments are integers");
    int64_t base = number_integer(values[0]), exponent = number_integer(values[1]);
    const int64_t signed_modulus = number_integer(values[2]);
    if (signed_modulus == 0)
        return exception_raise(in, &exception_value, "pow() 3rd argument cannot be 0");
    if (signed_modulus == INT64_MIN || exponent == INT64_MIN) {
        interp_leave_64(in);
        return exception_raise(in, &exception_overflow, "pow() of such numbers leaves 64 bits");
    }
    const int64_t modulus = signed_modulus < 0 ? -signed_modulus : signed_modulus;
    if (exponent < 0) {
        base = modulus == 1 ? 0 : inverse(base, modulus);
        exponent = -exponent;
        if (base == 0 && modulus != 1)
            return exception_raise(in, &exception_value,
                                   "base is not invertible for the given modulus");
    }
    const int64_t result = power_modulo(base, exponent, modulus);
    *out = value_int(signed_modulus < 0 && result > 0 ? result + signed_modulus : result);
    return true;
}

static bool power(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"pow", 2, 3, {"base", "exp", "mod"}, {NULL}};
    struct value values[3];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    if (values[2].kind == VALUE_UNSET || values[2].kind == VALUE_NONE)
        return eval_binary(in, AST_POW, values, false, out);
    return power_of_three(in, values, out);
}

static bool divmod(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"divmod", 2, 2, {NULL}, {NULL}};
    struct value values[2], pair[2];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    if (!number_is(values[0]) || !number_is(values[1]))
        return exception_raise(in, &exception_type,
                               "unsupported operand type(s) for divmod(): '%s' and '%s'",
                               type_name(values[0]), type_name(values[1]));
    if (!(number_is_int(values[0]) && number_is_int(values[1])) && number_real(values[1]) == 0)
        return exception_raise(in, &exception_zero_division, "float divmod()");
    if (!eval_binary(in, AST_FLOOR_DIV, values, false, &pair[0]) ||
        !eval_binary(in, AST_MOD, values, false, &pair[1]))
        return false;
    *out = value_tuple(list_of(in, pair, 2));
    return out->as.list != NULL;
}

static bool is_one_of(struct interp *in, struct value value, struct value classes, bool *yes);

/* Tuples may be nested, as deep and as often as a program likes. */
static bool is_any_of(struct interp *in, struct value value, const struct list *classes,
                      bool *yes)
{
    bool fine = true;
    *yes = false;
    if (!interp_charge(in, 1) || !interp_enter(in))
        return false;
    for (uint32_t i = 0; i < classes->count && fine && !*yes; i++)
        fine = is_one_of(in, value, classes->items[i], yes);
    interp_leave(in);
    return fine;
}

static bool is_one_of(struct interp *in, struct value value, struct value classes, bool *yes)
{
    if (classes.kind == VALUE_TUPLE)
        return is_any_of(in, value, classes.as.list, yes);
    if (classes.kind == VALUE_TYPING) { /* List, Dict and so on, as isinstance takes them */
        static const char *const NAMES[] = {"List", "Dict", "Set", "Tuple", "Callable"};
        static const enum value_kind KINDS[] = {VALUE_LIST, VALUE_DICT, VALUE_SET, VALUE_TUPLE,
                                                VALUE_FUNCTION};
        *yes = false;
        for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
            *yes |= strcmp(classes.as.typing, NAMES[i]) == 0 && value.kind == KINDS[i];
        return true;
    }
    if (classes.kind != VALUE_TYPE)
        return exception_raise(in, &exception_type,
                               "isinstance() arg 2 must be a type, a tuple of types, or a "
                               "union");
    *yes = type_is_instance(value, classes.as.type);
    return true;
}

static bool isinstance(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"isinstance", 2, 2, {NULL}, {NULL}};
    struct value values[2];
    *out = value_bool(false);
    return args_bind(in, &SPEC, args, values) &&
           is_one_of(in, values[0], values[1], &out->as.boolean);
}

static bool is_subclass(struct interp *in, struct value type, struct value classes, bool *yes)
{
    if (classes.kind != VALUE_TUPLE && type.kind != VALUE_TYPE)
        return exception_raise(in, &exception_type, "issubclass() arg 1 must be a class");
    if (classes.kind == VALUE_TYPE) {
        *yes = classes.as.type == &type_object ||
               exception_type_is_a(type.as.type, classes.as.type);
        return true;
    }
    if (classes.kind != VALUE_TUPLE)
        return exception_raise(in, &exception_type,
                               "issubclass() arg 2 must be a class, a tuple of classes, or a "
                               "union");
    bool fine = interp_enter(in);
    for (uint32_t i = 0; fine && i < classes.as.list->count && !*yes; i++)
        fine = is_subclass(in, type, classes.as.list->items[i], yes);
    interp_leave(in);
    return fine;
}

static bool issubclass(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"issubclass", 2, 2, {NULL}, {NULL}};
    struct value values[2];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    *out = value_bool(false);
    return is_subclass(in, values[0], values[1], &out->as.boolean);
}

static bool callable(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"callable", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    *out = value_bool(eval_can_call(values[0]));
    return true;
}

static bool get_attribute(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"getattr", 2, 3, {NULL}, {NULL}};
    struct value values[3];
    struct str *name = NULL;
    bool found;
    if (!args_bind(in, &SPEC, args, values) ||
        !args_str(in, values[1], "attribute name", &name))
        return false;
    if (values[2].kind == VALUE_UNSET)
        return attribute_get(in, values[0], name, out);
    if (!attribute_find(in, values[0], name, out, &found))
        return false;
    if (!found)
        *out = values[2];
    return true;
}

static bool has_attribute(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"hasattr", 2, 2, {NULL}, {NULL}};
    struct value values[2], ignored;
    struct str *name = NULL;
    *out = value_bool(false);
    return args_bind(in, &SPEC, args, values) &&
           args_str(in, values[1], "attribute name", &name) &&
           attribute_find(in, values[0], name, &ignored, &out->as.boolean);
}

static bool set_attribute(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"setattr", 3, 3, {NULL}, {NULL}};
    struct value values[3];
    struct str *name = NULL;
    *out = value_none();
    return args_bind(in, &SPEC, args, values) &&
           args_str(in, values[1], "attribute name", &name) &&
           attribute_set(in, values[0], name, values[2]);
}

static bool ord(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"ord", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    size_t at = 0;
    if (!args_bind(in, &SPEC, args, values))
        return false;
    if (values[0].kind != VALUE_STR)
        return exception_raise(in, &exception_type,
                               "ord() expected string of length 1, but %s "
                               "found",
                               type_name(values[0]));
    if (values[0].as.str->length != 1)
        return exception_raise(in, &exception_type,
                               "ord() expected a character, but string of length %zu found",
                               values[0].as.str->length);
    *out = value_int(str_next(values[0].as.str, &at));
    return true;
}

static bool chr(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"chr", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    struct str_builder b = {.in = in};
    int64_t code_point = 0;
    if (!args_bind(in, &SPEC, args, values) || !args_int(in, values[0], &code_point))
        return false;
    if (code_point < INT32_MIN || code_point > INT32_MAX)
        return exception_raise(in, &exception_overflow,
                               "Python int too large to convert to C int");
    if (code_point < 0 || code_point > 0x10ffff)
        return exception_raise(in, &exception_value, "chr() arg not in range(0x110000)");
    if (code_point >= 0xd800 && code_point < 0xe000)
        return exception_raise(in, &exception_value, "chr() of a surrogate is no character");
    str_builder_code_point(&b, (uint32_t)code_point);
    *out = value_str(str_builder_str(&b));
    return out->as.str != NULL;
}

static bool radix(struct interp *in, const struct args *args, const char *name,
                  struct value *out)
{
    const struct args_spec spec = {name, 1, 1, {NULL}, {NULL}};
    const char *format = name[0] == 'b' ? "#b" : name[0] == 'o' ? "#o" : "#x";
    struct value values[1];
    int64_t integer = 0;
    if (!args_bind(in, &spec, args, values) || !args_int(in, values[0], &integer))
        return false;
    *out = value_str(format_value(in, value_int(integer), text_of(format)));
    return out->as.str != NULL;
}

static bool bin(struct interp *in, const struct args *args, struct value *out)
{
    return radix(in, args, "bin", out);
}

static bool oct(struct interp *in, const struct args *args, struct value *out)
{
    return radix(in, args, "oct", out);
}

static bool hex(struct interp *in, const struct args *args, struct value *out)
{
    return radix(in, args, "hex", out);
}

static bool repr(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"repr", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    *out = value_str(repr_of(in, values[0]));
    return out->as.str != NULL;
}

static bool ascii(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"ascii", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    *out = value_str(repr_ascii(in, values[0]));
    return out->as.str != NULL;
}

static bool format(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"format", 1, 2, {NULL}, {NULL}};
    struct value values[2];
    struct str *spec = NULL;
    if (!args_bind(in, &SPEC, args, values) ||
        !args_str(in, values[1], "format() argument 2", &spec))
        return false;
    *out = value_str(format_value(in, values[0], spec ? str_text(spec) : TEXT("")));
    return out->as.str != NULL;
}

static bool hash(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"hash", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    uint64_t hashed;
    if (!args_bind(in, &SPEC, args, values) || !compare_hash(in, values[0], &hashed))
        return false;
    *out = value_int((int64_t)(hashed >> 1));
    if (number_is_int(values[0]))
        *out = value_int(number_integer(values[0]) == -1 ? -2 : number_integer(values[0]));
    return true;
}

const struct modules_member builtins_table[] = {
    {.name = "print", .call = print},
    {.name = "len", .call = len},
    {.name = "abs", .call = absolute},
    {.name = "round", .call = round_number},
    {.name = "pow", .call = power},
    {.name = "divmod", .call = divmod},
    {.name = "isinstance", .call = isinstance},
    {.name = "issubclass", .call = issubclass},
    {.name = "callable", .call = callable},
    {.name = "getattr", .call = get_attribute},
    {.name = "hasattr", .call = has_attribute},
    {.name = "setattr", .call = set_attribute},
    {.name = "ord", .call = ord},
    {.name = "chr", .call = chr},
    {.name = "bin", .call = bin},
    {.name = "oct", .call = oct},
    {.name = "hex", .call = hex},
    {.name = "repr", .call = repr},
    {.name = "ascii", .call = ascii},
    {.name = "format", .call = format},
    {.name = "hash", .call = hash},
    {.name = NULL},
};

bool builtins_function(struct interp *in, const char *name, value_call *call, struct value *out)
{
    struct builtin *builtin = INTERP_NEW(in, struct builtin);
    if (!builtin)
        return false;
    *builtin = (struct builtin){.name = name, .call = call};
    *out = (struct value){.kind = VALUE_BUILTIN, .as.builtin = builtin};
    return true;
}

static bool in_table(struct interp *in, const struct modules_member *table, struct text name,
                     struct value *out)
{
    for (; table->name; table++)
        if (text_equal(text_of(table->name), name))
            return builtins_function(in, table->name, table->call, out);
    return true;
}

/* Names that mean something in annotations only. */
static const char *const ANNOTATIONS[] = {
    "List", "Dict",     "Any",      "Optional",  "Union",          "Tuple",
    "Set",  "Callable", "Iterable", "BaseModel", "field_validator"};

bool builtins_find(struct interp *in, struct text name, struct value *out)
{
    static const struct modules_member *const TABLES[] = {
        builtins_table, builtins_iter_table, chunk_table, chunk_code_table, retrieve_table};
    *out = (struct value){.kind = VALUE_UNSET};
    const struct type *type = type_find(name);
    if (type) {
        *out = type_value(type);
        return true;
    }
    for (size_t i = 0; i < sizeof ANNOTATIONS / sizeof ANNOTATIONS[0]; i++)
        if (text_equal(text_of(ANNOTATIONS[i]), name))
            *out = (struct value){.kind = VALUE_TYPING, .as.typing = ANNOTATIONS[i]};
    if (text_equal(name, TEXT("NotImplemented")))
        *out = value_none();
    for (size_t i = 0; i < sizeof TABLES / sizeof TABLES[0] && out->kind == VALUE_UNSET; i++)
        if (!in_table(in, TABLES[i], name, out))
            return false;
    return true;
}

const char *builtins_refused(struct text name)
{
    static const char *const ROWS[][2] = {
        {"open", "there are no files here; documents come in as `context`"},
        {"exec", "write the statements themselves"},
        {"eval", "use json.loads, int or float to read a value"},
        {"compile", "write the statements themselves"},
        {"input", "nobody is there to answer; documents come in as `context`"},
        {"globals", "use a dict of your own"},
        {"locals", "use a dict of your own"},
        {"vars", "use a dict of your own"},
        {"dir", "the attributes are fixed; use hasattr"},
        {"delattr", "set the attribute to None"},
        {"super", "there are no classes; use functions"},
        {"property", "there are no classes; use functions"},
        {"staticmethod", "there are no classes; use functions"},
        {"classmethod", "there are no classes; use functions"},
        {"bytes", "use str"},
        {"bytearray", "use str or a list"},
        {"memoryview", "use str or a list"},
        {"complex", "use float"},
        {"breakpoint", "leave it out"},
        {"id", "compare with `is`"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        if (text_equal(text_of(ROWS[i][0]), name))
            return ROWS[i][1];
    return NULL;
}
