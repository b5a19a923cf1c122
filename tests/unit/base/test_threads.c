/* What base promises to threads; ThreadSanitizer looks on in the tsan build. */
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/metric.h"
#include "base/rand.h"
#include "lib/test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, DRAWN = 2000, COUNTED = 50000 };

static struct worker {
    pthread_t thread;
    uint64_t hash, drawn[DRAWN];
    char stamp[WALL_STRLEN];
} workers[THREADS];

static pthread_barrier_t start;

/* Runs fn in each worker, all at the same moment. */
static void together(void *(*fn)(void *))
{
    assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&workers[i].thread, NULL, fn, &workers[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    pthread_barrier_destroy(&start);
}

static void *hash(void *arg)
{
    struct worker *w = arg;
    pthread_barrier_wait(&start);
    w->hash = map_hash(SPAN("the first hash of the process makes its key"));
    return NULL;
}

static void test_the_first_hashes_of_all_threads_are_under_one_key(void **state)
{
    (void)state;
    together(hash);
    for (size_t i = 1; i < THREADS; i++)
        assert_true(workers[i].hash == workers[0].hash);
}

static void *draw(void *arg)
{
    struct worker *w = arg;
    pthread_barrier_wait(&start);
    for (size_t i = 0; i < DRAWN; i++)
        w->drawn[i] = rand_u64();
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void test_no_two_threads_draw_the_same_bytes(void **state)
{
    (void)state;
    static uint64_t all[THREADS * DRAWN];
    together(draw);
    for (size_t i = 0; i < THREADS; i++)
        memcpy(all + i * DRAWN, workers[i].drawn, sizeof(workers[i].drawn));
    qsort(all, CS_LEN(all), sizeof(all[0]), by_value);
    for (size_t i = 1; i < CS_LEN(all); i++)
        assert_true(all[i] != all[i - 1]);
}

static void test_a_child_draws_other_bytes_than_its_parent(void **state)
{
    (void)state;
    int fds[2];
    uint64_t child = 0;
    rand_u64(); /* the pool is filled, and would be inherited */
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        uint64_t mine = rand_u64();
        _exit(write(fds[1], &mine, sizeof(mine)) == sizeof(mine) ? 0 : 1);
    }
    uint64_t parent = rand_u64();
    assert_int_equal(read(fds[0], &child, sizeof(child)), sizeof(child));
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(fds[0]);
    close(fds[1]);
    assert_true(child != parent);
}

/* The first writes, the others read. */
static void *count(void *arg)
{
    struct worker *w = arg;
    char text[64 * 1024];
    pthread_barrier_wait(&start);
    for (unsigned i = 0; w == workers && i < COUNTED; i++)
        metric_inc(M_SIP_KEEPALIVES, 0);
    for (int64_t before = 0; w != workers && before < COUNTED;) {
        struct buf b = BUF_INIT(text);
        int64_t now = metric_get(M_SIP_KEEPALIVES, 0);
        if (now < before)
            abort();
        before = now;
        metric_write(&b, METRIC_SIP);
    }
    return NULL;
}

static void test_counters_are_read_while_they_are_written(void **state)
{
    (void)state;
    together(count);
    assert_int_equal(metric_get(M_SIP_KEEPALIVES, 0), COUNTED);
}

static void *tell(void *arg)
{
    struct worker *w = arg;
    pthread_barrier_wait(&start);
    for (int i = 0; i < 100; i++) {
        wall_format((struct wall){ (w - workers) * 1000 }, w->stamp);
        log_error(NULL, "from a thread", kv_i("worker", w - workers));
    }
    return NULL;
}

static void test_lines_and_dates_of_threads_do_not_mix(void **state)
{
    (void)state;
    char line[256];
    int n = 0, saved = dup(STDERR_FILENO);
    FILE *f = tmpfile();
    assert_non_null(f);
    dup2(fileno(f), STDERR_FILENO);
    together(tell);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(f);
    while (fgets(line, sizeof(line), f)) {
        const char *said = strstr(line, " error main: from a thread worker=");
        assert_true(said == line + WALL_STRLEN - 1 && line[strlen(line) - 1] == '\n');
        n++;
    }
    fclose(f);
    assert_int_equal(n, THREADS * 100);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(workers[i].stamp[18], '0' + i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_hashes_of_all_threads_are_under_one_key),
        cmocka_unit_test(test_no_two_threads_draw_the_same_bytes),
        cmocka_unit_test(test_a_child_draws_other_bytes_than_its_parent),
        cmocka_unit_test(test_counters_are_read_while_they_are_written),
        cmocka_unit_test(test_lines_and_dates_of_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
