/* crypto.c - start-up of both libraries (crypto.h). */
#include "codec/crypto.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/crypto_openssl.h"

static struct crypto_openssl table;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fetch(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
	table.sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	table.aes256gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	table.chacha20poly1305 = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
	table.poly1305 = EVP_MAC_fetch(NULL, "POLY1305", NULL);
}

const struct crypto_openssl *crypto_openssl(void)
{
	pthread_once(&once, fetch);
	if (table.sha256 == NULL || table.aes256gcm == NULL || table.chacha20poly1305 == NULL ||
	    table.poly1305 == NULL) {
		/* Not a fault of any input: the library of this machine is broken. */
		fputs("libcrypto has no SHA-256, AES-256-GCM, ChaCha20-Poly1305 or Poly1305\n", stderr);
		abort();
	}
	return &table;
}

int crypto_init(void)
{
	if (sodium_init() < 0)
		return -1;
	crypto_openssl();
	return 0;
}
