#include "net/jwt.h"

#include "base/base64.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#define JWT_MAX KIB(64)

/* The digits for URLs, without padding. Source: RFC 4648, section 5. */
static void append_base64url(struct buf *out, struct str bytes)
{
	size_t from = out->len;

	base64_encode(out, bytes);
	while (out->len > from && out->ptr[out->len - 1] == '=')
		out->len--;
	for (size_t i = from; i < out->len; i++)
		if (out->ptr[i] == '+')
			out->ptr[i] = '-';
		else if (out->ptr[i] == '/')
			out->ptr[i] = '_';
}

static void free_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void free_digest(EVP_MD_CTX **digest)
{
	EVP_MD_CTX_free(*digest);
}

/* A key under a passphrase would ask the terminal for it. */
static int no_passphrase(char *to, int size, int writing, void *user)
{
	(void)to, (void)size, (void)writing, (void)user;
	return 0;
}

static EVP_PKEY *read_key(struct str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.ptr, (int)MIN(pem.len, JWT_MAX));
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

	BIO_free(bio);
	return key;
}

static bool sign(EVP_PKEY *key, struct str text, struct buf *out)
{
	cleanup(free_digest) EVP_MD_CTX *digest = EVP_MD_CTX_new();
	cleanup(buf_release) struct buf signature = BUF_INIT(JWT_MAX);
	size_t len = 0;

	if (!digest || EVP_DigestSignInit(digest, NULL, EVP_sha256(), NULL, key) != 1 ||
	    EVP_DigestSign(digest, NULL, &len, (const unsigned char *)text.ptr, text.len) != 1 ||
	    !buf_reserve(&signature, len) ||
	    EVP_DigestSign(digest, (unsigned char *)signature.ptr, &len,
			   (const unsigned char *)text.ptr, text.len) != 1)
		return false;
	append_base64url(out, str_of(signature.ptr, len));
	return true;
}

int jwt_sign_rs256(struct str header, struct str claims, struct str key_pem, struct arena *mem,
		   struct str *out, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(JWT_MAX), signature = BUF_INIT(JWT_MAX);
	cleanup(free_key) EVP_PKEY *key = read_key(key_pem);

	if (!key || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
		return err_set(err, ERR_AUTH, "the private key is no RSA key in PEM form");
	append_base64url(&text, header);
	buf_append_byte(&text, '.');
	append_base64url(&text, claims);
	if (!sign(key, buf_str(&text), &signature))
		return err_set(err, ERR_AUTH, "OpenSSL cannot sign with the private key");
	buf_append_byte(&text, '.');
	buf_append_str(&text, buf_str(&signature));
	if (buf_check(&text, "a token", err) < 0 || buf_check(&signature, "a token", err) < 0)
		return -(int)ERR_LIMIT;
	*out = arena_str(mem, buf_str(&text));
	return out->ptr ? 0 : arena_fail(mem, "a token", err);
}
