# What takes too long for every change. Included by the top-level Makefile.
#   make lint           all static checks (some minutes); make lint-quick is what CI runs
#   make valgrind       the unit tests under valgrind, and the program itself in whole incidents
#   make tsan           the tests with threads under the thread sanitizer
#   make nightly        all of this, the crash test, long fuzzing, the package; figures at its end
LINT_FLAGS = $(CSTD) -Iinclude -Icontrib/sandbox $(PKG_CFLAGS) $(PQ_CFLAGS) $(CAIRO_CFLAGS)
VALGRIND   = valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite \
             --suppressions=$(abspath tests/valgrind.supp)
# Investigations in a terminal, one for each cause, and the bot with its threads.
VALGRIND_E2E = $(addprefix $(BUILD)/tests/e2e/,test_run test_slack_job)

.PHONY: lint lint-quick valgrind valgrind-unit valgrind-e2e tsan tsan-built nightly
lint:
	@contrib/install-deps.sh build lint
	@LINT_FLAGS='$(LINT_FLAGS)' tests/lint/lint.sh all

lint-quick:
	@contrib/install-deps.sh build lint
	@LINT_FLAGS='$(LINT_FLAGS)' tests/lint/lint.sh quick

valgrind: valgrind-unit valgrind-e2e

valgrind-unit: $(BUILD)/dbconn $(UNIT_BIN)
	@VALGRIND='$(VALGRIND)' tests/run.sh $(UNIT_BIN)

# The tests start what DBCONN names; under valgrind that is a script.
valgrind-e2e: $(BUILD)/dbconn $(SANDBOX) $(VALGRIND_E2E)
	@printf '#!/bin/sh\nexec %s %s "$$@"\n' '$(VALGRIND)' '$(abspath $(BUILD)/dbconn)' >$(BUILD)/dbconn-valgrind
	@chmod +x $(BUILD)/dbconn-valgrind
	@DBCONN=$(abspath $(BUILD)/dbconn-valgrind) SANDBOX=$(SANDBOX) tests/run.sh $(VALGRIND_E2E)

# The store has a thread of its own, and libuv resolves names on others. Whoever wants to see more under
# it: make tsan TSAN_TESTS=...
TSAN_TESTS = $(addprefix $(BUILD)/tests/,test_queue test_queue_scheduler test_http test_websocket) \
             $(addprefix $(BUILD)/tests/e2e/,test_run test_slack_job)
# Its shadow memory does not fit to the addresses that newer kernels choose at random.
FIXED_ADDRESSES = $(shell setarch $$(uname -m) -R true 2>/dev/null && echo setarch $$(uname -m) -R)
tsan:
	@$(MAKE) --no-print-directory BUILD=build/tsan HARDEN= HARDLD= CFLAGS='-O1 -g -fno-omit-frame-pointer' \
	    SAN=-fsanitize=thread tsan-built

tsan-built: $(BUILD)/dbconn $(SANDBOX) $(TSAN_TESTS)
	@DBCONN=$(BUILD)/dbconn SANDBOX=$(SANDBOX) $(FIXED_ADDRESSES) tests/run.sh $(TSAN_TESTS)

NIGHTLY_FUZZ_SECONDS ?= 600
nightly:
	@contrib/install-deps.sh build test lint nightly
	@NIGHTLY_FUZZ_SECONDS=$(NIGHTLY_FUZZ_SECONDS) MAKE='$(MAKE)' tests/nightly.sh
