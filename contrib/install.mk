# What ships beside the program, and where it goes. Included by the top-level Makefile.
#   make man                            the manual pages, in build/man (needs scdoc)
#   make install DESTDIR= PREFIX=       program, manual, unit, completions, examples; a first configuration
#   make uninstall DESTDIR= PREFIX=     all of it but the configuration
#   make deb                            a Debian package, in build/deb
#   make check-container                the container image's files, used in a folder (as root)
#   make check-deb                      installs that on a clean Debian 12 in a folder, and runs it (as root)
PREFIX     ?= /usr/local
# One place whatever the prefix is, since the unit and the documentation name it.
SYSCONFDIR ?= /etc
BINDIR     ?= $(PREFIX)/bin
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/dbconn
UNITDIR    ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
BASHDIR    ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR     ?= $(PREFIX)/share/zsh/site-functions
FISHDIR    ?= $(PREFIX)/share/fish/vendor_completions.d

MAN := $(addprefix $(BUILD)/man/,dbconn.1 dbconn.json.5 dbconn-playbook.5)
# Root is needed to install elsewhere than in a DESTDIR, never to build.
INSTALL = install
INTO    = $(DESTDIR)

.PHONY: man install uninstall deb check-deb check-container
man: $(MAN)

$(BUILD)/man/%: docs/man/%.scd docs/man/render.sh docs/man/keys.awk docs/man/markdown.awk docs/playbooks.md \
    $(BUILD)/dbconn
	@mkdir -p $(@D)
	@echo '  MAN  $@'
	$(Q)DBCONN=$(BUILD)/dbconn VERSION=$(VERSION) DOCDIR=$(DOCDIR) docs/man/render.sh $< >$@.new
	$(Q)mv $@.new $@

# The unit starts the program where it is.
$(BUILD)/dbconn.service: contrib/systemd/dbconn.service FORCE
	$(Q)sed -e 's|/usr/bin/dbconn|$(BINDIR)/dbconn|' -e 's|/etc/dbconn|$(SYSCONFDIR)/dbconn|g' $< >$@
.PHONY: FORCE
FORCE:

install: $(BUILD)/dbconn $(MAN) $(BUILD)/dbconn.service
	$(INSTALL) -d $(INTO)$(BINDIR) $(INTO)$(MANDIR)/man1 $(INTO)$(MANDIR)/man5 $(INTO)$(DOCDIR)/examples \
	    $(INTO)$(UNITDIR) $(INTO)$(SYSUSERSDIR) $(INTO)$(BASHDIR) $(INTO)$(ZSHDIR) $(INTO)$(FISHDIR) \
	    $(INTO)$(SYSCONFDIR)/dbconn
	$(INSTALL) -m 0755 $(BUILD)/dbconn $(INTO)$(BINDIR)/dbconn
	$(INSTALL) -m 0644 $(BUILD)/man/dbconn.1 $(INTO)$(MANDIR)/man1
	$(INSTALL) -m 0644 $(BUILD)/man/dbconn.json.5 $(BUILD)/man/dbconn-playbook.5 $(INTO)$(MANDIR)/man5
	$(INSTALL) -m 0644 README.md CHANGELOG.md SECURITY.md docs/*.md $(INTO)$(DOCDIR)
	$(INSTALL) -m 0644 config/dbconn.json config/report.schema.json \
	    config/playbooks/database-connection-refused.json $(INTO)$(DOCDIR)/examples
	$(INSTALL) -m 0644 contrib/slack/manifest.json $(INTO)$(DOCDIR)/examples/slack-manifest.json
	$(INSTALL) -m 0644 contrib/prometheus/alerts.yml $(INTO)$(DOCDIR)/examples/prometheus-alerts.yml
	$(INSTALL) -m 0644 contrib/grafana/dbconn.json $(INTO)$(DOCDIR)/examples/grafana-dashboard.json
	$(INSTALL) -m 0644 $(BUILD)/dbconn.service $(INTO)$(UNITDIR)/dbconn.service
	$(INSTALL) -m 0644 contrib/systemd/sysusers.conf $(INTO)$(SYSUSERSDIR)/dbconn.conf
	$(INSTALL) -m 0644 contrib/completions/dbconn.bash $(INTO)$(BASHDIR)/dbconn
	$(INSTALL) -m 0644 contrib/completions/_dbconn $(INTO)$(ZSHDIR)/_dbconn
	$(INSTALL) -m 0644 contrib/completions/dbconn.fish $(INTO)$(FISHDIR)/dbconn.fish
	$(INSTALL) -d -m 0700 $(INTO)$(SYSCONFDIR)/dbconn/credentials
	@# An operator's configuration is never overwritten.
	[ -e $(INTO)$(SYSCONFDIR)/dbconn/dbconn.json ] || \
	    $(INSTALL) -m 0644 contrib/systemd/dbconn.json $(INTO)$(SYSCONFDIR)/dbconn/dbconn.json

uninstall:
	rm -f $(INTO)$(BINDIR)/dbconn $(INTO)$(MANDIR)/man1/dbconn.1 $(INTO)$(MANDIR)/man5/dbconn.json.5 \
	    $(INTO)$(MANDIR)/man5/dbconn-playbook.5 $(INTO)$(UNITDIR)/dbconn.service \
	    $(INTO)$(SYSUSERSDIR)/dbconn.conf $(INTO)$(BASHDIR)/dbconn $(INTO)$(ZSHDIR)/_dbconn \
	    $(INTO)$(FISHDIR)/dbconn.fish
	rm -rf $(INTO)$(DOCDIR)
	@echo 'Left as they are: $(INTO)$(SYSCONFDIR)/dbconn and the state, /var/lib/dbconn.'

deb:
	@contrib/install-deps.sh build package
	@BUILD=$(abspath $(BUILD)) VERSION=$(VERSION) contrib/debian/build.sh

check-deb: deb $(SANDBOX)
	@contrib/install-deps.sh check-package
	@BUILD=$(abspath $(BUILD)) SANDBOX=$(abspath $(SANDBOX)) tests/package/check_deb.sh

check-container: $(BUILD)/dbconn $(SANDBOX)
	@contrib/install-deps.sh container
	@DBCONN=$(abspath $(BUILD)/dbconn) SANDBOX=$(abspath $(SANDBOX)) tests/package/check_container.sh
