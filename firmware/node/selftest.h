/* selftest.h - known answers before the ports open. */
#ifndef KM_FIRMWARE_SELFTEST_H
#define KM_FIRMWARE_SELFTEST_H

/* NULL: all is well; else the name of what failed. */
const char *selftest_filter(void);
/* The same for the image: its CRC is the one that seal.py put in after linking. */
const char *selftest_image(void);
/* The same in small steps, for ever: the whole image in a second or so where this is called every 10 ms. */
const char *selftest_image_step(void);

#endif
