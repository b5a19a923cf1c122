#include "conf/conf.h"
#include "conf/value.h"

static void print_object(FILE *f, const struct conf_section *section);

static void print_text(FILE *f, struct span text)
{
    char quoted[4096];
    struct buf b = BUF_INIT(quoted);
    buf_json(&b, text);
    fprintf(f, "\"" SPAN_FMT "\"", SPAN_ARG(buf_span(&b)));
}

static void print_names(FILE *f, const struct conf_key *key)
{
    fputs("\"enum\":[", f);
    for (unsigned i = 0; key->names[i]; i++) {
        fputs(i ? "," : "", f);
        print_text(f, span_str(key->names[i]));
    }
    fputc(']', f);
}

/* The inside of the schema object of one value. */
static void print_value(FILE *f, const struct conf_key *key)
{
    switch (key->type) {
    case CONF_T_BOOL:
        fputs("\"type\":\"boolean\"", f);
        return;
    case CONF_T_UINT:
        fprintf(f, "\"type\":\"integer\",\"minimum\":%ju", (uintmax_t)key->min);
        if (key->max)
            fprintf(f, ",\"maximum\":%ju", (uintmax_t)key->max);
        return;
    case CONF_T_DURATION:
        fputs("\"type\":\"string\",\"pattern\":\"^[0-9]+(ms|s|m|h|d)$\"", f);
        return;
    case CONF_T_SIZE:
        fputs("\"type\":[\"string\",\"integer\"],\"pattern\":\"^[0-9]+[kmg]?$\"", f);
        return;
    case CONF_T_STR:
        fprintf(f, "\"type\":[\"string\",\"number\",\"boolean\"],\"minLength\":%ju",
                (uintmax_t)key->min);
        if (key->max)
            fprintf(f, ",\"maxLength\":%ju", (uintmax_t)key->max);
        return;
    case CONF_T_PATH:
        fputs("\"type\":\"string\",\"minLength\":1", f);
        return;
    case CONF_T_ADDR:
    case CONF_T_CIDR:
        fputs("\"type\":\"string\"", f);
        return;
    case CONF_T_ENUM:
    case CONF_T_SET:
        print_names(f, key);
        return;
    case CONF_T_SECTION:
    case CONF_T_OPTION:
        print_object(f, key->section);
        return;
    }
}

static void print_default(FILE *f, const struct conf_key *key)
{
    bool list = key->list || key->type == CONF_T_SET;
    struct span rest = span_str(key->def);
    fputs(list ? ",\"default\":[" : ",\"default\":", f);
    for (const char *sep = ""; rest.p; sep = ",") {
        struct span one = list ? span_trim(span_cut(&rest, ',')) : rest;
        fputs(sep, f);
        if (key->type == CONF_T_BOOL || key->type == CONF_T_UINT)
            fprintf(f, SPAN_FMT, SPAN_ARG(one));
        else
            print_text(f, one);
        if (!list)
            break;
    }
    fputs(list ? "]" : "", f);
}

/* What JSON Schema has no word for, as the manual says it. */
static void print_facts(FILE *f, const struct conf_key *key)
{
    char text[128];
    struct buf b = BUF_INIT(text);
    fputs(",\"x-type\":", f);
    print_text(f, span_str(value_type(key)));
    if (!value_is_bounded(key))
        return;
    value_write_range(&b, key);
    fputs(",\"x-range\":", f);
    print_text(f, buf_span(&b));
}

static void print_key(FILE *f, const struct conf_key *key)
{
    bool list = key->list || key->type == CONF_T_SET;
    print_text(f, span_str(key->name));
    fputs(":{\"description\":", f);
    print_text(f, span_str(key->doc));
    if (key->def)
        print_default(f, key);
    print_facts(f, key);
    fputc(',', f);
    if (list) {
        fprintf(f, "\"type\":[\"array\",\"null\"],\"minItems\":%zu,", key->at_least);
        if (key->at_most)
            fprintf(f, "\"maxItems\":%zu,", key->at_most);
        fputs("\"items\":{", f);
        print_value(f, key);
        fputc('}', f);
    } else {
        print_value(f, key);
    }
    fputc('}', f);
}

/* The inside of the schema object of a section. */
static void print_object(FILE *f, const struct conf_section *section)
{
    const char *sep = "";
    fputs("\"type\":[\"object\",\"null\"],\"additionalProperties\":false,\"required\":[", f);
    for (const struct conf_key *k = section->keys; k->name; k++) {
        if (!k->required)
            continue;
        fputs(sep, f);
        print_text(f, span_str(k->name));
        sep = ",";
    }
    fputs("],\"properties\":{", f);
    for (const struct conf_key *k = section->keys; k->name; k++) {
        fputs(k == section->keys ? "" : ",", f);
        print_key(f, k);
    }
    fputc('}', f);
}

void conf_schema(FILE *f, const struct conf_section *root, const char *title)
{
    fputs("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":", f);
    print_text(f, span_str(title));
    fputc(',', f);
    print_object(f, root);
    fputs("}\n", f);
}
