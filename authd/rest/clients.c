/* Who keeps MD5 alive: what clients answered with, by pattern and by product. */
#include "authd/audit/census.h"
#include "authd/rest/op.h"

static void on_row(void *list, const struct census_row *row)
{
    static const char *const kinds[CENSUS_KINDS] = { "pattern", "product" };
    char seen[WALL_STRLEN];
    json_t *accepted = json_object();
    for (enum algorithm alg = 0; alg < ALG_COUNT; alg++) {
        if (row->accepted[alg])
            json_object_set_new(accepted, algorithm_name(alg).p,
                                json_integer((json_int_t)row->accepted[alg]));
    }
    wall_format(row->seen, seen);
    json_t *j = json_pack("{s:s, s:o, s:I, s:o, s:s}", "kind", kinds[row->kind], "name",
                          json_of(span_str(row->name)), "narrowed", (json_int_t)row->narrowed,
                          "accepted", accepted, "seen", seen);
    if (row->user[0])
        json_object_set_new(j, "user", json_of(span_str(row->user)));
    json_array_append_new(list, j);
}

void rest_clients(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    json_t *list = json_array();
    census_each(rest->conf.census, on_row, list);
    http_reply_json(req, 200, json_pack("{s:o}", "clients", list));
}
