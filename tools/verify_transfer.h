/* verify_transfer.h - is a delivered directory what its sender signed (PROTOCOL.md, section 7.5)?
 * Offline; needs the directory and a public key.  No symbolic link in it is followed. */
#ifndef KM_VERIFY_TRANSFER_H
#define KM_VERIFY_TRANSFER_H

#include "codec/manifest.h"
#include "codec/party.h"

enum verify_what {
	VERIFY_MISSING,    /* in the manifest, not in the directory */
	VERIFY_EXTRA,      /* in the directory, not in the manifest */
	VERIFY_CHANGED,    /* other bytes than those signed */
	VERIFY_KIND,       /* not a regular file, or not a directory */
	VERIFY_UNREADABLE,
	VERIFY_SIGNATURE,  /* by none of the senders */
	VERIFY_MALFORMED,  /* signed, but no manifest; why tells */
	VERIFY_OTHER_SITE, /* made for another receiver */
	VERIFY_NOT_HELD,   /* not there; a note beside the manifest says that it is in the quarantine, but the ledger does not */
	VERIFY_UNCHECKED,  /* no sender's key was given: nobody knows who made this */
};

struct verify {
	/* In. */
	const struct party *senders;  /* pinned */
	unsigned sender_count;        /* 0: the signature cannot be checked */
	const struct party *receiver; /* NULL: for whom it was made is not checked */
	/* A finding: name is what in the directory, n bytes of it; why more about it, or NULL. */
	void (*found)(void *ctx, enum verify_what what, const uint8_t *name, size_t n, const char *why);
	void (*progress)(void *ctx, uint64_t done, uint64_t total); /* bytes; NULL: none */
	/* A file of the manifest that is not there, and of which a note (verify_notes.h) says that it is held for this reason, or
	 * (NULL) that it is elsewhere because this directory is a release: 0 if the ledger says so too.  NULL: there is no ledger
	 * to ask, so that it is a finding. */
	int (*away)(void *ctx, const struct manifest *m, const uint8_t hash[static HASH_LEN], const uint8_t *name, size_t n,
	    const char *reason);
	void *ctx;
	/* Out. */
	unsigned findings;            /* 0: verified */
	int read_manifest;            /* manifest is there; the caller frees it */
	const struct party *sender;   /* who signed; NULL: unknown */
	struct manifest manifest;
	uint8_t hash[HASH_LEN];       /* of MANIFEST.json */
	uint32_t held, elsewhere;     /* files that are rightly not here */
	uint64_t bytes;               /* of all files, as the manifest says */
};

/* 0, or -1 with errno if the directory cannot be opened. */
int verify_transfer(struct verify *v, const char *dir) __attribute__((warn_unused_result));

#endif
