/* sha256_test - the standard's own examples, and any cut of the data. */
#include "base/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void expect(const void *data, size_t size, const char *wanted)
{
    struct sha256 hash;
    char hex[SHA256_HEX_BYTES];
    sha256_init(&hash);
    sha256_add(&hash, data, size);
    sha256_hex(&hash, hex);
    assert_string_equal(hex, wanted);
}

static void the_standards_examples(void **state)
{
    (void)state;
    static char many[1000000];
    memset(many, 'a', sizeof many);
    expect("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    expect(many, sizeof many,
           "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* Whatever the pieces, and at each length around a block's end. */
static void pieces_make_the_whole(void **state)
{
    (void)state;
    char data[300], whole[SHA256_HEX_BYTES], hex[SHA256_HEX_BYTES];
    struct sha256 hash;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 7);
    for (size_t size = 0; size <= sizeof data; size++) {
        sha256_init(&hash);
        sha256_add(&hash, data, size);
        sha256_hex(&hash, whole);
        sha256_init(&hash);
        for (size_t at = 0, part = 1; at < size; at += part, part = part * 3 % 71 + 1) {
            part = part < size - at ? part : size - at;
            sha256_add(&hash, data + at, part);
        }
        sha256_hex(&hash, hex);
        assert_string_equal(hex, whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_standards_examples),
        cmocka_unit_test(pieces_make_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
