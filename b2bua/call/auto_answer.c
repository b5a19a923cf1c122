#include "b2bua/call/auto_answer.h"

/* Of the first value of this header. */
static bool says(const struct sip_msg *m, struct span header, struct span param, struct span value)
{
    struct sip_addr a;
    struct span is;
    const struct span v = sip_hdr_named(m, header);
    return v.p && sip_addr_parse(v, &a) == 0 && sip_param(a.params, param, &is) == 0 &&
           span_caseeq(is, value);
}

bool auto_answer_wanted(const struct sip_msg *m)
{
    struct span mode = sip_hdr_named(m, SPAN("Answer-Mode"));
    return span_caseeq(span_trim(span_cut(&mode, ';')), SPAN("Auto")) ||
           says(m, SPAN("Call-Info"), SPAN("answer-after"), SPAN("0")) ||
           says(m, SPAN("Alert-Info"), SPAN("info"), SPAN("alert-autoanswer"));
}

void auto_answer_write(struct buf *b)
{
    buf_lit(b, "Answer-Mode: Auto\r\n"
               "Call-Info: <sip:127.0.0.1>;answer-after=0\r\n"
               "Alert-Info: <http://127.0.0.1>;info=alert-autoanswer\r\n");
}
