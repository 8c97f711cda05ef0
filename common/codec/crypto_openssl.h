/* crypto_openssl.h - inside crypto*.c only: libcrypto's algorithms, fetched once. */
#ifndef KM_CRYPTO_OPENSSL_H
#define KM_CRYPTO_OPENSSL_H

#include <openssl/evp.h>

struct crypto_openssl {
	EVP_MD *sha256;
	EVP_CIPHER *aes256gcm;
	EVP_CIPHER *chacha20poly1305;
	EVP_MAC *poly1305;
};

/* The same table for the whole process; made at the first call, by crypto_init()
 * as a rule, since a sandboxed process could no longer open anything.  No
 * configuration file is read: openssl.cnf cannot change what we compute. */
const struct crypto_openssl *crypto_openssl(void);

#endif
