/* The sets of the packet filter that the registrar puts bans into. */
#include "doctor.h"
#include "net/nft.h"

static int look_at_sets(const struct nftables_conf *n)
{
    const struct nft_conf conf = { n->family, n->table, n->set4, n->set6 };
    struct nft *nft;
    int err = nft_open(&conf, &nft);
    if (!err)
        err = nft_check(nft);
    if (nft)
        nft_close(&nft);
    return err;
}

void doctor_bans(struct doctor *d)
{
    const struct nftables_conf *n = d->registrar ? d->registrar->limits.nftables : NULL;
    if (!n)
        return;
    int err = look_at_sets(n);
    finding_about(d, FILE_REGISTRAR, "limits.nftables");
    if (!err)
        finding(d, LEVEL_FINE, "bans.sets", NULL, "bans can be put into table " SPAN_FMT,
                SPAN_ARG(n->table));
    else if (err == CS_ENOENT)
        finding(d, LEVEL_WARNING, "bans.sets",
                "Load deploy/nftables/countersign.nft, or name the sets that are there.",
                "bans are not put into the kernel: table " SPAN_FMT " or a set of it is not there",
                SPAN_ARG(n->table));
    else if (err == CS_ECONF)
        finding(d, LEVEL_WARNING, "bans.sets",
                "Declare them as deploy/nftables/countersign.nft does.",
                "bans are not put into the kernel: a set of table " SPAN_FMT
                " is of another type, or lacks flags interval, timeout",
                SPAN_ARG(n->table));
    else
        finding(d, LEVEL_NOTE, "bans.sets", "Run csctl doctor as root, where the registrar runs.",
                "whether bans can be put into the kernel is not known: %s", cs_strerror(err));
}
