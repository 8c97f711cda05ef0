# katamichi - everything that is made lands in $(B).
#
#   make              the programs            make demo      see it work
#   make test         all tests               make test-long with a 2 GB file
#   make test-docs    the guides, run from their text
#   make test-monitoring  alert rules and dashboard on prometheus
#   make test-crash   either end killed after each durable operation, with and without a power cut
#   make sanitize     unit tests, ASan+UBSan  make fuzz      SECONDS=60 for each fuzzer
#   make lint         static analysis         make check-cc  builds with clang
#   make ci           tests and all of these checks
#   make bench-fec    the erasure code's speed
#   make bench        the pair's speed        make bench-peers  beside udpcast and NORM
#   make soak         MINUTES=10 with stalls, then KILLS=1000
#   make firmware     the diode box's images  make test-firmware  the box in emulation (LONG=1: measured)
#   make install      DESTDIR, PREFIX, ROLE=sender|receiver; make uninstall, make clean
#   make messages     what is new to translate goes into tools/po/ja.po
#   make help         this
#
# CC=clang, CFLAGS, LDFLAGS as usual; V=1 shows the commands.  A change of any of them rebuilds.
# tools/deps.sh build installs what `make` needs (Debian 12).

VERSION := 0.1.0
B       ?= build
PREFIX  ?= /usr/local
SECONDS ?= 60
PYTHON  ?= /usr/bin/python3
ifeq ($(origin CC),default)
CC      := gcc
endif
CFLAGS  ?= -O2 -g
AR      ?= ar
.DEFAULT_GOAL := all
.SECONDARY:
.DELETE_ON_ERROR:

LIBS_PC := libseccomp libsodium libcrypto libzstd zlib libxml-2.0 sqlite3 inih jansson libqrencode libpng libutf8proc
PC_CFLAGS := $(shell pkg-config --cflags $(LIBS_PC) 2>/dev/null)
LIBS    := $(shell pkg-config --libs $(LIBS_PC) 2>/dev/null || \
           echo -lseccomp -lsodium -lcrypto -lzstd -lz -lxml2 -lsqlite3 -linih -ljansson -lqrencode -lpng -lutf8proc) -lm

# AES-GCM in vectors, where libcrypto has none (codec/crypto_gcm.h), and Poly1305 (codec/crypto_onetime.c).
IPSEC_MB := $(if $(filter x86_64-%,$(shell $(CC) -dumpmachine 2>/dev/null)),$(wildcard /usr/include/intel-ipsec-mb.h))
CFLAGS_common/codec/crypto_gcm := $(if $(IPSEC_MB),-DHAVE_IPSEC_MB)
CFLAGS_common/codec/crypto_onetime := $(CFLAGS_common/codec/crypto_gcm)
LIBS    += $(if $(IPSEC_MB),-lIPSec_MB)

STD     := -std=c11 -D_GNU_SOURCE -Icommon -I. -DKM_VERSION='"$(VERSION)"' -ffile-prefix-map=$(CURDIR)=. -pthread
WARN    := -Wall -Wextra -Wconversion -Wshadow -Wformat=2 -Wno-format-nonliteral \
           $(if $(findstring clang,$(shell $(CC) --version 2>/dev/null)),,-Wno-format-truncation) -Wstrict-prototypes -Wmissing-prototypes \
           $(if $(SAN),,-Werror) # the sanitizers' code misleads the compiler's warnings
HARD    := -fPIE -fstack-protector-strong $(if $(filter x86_64-% i686-%,$(shell $(CC) -dumpmachine 2>/dev/null)),-fcf-protection)
ifeq ($(SAN),)
HARD    += -D_FORTIFY_SOURCE=2
endif
# common/core and the filter of the firmware are freestanding: no call that the compiler adds.
FREE    := -fno-stack-protector -U_FORTIFY_SOURCE
LDHARD  := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
# The benchmark measures Debian's ISA-L beside ours where it is installed (tools/deps.sh fec).
ISAL    := $(wildcard /usr/include/isa-l.h)
CFLAGS_tools/bench/fec_isal := $(if $(ISAL),-DHAVE_ISAL)
# Drivers of the diode box on the host, on registers that are no hardware: a board's map, and addresses of 32 bits.
MOCK_ICICLE := -Ifirmware -Ifirmware/board/icicle
MOCK_IMX6UL := -Ifirmware -Ifirmware/board/imx6ul
CFLAGS_tests/unit/test_gem := $(MOCK_ICICLE)
CFLAGS_tests/unit/test_gem_bidirectional := $(MOCK_ICICLE)
CFLAGS_tests/unit/test_enet := $(MOCK_IMX6UL)
CFLAGS_tests/unit/test_enet_bidirectional := $(MOCK_IMX6UL)
$(addprefix $(B)/tests/unit/,test_gem test_gem_bidirectional test_enet test_enet_bidirectional): LDHARD := -no-pie
# SIMD files have flags of their own: CFLAGS_common/codec/NAME (without .c)
-include common/codec/kernels.mk

ALL_CFLAGS  = $(STD) $(WARN) $(PC_CFLAGS) $(HARD) $(CFLAGS) $(SAN)
ALL_LDFLAGS = $(LDHARD) $(LDFLAGS) $(SAN) -pthread

src      = $(sort $(wildcard $(1)))
obj      = $(patsubst %.c,$(B)/%.o,$(1))
COMMON   := $(call src,common/core/*.c common/codec/*.c common/content/*.c common/host/*.c)
SENDER   := $(filter-out sender/main.c,$(call src,sender/*.c))
RECEIVER := $(filter-out receiver/main.c receiver/link_main.c,$(call src,receiver/*.c))
FIRMWARE := $(call src,firmware/*.c)
TOOLS    := $(call src,tools/*.c)
BENCH    := $(call src,tools/bench/*.c)
UNIT     := $(call src,tests/unit/test_*.c)
HELPERS  := $(call src,tests/tools/*.c)
FUZZERS  := $(call src,tests/fuzz/fuzz_*.c)
LAYER    := $(B)/tests/crash/powerloss.so
WALL     := $(B)/tests/wall/wall.so
FORCE_BUFFER := $(B)/tools/bench/force_buffer.so

ESCAPE   := $(addprefix $(B)/escape/,katamichi-sender katamichi-receiver katamichi-receiver-link)

ARCHIVES := $(addprefix $(B)/,libsender.a libreceiver.a libfirmware.a libkatamichi.a)
# Without msgfmt (gettext) everything is English.
CATALOGUES := $(if $(shell command -v msgfmt),$(patsubst tools/po/%.po,$(B)/locale/%/LC_MESSAGES/katamichi.mo,$(wildcard tools/po/*.po)))
COMPLETIONS := $(B)/completions/katamichi.bash $(B)/completions/katamichi.zsh
PROGRAMS := $(addprefix $(B)/,katamichi katamichi-sender katamichi-receiver katamichi-receiver-link)
UNIT_BIN := $(patsubst %.c,$(B)/%,$(UNIT))
TOOL_BIN := $(patsubst %.c,$(B)/%,$(HELPERS))
FUZZ_BIN := $(patsubst %.c,$(B)/%,$(FUZZERS))

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-5s %s\n'
endif
# Sub-makes use both cores unless the caller chose.
SUB = $(MAKE) $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

.PHONY: all help messages tests demo test test-long test-docs test-firmware test-monitoring test-crash ci lint sanitize fuzz fuzz-build fuzz-afl bench bench-peers bench-fec soak check-cc clean FORCE
all: $(PROGRAMS) $(CATALOGUES) $(COMPLETIONS)
tests: all $(UNIT_BIN) $(TOOL_BIN) $(LAYER) $(WALL) $(if $(SAN),,$(ESCAPE)) $(if $(FUZZ_MAIN),,$(FUZZ_BIN))

# --- rules ---
$(B)/.flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(LIBS))' | cmp -s - $@ || \
	    printf '%s\n' '$(subst ','\'',$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(LIBS))' >$@

$(call obj,$(call src,common/core/*.c) $(FIRMWARE)): FREEFLAGS := $(FREE)
$(B)/tests/fuzz/%.o: FREEFLAGS := -Wno-missing-prototypes
$(B)/%.o: %.c $(B)/.flags $(wildcard common/codec/kernels.mk)
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(CFLAGS_$*) $(FREEFLAGS) -MMD -MP -c -o $@ $<

# Made anew each time: an object whose source has gone must not stay.  The list of members is a prerequisite.
define archive
$(B)/$(1).a: $(call obj,$(2)) $(B)/$(1).members
	$$(say) AR $$@
	$$(Q)rm -f $$@ && $$(AR) rcsD $$@ $(call obj,$(2))
$(B)/$(1).members: FORCE
	@mkdir -p $$(@D); echo '$(2)' | cmp -s - $$@ || echo '$(2)' >$$@
endef
$(eval $(call archive,libkatamichi,$(COMMON)))
$(eval $(call archive,libsender,$(SENDER)))
$(eval $(call archive,libreceiver,$(RECEIVER)))
$(eval $(call archive,libfirmware,$(FIRMWARE)))

link = $(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group
$(B)/katamichi: $(call obj,$(TOOLS)) $(ARCHIVES)
$(B)/katamichi-sender: $(B)/sender/main.o $(B)/libsender.a $(B)/libkatamichi.a
$(B)/katamichi-receiver: $(B)/receiver/main.o $(B)/libreceiver.a $(B)/libkatamichi.a
$(B)/katamichi-receiver-link: $(B)/receiver/link_main.o $(B)/libreceiver.a $(B)/libkatamichi.a
$(PROGRAMS):
	$(say) LD $@
	$(link) $(LIBS)

$(UNIT_BIN): $(B)/tests/unit/%: $(B)/tests/unit/%.o $(ARCHIVES)
	$(say) LD $@
	$(link) -lcmocka $(LIBS)
$(B)/tests/tools/make_ledger: $(ARCHIVES)
$(TOOL_BIN): $(B)/tests/tools/%: $(B)/tests/tools/%.o
	$(say) LD $@
	$(link) $(LIBS)
# The daemons with a hook that tries to break out: everything as built above, but for sandbox.o.
$(B)/escape/sandbox.o: common/host/sandbox.c $(B)/.flags
$(B)/escape/escape.o: tests/escape/escape.c $(B)/.flags
$(B)/escape/sandbox.o $(B)/escape/escape.o:
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -DKM_ESCAPE -MMD -MP -c -o $@ $<
$(B)/escape/katamichi-sender: $(B)/sender/main.o $(B)/libsender.a
$(B)/escape/katamichi-receiver: $(B)/receiver/main.o $(B)/libreceiver.a
$(B)/escape/katamichi-receiver-link: $(B)/receiver/link_main.o $(B)/libreceiver.a
$(ESCAPE): $(B)/escape/sandbox.o $(B)/escape/escape.o $(B)/libkatamichi.a
	$(say) LD $@
	$(link) $(LIBS)
# Loaded before a daemon's own libraries; no sanitizer is in it, so that it goes into any build.
$(WALL): tests/wall/wall.c $(B)/.flags
	$(say) SO $@
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -O2 -g -fPIC -shared $(WARN) -o $@ $<
$(FORCE_BUFFER): tools/bench/force_buffer.c $(B)/.flags
	$(say) SO $@
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -O2 -g -fPIC -shared $(WARN) -o $@ $<
$(LAYER): tests/crash/powerloss.c tests/crash/powerloss_log.h $(B)/.flags
	$(say) SO $@
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -O2 -g -fPIC -shared $(WARN) -o $@ $<
$(B)/tools/bench/bench_fec: $(B)/tools/bench/fec_set.o $(B)/tools/bench/fec_isal.o
$(B)/tools/bench/raw_link: $(B)/tools/bench/raw_uring.o
$(B)/tools/bench/raw_link: LIBS += -luring
$(B)/tools/bench/%: $(B)/tools/bench/%.o $(ARCHIVES)
	$(say) LD $@
	$(link) $(if $(ISAL),-lisal) $(LIBS)
# A fuzzer is a main of libFuzzer under clang (make fuzz), and a reader of its corpus everywhere else (make test).
$(FUZZ_BIN): $(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(if $(FUZZ_MAIN),,$(B)/tests/fuzz/corpus_main.o) $(ARCHIVES)
	$(say) LD $@
	$(link) $(FUZZ_MAIN) $(LIBS)

# From the table of subcommands.
$(B)/completions/katamichi.%: $(B)/katamichi
	@mkdir -p $(@D)
	@$< completion $* >$@
# Sentences that are kept in English and translated where they are shown (host/reason.h).
$(B)/reasons.h: $(filter-out common/host/reason.c,$(COMMON)) $(SENDER) $(RECEIVER) tools/po/messages.sh
	@mkdir -p $(@D)
	@tools/po/messages.sh --reasons $@.new; cmp -s $@.new $@ && touch $@ || mv $@.new $@; rm -f $@.new
$(B)/common/host/reason.o: $(B)/reasons.h
CFLAGS_common/host/reason := -I$(B)
# The translations.  What is not translated, or was only guessed by msgmerge (fuzzy), is shown in English.
$(B)/locale/%/LC_MESSAGES/katamichi.mo: tools/po/%.po
	$(say) PO $<
	@mkdir -p $(@D)
	$(Q)msgfmt --check-format -o $@ $<
messages:
	@mkdir -p $(B)
	@tools/po/messages.sh $(B)/katamichi.pot
	@for po in tools/po/*.po; do msgmerge -q --no-wrap --no-location --previous --backup=none -U $$po $(B)/katamichi.pot && \
	    msgattrib --no-obsolete --no-wrap -o $$po $$po && \
	    printf '%s: ' $$po && msgfmt --statistics -o /dev/null $$po; done

include firmware/firmware.mk

# --- targets for people ---
help:
	@sed -n '/^$$/q; s/^# \{0,1\}//p' Makefile
test:
	@tools/deps.sh build test
	@$(SUB) --no-print-directory tests
	@$(TEST_IMAGES)
	@B=$(B) $(PYTHON) tests/run.py
test-long:
	@tools/deps.sh build test
	@$(SUB) --no-print-directory tests
	@$(TEST_IMAGES)
	@B=$(B) KATAMICHI_LONG=1 $(PYTHON) tests/run.py
# The diode box in emulation, and nothing else.  LONG=1 measures as well: 50 MB through both nodes, and what they add to the latency.
TEST_IMAGES = for kind in '' BIDIRECTIONAL=1 'FW_NAME=slow DIODE=tests/data/diode-slow.ini FW_BOARDS=zynq'; do \
    $(SUB) --no-print-directory $$kind firmware-images || exit 1; done
test-firmware:
	@tools/deps.sh build test
	@$(SUB) --no-print-directory all $(filter %/test_filter %/test_gem %/test_gem_bidirectional %/test_enet %/test_enet_bidirectional,$(UNIT_BIN))
	@$(TEST_IMAGES)
	@cat $(B)/firmware/*.size
	@B=$(B) $(if $(LONG),KATAMICHI_LONG=1) $(PYTHON) tests/run.py firmware
# Every runnable block of the guides, in both languages, on two fresh hosts.  `make test` runs the installation alone.
test-docs:
	@tools/deps.sh build test
	@$(SUB) --no-print-directory all
	@B=$(B) KATAMICHI_DOCS=all $(PYTHON) tests/run.py docs
# Alert rules and dashboard on Debian's prometheus.
test-monitoring:
	@tools/deps.sh build monitoring
	@$(SUB) --no-print-directory all
	@B=$(B) $(PYTHON) tests/run.py monitoring
# One point of it again: make test-crash SIDE=sender MODE=lost AT=120 SEED=7; JOBS is how many pairs run at a time.
CRASH_ARGS = $(foreach o,SIDE MODE AT SAMPLE SEED JOBS,$(if $($(o)),--$(shell echo $(o) | tr A-Z a-z) '$($(o))'))
test-crash:
	@tools/deps.sh build test
	@$(SUB) --no-print-directory all $(LAYER)
	@B=$(B) $(PYTHON) -B tests/crash/crash.py $(CRASH_ARGS)
demo:
	@tools/deps.sh build demo
	@$(SUB) --no-print-directory all $(B)/tests/tools/relay
	@B=$(B) tools/demo.sh
bench-fec:
	@tools/deps.sh build fec
	@$(SUB) --no-print-directory $(B)/tools/bench/bench_fec
	@$(B)/tools/bench/bench_fec
# A part of it: make bench ONLY=b MTU=9000 SIZE=500M RATE=3G (tests/BENCH.md)
BENCH_RAW  := $(addprefix $(B)/tools/bench/,raw_link raw_write raw_files bench_link_send bench_link_receive arrivals)
$(B)/tools/bench/norm_peer: tools/bench/norm_peer.cc
	$(say) CXX $@
	$(Q)mkdir -p $(@D) && $(CXX) -D_GNU_SOURCE -O2 -Wall -Wextra -Wconversion -Wshadow -Werror -o $@ $< -lnorm
BENCH_ARGS = $(foreach o,ONLY MTU SIZE FILES COUNT RATE START RUNS LOSS BURST BUFFER GRO DIR,$(if $($(o)),--$(shell echo $(o) | tr A-Z a-z) '$($(o))'))
bench:
	@tools/deps.sh build bench
	@$(SUB) --no-print-directory all $(BENCH_RAW)
	@B=$(B) $(PYTHON) tools/bench/bench.py $(BENCH_ARGS)
bench-peers:
	@tools/deps.sh build bench peers
	@$(SUB) --no-print-directory all $(BENCH_RAW) $(B)/tools/bench/norm_peer $(FORCE_BUFFER)
	@B=$(B) $(PYTHON) tools/bench/bench_peers.py $(BENCH_ARGS)
soak:
	@tools/deps.sh build bench test
	@$(SUB) --no-print-directory all
	@B=$(B) $(PYTHON) tools/soak/soak.py $(foreach o,ONLY MINUTES KILLS FILES MTU RATE SIZE BUFFER,$(if $($(o)),--$(shell echo $(o) | tr A-Z a-z) '$($(o))'))

sanitize:
	@tools/deps.sh build test
	@$(SUB) --no-print-directory B=build/asan CFLAGS='-O1 -g -fno-omit-frame-pointer' \
	    SAN='-fsanitize=address,undefined -fno-sanitize-recover=all' tests
	@B=build/asan $(PYTHON) tests/run.py unit fuzz
fuzz-build:
	@tools/deps.sh build fuzz
	@$(SUB) --no-print-directory B=build/fuzz CC=clang CFLAGS='-O1 -g -fno-omit-frame-pointer' \
	    SAN='-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all' FUZZ_MAIN=-fsanitize=fuzzer \
	    $(patsubst %.c,build/fuzz/%,$(FUZZERS))
fuzz: fuzz-build
	@tests/fuzz.sh $(SECONDS) $(JOBS)
# The same sources and corpora for AFL++: make fuzz-afl, then
# afl-fuzz -i tests/fuzz/corpus/frame -o build/afl/out build/afl/tests/fuzz/fuzz_frame
fuzz-afl:
	@tools/deps.sh build afl
	@AFL_QUIET=1 $(SUB) --no-print-directory B=build/afl CC=afl-clang-fast CFLAGS='-O1 -g' SAN='-fno-omit-frame-pointer' FUZZ_MAIN=-fsanitize=fuzzer \
	    $(patsubst %.c,build/afl/%,$(FUZZERS))
lint:
	@tools/deps.sh build lint firmware
	@$(SUB) --no-print-directory build/cross/config/config.h $(B)/reasons.h
	@tools/lint.sh
check-cc:
	@tools/deps.sh build test clang
	@$(SUB) --no-print-directory B=build/clang CC=clang tests
ci:
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory test-docs
	@$(MAKE) --no-print-directory test-monitoring
	@$(MAKE) --no-print-directory check-cc
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory sanitize
	@$(MAKE) --no-print-directory fuzz SECONDS=10

include tools/packaging/install.mk
clean:
	rm -rf build

-include $(shell find $(B) -type f -name '*.d' -not -path '$(B)/*-tmp/*' -not -path '$(B)/asan/*' -not -path '$(B)/clang/*' -not -path '$(B)/fuzz/*' -not -path '$(B)/afl/*' 2>/dev/null)
