/* wdog.h - a watchdog of 1 s (driver/wdog_NAME.c, one for each board). */
#ifndef KM_FIRMWARE_WDOG_H
#define KM_FIRMWARE_WDOG_H

void wdog_start(void);
void wdog_feed(void);
void wdog_reset(void); /* at once; only where the watchdog is what resets the board */

#endif
