/* errand.h - a thread that runs errands one after another, so that the thread
 * which receives never waits for a disk or a decoder.
 *
 * The owner submits, and takes back what is finished; an errand's memory is
 * its owner's before submitting and after taking back, and the thread's in
 * between.  errands_fd() (an eventfd) is readable while something finished is
 * there to be taken back, and only then. */
#ifndef KM_ERRAND_H
#define KM_ERRAND_H

struct errand {
	struct errand *next;
	void (*run)(struct errand *e); /* in the thread */
};

struct errands; /* the thread */

struct errands *errands_start(void); /* NULL: no thread to be had */
void errands_submit(struct errands *t, struct errand *e);
struct errand *errands_take(struct errands *t);      /* one that is finished, or NULL */
struct errand *errands_take_wait(struct errands *t); /* waits; NULL only if none is under way */
unsigned errands_pending(const struct errands *t);   /* submitted and not taken back */
int errands_fd(const struct errands *t);
void errands_stop(struct errands *t); /* lets those submitted finish; NULL is fine */

#endif
