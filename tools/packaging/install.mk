# install.mk - what `make install` puts where, and `make uninstall` takes away again.
#
#   DESTDIR     in front of everything, for packages and tests
#   PREFIX      /usr/local; the units and guides follow it
#   ROLE        sender or receiver: one end only; both without
# Configuration is /etc/katamichi in any case; what stands there is left alone.
#
# On the running system (no DESTDIR) the user and the folders are made as well, as a package would.
ROLE       ?= sender receiver
PACKAGING  := tools/packaging
LIBDIR      = $(DESTDIR)$(PREFIX)/lib
SHARE       = $(DESTDIR)$(PREFIX)/share
DOC         = $(SHARE)/doc/katamichi
CONFDIR     = $(DESTDIR)/etc/katamichi

UNITS_sender   := katamichi-sender.service
UNITS_receiver := katamichi-receiver.service katamichi-receiver.socket katamichi-harden.service
DAEMON_sender  := katamichi-sender
DAEMON_receiver := katamichi-receiver katamichi-receiver-link
MANUALS        := $(sort $(wildcard sender/*.[1-9] receiver/*.[1-9] common/*.[1-9] tools/*.[1-9]))
MANUALS_ja     := $(sort $(wildcard sender/ja/*.[1-9] receiver/ja/*.[1-9] common/ja/*.[1-9] tools/ja/*.[1-9]))
GUIDES         := $(sort $(wildcard tools/guides/ja/*.md tools/guides/en/*.md))

# The files are right as they stand for PREFIX=/usr; for another the paths of programs change.
put_unit = sed -e 's|/usr/sbin/katamichi|$(PREFIX)/sbin/katamichi|g' -e 's|/usr/bin/katamichi|$(PREFIX)/bin/katamichi|g' $(1) >$(2) && chmod 0644 $(2)

# katamichi(1) is what the program says of itself.
$(B)/man/man1/katamichi.1 $(B)/man/ja/man1/katamichi.1: $(B)/katamichi $(CATALOGUES) $(PACKAGING)/manual.sh
	@mkdir -p $(@D)
	$(Q)$(PACKAGING)/manual.sh $(if $(findstring /ja/,$@),ja,en) $(B)/katamichi >$@

.PHONY: install uninstall install-users
install: all $(B)/man/man1/katamichi.1 $(B)/man/ja/man1/katamichi.1
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin $(LIBDIR)/systemd/system $(LIBDIR)/sysusers.d $(LIBDIR)/tmpfiles.d
	install -m 0755 $(B)/katamichi $(DESTDIR)$(PREFIX)/bin/
	install -m 0755 $(foreach r,$(ROLE),$(DAEMON_$(r):%=$(B)/%)) $(DESTDIR)$(PREFIX)/sbin/
	install -m 0644 $(PACKAGING)/sysusers.d/katamichi.conf $(LIBDIR)/sysusers.d/
	@set -e; for r in $(ROLE); do $(call put_unit,$(PACKAGING)/tmpfiles.d/katamichi-$$r.conf,$(LIBDIR)/tmpfiles.d/katamichi-$$r.conf); done
	@set -e; for u in $(foreach r,$(ROLE),$(UNITS_$(r))); do $(call put_unit,$(PACKAGING)/systemd/$$u,$(LIBDIR)/systemd/system/$$u); done
	@set -e; for m in $(MANUALS); do install -D -m 0644 $$m $(SHARE)/man/man$${m##*.}/$${m##*/}; done
	@set -e; for m in $(MANUALS_ja); do install -D -m 0644 $$m $(SHARE)/man/ja/man$${m##*.}/$${m##*/}; done
	install -D -m 0644 -t $(SHARE)/man/man1 $(B)/man/man1/katamichi.1
	install -D -m 0644 -t $(SHARE)/man/ja/man1 $(B)/man/ja/man1/katamichi.1
	@set -e; for g in $(GUIDES); do install -D -m 0644 $$g $(DOC)/$${g#tools/}; done
	@set -e; for mo in $(CATALOGUES); do install -D -m 0644 $$mo $(SHARE)/$${mo#$(B)/}; done
	install -D -m 0644 $(B)/completions/katamichi.bash $(SHARE)/bash-completion/completions/katamichi
	install -D -m 0644 $(B)/completions/katamichi.zsh $(SHARE)/zsh/site-functions/_katamichi
	install -D -m 0644 -t $(DOC)/examples $(PACKAGING)/systemd/katamichi-import.path $(PACKAGING)/systemd/katamichi-import.service
	install -D -m 0755 -t $(DOC)/examples $(PACKAGING)/systemd/katamichi-import.sh
	install -D -m 0644 -t $(DOC) README.md README.ja.md LICENSE common/PROTOCOL.md
	install -D -m 0755 -t $(DOC)/independent tools/independent/*
	install -D -m 0644 -t $(DOC)/examples $(PACKAGING)/conf/*
	install -D -m 0644 -t $(DOC)/monitoring tools/monitoring/README.md tools/monitoring/katamichi.rules.yml tools/monitoring/dashboard.json
	install -D -m 0644 -t $(DOC)/wireshark tools/wireshark/katamichi.lua
	install -d -m 0750 $(CONFDIR)
	@set -e; for r in $(ROLE); do [ -e $(CONFDIR)/$$r.conf ] || install -m 0644 $(PACKAGING)/conf/$$r.conf $(CONFDIR)/; done
	$(if $(DESTDIR),,@$(MAKE) --no-print-directory install-users)

# What systemd does at the next boot in any case.
install-users:
	if command -v systemd-sysusers >/dev/null; then systemd-sysusers $(LIBDIR)/sysusers.d/katamichi.conf && \
	    systemd-tmpfiles --create $(patsubst %,$(LIBDIR)/tmpfiles.d/katamichi-%.conf,$(ROLE)); fi
	if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi

# Keys, configuration, folders and the user stay: they are not ours to throw away.
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/katamichi $(addprefix $(DESTDIR)$(PREFIX)/sbin/,$(DAEMON_sender) $(DAEMON_receiver))
	rm -f $(addprefix $(LIBDIR)/systemd/system/,$(UNITS_sender) $(UNITS_receiver))
	rm -f $(LIBDIR)/sysusers.d/katamichi.conf $(LIBDIR)/tmpfiles.d/katamichi-sender.conf $(LIBDIR)/tmpfiles.d/katamichi-receiver.conf
	rm -f $(foreach m,$(MANUALS),$(SHARE)/man/man$(subst .,,$(suffix $(m)))/$(notdir $(m)))
	rm -f $(foreach m,$(MANUALS_ja),$(SHARE)/man/ja/man$(subst .,,$(suffix $(m)))/$(notdir $(m)))
	rm -f $(CATALOGUES:$(B)/%=$(SHARE)/%) $(SHARE)/bash-completion/completions/katamichi $(SHARE)/zsh/site-functions/_katamichi
	rm -f $(SHARE)/man/man1/katamichi.1 $(SHARE)/man/ja/man1/katamichi.1
	rm -rf $(DOC)
