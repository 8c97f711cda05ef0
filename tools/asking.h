/* asking.h - what commands ask of the running receiver through its database. */
#ifndef KM_ASKING_H
#define KM_ASKING_H

#include "host/db.h"
#include "receiver/receiver_conf.h"

/* The ledger's database for a request: 0, or an exit code after one logged line. */
int asking_open(struct db *db, const struct receiver_conf *c);
int asking_receiver_runs(const struct receiver_conf *c); /* 1: a daemon holds its lock */
/* Who sits at the terminal, as far as the system knows: the name of the login user, else of the user who runs this. */
const char *asking_login(void);

#endif
