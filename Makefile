# dbconn: one Makefile, everything it makes is under $(BUILD).
#   make            the program, build/dbconn
#   make check      every test (installs what is missing first)
#   make crashtest  kills it at 300 points of whole jobs (a dozen in make check)
#   make faults     everything that may go wrong outside, at every service (a short form in make check)
#   make fuzz       arbitrary bytes for every parser of outside data
#   make nightly    what takes too long for every change
#   make demo       a whole incident in the terminal
#   make deb        a Debian package; make install PREFIX= DESTDIR=
SHELL   := /bin/bash
Q       ?= @
BUILD   ?= build
CC      ?= cc
CSTD    := -std=c17 -D_GNU_SOURCE
CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion \
           -Wstrict-prototypes -Wundef -Wvla -Wmissing-prototypes -Wpointer-arith \
           -Wcast-qual -Wwrite-strings -Wformat=2 -Wnull-dereference
HARDEN  ?= -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
           -fstack-clash-protection -fcf-protection -fPIE
HARDLD  ?= -pie -Wl,-z,relro,-z,now,-z,noexecstack
SAN     ?=
VERSION := 0.1.0

# Those that most symbols are found in first: the loader looks for each in this order.
PKGS      := libcrypto libssl libuv sqlite3 libpcre2-8 libcjson libcurl libwebsockets
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) | sed 's/-I\//-isystem \//g')
PKG_LIBS   = $(shell pkg-config --libs $(PKGS))
# Headers only: libpq is loaded when a postgresql:// store is opened.
PQ_CFLAGS  = $(shell pkg-config --cflags libpq | sed 's/-I\//-isystem \//g')
# Likewise: cairo is loaded when a picture is drawn.
CAIRO_CFLAGS = $(shell pkg-config --cflags cairo | sed 's/-I\//-isystem \//g')

ALL_CFLAGS = $(CSTD) $(WARN) $(if $(WERROR),-Werror) $(HARDEN) $(SAN) $(CFLAGS) \
             -Iinclude $(PKG_CFLAGS) $(PQ_CFLAGS) $(CAIRO_CFLAGS) -DDBCONN_VERSION='"$(VERSION)"'
ALL_LDFLAGS = $(SAN) $(HARDLD) $(LDFLAGS)

MAIN     := src/app/main.c
LIB_SRC  := $(filter-out $(MAIN),$(sort $(wildcard src/*/*.c)))
LIB_OBJ  := $(LIB_SRC:%.c=$(BUILD)/%.o) $(BUILD)/src/playbook/builtin.o
MAIN_OBJ := $(MAIN:%.c=$(BUILD)/%.o)
LIB      := $(BUILD)/libdbconn.a

UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/%)

LINT     := tests/lint/floors.sh tests/lint/prometheus.sh

.DEFAULT_GOAL := all
-include contrib/sandbox/sandbox.mk
-include tests/crash/crash.mk
-include tests/bench/bench.mk
include contrib/install.mk
-include tests/fuzz/fuzz.mk
-include tests/secrets/secrets.mk
-include tests/faults/faults.mk
-include tests/nightly.mk
-include tests/coverage/coverage.mk

.PHONY: all clean unit tests check check-built asan fmt
all: $(BUILD)/dbconn

$(BUILD)/dbconn: $(MAIN_OBJ) $(LIB)
	@echo '  LD   $@'
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(MAIN_OBJ) $(LIB) $(PKG_LIBS) -ldl -lm -lpthread

$(LIB): $(LIB_OBJ)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(LIB_OBJ)

$(BUILD)/%.o: %.c | $(BUILD)/libraries.ok
	@mkdir -p $(@D)
	@echo '  CC   $<'
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Missing libraries are named before the compiler misses their headers.
$(BUILD)/libraries.ok: contrib/check-libs.sh
	@contrib/check-libs.sh $(PKGS) libpq cairo
	@mkdir -p $(@D)
	@touch $@

# The shipped playbook is part of the program.
$(BUILD)/src/playbook/builtin.o: src/playbook/builtin.S config/playbooks/database-connection-refused.json
	@mkdir -p $(@D)
	$(CC) -c -o $@ $<

$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(LIB) $(PKG_LIBS) -lcmocka -ldl -lm -lpthread

# This one takes the pictures apart again.
$(BUILD)/tests/test_chart_png: PKG_LIBS += -lcairo

unit: $(BUILD)/dbconn $(UNIT_BIN)
	@tests/run.sh $(UNIT_BIN)

# Everything: installs what is missing, builds, runs all tests. The last line counts them.
check:
	@contrib/install-deps.sh
	@$(MAKE) --no-print-directory check-built

# The crash test kills real processes, which the sanitizers' runtime does not like to be loaded into.
CHECKED = $(UNIT_BIN) $(FUZZ_REPLAY) $(E2E_BIN) $(SECRETS_BIN) $(FAULTS_BIN) $(if $(SAN),,$(CRASH_BIN))
check-built: $(BUILD)/dbconn $(SANDBOX) $(CHECKED)
	@DBCONN=$(BUILD)/dbconn SANDBOX=$(SANDBOX) tests/run.sh $(CHECKED) $(LINT)

# What libraries keep until the end is no leak of ours.
export LSAN_OPTIONS ?= suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0

# The same tests with the address and undefined-behaviour sanitizers.
asan:
	@$(MAKE) --no-print-directory BUILD=build/asan HARDEN= HARDLD= CFLAGS='-O1 -g -fno-omit-frame-pointer' \
	    SAN='-fsanitize=address,undefined -fno-sanitize-recover=all' check-built

fmt:
	clang-format -i $(shell git ls-files '*.c' '*.h')

clean:
	rm -rf $(BUILD)

# The package is built in a tree of its own, below deb.
-include $(shell find $(BUILD) -path $(BUILD)/deb -prune -o -type f -name '*.d' -print 2>/dev/null)
