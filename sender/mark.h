/* mark.h - one number that changes when a file does, by its size and times, without reading it. */
#ifndef KM_MARK_H
#define KM_MARK_H

#include <stdint.h>
#include <sys/stat.h>

uint64_t mark_of(const struct stat *st);
/* Of everything below the folder NAME in dir, 4096 entries and 16 levels at most, added up; 0 if it cannot be read. */
uint64_t mark_of_tree(int dir, const char *name);

#endif
