#include "b2bua/provisioning/encrypted_file.h"

#include "phone_keys.h"

#define NAME SPAN("SEP001122334455.cnf.xml.enc.sgn")

struct world {
    struct phone_keys ours, device;
    struct phone_signer *signer;
};

static int open_world(void **state)
{
    static struct world w;
    w = (struct world){ .ours = rsa_keys(2048), .device = rsa_keys(2048) };
    assert_int_equal(phone_signer_of(w.ours.x, w.ours.key, PHONE_SHA512, &w.signer), 0);
    *state = &w;
    return 0;
}

static int close_world(void **state)
{
    struct world *w = *state;
    phone_signer_free(&w->signer);
    keys_free(&w->ours);
    keys_free(&w->device);
    return 0;
}

static struct span encrypt(const struct world *w, struct span plain, char space[FILE_MAX])
{
    struct buf b = buf_of(space, FILE_MAX);
    assert_int_equal(
        encrypted_file_write(w->signer, NAME, (struct wall){ 1000 }, w->device.x, plain, &b), 0);
    return buf_span(&b);
}

static void unwrap(EVP_PKEY *key, struct span wrapped, unsigned char out[16])
{
    unsigned char plain[512];
    size_t n = sizeof(plain);
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
    assert_int_equal(EVP_PKEY_decrypt_init(c), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING), 1);
    assert_int_equal(EVP_PKEY_decrypt(c, plain, &n, (const unsigned char *)wrapped.p, wrapped.n),
                     1);
    assert_int_equal(n, 16);
    memcpy(out, plain, 16);
    EVP_PKEY_CTX_free(c);
}

/* As a phone would. */
static size_t decrypt(const struct world *w, struct span file, char out[FILE_MAX])
{
    const struct span head = header_of(file), cipher = span_skip(file, head.n);
    const struct span how = element(head, 16), mode = element(how, 17), keys = element(how, 21);
    unsigned char key[16];
    int n = 0, rest = 0;
    assert_int_equal(be16(element(keys, 23).p), 2048);
    unwrap(w->device.key, element(keys, 25), key);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    assert_int_equal(EVP_DecryptInit_ex(c, EVP_aes_128_cbc(), NULL, key,
                                        (const unsigned char *)element(mode, 19).p),
                     1);
    EVP_CIPHER_CTX_set_padding(c, 0);
    assert_int_equal(EVP_DecryptUpdate(c, (unsigned char *)out, &n, (const unsigned char *)cipher.p,
                                       (int)cipher.n),
                     1);
    assert_int_equal(EVP_DecryptFinal_ex(c, (unsigned char *)out + n, &rest), 1);
    EVP_CIPHER_CTX_free(c);
    const size_t padding = be16(element(mode, 20).p), plain = cipher.n - padding;
    assert_true(padding >= 1 && padding <= 16);
    for (size_t i = plain; i < cipher.n; i++)
        assert_int_equal(out[i], '\r');
    unsigned char digest[64];
    assert_int_equal(element(head, 26).p[0], 3);
    assert_int_equal(EVP_Digest(out, plain, digest, NULL, EVP_sha512(), NULL), 1);
    assert_memory_equal(element(head, 27).p, digest, sizeof(digest));
    return plain;
}

static void test_the_device_reads_what_was_written(void **state)
{
    static char space[FILE_MAX], out[FILE_MAX];
    const struct world *w = *state;
    char plain[64];
    memset(plain, 'p', sizeof(plain));
    for (size_t n = 0; n <= 33; n++) { /* whole blocks, too */
        struct span file = encrypt(w, span_of(plain, n), space);
        assert_true(is_signed(file, w->ours.key, EVP_sha512()));
        assert_memory_equal(element(header_of(file), 1).p, "\2\0", 2);
        assert_int_equal(decrypt(w, file, out), n);
        assert_memory_equal(out, plain, n);
    }
}

static void test_no_key_and_no_block_comes_twice(void **state)
{
    static char first[FILE_MAX], second[FILE_MAX];
    const struct world *w = *state;
    struct span plain = SPAN("<device><fullConfig>true</fullConfig></device>");
    struct span a = encrypt(w, plain, first), b = encrypt(w, plain, second);
    const struct span in_a = span_skip(a, header_of(a).n), in_b = span_skip(b, header_of(b).n);
    assert_int_equal(in_a.n, in_b.n);
    assert_memory_not_equal(in_a.p, in_b.p, 16);
    assert_null(memmem(a.p, a.n, "fullConfig", 10));
    unsigned char ka[16], kb[16];
    unwrap(w->device.key, element(element(element(header_of(a), 16), 21), 25), ka);
    unwrap(w->device.key, element(element(element(header_of(b), 16), 21), 25), kb);
    assert_memory_not_equal(ka, kb, 16);
}

static void test_a_key_that_wraps_none_gets_no_file(void **state)
{
    static char space[FILE_MAX];
    const struct world *w = *state;
    struct phone_keys ec = ec_keys();
    struct buf b = BUF_INIT(space), small = buf_of(space, 64);
    assert_int_equal(encrypted_file_write(w->signer, NAME, (struct wall){ 0 }, ec.x, SPAN("x"), &b),
                     CS_ENOTSUP);
    assert_int_equal(
        encrypted_file_write(w->signer, NAME, (struct wall){ 0 }, w->device.x, SPAN("x"), &small),
        CS_ELIMIT);
    keys_free(&ec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_device_reads_what_was_written),
        cmocka_unit_test(test_no_key_and_no_block_comes_twice),
        cmocka_unit_test(test_a_key_that_wraps_none_gets_no_file),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
