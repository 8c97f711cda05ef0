# kernels.mk - flags of the field kernels (gf16.h), included by the Makefile,
# which compiles build/%.o from %.c with $(CFLAGS) $(CFLAGS_$*).  Each kernel has
# its instructions to itself, since only run time decides which one is used; on
# another architecture the same files compile to an empty kernel.
KERNEL_ARCH := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
KERNEL_OPT := -O3

CFLAGS_common/codec/gf16_portable := $(KERNEL_OPT)
CFLAGS_common/codec/gf16_neon := $(KERNEL_OPT)
ifeq ($(KERNEL_ARCH),x86_64)
CFLAGS_common/codec/gf16_ssse3 := $(KERNEL_OPT) -mssse3
CFLAGS_common/codec/gf16_avx2 := $(KERNEL_OPT) -mavx2
CFLAGS_common/codec/gf16_gfni := $(KERNEL_OPT) -mavx2 -mgfni
CFLAGS_common/codec/gf16_gfni256 := $(KERNEL_OPT) -mavx512f -mavx512bw -mavx512vl -mgfni
CFLAGS_common/codec/gf16_gfni512 := $(KERNEL_OPT) -mavx512f -mavx512bw -mavx512vl -mgfni
endif
CFLAGS_common/codec/fec_locator := $(KERNEL_OPT)
