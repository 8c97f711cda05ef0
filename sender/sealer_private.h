/* sealer_private.h - shared by sealer.c (the thread, its jobs) and
 * sealer_object.c (what a job's object is made of).  No other file includes it. */
#ifndef KM_SEALER_PRIVATE_H
#define KM_SEALER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "sender/compress.h"
#include "sender/hash_aside.h"
#include "sender/level.h"
#include "sender/object_file.h"
#include "sender/sealer.h"
#include "sender/source.h"

struct sealer {
	const struct sealer_keys *keys;
	int objects, event;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct seal_job *todo, *done;
	atomic_bool stop;
	struct compress *compress;
	struct crypto_hasher *hasher;
	struct hash_aside *aside;   /* hashes while this thread compresses; or NULL */
	struct disk *reading, *writing; /* so that neither waits for the other */
	struct source source;
	struct object_file file;
	struct level level;         /* of compression */
	bool stored;                /* not compressed */
	uint64_t promised;          /* bytes of the file still to come that will be sealed as they are */
	_Atomic uint64_t told;      /* how much of the object the owner knows to be there */
	struct seal_job *now;       /* the job whose object is open */
	int error;                  /* of what failed */
};

void sealer_tell(const struct sealer *s); /* the owner: the event */
/* In the sealer's thread: all files of the claim, synced; j->result and what belongs to it are set. */
void sealer_run_job(struct sealer *s, struct seal_job *j);

#endif
