/* Who had early media, and how often. */
#include "b2bua/call/early_media.h"

#include <stdio.h>

#include "lib/test.h"

static struct early_media all;

static void test_each_source_has_a_count_and_the_oldest_makes_room(void **state)
{
    char name[32], longest[400];
    (void)state;
    for (int64_t i = 0; i < EARLY_MEDIA_SOURCES; i++) {
        snprintf(name, sizeof(name), "sip:%d@example.com", (int)i);
        early_media_add(&all, span_str(name), (struct wall){ i });
    }
    early_media_add(&all, SPAN("sip:0@example.com"), (struct wall){ 1000 });
    assert_int_equal(all.n, EARLY_MEDIA_SOURCES);
    assert_int_equal(all.sources[0].unanswered, 2);
    early_media_add(&all, SPAN("carrier"), (struct wall){ 1001 });
    assert_int_equal(all.n, EARLY_MEDIA_SOURCES);
    assert_string_equal(all.sources[0].name, "sip:0@example.com");
    assert_string_equal(all.sources[1].name, "carrier");
    assert_int_equal(all.sources[1].unanswered, 1);
    memset(longest, 'x', sizeof(longest));
    for (int i = 0; i < 2; i++)
        early_media_add(&all, span_of(longest, sizeof(longest)), (struct wall){ 1002 });
    assert_int_equal(all.sources[2].unanswered, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_source_has_a_count_and_the_oldest_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
